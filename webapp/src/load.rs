//! The service's load factor: what it is now, how it changes, and whose change counts.
//!
//! The factor belongs to the service, so every replica holds the same state. A change carries a [`Version`];
//! the higher one wins, and of two concurrent ones that of the higher replica id.

mod message;
mod version;

use std::time::Duration;

use parking_lot::Mutex;
use workload::{Shape, Spike};

pub(crate) use message::LoadMessage;
pub(crate) use version::Version;

/// Highest load factor that is taken.
pub const MAX_LOAD_FACTOR: f64 = 1000.0;

/// The factor of `/load/spike` where none is given.
pub const SPIKE_FACTOR: f64 = 5.0;

/// How long a spike holds where nothing else is given.
pub const SPIKE_HOLD: Duration = Duration::from_secs(120);

/// How long a spike takes to go back where nothing else is given.
pub const SPIKE_RAMP: Duration = Duration::from_secs(30);

/// Highest counter that is taken from a peer: more changes than anybody makes, and far enough from the end of the
/// number's range that counting on never reaches it.
const MAX_COUNTER: u64 = u64::MAX / 2;

/// A shape in force and when it began; run time of this replica.
#[derive(Clone, Debug)]
struct Schedule {
    shape: Shape,
    /// How far the shape had come at `seen_at`.
    elapsed: Duration,
    seen_at: Duration,
}

impl Schedule {
    fn elapsed_at(&self, now: Duration) -> Duration {
        self.elapsed.saturating_add(now.saturating_sub(self.seen_at))
    }
}

#[derive(Clone, Debug)]
struct LoadState {
    version: Version,
    /// In force where no schedule is; a spike goes back to it.
    factor: f64,
    schedule: Option<Schedule>,
}

/// The load factor as one replica knows it.
#[derive(Debug)]
pub(crate) struct Load {
    replica_id: String,
    state: Mutex<LoadState>,
}

/// A load factor that is not taken.
#[derive(Debug, thiserror::Error)]
#[error("load factor {value} is out of range, expected 0 to {MAX_LOAD_FACTOR}")]
pub(crate) struct FactorOutOfRange {
    value: f64,
}

/// Takes a factor from 0 to [`MAX_LOAD_FACTOR`].
pub(crate) fn check_factor(value: f64) -> Result<f64, FactorOutOfRange> {
    if (0.0..=MAX_LOAD_FACTOR).contains(&value) { Ok(value) } else { Err(FactorOutOfRange { value }) }
}

impl Load {
    pub(crate) fn new(replica_id: &str, factor: f64) -> Self {
        let state = LoadState { version: Version::default(), factor, schedule: None };
        Self { replica_id: replica_id.to_owned(), state: Mutex::new(state) }
    }

    /// The factor in force.
    pub(crate) fn factor_at(&self, now: Duration) -> f64 {
        self.state.lock().factor_at(now)
    }

    pub(crate) fn version(&self) -> Version {
        self.state.lock().version.clone()
    }

    /// Adds to the factor in force and keeps the sum, which ends a schedule; stays within the range.
    pub(crate) fn add(&self, now: Duration, difference: f64) {
        self.change(|state| {
            state.factor = (state.factor_at(now) + difference).clamp(0.0, MAX_LOAD_FACTOR);
            state.schedule = None;
        });
    }

    /// Sets a lasting factor, which ends a schedule.
    pub(crate) fn set_factor(&self, factor: f64) -> Result<(), FactorOutOfRange> {
        let factor = check_factor(factor)?;
        self.change(|state| {
            state.factor = factor;
            state.schedule = None;
        });
        Ok(())
    }

    /// Starts a spike over the lasting factor, to which it goes back.
    pub(crate) fn spike(
        &self,
        now: Duration,
        peak: f64,
        hold: Duration,
        ramp: Duration,
    ) -> Result<(), FactorOutOfRange> {
        let peak = check_factor(peak)?;
        self.change(|state| {
            let spike = Spike {
                base: state.factor,
                peak,
                hold_seconds: hold.as_secs_f64(),
                ramp_seconds: ramp.as_secs_f64(),
            };
            let shape =
                Shape::try_from(spike).expect("factors and durations within their ranges are a spike");
            state.schedule = Some(Schedule { shape, elapsed: Duration::ZERO, seen_at: now });
        });
        Ok(())
    }

    /// Starts a schedule whose levels are factors.
    pub(crate) fn follow(&self, now: Duration, shape: Shape) -> Result<(), FactorOutOfRange> {
        check_factor(shape.highest_level())?;
        self.change(|state| {
            state.schedule = Some(Schedule { shape, elapsed: Duration::ZERO, seen_at: now });
        });
        Ok(())
    }

    /// Takes a peer's state if it is newer, and one that could have been set here; tells whether it was taken.
    pub(crate) fn merge(&self, now: Duration, message: LoadMessage) -> bool {
        let mut state = self.state.lock();
        let peak = message.schedule.as_ref().map_or(0.0, |schedule| schedule.shape.highest_level());
        if message.version <= state.version
            || message.version.counter > MAX_COUNTER
            || check_factor(message.factor).is_err()
            || check_factor(peak).is_err()
        {
            return false;
        }
        *state = LoadState {
            version: message.version,
            factor: message.factor,
            schedule: message.schedule.map(|schedule| Schedule {
                elapsed: schedule.elapsed(),
                shape: schedule.shape,
                seen_at: now,
            }),
        };
        true
    }

