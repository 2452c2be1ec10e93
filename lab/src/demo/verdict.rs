//! Judges a played story: did response times come back in time, and did the replicas go home?

use std::fmt;
use std::time::Duration;

use scaler_engine::Slo;
use serde::Serialize;
use serde_json::{Value, json};

use super::story::Story;

/// One second of the story.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    /// Since the story began.
    pub(crate) at: Duration,
    pub(crate) load_factor: f64,
    /// Completed and refused; per second.
    pub(crate) offered_rps: f64,
    /// `None` when nothing could be measured.
    pub(crate) p95_seconds: Option<f64>,
    pub(crate) ready: u32,
    pub(crate) current: u32,
    pub(crate) desired: u32,
}

/// Jobs of the whole story, users' and synthetic ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Totals {
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) errors: u64,
}

/// What came out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// From the beginning of the spike to the first replica that was asked for.
    pub(crate) first_reaction: Option<Duration>,
    /// From the beginning of the spike until p95 was inside the SLO to stay; zero when it never left.
    pub(crate) p95_back: Option<Duration>,
    pub(crate) most_replicas: u32,
    pub(crate) replica_seconds: f64,
    /// From the end of the spike until the replicas were back at the minimum.
    pub(crate) back_to_minimum: Option<Duration>,
    pub(crate) totals: Totals,
    hold: Duration,
    minimum: u32,
}

impl Verdict {
    /// Judges the points of a story whose spike began at `spike_at`.
    pub(crate) fn new(story: &Story, spike_at: Duration, points: &[Point], totals: Totals) -> Self {
        let minimum = story.minimum;
        let during: Vec<&Point> = points.iter().filter(|point| point.at >= spike_at).collect();
        let resting = points.iter().rfind(|point| point.at < spike_at).map_or(minimum, |point| point.desired);
        let first_reaction = during
            .iter()
            .find(|point| point.desired > resting)
            .map(|point| point.at.saturating_sub(spike_at));
        let spike_end = spike_at + story.hold + story.ramp;
        Self {
            first_reaction,
            p95_back: p95_back(story, spike_at, &during),
            most_replicas: points.iter().map(|point| point.current).max().unwrap_or_default(),
            replica_seconds: replica_seconds(points),
            back_to_minimum: during
                .iter()
                .find(|point| point.at >= spike_end && point.current == minimum && point.desired == minimum)
                .map(|point| point.at.saturating_sub(spike_end)),
            totals,
            hold: story.hold,
            minimum,
        }
    }

    /// Whether p95 was back before the spike began to end, and the replicas returned to the minimum.
    pub(crate) fn held(&self) -> bool {
        self.p95_back.is_some_and(|back| back <= self.hold) && self.back_to_minimum.is_some()
    }
}

impl Verdict {
    /// The same for machines; times in seconds, `null` for what never happened.
    pub(crate) fn to_json(&self) -> Value {
        let seconds = |span: Option<Duration>| span.map(|span| span.as_secs_f64());
        json!({
            "held": self.held(),
            "first_reaction_seconds": seconds(self.first_reaction),
            "p95_back_seconds": seconds(self.p95_back),
            "spike_hold_seconds": self.hold.as_secs_f64(),
            "replicas_max": self.most_replicas,
            "replica_seconds": self.replica_seconds,
            "back_to_minimum_seconds": seconds(self.back_to_minimum),
            "totals": self.totals,
        })
    }
}

/// The first moment from which p95 stayed inside the SLO for one of its own windows, so that a single good second
/// between bad ones does not count.
fn p95_back(story: &Story, spike_at: Duration, during: &[&Point]) -> Option<Duration> {
    let inside = |point: &Point| point.p95_seconds.is_some_and(|p95| p95 <= Slo::DEFAULT.p95_seconds);
    let Some(first_outside) = during.iter().position(|point| !inside(point)) else {
        return Some(Duration::ZERO);
    };
    let after = &during[first_outside..];
    after.iter().enumerate().find_map(|(index, point)| {
        let until = point.at + story.p95_window;
        let window = after[index..].iter().take_while(|later| later.at <= until);
        let covered = after.last().is_some_and(|last| last.at >= until);
        (covered && window.clone().all(|later| inside(later))).then(|| point.at.saturating_sub(spike_at))
    })
}

