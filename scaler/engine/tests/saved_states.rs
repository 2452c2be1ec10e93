//! What the followed autoscalers remember survives being saved, also inside a state that is tagged by its kind.

#![expect(clippy::unwrap_used, reason = "what cannot be saved fails its test")]

use std::time::Duration;

use scaler_engine::hpa::{
    Behavior, ControllerSettings, HpaSpec, HpaState, Metric, MetricAnswer, MetricSource, MetricTarget, Scale,
    Seen, Selector, reconcile,
};
use scaler_engine::keda::{KafkaOptions, KafkaPartition, LatestOffset, OffsetMemory};
use scaler_engine::knative::{Algorithm, Averages, KpaSpec, KpaState, Windows, decide};
use serde::{Deserialize, Serialize};

/// The form in which an engine saves the history of its policy. Reading it back goes through a buffer that knows
/// neither 128-bit numbers nor numbers as keys.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Saved {
    Hpa(HpaState),
    Kafka(OffsetMemory),
    Kpa { state: KpaState, windows: Windows },
}

fn survives(state: &Saved) {
    let text = serde_json::to_string(state).unwrap();
    assert_eq!(&serde_json::from_str::<Saved>(&text).unwrap(), state, "{text}");
}

#[test]
fn the_history_of_an_hpa_survives() {
    let target = Some(MetricTarget::AverageValue { milli: 1_000 });
    let spec = HpaSpec {
        min_replicas: 0,
        max_replicas: 50,
        behavior: Some(Behavior::default()),
        metrics: vec![Metric { source: MetricSource::External("queue".into()), target }],
    };
    let settings = ControllerSettings::default();
    let mut state = HpaState::default();
    let mut replicas = 3;
    for (second, total) in [(15, 9_000), (30, 9_000), (45, 2_000), (500, 0), (515, 4_000)] {
        let now = Duration::new(1_000 + second, 5);
        let scale = Scale { spec_replicas: replicas, status_replicas: replicas, selector: Selector::Ok };
        let answers = [MetricAnswer::External(vec![total])];
        let outcome = reconcile(
            &spec,
            &settings,
            &mut state,
            &Seen { now, scale: Some(scale), pods: &[], answers: &answers },
        );
        outcome.rescaled(&spec, &settings, &mut state, now);
        replicas = outcome.rescale.map_or(replicas, |rescale| rescale.to);
    }
    assert!(!state.scale_up_events.is_empty() && !state.scale_down_events.is_empty(), "{state:?}");
    survives(&Saved::Hpa(state));
}

#[test]
fn the_offsets_of_a_kafka_trigger_survive() {
    let mut memory = OffsetMemory::default();
    let partitions: Vec<KafkaPartition> = (0..3)
        .map(|partition| KafkaPartition {
            topic: "orders".to_owned(),
            partition,
            committed: 10,
            latest: LatestOffset::At(20),
        })
        .collect();
    let options = KafkaOptions { exclude_persistent_lag: true, ..KafkaOptions::default() };
    memory.query(&partitions, &options).unwrap();
    survives(&Saved::Kafka(memory));
}

#[test]
fn windows_and_panic_of_a_kpa_survive() {
    let mut windows =
        Windows::new(Algorithm::WeightedExponential, Duration::from_secs(60), Duration::from_secs(6))
            .unwrap();
    for second in 0..90 {
        windows.record(Duration::from_secs(1_000 + second), 12.5);
    }
    windows.resize(Duration::from_secs(3_600), Duration::from_secs(360)).unwrap();
    let spec = KpaSpec { scale_down_delay: Duration::from_secs(30), ..KpaSpec::default() };
    let now = Duration::from_secs(2_000);
    let mut state = KpaState::start(now, Some(3));
    decide(&spec, &mut state, now, Some(3), Some(Averages { stable: 100.0, panic: 900.0 })).unwrap();
    survives(&Saved::Kpa { state, windows });
}
