//! Says beforehand what a search will do and about how long it will take.

use std::time::Duration;

use loadgen_baseline::{Rates, SearchPlan};

/// What will be measured, and about how long that takes.
pub(crate) fn expectation(plan: &SearchPlan) -> String {
    let each = plan.warm_up + plan.hold;
    let level = format!("each {:?} after {:?} of warm-up", plan.hold, plan.warm_up);
    match &plan.rates {
        Rates::Listed(rates) => {
            let count = u32::try_from(rates.len()).unwrap_or(u32::MAX);
            let time = about(each.saturating_mul(count));
            let levels = if count == 1 { "level" } else { "levels" };
            format!("{count} {levels}, {level}: about {time}, more where a level does not settle")
        }
        Rates::Searched { start_rps, most_rps, resolution } => {
            let (fewest, most) = levels(*start_rps, *most_rps, *resolution);
            let (from, to) = (about(each * fewest), about(each * most));
            format!(
                "searching from {start_rps}/s up to at most {most_rps}/s: some {fewest} to {most} levels, {level}: \
                 about {from} to {to}; --levels 20,40,60 measures these alone"
            )
        }
    }
}

/// A time to the minute or second, as people say it.
pub(crate) fn about(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 90.0 { format!("{:.0} s", seconds.max(1.0)) } else { format!("{:.0} min", seconds / 60.0) }
}

/// The fewest and the most levels that a search usually takes: it doubles the rate, narrows the bracket, measures a breach
/// twice, and offers too much twice.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers of levels")]
fn levels(start_rps: f64, most_rps: f64, resolution: f64) -> (u32, u32) {
    let climbs = (most_rps / start_rps).max(1.0).log2().ceil() as u32;
    let halvings = (2_f64.ln() / resolution.ln_1p()).max(1.0).log2().ceil() as u32;
    (halvings + 4, climbs + 2 * halvings + 4)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use loadgen_baseline::{Allowance, Rates, SearchPlan, Slo};

    use super::{about, expectation};

    fn said(rates: Rates) -> String {
        expectation(&SearchPlan {
            slo: Slo::default(),
            rates,
            warm_up: Duration::from_secs(3),
            hold: Duration::from_secs(15),
            longest_hold: Duration::from_secs(60),
            allowance: Allowance { connections: 1, lateness: Duration::from_millis(5) },
        })
    }

    #[test]
    fn what_is_measured_and_how_long_is_said_beforehand() {
        let listed = said(Rates::Listed(vec![20.0, 40.0, 60.0]));
        assert!(listed.contains("3 levels, each 15s after 3s of warm-up: about 54 s"), "{listed}");
        let searched = said(Rates::Searched { start_rps: 10.0, most_rps: 10_000.0, resolution: 0.02 });
        assert!(
            searched.contains("some 10 to 26 levels") && searched.contains("about 3 min to 8 min"),
            "{searched}"
        );
        assert_eq!(
            (about(Duration::ZERO), about(Duration::from_secs(600))),
            ("1 s".to_owned(), "10 min".to_owned())
        );
    }
}