fn replica_seconds(points: &[Point]) -> f64 {
    points
        .windows(2)
        .map(|pair| f64::from(pair[0].current) * pair[1].at.saturating_sub(pair[0].at).as_secs_f64())
        .sum()
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |span: Option<Duration>| {
            span.map_or_else(|| "never".to_owned(), |span| format!("{:.1} s", span.as_secs_f64()))
        };
        let rows = [
            ("time to first reaction", seconds(self.first_reaction)),
            ("time until p95 is back inside the SLO", seconds(self.p95_back)),
            ("highest replica count", self.most_replicas.to_string()),
            ("replica-seconds", format!("{:.0}", self.replica_seconds)),
            ("requests", self.totals.requests.to_string()),
            ("refusals (503, queue full)", self.totals.refused.to_string()),
            ("errors", self.totals.errors.to_string()),
            ("back at the minimum after the spike", seconds(self.back_to_minimum)),
        ];
        for (name, value) in rows {
            writeln!(formatter, "  {name:<38} {value:>10}")?;
        }
        let p95 = if self.p95_back.is_some_and(|back| back <= self.hold) {
            "p95 was back inside 250 ms before the spike began to end".to_owned()
        } else {
            format!("p95 was not back inside 250 ms within the {} s that the spike held", self.hold.as_secs())
        };
        let replicas = if self.back_to_minimum.is_some() {
            format!("the replicas returned to {}", self.minimum)
        } else {
            format!("the replicas did not return to {} in time", self.minimum)
        };
        let verdict = if self.held() { "held" } else { "not held" };
        write!(formatter, "\n  {verdict}: {p95}; {replicas}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scaler::policy_file::PolicyOverrides;
    use scaler_engine::ThresholdPolicy;

    use super::{Point, Story, Totals, Verdict};

    /// A spike at 20 s that holds for 120 s; p95 leaves the SLO from 22 s to `back`, 3 replicas from 60 s to `home`.
    fn played(back: u64, home: u64) -> Verdict {
        let story = Story::new(&ThresholdPolicy::default(), PolicyOverrides::default(), false);
        let points: Vec<Point> = (0..300)
            .map(|second| {
                let replicas = if (60..home).contains(&second) { 3 } else { 1 };
                Point {
                    at: Duration::from_secs(second),
                    load_factor: 1.0,
                    offered_rps: 40.0,
                    p95_seconds: Some(if (22..back).contains(&second) { 1.3 } else { 0.1 }),
                    ready: replicas,
                    current: replicas,
                    desired: replicas,
                }
            })
            .collect();
        Verdict::new(&story, Duration::from_secs(20), &points, Totals::default())
    }

    #[test]
    fn a_good_story_holds_with_its_times() {
        let verdict = played(95, 230);
        assert!(verdict.held(), "{verdict}");
        assert_eq!(verdict.first_reaction, Some(Duration::from_secs(40)));
        assert_eq!(verdict.p95_back, Some(Duration::from_secs(75)));
        assert_eq!(verdict.back_to_minimum, Some(Duration::from_secs(60)));
        assert_eq!(verdict.most_replicas, 3);
        assert!((verdict.replica_seconds - f64::from(299 + 2 * 170)).abs() < 1e-9, "{verdict}");
    }

    #[test]
    fn a_late_recovery_or_replicas_that_stay_do_not_hold() {
        assert!(!played(160, 230).held(), "p95 was back only after the spike had begun to end");
        assert!(!played(400, 230).held(), "p95 was never back");
        assert!(!played(95, 400).held(), "the replicas stayed");
    }

    #[test]
    fn a_single_good_second_is_no_recovery() {
        let story = Story::new(&ThresholdPolicy::default(), PolicyOverrides::default(), false);
        let point = |second: u64, p95: f64| Point {
            at: Duration::from_secs(second),
            load_factor: 5.0,
            offered_rps: 200.0,
            p95_seconds: Some(p95),
            ready: 1,
            current: 1,
            desired: 1,
        };
        let points: Vec<Point> =
            (20..100).map(|second| point(second, if second == 50 { 0.1 } else { 1.3 })).collect();
        let verdict = Verdict::new(&story, Duration::from_secs(20), &points, Totals::default());
        assert_eq!(verdict.p95_back, None);
    }
}
