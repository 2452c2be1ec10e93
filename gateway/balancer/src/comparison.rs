//! Compares how often two endpoints answer 4xx, so that a quick 4xx does not make an endpoint look fast.
//!
//! ## Why by comparison
//!
//! A 4xx says that the client asked for something wrong, or that the endpoint lacks what the others have: a missing
//! configuration, expired credentials, an old version. One answer cannot tell which. But requests are spread at random,
//! so clients' own mistakes come to all endpoints alike, and an endpoint that gives clearly more 4xx than another one
//! gives them for a reason of its own. Leaving 4xx out of the latency estimate is not enough: an estimate without
//! samples decays, and the endpoint looks fast again.
//!
//! ## The rule
//!
//! Of the two endpoints of a pick, the one with the greater share of 4xx loses the lead that its latency gives it, in
//! proportion to the difference of the shares. Where the difference in the window is too great for chance, it also
//! costs as much as an endpoint that fails that share of its requests. That cost ends with the window, so an endpoint
//! that heals is tried again after [`CostSettings::outcome_window`](crate::CostSettings::outcome_window) at the latest.

use crate::settings::ClientErrorSettings;
use crate::unserved::UnservedPrice;
use crate::window::RecentCounts;

/// Answers that are remembered beside the window: as many as a byte has bits.
const LAST_ANSWERS: u8 = 8;

/// The last answers of an endpoint, which say something where requests are so few that the window is almost empty.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastAnswers {
    /// One bit for each, set for a 4xx; the newest is the lowest.
    client_errors: u8,
    known: u8,
}

impl LastAnswers {
    pub(crate) fn add(&mut self, is_client_error: bool) {
        self.client_errors = self.client_errors << 1 | u8::from(is_client_error);
        self.known = (self.known + 1).min(LAST_ANSWERS);
    }

    /// Share of 4xx among them, 0 to 1; 0 without answers.
    fn client_error_share(self) -> f64 {
        if self.known == 0 { 0.0 } else { f64::from(self.client_errors.count_ones()) / f64::from(self.known) }
    }
}

/// Share of 4xx in the window, or among the last answers where the window holds fewer.
fn client_error_share(counts: RecentCounts, last: LastAnswers) -> f64 {
    if counts.total() < u64::from(LAST_ANSWERS) {
        last.client_error_share()
    } else {
        f64::from(counts.client_errors) / counts.total() as f64
    }
}

/// What one endpoint of a pick costs more because it answers more 4xx than the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Handicap {
    /// Difference of the shares of 4xx, 0 to 1.
    excess: f64,
    /// Whether the difference is too great for chance.
    is_significant: bool,
}

impl Handicap {
    /// The handicaps of two endpoints beside each other: one at most has any.
    pub(crate) fn of(
        counts: [RecentCounts; 2],
        last: [LastAnswers; 2],
        settings: &ClientErrorSettings,
    ) -> [Option<Self>; 2] {
        if last[0].client_errors | last[1].client_errors == 0
            && counts[0].client_errors | counts[1].client_errors == 0
        {
            return [None; 2];
        }
        let [first, second] = [0, 1].map(|which| client_error_share(counts[which], last[which]));
        let excess = first - second;
        let handicap =
            |own, other| Self { excess: excess.abs(), is_significant: is_significant(own, other, settings) };
        if excess > 0.0 {
            [Some(handicap(counts[0], counts[1])), None]
        } else if excess < 0.0 {
            [None, Some(handicap(counts[1], counts[0]))]
        } else {
            [None; 2]
        }
    }

    /// The latency that an endpoint is taken to have beside another one with `other_seconds`, in seconds. `streak` is how
    /// many 4xx it gave in a row.
    pub(crate) fn apply(
        self,
        own_seconds: f64,
        other_seconds: f64,
        streak: u32,
        unserved: &UnservedPrice,
    ) -> f64 {
        let without_lead = own_seconds + self.excess * (other_seconds - own_seconds).max(0.0);
        if !self.is_significant {
            return without_lead;
        }
        // As for refusals: an endpoint that answers at once has nothing in flight, and would otherwise win against
        // every busy one.
        unserved.raise(without_lead, self.excess, streak)
    }
}

