//! Says which rate to measure next, from nothing but what was measured so far.
//!
//! The search climbs by doubling the rate until the SLO is breached, then halves the bracket, in the geometric mean,
//! until it is as narrow as was asked for, then offers clearly too much, twice, to see how much the service can do at
//! most. It has no state besides the levels: [`Search::next_step`] works its way through them from the beginning, so a
//! search is repeated by the same measurements, live or in virtual time.
//!
//! What counts of a rate:
//! - A breach is measured again before it is believed; where the two disagree, a third decides.
//! - A level that has not settled is measured again, twice as long, up to [`SearchPlan::longest_hold`]; one that never
//!   settles is beyond the SLO, because nobody can say that it is within.
//! - A level that is void for another reason is measured again once; twice void, and the generator is the limit.

pub(crate) mod plan;
mod standing;

use super::level::{Level, LevelVerdict};
use super::outcome::{End, Outcome, overloaded, reason};
use crate::measurement::Measurement;
use plan::{PlannedLevel, Rates, SearchPlan, Step};
use standing::{Standing, standing};

/// The rate is multiplied by this while the SLO is kept.
const CLIMB: f64 = 2.0;

/// How often the rate is halved where not even the first one keeps the SLO.
const DESCENTS: i32 = 8;

/// A level of fewer requests says nothing.
const FEWEST_REQUESTS: f64 = 20.0;

/// Throughput that grows by less than this share of itself twice in a row while the rate doubles has stopped growing.
const STANDSTILL: f64 = 0.05;

/// What is offered to find the plateau, as multiples of the highest throughput so far: for the first level of
/// overload, and for the second.
const OVERLOADS: [f64; 2] = [1.4, 1.8];

/// Most levels beyond the SLO, by this factor and more, before the plateau is given up.
const MOST_OVERLOADS: (usize, f64) = (10, 1.2);

/// A search for the highest rate within an SLO.
#[derive(Clone, Debug)]
pub struct Search {
    plan: SearchPlan,
    levels: Vec<Level>,
}

/// How far the way through the levels led.
enum Progress {
    Missing(f64),
    Known(End),
}

/// What is known of the highest rate within the SLO.
#[derive(Clone, Copy, Debug, Default)]
struct Bracket {
    within: Option<f64>,
    beyond: Option<f64>,
}

impl Search {
    /// A search that has measured nothing yet.
    pub fn new(plan: SearchPlan) -> Self {
        Self { plan, levels: Vec::new() }
    }

    /// What is looked for.
    pub fn plan(&self) -> &SearchPlan {
        &self.plan
    }

    /// What was measured so far, in that order.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// What to do next.
    pub fn next_step(&self) -> Step {
        let mut bracket = Bracket::default();
        match self.walk(&mut bracket) {
            Progress::Missing(rate_rps) => Step::Measure(self.planned(rate_rps)),
            Progress::Known(end) => Step::Finished(self.outcome(end, bracket)),
        }
    }

    /// Takes the measurement of the level that [`Search::next_step`] asked for, and answers it judged.
    ///
    /// At any other time it is recorded as one more level of its rate.
    pub fn record(&mut self, measurement: Measurement) -> &Level {
        let warm_up = self.planned(measurement.offered_rps).warm_up;
        let number = self.next_number();
        let level = Level::judge(number, warm_up, measurement, &self.plan.slo, self.plan.allowance);
        self.levels.push(level);
        self.levels.last().expect("one was added just now")
    }

    /// What is known now, where nothing more will be measured.
    pub fn stop(&self) -> Outcome {
        match self.next_step() {
            Step::Finished(outcome) => outcome,
            Step::Measure(_) => {
                let mut bracket = Bracket::default();
                self.walk(&mut bracket);
                self.outcome(End::Stopped, bracket)
            }
        }
    }

    /// Gives the levels away.
    pub fn into_levels(self) -> Vec<Level> {
        self.levels
    }

    fn next_number(&self) -> u32 {
        u32::try_from(self.levels.len() + 1).unwrap_or(u32::MAX)
    }

    fn planned(&self, rate_rps: f64) -> PlannedLevel {
        let unsettled = at(&self.levels, rate_rps).filter(|level| level.is_unsettled()).count();
        let factor = 1 << unsettled.min(8);
        let hold = (self.plan.hold * factor).min(self.plan.longest_hold).max(self.plan.hold);
        let warm_up = self.plan.warm_up * factor;
        PlannedLevel { number: self.next_number(), rate_rps, warm_up, hold }
    }

    fn standing(&self, rate_rps: f64) -> Standing {
        let longest_tried = at(&self.levels, rate_rps).map(|level| level.measurement.measured).max();
        // A level is never measured to the nanosecond as long as was planned.
        let can_wait_longer =
            longest_tried.is_none_or(|tried| self.planned(rate_rps).hold > tried.mul_f64(1.1));
        standing(&at(&self.levels, rate_rps).collect::<Vec<_>>(), can_wait_longer)
    }

