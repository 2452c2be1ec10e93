//! What happens to a service besides decisions: deaths, faults, load changes, orders by hand. One type, and its words.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::status::{as_rfc3339, from_rfc3339};

/// Something that happened to a service or to what runs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServiceEvent {
    /// The scaler started, or restarted after it had not looked for some time.
    ScalerStarted {
        /// Time since the last look before; none where none is known.
        unseen_seconds: Option<f64>,
    },
    /// A process of the loop other than a replica ended by itself.
    ProcessDied {
        /// Its name, such as `gateway`.
        process: String,
        /// How it ended, such as `signal 9`.
        end: String,
    },
    /// A process of the loop was restarted.
    ProcessRestarted {
        /// Its name.
        process: String,
        /// Time from its end until it listened again.
        after_seconds: f64,
    },
    /// A replica ended by itself.
    ReplicaDied {
        /// Its name.
        replica: String,
        /// How it ended.
        end: String,
        /// The replica that was started in its place; none where none could be.
        replacement: Option<String>,
    },
    /// A replica is not there any more, and the scaler did not stop it.
    ReplicaLost {
        /// Its name.
        replica: String,
    },
    /// A replica's process was restarted by its platform.
    ReplicaRestarted {
        /// Its name.
        replica: String,
    },
    /// A replica that was ready does not answer any more.
    ReplicaSilent {
        /// Its name.
        replica: String,
    },
    /// A replica that was ready says that it is not any more, or the gateway took it out for its failures.
    ReplicaOut {
        /// Its name.
        replica: String,
    },
    /// A replica that did not answer or was out is ready again.
    ReplicaBack {
        /// Its name.
        replica: String,
    },
    /// The faults that are switched on in a replica changed.
    FaultsChanged {
        /// Its name.
        replica: String,
        /// The faults that are on now; empty where all are off again.
        faults: Vec<String>,
    },
    /// The gateway does not answer any more.
    GatewaySilent,
    /// The gateway answers again.
    GatewayBack,
    /// The service's load factor changed.
    LoadChanged {
        /// Before.
        from: f64,
        /// Now; it may go on changing.
        to: f64,
    },
    /// The load factor stopped changing.
    LoadSettled {
        /// The factor.
        at: f64,
    },
    /// A count of replicas was asked for by hand.
    ReplicasSet {
        /// The count.
        asked: u32,
    },
    /// Limits were set by hand.
    LimitsSet {
        /// The fewest replicas allowed.
        min: u32,
        /// The most replicas allowed.
        max: u32,
    },
    /// Another policy is followed from now on, because its file was read again.
    PolicyChanged {
        /// Its name.
        policy: String,
    },
    /// The policy's file was read again and cannot be followed; the last good one stays in force.
    PolicyRefused {
        /// The name of the policy in force.
        policy: String,
    },
    /// Automatic actions were switched off.
    Paused,
    /// Automatic actions were switched on again.
    Resumed,
}

/// How an event is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tone {
    /// Something broke.
    Bad,
    /// Something recovered.
    Good,
    /// Something was changed.
    Neutral,
}

impl ServiceEvent {
    pub(crate) fn tone(&self) -> Tone {
        match self {
            Self::ProcessDied { .. }
            | Self::ReplicaDied { .. }
            | Self::ReplicaLost { .. }
            | Self::ReplicaRestarted { .. }
            | Self::ReplicaSilent { .. }
            | Self::ReplicaOut { .. }
            | Self::PolicyRefused { .. }
            | Self::GatewaySilent => Tone::Bad,
            Self::FaultsChanged { faults, .. } if !faults.is_empty() => Tone::Bad,
            Self::ProcessRestarted { .. }
            | Self::ReplicaBack { .. }
            | Self::GatewayBack
            | Self::FaultsChanged { .. } => Tone::Good,
            Self::ScalerStarted { .. }
            | Self::LoadChanged { .. }
            | Self::LoadSettled { .. }
            | Self::ReplicasSet { .. }
            | Self::LimitsSet { .. }
            | Self::PolicyChanged { .. }
            | Self::Paused
            | Self::Resumed => Tone::Neutral,
        }
    }
}

