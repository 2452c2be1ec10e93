//! What all levels of one rate together say about it.

use super::super::level::{Level, LevelVerdict};

/// Whether a rate keeps the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has to be measured, for the first time or once more.
    Open,
    /// It does.
    Within,
    /// It does not, or nobody can say that it does.
    Beyond,
}

/// Judges all levels of one rate; `can_wait_longer` says whether one that did not settle may be given more time.
pub(super) fn standing(levels: &[&Level], can_wait_longer: bool) -> Standing {
    let count = |verdict: &dyn Fn(&&&Level) -> bool| levels.iter().filter(verdict).count();
    let held = count(&|level| level.verdict == LevelVerdict::Held);
    let unsettled = count(&|level| level.is_unsettled());
    let broken = count(&|level| level.verdict == LevelVerdict::Void && !level.is_unsettled());
    let breached = levels.len() - held - unsettled - broken;
    if held > breached && (breached == 0 || held == 2) {
        Standing::Within
    } else if breached == 2 || broken == 2 || (unsettled > 0 && !can_wait_longer && unsettled + breached >= 2)
    {
        Standing::Beyond
    } else {
        Standing::Open
    }
}
