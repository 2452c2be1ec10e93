//! How much load there is over time: users or requests per second, in stages or after a shape of the workload crate.
//!
//! As text: `50` holds for the whole run; `10..200/5m` is a ramp; stages follow one another with commas, so
//! `50/1m,400/30s,50/1m` is a spike, `50/1m,100/1m,200/1m` a staircase, and `10..100/1m,100` a ramp that then holds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::Rng;
use workload::{Arrivals, Ramp, Shape, ShapeDefinition};

/// The most stages of one plan.
const MOST_STAGES: usize = 1000;

/// The largest level: requests per second or users.
const LARGEST_LEVEL: f64 = 1e6;

/// Longest that a plan may last.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A level of load over time, from the beginning of the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    stages: Vec<Stage>,
    text: String,
}

#[derive(Clone, Debug, PartialEq)]
struct Stage {
    shape: Shape,
    /// What level 1 of the shape stands for.
    scale: f64,
    /// None: to the end of the run.
    lasts: Option<Duration>,
}

/// A text that is no plan of load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no load: {problem}; hint: 50, 10..200/5m and 50/1m,400/30s,50/1m are examples")]
pub struct LevelsError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Levels {
    /// The same level all the time, from 0 to 1,000,000.
    pub fn steady(level: f64) -> Self {
        let shape = Shape::steady(level.clamp(0.0, LARGEST_LEVEL)).expect("a level within a shape's bounds");
        Self { stages: vec![Stage { shape, scale: 1.0, lasts: None }], text: level.to_string() }
    }

    /// A shape whose level 1 stands for `self`, which must be one number; none where it is not.
    #[must_use]
    pub fn shaped(&self, shape: Shape, name: &str) -> Option<Self> {
        let level = self.as_number()?;
        let lasts = shape.ends_after().map(|end| end.min(LONGEST)).filter(|end| !end.is_zero());
        let text = format!("{level} × {name}");
        Some(Self { stages: vec![Stage { shape, scale: level, lasts }], text })
    }

    /// The level, where it is one number for the whole run.
    pub fn as_number(&self) -> Option<f64> {
        match self.stages.as_slice() {
            [Stage { shape, scale, lasts: None }] => match shape.definition() {
                ShapeDefinition::Steady(steady) => Some(steady.level * scale),
                _ => None,
            },
            _ => None,
        }
    }

    /// How long it lasts; none where the last stage goes on to the end of the run. Stages before it count.
    pub fn lasts(&self) -> Option<Duration> {
        self.stages.iter().map(|stage| stage.lasts).sum()
    }

    /// How long the stages take that have an end.
    pub(crate) fn staged(&self) -> Duration {
        self.stages.iter().filter_map(|stage| stage.lasts).sum()
    }

    /// The level once `elapsed` has passed; the last stage's shape goes on beyond its end.
    pub fn level_at(&self, elapsed: Duration) -> f64 {
        let (_, stage, start) = self.stage_at(elapsed);
        stage.shape.level_at(elapsed.saturating_sub(start)) * stage.scale
    }

    /// The highest level that there ever is.
    pub fn highest(&self) -> f64 {
        self.stages.iter().map(|stage| stage.shape.highest_level() * stage.scale).fold(0.0, f64::max)
    }