impl fmt::Display for ServiceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ScalerStarted { unseen_seconds: None } => f.write_str("Scaler started"),
            Self::ScalerStarted { unseen_seconds: Some(seconds) } => {
                write!(f, "Scaler restarted, nothing was recorded for {}", span(*seconds))
            }
            Self::ProcessDied { process, end } => write!(f, "The {process} died ({end})"),
            Self::ProcessRestarted { process, after_seconds } => {
                write!(f, "The {process} is back after {}", span(*after_seconds))
            }
            Self::ReplicaDied { replica, end, replacement: Some(replacement) } => {
                write!(f, "{replica} died ({end}), {replacement} replaces it")
            }
            Self::ReplicaDied { replica, end, replacement: None } => {
                write!(f, "{replica} died ({end}) and could not be replaced")
            }
            Self::ReplicaLost { replica } => write!(f, "{replica} is gone, the scaler did not stop it"),
            Self::ReplicaRestarted { replica } => {
                write!(f, "{replica} was restarted after its process had ended")
            }
            Self::ReplicaSilent { replica } => write!(f, "{replica} stopped responding"),
            Self::ReplicaOut { replica } => write!(f, "{replica} left the rotation"),
            Self::ReplicaBack { replica } => write!(f, "{replica} is back in rotation"),
            Self::FaultsChanged { replica, faults } if faults.is_empty() => {
                write!(f, "Faults of {replica} cleared")
            }
            Self::FaultsChanged { replica, faults } => {
                write!(f, "Fault injected into {replica}: {}", faults.join(", "))
            }
            Self::GatewaySilent => {
                f.write_str("The gateway stopped responding, clients cannot reach the service")
            }
            Self::GatewayBack => f.write_str("The gateway responds again"),
            Self::LoadChanged { from, to } => write!(f, "Load {} → {}", factor(*from), factor(*to)),
            Self::LoadSettled { at } => write!(f, "Load steady at {}", factor(*at)),
            Self::ReplicasSet { asked: 1 } => f.write_str("1 replica requested manually"),
            Self::ReplicasSet { asked } => write!(f, "{asked} replicas requested manually"),
            Self::LimitsSet { min, max } => write!(f, "Limits set to {min}–{max} replicas"),
            Self::PolicyChanged { policy } => write!(f, "Policy {policy} was read again and is in force"),
            Self::PolicyRefused { policy } => {
                write!(f, "The policy file cannot be followed, {policy} stays in force")
            }
            Self::Paused => f.write_str("Autoscaling paused"),
            Self::Resumed => f.write_str("Autoscaling resumed"),
        }
    }
}

/// A factor with two decimals at most.
fn factor(value: f64) -> String {
    format!("×{}", (value * 100.0).round() / 100.0)
}

/// A time as people say it.
fn span(seconds: f64) -> String {
    match seconds {
        below if below < 1.0 => format!("{:.0} ms", below * 1000.0),
        below if below < 10.0 => format!("{below:.1} s"),
        below if below < 120.0 => format!("{below:.0} s"),
        _ => format!("{:.0} min", seconds / 60.0),
    }
}

/// An event and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RecordedEvent {
    /// Run time.
    #[serde(serialize_with = "as_rfc3339", deserialize_with = "from_rfc3339")]
    pub(crate) at: Duration,
    #[serde(flatten)]
    pub(crate) event: ServiceEvent,
}

/// An event as the API tells it: with its words, so that every reader has the same.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EventText {
    #[serde(flatten)]
    recorded: RecordedEvent,
    tone: Tone,
    text: String,
}

impl From<RecordedEvent> for EventText {
    fn from(recorded: RecordedEvent) -> Self {
        Self { tone: recorded.event.tone(), text: recorded.event.to_string(), recorded }
    }
}

