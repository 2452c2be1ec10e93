//! The changes of the count that follow one another while the load stays as it is.

use std::time::Duration;

use super::HORIZON;

/// More changes than these are a cycle, or as good as one.
const STEPS_MAX: usize = 12;

/// One change of the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, from now.
    pub after: Duration,
    /// Replicas before.
    pub from: u32,
    /// Replicas after.
    pub to: u32,
}

/// The changes, and where they lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The changes, in their order.
    pub steps: Vec<Step>,
    /// Where the count stays; none if it keeps changing.
    pub settles_at: Option<u32>,
}

impl Chain {
    /// Lets `pass` decide once each `period`, beginning after the first, and has each decision carried out at once.
    pub(super) fn follow(start: u32, period: Duration, mut pass: impl FnMut(Duration, u32) -> u32) -> Self {
        let mut chain = Self::default();
        let mut count = start;
        let period = period.max(Duration::from_millis(100));
        let mut now = period;
        while now <= HORIZON {
            let to = pass(now, count);
            if to != count {
                chain.steps.push(Step { after: now, from: count, to });
                count = to;
                if chain.steps.len() > STEPS_MAX {
                    return chain;
                }
            }
            now += period;
        }
        chain.settles_at = Some(count);
        chain
    }

    /// The chain as a sentence.
    pub fn sentence(&self) -> String {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| format!("{} → {} after {}", step.from, step.to, super::words::span(step.after)))
            .collect();
        match (self.steps.as_slice(), self.settles_at) {
            ([], Some(count)) => format!("while this load lasts, it stays at {count}"),
            (_, Some(count)) => {
                format!("while this load lasts: {}; there it stays at {count}", steps.join(", "))
            }
            (_, None) => format!("while this load lasts: {}, and so on without rest", steps.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_followed_until_they_end_or_repeat() {
        let minute = Duration::from_secs(60);
        let chain = Chain::follow(1, minute, |_, count| count.min(2) + 1);
        assert_eq!(chain.settles_at, Some(3));
        assert_eq!(
            chain.sentence(),
            "while this load lasts: 1 → 2 after 1 min, 2 → 3 after 2 min; there it stays at 3"
        );
        let cycle = Chain::follow(1, minute, |_, count| 3 - count);
        assert_eq!((cycle.settles_at, cycle.steps.len()), (None, STEPS_MAX + 1));
        assert_eq!(
            Chain::follow(4, minute, |_, count| count).sentence(),
            "while this load lasts, it stays at 4"
        );
    }
}