/// Whether the endpoint with the counts `own` gives more 4xx than chance explains beside the one with `other`: a test of
/// two proportions.
fn is_significant(own: RecentCounts, other: RecentCounts, settings: &ClientErrorSettings) -> bool {
    if own.client_errors < settings.answers_min || other.total() == 0 {
        return false;
    }
    let [own_errors, other_errors] = [own, other].map(|counts| f64::from(counts.client_errors));
    let [own_answers, other_answers] = [own, other].map(|counts| counts.total() as f64);
    let difference = own_errors / own_answers - other_errors / other_answers;
    let pooled = (own_errors + other_errors) / (own_answers + other_answers);
    let variance = pooled * (1.0 - pooled) * (1.0 / own_answers + 1.0 / other_answers);
    difference > 0.0 && difference * difference > settings.significance * settings.significance * variance
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ClientErrorSettings = ClientErrorSettings::DEFAULT;

    fn counts(client_errors: u32, answers: u32) -> RecentCounts {
        RecentCounts { succeeded: answers, client_errors, ..RecentCounts::default() }
    }

    fn last(client_errors: u32, answers: u32) -> LastAnswers {
        let mut last = LastAnswers::default();
        (0..answers).for_each(|number| last.add(number < client_errors));
        last
    }

    /// Excess in hundredths and significance, for (4xx, answers) of both.
    fn handicap(own: (u32, u32), other: (u32, u32)) -> Option<(f64, bool)> {
        let pair = [own, other];
        let [of_own, _] = Handicap::of(
            pair.map(|(errors, answers)| counts(errors, answers)),
            pair.map(|(errors, answers)| last(errors, answers)),
            &SETTINGS,
        );
        of_own.map(|handicap| ((handicap.excess * 100.0).round() / 100.0, handicap.is_significant))
    }

    #[test]
    fn equal_shares_and_none_at_all_are_no_handicap() {
        for (own, other) in [((0, 0), (0, 0)), ((0, 50), (9, 10)), ((10, 10), (500, 500)), ((2, 8), (5, 20))]
        {
            assert_eq!(handicap(own, other), None, "{own:?} beside {other:?}");
        }
    }

    #[test]
    fn a_difference_that_chance_makes_takes_away_its_part_of_the_lead_and_no_more() {
        for (own, other) in
            [((1, 1), (0, 100)), ((2, 2), (0, 1000)), ((4, 4), (0, 4)), ((33, 100), (27, 100))]
        {
            let (excess, is_significant) = handicap(own, other).expect("it answers more 4xx");
            assert!(excess > 0.0 && !is_significant, "{own:?} beside {other:?}");
        }
        assert_eq!(handicap((5, 5), (0, 0)), Some((1.0, false)), "nothing to compare with");
    }

    #[test]
    fn a_difference_beyond_chance_is_the_endpoints_own() {
        for (own, other) in
            [((3, 3), (0, 100)), ((10, 10), (0, 10)), ((50, 100), (10, 100)), ((200, 200), (150, 200))]
        {
            assert!(
                handicap(own, other).is_some_and(|(_, significant)| significant),
                "{own:?} beside {other:?}"
            );
            assert_eq!(handicap(other, own), None, "the other one has none");
        }
    }

    #[test]
    fn where_the_window_is_empty_the_last_answers_still_take_the_lead_away() {
        let empty = [RecentCounts::default(); 2];
        let [rejects, serves] = Handicap::of(empty, [last(8, 20), last(0, 20)], &SETTINGS);
        assert_eq!((rejects, serves), (None, None), "eight answers are remembered");
        let [rejects, _] = Handicap::of(empty, [last(20, 20), last(0, 20)], &SETTINGS);
        assert_eq!(rejects, Some(Handicap { excess: 1.0, is_significant: false }));
    }
}