/// What the platform reports: an event with its number in the platform's own order, and how long ago it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct News {
    /// Rising from 1; the same event keeps its number.
    pub number: u64,
    /// Time since it happened, so that no clocks are compared.
    pub age_seconds: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: ServiceEvent,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replica() -> String {
        "webapp-2".to_owned()
    }

    #[test]
    fn each_event_has_its_words_and_its_tone() {
        let died = |replacement: Option<&str>| ServiceEvent::ReplicaDied {
            replica: replica(),
            end: "signal 9".to_owned(),
            replacement: replacement.map(str::to_owned),
        };
        let faults = |faults: &[&str]| ServiceEvent::FaultsChanged {
            replica: replica(),
            faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        };
        let back =
            |after_seconds| ServiceEvent::ProcessRestarted { process: "gateway".to_owned(), after_seconds };
        for (event, text, tone) in [
            (died(Some("webapp-5")), "webapp-2 died (signal 9), webapp-5 replaces it", Tone::Bad),
            (died(None), "webapp-2 died (signal 9) and could not be replaced", Tone::Bad),
            (faults(&["latency", "errors"]), "Fault injected into webapp-2: latency, errors", Tone::Bad),
            (faults(&[]), "Faults of webapp-2 cleared", Tone::Good),
            (back(0.031), "The gateway is back after 31 ms", Tone::Good),
            (back(4.25), "The gateway is back after 4.2 s", Tone::Good),
            (
                ServiceEvent::ScalerStarted { unseen_seconds: Some(63.2) },
                "Scaler restarted, nothing was recorded for 63 s",
                Tone::Neutral,
            ),
            (ServiceEvent::ScalerStarted { unseen_seconds: None }, "Scaler started", Tone::Neutral),
            (ServiceEvent::LoadChanged { from: 1.0, to: 5.0 }, "Load ×1 → ×5", Tone::Neutral),
            (ServiceEvent::LoadSettled { at: 2.0 / 3.0 }, "Load steady at ×0.67", Tone::Neutral),
            (ServiceEvent::LimitsSet { min: 1, max: 2 }, "Limits set to 1–2 replicas", Tone::Neutral),
            (
                ServiceEvent::PolicyChanged { policy: "mine".to_owned() },
                "Policy mine was read again and is in force",
                Tone::Neutral,
            ),
            (
                ServiceEvent::PolicyRefused { policy: "mine".to_owned() },
                "The policy file cannot be followed, mine stays in force",
                Tone::Bad,
            ),
            (ServiceEvent::ReplicasSet { asked: 1 }, "1 replica requested manually", Tone::Neutral),
            (ServiceEvent::ReplicasSet { asked: 3 }, "3 replicas requested manually", Tone::Neutral),
        ] {
            assert_eq!((event.to_string().as_str(), event.tone()), (text, tone));
        }
    }

    #[test]
    fn an_event_is_read_again_as_it_was_written_and_told_with_its_words() {
        let event = ServiceEvent::ReplicaSilent { replica: replica() };
        let recorded = RecordedEvent { at: Duration::from_millis(1500), event };
        let written = serde_json::to_value(&recorded).unwrap();
        assert_eq!(
            written,
            json!({"at": "1970-01-01T00:00:01.500Z", "kind": "replica_silent", "replica": "webapp-2"})
        );
        assert_eq!(serde_json::from_value::<RecordedEvent>(written).unwrap(), recorded);
        let told = serde_json::to_value(EventText::from(recorded)).unwrap();
        assert_eq!((&told["tone"], &told["text"]), (&json!("bad"), &json!("webapp-2 stopped responding")));
        assert_eq!((&told["kind"], &told["replica"]), (&json!("replica_silent"), &json!("webapp-2")));
    }

    #[test]
    fn news_of_a_platform_are_read() {
        let text = r#"{"number": 7, "age_seconds": 0.4, "kind": "process_died", "process": "gateway", "end": "signal 9"}"#;
        let news: News = serde_json::from_str(text).unwrap();
        assert_eq!((news.number, news.event.to_string().as_str()), (7, "The gateway died (signal 9)"));
    }
}
