//! Decides by active probes whether an endpoint may serve.
//!
//! A starting endpoint is probed often and admitted by its first success, because a new replica is needed now. One
//! that has served is judged over several probes, because a single lost probe says little.

use core::time::Duration;

use crate::settings::ProbeSettings;

/// What a probe of `/ready` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// 2xx.
    Ready,
    /// 503 with `Retry-After`: full, not unready. Keeps an endpoint in; does not admit one.
    Busy,
    /// Any other status, no connection, or no answer in time.
    NotReady,
    /// Another server than the announced replica answered, whatever it said: the address has changed hands. Takes an
    /// endpoint out at once.
    OtherReplica,
}

impl ProbeAnswer {
    /// Judges a probe's answer by its status and whether it carries `Retry-After`.
    pub fn of_answer(status: u16, has_retry_after: bool) -> Self {
        match status {
            200..=299 => Self::Ready,
            503 if has_retry_after => Self::Busy,
            _ => Self::NotReady,
        }
    }
}

/// What a probe changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HealthChange {
    Admitted,
    Withdrawn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Starting,
    In,
    Out,
}

/// The probes of one endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    standing: Standing,
    /// Probes in a row that speak against the standing.
    streak: u32,
    starting_since: Duration,
    next_probe_at: Duration,
    probe_in_progress: bool,
}

impl Health {
    /// A starting endpoint, whose first probe is due at once.
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            standing: Standing::Starting,
            streak: 0,
            starting_since: now,
            next_probe_at: now,
            probe_in_progress: false,
        }
    }

    /// When the next probe is due; none while one is under way.
    pub(crate) fn next_probe_at(&self) -> Option<Duration> {
        (!self.probe_in_progress).then_some(self.next_probe_at)
    }

    /// Notes that a probe has been sent.
    pub(crate) fn begin(&mut self, now: Duration, settings: &ProbeSettings) {
        self.probe_in_progress = true;
        let eager = self.standing == Standing::Starting
            && now.saturating_sub(self.starting_since) < settings.starting_patience;
        self.next_probe_at =
            now.saturating_add(if eager { settings.interval_starting } else { settings.interval });
    }

    /// Takes in a probe's answer.
    pub(crate) fn record(
        &mut self,
        now: Duration,
        answer: ProbeAnswer,
        settings: &ProbeSettings,
    ) -> Option<HealthChange> {
        self.probe_in_progress = false;
        let against = match (self.standing, answer) {
            (Standing::In, ProbeAnswer::NotReady | ProbeAnswer::OtherReplica)
            | (Standing::Starting | Standing::Out, ProbeAnswer::Ready) => true,
            (Standing::In, _) | (_, ProbeAnswer::NotReady | ProbeAnswer::OtherReplica) => false,
            (_, ProbeAnswer::Busy) => return None,
        };
        if !against {
            self.streak = 0;
            return None;
        }
        self.streak = self.streak.saturating_add(1);
        let (needed, next, change) = match self.standing {
            Standing::Starting => (1, Standing::In, HealthChange::Admitted),
            Standing::In if answer == ProbeAnswer::OtherReplica => {
                (1, Standing::Out, HealthChange::Withdrawn)
            }
            Standing::In => (settings.failures_out, Standing::Out, HealthChange::Withdrawn),
            Standing::Out => (settings.successes_in, Standing::In, HealthChange::Admitted),
        };
        if self.streak < needed {
            return None;
        }
        self.standing = next;
        self.streak = 0;
        self.next_probe_at = now.saturating_add(settings.interval);
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: ProbeSettings = ProbeSettings::DEFAULT;

    /// Sends the probe that is due, notes when it was sent, and has it answered 1 ms later.
    fn probe(health: &mut Health, answer: ProbeAnswer) -> (Duration, Option<HealthChange>) {
        let sent = health.next_probe_at().expect("no probe is under way");
        health.begin(sent, &SETTINGS);
        assert_eq!(health.next_probe_at(), None, "one probe at a time");
        (sent, health.record(sent + Duration::from_millis(1), answer, &SETTINGS))
    }

    fn admitted() -> Health {
        let mut health = Health::new(Duration::ZERO);
        assert_eq!(probe(&mut health, ProbeAnswer::Ready), (Duration::ZERO, Some(HealthChange::Admitted)));
        health
    }

    #[test]
    fn a_starting_endpoint_is_probed_each_50_ms_and_admitted_by_one_success() {
        let mut health = Health::new(Duration::ZERO);
        for step in 0..5 {
            let (sent, change) = probe(&mut health, ProbeAnswer::NotReady);
            assert_eq!((sent, change), (SETTINGS.interval_starting * step, None));
        }
        let (sent, change) = probe(&mut health, ProbeAnswer::Ready);
        assert_eq!((sent, change), (Duration::from_millis(250), Some(HealthChange::Admitted)));
        assert_eq!(health.next_probe_at(), Some(Duration::from_millis(751)));
    }

    #[test]
    fn an_address_where_nothing_comes_up_is_probed_less_often_in_the_end() {
        let mut health = Health::new(Duration::ZERO);
        while probe(&mut health, ProbeAnswer::NotReady).0 < SETTINGS.starting_patience {}
        let (first, _) = probe(&mut health, ProbeAnswer::NotReady);
        let (second, _) = probe(&mut health, ProbeAnswer::NotReady);
        assert_eq!(second, first + SETTINGS.interval);
    }

    #[test]
    fn three_failures_in_a_row_take_it_out_and_two_successes_bring_it_back() {
        let mut health = admitted();
        for answer in
            [ProbeAnswer::NotReady, ProbeAnswer::NotReady, ProbeAnswer::Ready, ProbeAnswer::NotReady]
        {
            assert_eq!(probe(&mut health, answer).1, None);
        }
        assert_eq!(probe(&mut health, ProbeAnswer::NotReady).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::NotReady).1, Some(HealthChange::Withdrawn));
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::NotReady).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, Some(HealthChange::Admitted));
    }

    #[test]
    fn an_address_that_changed_hands_is_out_at_once_and_not_admitted() {
        let mut health = admitted();
        assert_eq!(probe(&mut health, ProbeAnswer::OtherReplica).1, Some(HealthChange::Withdrawn));
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::OtherReplica).1, None);
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, None, "two good answers in a row are needed");
        assert_eq!(probe(&mut health, ProbeAnswer::Ready).1, Some(HealthChange::Admitted));
        let mut starting = Health::new(Duration::ZERO);
        for _ in 0..10 {
            assert_eq!(probe(&mut starting, ProbeAnswer::OtherReplica).1, None);
        }
        assert_eq!(probe(&mut starting, ProbeAnswer::Ready).1, Some(HealthChange::Admitted));
    }

    #[test]
    fn a_busy_answer_is_not_unreadiness_and_admits_nobody() {
        let mut health = admitted();
        for _ in 0..10 {
            assert_eq!(probe(&mut health, ProbeAnswer::Busy).1, None);
        }
        let mut starting = Health::new(Duration::ZERO);
        assert_eq!(probe(&mut starting, ProbeAnswer::Busy).1, None);
        assert_eq!(probe(&mut starting, ProbeAnswer::Ready).1, Some(HealthChange::Admitted));
        assert_eq!(ProbeAnswer::of_answer(503, true), ProbeAnswer::Busy);
        assert_eq!(ProbeAnswer::of_answer(503, false), ProbeAnswer::NotReady);
        assert_eq!(ProbeAnswer::of_answer(204, false), ProbeAnswer::Ready);
        assert_eq!(ProbeAnswer::of_answer(302, false), ProbeAnswer::NotReady);
    }
}
