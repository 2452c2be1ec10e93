//! Looks at the generator itself: whether it has what it needs, and whether it was the limit and not the service.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Descriptors beside the users' connections: standard streams, runtime, reports, metrics, traces.
const OTHER_DESCRIPTORS: u64 = 64;

/// From this share of the cores on, the generator had no CPU time left.
const BUSY_SHARE: f64 = 0.9;

/// The generator is too late where one action in a hundred is later than this: what a busy runtime brings, not its clock.
const LATE: Duration = Duration::from_millis(20);

/// Of fewer actions one that was late says nothing.
const FEWEST_ACTIONS: u64 = 50;

/// What the generator itself needed and how well it kept its own times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GeneratorResult {
    /// The cores that it may use.
    pub cores: usize,
    /// CPU time it took over the time measured, in cores.
    pub cpu_cores: f64,
    /// How much later than it wanted 99 % of its actions were at most, in milliseconds: sends at their intended start,
    /// and ends of pauses. Waiting for a free user is not in it.
    pub late_p99_ms: f64,
    /// Why the generator and not the service was the limit; empty where it was not. Then the numbers say more about the
    /// generator than about the service.
    pub spoiled_by: Vec<String>,
    /// What else a reader must know of how the load came about.
    pub notes: Vec<String>,
}

/// What is known at the end of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observed {
    pub(crate) cpu_cores: f64,
    pub(crate) late_p99: Duration,
    /// How many actions had a time to keep.
    pub(crate) actions: u64,
    /// Whether there was a schedule to keep.
    pub(crate) scheduled: bool,
    /// Whether no descriptor or port was left.
    pub(crate) exhausted: bool,
    /// Slots that were sent, and of these those for which no user was free.
    pub(crate) sent: u64,
    pub(crate) waited_for_user: u64,
    pub(crate) unsent: u64,
    pub(crate) users: usize,
}

impl GeneratorResult {
    /// Judges the generator.
    pub(crate) fn new(observed: &Observed, descriptors: Option<String>) -> Self {
        let cores = cores();
        let mut spoiled_by = Vec::new();
        let mut notes: Vec<String> = descriptors.into_iter().collect();
        let busy = observed.cpu_cores >= BUSY_SHARE * cores as f64;
        let cpu = format!("{:.2} of {cores} cores", observed.cpu_cores);
        if observed.late_p99 > LATE && observed.actions >= FEWEST_ACTIONS {
            let late_ms = observed.late_p99.as_secs_f64() * 1000.0;
            spoiled_by
                .push(format!("it acted late, 1 % of the time by more than {late_ms:.0} ms ({cpu} busy)"));
        } else if busy && !observed.scheduled {
            // Users without pauses have no times to keep, so only the CPU time tells.
            spoiled_by.push(format!("it had no CPU time left ({cpu} busy)"));
        } else if busy {
            notes.push(format!("the generator was busy ({cpu}) but kept its schedule"));
        }
        if observed.exhausted {
            spoiled_by.push("it had no descriptor or local port left for a connection".to_owned());
        }
        let slots = observed.sent + observed.unsent;
        if observed.waited_for_user + observed.unsent > 0 && slots > 0 {
            let share = (observed.waited_for_user + observed.unsent) as f64 / slots as f64 * 100.0;
            notes.push(format!(
                "{share:.1} % of the requests were due while all {} users were busy ({} were never sent); \
                 --max-users gives more",
                observed.users, observed.unsent
            ));
        }
        let late_p99_ms = observed.late_p99.as_secs_f64() * 1000.0;
        Self { cores, cpu_cores: observed.cpu_cores, late_p99_ms, spoiled_by, notes }
    }
}

/// The cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// CPU time of this process since it began, of all its threads.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// How much CPU time this process had had at a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuMark {
    at: Duration,
    spent: Duration,
}

impl CpuMark {
    /// Now, which is `at` since whatever the caller counts from.
    pub(crate) fn set(at: Duration) -> Self {
        Self { at, spent: cpu_time() }
    }

    /// The cores that were busy from then until now; none where no time has passed.
    pub(crate) fn cores_until(self, now: Duration) -> Option<f64> {
        let time = now.saturating_sub(self.at);
        let spent = cpu_time().saturating_sub(self.spent);
        (!time.is_zero()).then(|| spent.as_secs_f64() / time.as_secs_f64())
    }
}

/// Makes sure that each user can have a connection, as far as the system allows; says where it does not.
pub(crate) fn provide_descriptors(users: usize) -> Option<String> {
    let needed = users as u64 + OTHER_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return None;
    }
    let possible = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum: limit.maximum });
    let current = getrlimit(Resource::Nofile).current;
    if raised.is_ok() && current.is_none_or(|current| current >= needed) {
        return None;
    }
    Some(format!(
        "{users} users may need {needed} descriptors, but the system allows {}; `ulimit -n` in the shell, as root, raises it",
        current.map_or_else(|| "fewer".to_owned(), |current| current.to_string())
    ))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{GeneratorResult, Observed, provide_descriptors};

    const WELL: Observed = Observed {
        cpu_cores: 0.1,
        late_p99: Duration::from_millis(1),
        actions: 1000,
        scheduled: true,
        exhausted: false,
        sent: 1000,
        waited_for_user: 0,
        unsent: 0,
        users: 10,
    };

    #[test]
    fn a_generator_that_was_the_limit_is_named() {
        let judge = |observed: Observed| GeneratorResult::new(&observed, None);
        assert!(judge(WELL).spoiled_by.is_empty() && judge(WELL).notes.is_empty());
        let late = judge(Observed { late_p99: Duration::from_millis(80), ..WELL });
        assert!(late.spoiled_by[0].contains("80 ms"), "{late:?}");
        let once = Observed { late_p99: Duration::from_millis(80), actions: 3, ..WELL };
        assert!(judge(once).spoiled_by.is_empty(), "once is no habit");
        let busy = Observed { cpu_cores: 1e6, ..WELL };
        assert!(judge(busy).spoiled_by.is_empty(), "a schedule that was kept is no spoiled one");
        assert_eq!(judge(busy).notes.len(), 1);
        assert_eq!(judge(Observed { scheduled: false, ..busy }).spoiled_by.len(), 1);
        assert_eq!(judge(Observed { exhausted: true, ..WELL }).spoiled_by.len(), 1);
        let few = judge(Observed { waited_for_user: 100, unsent: 1000, ..WELL });
        assert!(few.spoiled_by.is_empty() && few.notes[0].contains("55.0 %"), "{few:?}");
    }

    #[test]
    fn descriptors_that_no_system_has_are_named() {
        assert_eq!(provide_descriptors(1), None);
        let problem = provide_descriptors(usize::MAX / 4);
        // A system without any limit has them.
        assert!(problem.is_none_or(|problem| problem.contains("ulimit")));
    }
}