    fn walk(&self, bracket: &mut Bracket) -> Progress {
        match &self.plan.rates {
            Rates::Listed(rates) => self.walk_list(rates, bracket),
            Rates::Searched { start_rps, most_rps, resolution } => {
                self.walk_search(*start_rps, *most_rps, *resolution, bracket)
            }
        }
    }

    fn walk_list(&self, rates: &[f64], bracket: &mut Bracket) -> Progress {
        let mut end = End::NotReached;
        for rate in rates {
            match self.standing(*rate) {
                Standing::Open => return Progress::Missing(*rate),
                Standing::Within if bracket.beyond.is_none() => bracket.within = Some(*rate),
                Standing::Beyond if bracket.beyond.is_none() => {
                    bracket.beyond = Some(*rate);
                    end = self.reason_at(*rate);
                }
                Standing::Within | Standing::Beyond => {}
            }
        }
        Progress::Known(end)
    }

    fn walk_search(&self, start: f64, most: f64, resolution: f64, bracket: &mut Bracket) -> Progress {
        if let Some(stop) = self.climb(start, most, bracket) {
            return stop;
        }
        for descent in 1..=DESCENTS {
            if bracket.within.is_some() {
                break;
            }
            // A generator that cannot send this rate in time cannot send a lower one in time either.
            if bracket.beyond.is_some_and(|rate| self.reason_at(rate) == End::GeneratorLimited) {
                return Progress::Known(End::GeneratorLimited);
            }
            let rate = start / CLIMB.powi(descent);
            if rate * self.plan.hold.as_secs_f64() < FEWEST_REQUESTS {
                break;
            }
            match self.standing(rate) {
                Standing::Open => return Progress::Missing(rate),
                Standing::Within => bracket.within = Some(rate),
                Standing::Beyond => bracket.beyond = Some(rate),
            }
        }
        while let (Some(within), Some(beyond)) = (bracket.within, bracket.beyond) {
            if beyond <= within * (1.0 + resolution) {
                break;
            }
            let rate = (within * beyond).sqrt();
            match self.standing(rate) {
                Standing::Open => return Progress::Missing(rate),
                Standing::Within => bracket.within = Some(rate),
                Standing::Beyond => bracket.beyond = Some(rate),
            }
        }
        let Some(beyond) = bracket.beyond else { return Progress::Known(End::NotReached) };
        let end = self.reason_at(beyond);
        match self.overload(beyond, most) {
            Some(rate) if end != End::GeneratorLimited => Progress::Missing(rate),
            _ => Progress::Known(end),
        }
    }

    /// The next rate that is clearly too much; none once two levels of overload are there, or cannot be had.
    fn overload(&self, beyond: f64, most: f64) -> Option<f64> {
        let factor = OVERLOADS.get(overloaded(&self.levels).len())?;
        let tried =
            self.levels.iter().filter(|level| level.offered_rps() >= MOST_OVERLOADS.1 * beyond).count();
        let highest =
            self.levels.iter().map(|level| level.measurement.throughput_rps()).fold(beyond, f64::max);
        let rate = (factor * highest).min(most);
        let is_new = at(&self.levels, rate).next().is_none();
        (tried < MOST_OVERLOADS.0 && is_new).then_some(rate)
    }

    /// Doubles the rate while the SLO is kept. Answers where that ends all, and leaves the bracket otherwise.
    fn climb(&self, start: f64, most: f64, bracket: &mut Bracket) -> Option<Progress> {
        let mut rate = start.min(most);
        let mut standstills = 0;
        loop {
            match self.standing(rate) {
                Standing::Open => return Some(Progress::Missing(rate)),
                Standing::Beyond => {
                    bracket.beyond = Some(rate);
                    return None;
                }
                Standing::Within => {}
            }
            let before = bracket.within.replace(rate).map(|within| self.throughput_at(within));
            let has_grown =
                before.is_none_or(|before| self.throughput_at(rate) > (1.0 + STANDSTILL) * before);
            standstills = if has_grown { 0 } else { standstills + 1 };
            if standstills == 2 {
                return Some(Progress::Known(End::Plateau));
            }
            if rate >= most {
                return Some(Progress::Known(End::NotReached));
            }
            rate = (rate * CLIMB).min(most);
        }
    }

    fn throughput_at(&self, rate_rps: f64) -> f64 {
        at(&self.levels, rate_rps)
            .filter(|level| level.is_valid())
            .map(|level| level.measurement.throughput_rps())
            .fold(0.0, f64::max)
    }

    fn reason_at(&self, rate_rps: f64) -> End {
        let last_beyond =
            at(&self.levels, rate_rps).filter(|level| level.verdict != LevelVerdict::Held).last();
        last_beyond.map_or(End::Slo, reason)
    }

    fn outcome(&self, end: End, bracket: Bracket) -> Outcome {
        Outcome::new(end, bracket.within, bracket.beyond, &self.levels)
    }
}

/// The levels that were measured at exactly this rate: rates are computed again the same way each time.
fn at(levels: &[Level], rate_rps: f64) -> impl Iterator<Item = &Level> {
    levels.iter().filter(move |level| level.offered_rps().to_bits() == rate_rps.to_bits())
}

#[cfg(test)]
mod tests;
