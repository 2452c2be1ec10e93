//! Keeps the recent past beside the engine's state, so that a restarted scaler still shows it.
//!
//! Nothing depends on it: a past that cannot be read is forgotten, and one that cannot be written is only told of.

use std::sync::Arc;
use std::time::Duration;

use scaler_engine::Decision;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{History, Point, SPAN};
use crate::published::Published;
use crate::service_event::RecordedEvent;
use crate::state_file::StateFile;
use crate::status::DecisionStatus;
use crate::whole_file::{StateFileError, WholeFile};

/// Time between two saves: what a killed scaler loses at most.
const SAVE_EVERY: Duration = Duration::from_secs(10);

/// Raised when the form changes; a past in another form is forgotten.
const VERSION: u32 = 1;

/// Where the past is kept.
#[derive(Clone, Debug)]
pub(crate) struct HistoryFile(WholeFile);

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    points: Vec<Point>,
    decisions: Vec<Decision>,
    #[serde(default)]
    events: Vec<RecordedEvent>,
    /// Number of the newest of the platform's events that was taken.
    #[serde(default)]
    news_seen: u64,
}

impl HistoryFile {
    /// The file that goes with a state file: the same name with `.history` at its end.
    pub(crate) fn beside(state: &StateFile) -> Self {
        Self(WholeFile::new("history", state.with_ending(".history")))
    }

    /// What of the last 15 minutes before `now` (run time) is there.
    pub(crate) fn load(&self, now: Duration) -> History {
        match self.read() {
            Ok(Some(saved)) => History::restored(
                saved.points,
                saved.decisions.iter().map(DecisionStatus::from),
                (saved.events, saved.news_seen),
                now.saturating_sub(SPAN)..=now,
            ),
            Ok(None) => History::default(),
            Err(problem) => {
                warn!("the saved past in {} is not shown: {problem}", self.0.path().display());
                History::default()
            }
        }
    }

    fn read(&self) -> Result<Option<Saved>, String> {
        let Some(text) = self.0.read().map_err(|error| error.to_string())? else { return Ok(None) };
        let saved: Saved = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        if saved.version == VERSION {
            Ok(Some(saved))
        } else {
            Err(format!("it has version {}, expected {VERSION}", saved.version))
        }
    }

    fn save(&self, history: &Saved) -> Result<(), StateFileError> {
        self.0.replace(&serde_json::to_vec(history).expect("points and decisions are plain data"))
    }

    /// Saves the past again and again until `stop`, and once more then.
    pub(crate) async fn keep(self, published: Arc<Published>, stop: CancellationToken) {
        let mut ticks = interval(SAVE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut is_failing = false;
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                _ = ticks.tick() => {}
            }
            let saved = published.history(|history| Saved {
                version: VERSION,
                points: history.points_since(None),
                decisions: history.decisions.iter().map(Decision::from).collect(),
                events: history.events_since(None),
                news_seen: history.news_seen,
            });
            let file = self.clone();
            // Some hundred kilobytes: the loop does not wait for them.
            let outcome = tokio::task::spawn_blocking(move || file.save(&saved)).await;
            let problem = outcome
                .map_err(|error| error.to_string())
                .and_then(|saved| saved.map_err(|error| error.to_string()));
            // Told once, not each time.
            if let (Err(problem), false) = (&problem, is_failing) {
                error!("{problem}");
            }
            is_failing = problem.is_err();
        }
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::{Action, Observed, Reason, Signal};

    use super::*;
    use crate::service_event::ServiceEvent;
    use crate::status::{GatewayStatus, SignalStatus, Status};

    fn file(folder: &tempfile::TempDir) -> HistoryFile {
        HistoryFile::beside(&StateFile::new(folder.path().join("state.json")))
    }

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn decision(at: Duration) -> Decision {
        Decision {
            at,
            action: Action::Up,
            from: 1,
            to: 2,
            reason: Reason::ByHand { asked: 2 },
            limited_by: None,
            observation: Observed { read: Vec::new(), current: 1, ready: 1, desired: 1 },
        }
    }

    fn event(second: u64) -> RecordedEvent {
        let replica = "webapp-2".to_owned();
        RecordedEvent { at: seconds(second), event: ServiceEvent::ReplicaSilent { replica } }
    }

    fn past(seconds_from: u64, count: u64) -> Saved {
        let mut history = History::default();
        for second in seconds_from..seconds_from + count {
            let reading = SignalStatus { value: Some(1.0 / 3.0), age_seconds: 0.0 };
            let signals = [(Signal::InFlight, reading)].into();
            let gateway = GatewayStatus { responding: true, list_age_seconds: Some(0.0) };
            history.add(&Status { at: seconds(second), signals, gateway, ..Status::default() });
        }
        let decisions = vec![decision(seconds(seconds_from)), decision(seconds(seconds_from + count - 1))];
        let events = vec![event(seconds_from), event(seconds_from + count - 1)];
        Saved { version: VERSION, points: history.points_since(None), decisions, events, news_seen: 7 }
    }

    #[test]
    fn what_is_saved_is_shown_again_as_far_as_it_is_recent() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        assert!(file.load(seconds(5000)).is_empty(), "there is no file");
        file.save(&past(1000, 900)).unwrap();

        let whole = file.load(seconds(1899));
        assert_eq!(whole.points_since(None).len(), 900);
        assert_eq!(whole.points_since(None)[0].signals[&Signal::InFlight], Some(1.0 / 3.0));
        assert_eq!(whole.decisions()[0], DecisionStatus::from(&decision(seconds(1899))));

        assert_eq!(whole.events_since(None), [event(1000), event(1899)]);

        let mut later = file.load(seconds(2500));
        assert_eq!(later.events_since(None), [event(1899)]);
        assert_eq!((later.take_news(7), later.take_news(8)), (false, true), "an event would be told again");
        assert_eq!((later.points_since(None)[0].at, later.decisions().len()), (seconds(1600), 1));
        // A clock that was set back: the future is not shown.
        let earlier = file.load(seconds(1500));
        assert_eq!(earlier.points_since(None).last().unwrap().at, seconds(1500));
        assert!(file.load(seconds(9000)).is_empty(), "all of it is old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_past_that_is_none_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let other = serde_json::to_string(&Saved { version: 2, ..past(1, 2) }).unwrap();
        for text in ["", "{", "[]", "{\"version\": 1}", other.as_str()] {
            std::fs::write(file.0.path(), text).unwrap();
            assert!(file.load(seconds(2)).is_empty(), "`{text}` was taken for a past");
        }
    }

    #[test]
    fn more_than_fits_is_cut_and_disorder_is_put_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder);
        let mut saved = past(1000, 900);
        let more = saved.points.clone();
        saved.points.extend(more);
        saved.decisions = vec![decision(seconds(1500)); 2 * crate::history::DECISIONS_MAX];
        file.save(&saved).unwrap();
        let history = file.load(seconds(1899));
        let points = history.points_since(None);
        assert!(points.is_sorted_by(|one, next| one.at < next.at) && points.len() == 900, "{}", points.len());
        assert_eq!(history.decisions().len(), crate::history::DECISIONS_MAX);
    }
}