    /// The first arrival later than the one at `after`, or the first of all, where the level is arrivals per second.
    ///
    /// Where a stage ends while an arrival is pending, it is dropped and drawn again: exact for a Poisson process, and
    /// even spacing begins again with each stage, half a gap after its beginning. So evenly spaced arrivals are as many
    /// as each stage says.
    pub fn next_arrival<R: Rng + ?Sized>(
        &self,
        after: Option<Duration>,
        arrivals: Arrivals,
        rng: &mut R,
    ) -> Option<Duration> {
        let (mut index, mut stage, mut start) = self.stage_at(after.unwrap_or_default());
        let mut after = after;
        loop {
            let end =
                if index + 1 < self.stages.len() { stage.lasts.map(|lasts| start + lasts) } else { None };
            let (shape, scale) = (&stage.shape, stage.scale);
            let arrival = match after {
                Some(after) => arrivals.next_arrival(after.saturating_sub(start), shape, scale, rng),
                None => arrivals.first_arrival(Duration::ZERO, shape, scale, rng),
            };
            let arrival = arrival.map(|arrival| start + arrival);
            match (arrival, end) {
                (arrival, None) => return arrival,
                (Some(arrival), Some(end)) if arrival < end => return Some(arrival),
                (_, Some(end)) => {
                    index += 1;
                    stage = &self.stages[index];
                    (start, after) = (end, None);
                }
            }
        }
    }

    /// The stage that is in force, its place, and when it begins.
    fn stage_at(&self, elapsed: Duration) -> (usize, &Stage, Duration) {
        let mut start = Duration::ZERO;
        for (index, stage) in self.stages.iter().enumerate() {
            let end = stage.lasts.map(|lasts| start + lasts);
            match end {
                Some(end) if elapsed >= end && index + 1 < self.stages.len() => start = end,
                _ => return (index, stage, start),
            }
        }
        unreachable!("the last stage is returned whatever the time")
    }
}

impl FromStr for Levels {
    type Err = LevelsError;

    fn from_str(text: &str) -> Result<Self, LevelsError> {
        let refuse = |problem: String| LevelsError { text: text.to_owned(), problem };
        let parts: Vec<&str> = text.split(',').collect();
        if parts.len() > MOST_STAGES {
            return Err(refuse(format!("it has more than {MOST_STAGES} stages")));
        }
        let mut stages = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            let stage = stage(part.trim()).map_err(refuse)?;
            if stage.lasts.is_none() && index + 1 < parts.len() {
                return Err(refuse(format!("`{part}` has no duration, which only the last stage may lack")));
            }
            stages.push(stage);
        }
        let levels = Self { stages, text: text.to_owned() };
        if levels.staged() > LONGEST {
            return Err(refuse("it lasts longer than 24h".to_owned()));
        }
        if levels.highest() <= 0.0 {
            return Err(refuse("it is never above 0".to_owned()));
        }
        Ok(levels)
    }
}

/// `A`, `A/DURATION` or `A..B/DURATION`.
fn stage(text: &str) -> Result<Stage, String> {
    let (levels, lasts) = match text.split_once('/') {
        None => (text, None),
        Some((levels, lasts)) => match humantime::parse_duration(lasts.trim()) {
            Ok(lasts) if !lasts.is_zero() && lasts <= LONGEST => (levels, Some(lasts)),
            _ => return Err(format!("`{lasts}` is no duration above 0 such as 30s or 5m")),
        },
    };
    let number = |text: &str| match text.trim().parse::<f64>() {
        Ok(level) if (0.0..=LARGEST_LEVEL).contains(&level) => Ok(level),
        _ => Err(format!("`{}` is no number from 0 to 1000000", text.trim())),
    };
    let shape = match levels.split_once("..") {
        None => Shape::steady(number(levels)?),
        Some((from, to)) => {
            let Some(lasts) = lasts else {
                return Err(format!("the ramp `{levels}` has no duration, such as {levels}/5m"));
            };
            Shape::try_from(Ramp { from: number(from)?, to: number(to)?, over_seconds: lasts.as_secs_f64() })
        }
    };
    Ok(Stage { shape: shape.map_err(|error| error.to_string())?, scale: 1.0, lasts })
}