    /// This state as peers get it.
    pub(crate) fn message(&self, now: Duration) -> LoadMessage {
        let state = self.state.lock();
        LoadMessage {
            version: state.version.clone(),
            factor: state.factor,
            schedule: state
                .schedule
                .as_ref()
                .map(|schedule| message::ScheduleMessage::new(&schedule.shape, schedule.elapsed_at(now))),
        }
    }

    fn change(&self, change: impl FnOnce(&mut LoadState)) {
        let mut state = self.state.lock();
        change(&mut state);
        state.version = Version { counter: state.version.counter + 1, replica: self.replica_id.clone() };
    }
}

impl LoadState {
    fn factor_at(&self, now: Duration) -> f64 {
        self.schedule
            .as_ref()
            .map_or(self.factor, |schedule| schedule.shape.level_at(schedule.elapsed_at(now)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Load, LoadMessage};

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_spike_goes_back_to_the_lasting_factor() {
        let load = Load::new("a", 1.0);
        load.add(at(0), 1.0);
        load.spike(at(10), 5.0, at(120), at(30)).unwrap();
        load.spike(at(20), 8.0, at(120), at(30)).unwrap();
        assert!((load.factor_at(at(21)) - 8.0).abs() < 1e-9, "a second spike takes the place of the first");
        assert!((load.factor_at(at(155)) - 5.0).abs() < 1e-9, "half way back from 8 to 2");
        assert!((load.factor_at(at(1000)) - 2.0).abs() < 1e-9, "back to what it was before");
    }

    #[test]
    fn increase_and_decrease_start_from_the_factor_in_force_and_stay_in_range() {
        let load = Load::new("a", 1.0);
        load.spike(at(0), 5.0, at(120), at(30)).unwrap();
        load.add(at(1), 1.0);
        assert!((load.factor_at(at(1000)) - 6.0).abs() < 1e-9);
        for _ in 0..10 {
            load.add(at(1), -1.0);
        }
        assert!(load.factor_at(at(1)).abs() < 1e-9, "the factor does not fall below 0");
        for bad in [-0.1, 1000.5, f64::NAN, f64::INFINITY] {
            assert!(load.set_factor(bad).is_err(), "{bad} is out of range");
        }
    }

    #[test]
    fn the_newest_change_wins_whatever_the_order_of_delivery() {
        let (a, b) = (Load::new("a", 1.0), Load::new("b", 1.0));
        a.set_factor(2.0).unwrap();
        b.set_factor(3.0).unwrap();
        let (from_a, from_b) = (a.message(at(5)), b.message(at(9)));
        assert!(a.merge(at(5), from_b.clone()), "b is the higher id");
        assert!(!b.merge(at(9), from_a), "a is the lower id");
        assert!(!a.merge(at(6), from_b), "the same state twice changes nothing");
        assert!((a.factor_at(at(6)) - b.factor_at(at(9))).abs() < 1e-9);
        a.set_factor(4.0).unwrap();
        assert!(b.merge(at(9), a.message(at(6))), "a later change wins over the higher id");
    }

    #[test]
    fn a_schedule_travels_as_shape_and_elapsed_time() {
        let (a, b) = (Load::new("a", 1.0), Load::new("b", 1.0));
        a.spike(at(100), 5.0, at(120), at(30)).unwrap();
        // b's clock began elsewhere; only the 60 s that have passed in the spike count.
        assert!(b.merge(at(3), a.message(at(160))));
        for seconds in [0, 59, 61, 75, 91, 200] {
            let (on_a, on_b) = (a.factor_at(at(160 + seconds)), b.factor_at(at(3 + seconds)));
            assert!((on_a - on_b).abs() < 1e-6, "{seconds} s later: {on_a} and {on_b}");
        }
    }

    #[test]
    fn what_a_peer_sends_is_taken_only_within_the_ranges_that_hold_here() {
        let load = Load::new("a", 1.0);
        let message = |counter: u64, factor: f64, peak: f64, elapsed_seconds: f64| -> LoadMessage {
            serde_json::from_value(json!({
                "version": {"counter": counter, "replica": "b"},
                "factor": factor,
                "schedule": {
                    "shape": {"kind": "steady", "level": peak},
                    "elapsed_seconds": elapsed_seconds,
                },
            }))
            .unwrap()
        };
        assert!(!load.merge(at(0), message(u64::MAX, 2.0, 2.0, 0.0)), "no change could ever follow");
        assert!(!load.merge(at(0), message(1, 1e9, 2.0, 0.0)), "a lasting factor out of range was taken");
        assert!(!load.merge(at(0), message(1, 2.0, 1e9, 0.0)), "a schedule out of range was taken");
        let longest = 1.844_674_407_370_955e19;
        assert!(load.merge(at(0), message(1, 2.0, 3.0, longest)), "a schedule that began long ago is one");
        assert!((load.factor_at(at(5000)) - 3.0).abs() < 1e-9, "a long time elapsed broke the schedule");
        load.set_factor(4.0).unwrap();
        assert_eq!(load.version().counter, 2);
    }
}