impl fmt::Display for Levels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workload::{Arrivals, Shape, Spike, Streams};

    use super::Levels;

    fn levels(text: &str) -> Levels {
        text.parse().expect(text)
    }

    #[test]
    fn a_text_says_what_the_level_is_when() {
        let plan = levels("10..200/100s, 200/1m, 50");
        for (seconds, level) in
            [(0, 10.0), (50, 105.0), (100, 200.0), (159, 200.0), (160, 50.0), (9999, 50.0)]
        {
            let found = plan.level_at(Duration::from_secs(seconds));
            assert!((found - level).abs() < 1e-9, "{found} at {seconds} s");
        }
        assert_eq!((plan.lasts(), plan.staged()), (None, Duration::from_secs(160)));
        assert!((plan.highest() - 200.0).abs() < f64::EPSILON);
        assert_eq!(levels("50").as_number(), Some(50.0));
        assert_eq!(levels("5/1m").as_number(), None);
        assert_eq!(levels("1..2/30s,2/30s").lasts(), Some(Duration::from_secs(60)));
    }

    #[test]
    fn a_shape_is_scaled_by_a_number() {
        let spike = Spike { base: 1.0, peak: 5.0, hold_seconds: 120.0, ramp_seconds: 30.0 };
        let plan = levels("40").shaped(Shape::try_from(spike).unwrap(), "spike.yaml").unwrap();
        assert!((plan.level_at(Duration::from_secs(135)) - 120.0).abs() < 1e-9);
        assert!((plan.highest() - 200.0).abs() < 1e-9);
        assert_eq!(plan.lasts(), Some(Duration::from_secs(150)));
        assert!(levels("1..2/1m").shaped(Shape::default(), "x").is_none());
    }

    #[test]
    fn arrivals_follow_the_level_across_stages() {
        let plan = levels("100/10s,0/10s,300/10s");
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            let mut stream = Streams::from_seed(1).stream("arrivals");
            let mut counts = [0_u32; 3];
            let mut last = None;
            while let Some(at) = plan.next_arrival(last, arrivals, &mut stream) {
                last = Some(at);
                match at.as_secs() / 10 {
                    stage @ 0..=2 => counts[usize::try_from(stage).unwrap()] += 1,
                    _ => break,
                }
            }
            // 1000 and 3000 expected; five standard deviations of a Poisson count.
            assert!((842..=1158).contains(&counts[0]), "{arrivals}: {counts:?}");
            assert_eq!(counts[1], 0, "{arrivals}");
            assert!((2726..=3274).contains(&counts[2]), "{arrivals}: {counts:?}");
        }
    }

    #[test]
    fn evenly_spaced_arrivals_are_as_many_as_each_stage_says() {
        for (text, end, counts) in [
            ("20", 4.0, &[80][..]),
            ("1", 3.0, &[3]),
            ("3", 1000.0, &[3000]),
            ("0.7", 10.0, &[7]),
            ("50/1s,100/2s,7/1s", 4.0, &[50, 200, 7]),
            ("10..30/10s", 10.0, &[200]),
            ("0/1s,200/2s", 3.0, &[0, 400]),
        ] {
            let plan = levels(text);
            let mut stream = Streams::from_seed(1).stream("arrivals");
            let (mut last, mut found) = (None, vec![0; counts.len()]);
            while let Some(at) = plan.next_arrival(last, Arrivals::Constant, &mut stream) {
                if at >= Duration::from_secs_f64(end) {
                    break;
                }
                found[plan.stage_at(at).0] += 1;
                last = Some(at);
            }
            assert_eq!(found, counts, "{text}");
        }
    }

    #[test]
    fn what_is_no_load_is_refused_with_a_hint() {
        for text in [
            "",
            "fast",
            "-1",
            "0",
            "NaN",
            "inf",
            "1e9",
            "10..20",
            "10..20/0s",
            "10..20/5",
            "50,60",
            "50/1m,",
            "..",
            "10../1m",
            "1..2..3/1m",
            "50/25h",
            "0/1m,0/1m",
        ] {
            let error = text.parse::<Levels>().expect_err(text).to_string();
            assert!(error.contains("10..200/5m"), "{error}");
        }
    }
}
