//! Drives a revision through an engine, as the loop does.

use super::*;
use crate::decision::Decision as Decided;
use crate::engine::Engine;
use crate::observation::Reading;
use crate::policy::knative::{KpaSpec, ResolvedTarget};

fn at(second: u64) -> Duration {
    Duration::from_secs(10_000 + second)
}

/// Three requests in flight for each replica, of which 70 % are aimed at.
fn spec(min: u32, max: u32) -> KnativeSpec {
    let ResolvedTarget { target, total } = ResolvedTarget { target: 2.1, total: 3.0 };
    KnativeSpec {
        kpa: KpaSpec { target, total, ..KpaSpec::default() },
        scale: ScaleSettings { min_scale: min, max_scale: max, ..ScaleSettings::default() },
        ..KnativeSpec::default()
    }
}

struct Stage {
    engine: Engine<KnativePolicy>,
    replicas: u32,
}

impl Stage {
    fn of(spec: KnativeSpec, replicas: u32) -> Self {
        Self { engine: Engine::new(KnativePolicy::new(spec).unwrap()), replicas }
    }

    fn check(&mut self, second: u64, in_flight: Option<f64>) -> Decided {
        let mut seen =
            Observation { window: CHART_WINDOW, ..Observation::of_replicas(at(second), self.replicas) };
        if let Some(in_flight) = in_flight {
            seen.service.insert(Signal::InFlight, Reading::fresh(in_flight));
        }
        let decision = self.engine.decide(&seen);
        if decision.action != Action::Hold {
            self.engine.record_scaled(decision.at, decision.from, decision.to, decision.reason.cause());
            self.replicas = decision.to;
        }
        decision
    }

    fn active(&self) -> ConditionStatus {
        self.engine.policy().conditions()[0].status
    }
}

#[test]
fn a_request_that_waits_at_zero_brings_the_first_replica() {
    let mut stage = Stage::of(spec(0, 10), 0);
    for second in 0..10 {
        assert_eq!(stage.check(second, Some(0.0)).action, Action::Hold);
    }
    assert_eq!(stage.active(), ConditionStatus::False);
    let first = (10..14).map(|second| stage.check(second, Some(1.0))).find(|made| made.action == Action::Up);
    let first = first.expect("a decision each two seconds");
    assert_eq!((first.from, first.to), (0, 1));
    stage.check(14, Some(1.0));
    assert_eq!(stage.active(), ConditionStatus::True);
}

#[test]
fn a_burst_panics_and_the_count_does_not_fall_for_a_whole_window() {
    let mut stage = Stage::of(spec(0, 10), 1);
    for second in 0..60 {
        stage.check(second, Some(2.0));
    }
    assert_eq!(stage.replicas, 1);
    let mut reached = None;
    for second in 60..70 {
        let decision = stage.check(second, Some(15.0));
        if decision.action == Action::Up && decision.reason.code() == "knative_panic" {
            reached = Some((second, decision.to));
        }
    }
    assert!(reached.is_some_and(|(_, to)| to >= 7), "15 in flight at 2.1 ask for 8: {reached:?}");
    let highest = stage.replicas;
    for second in 70..120 {
        assert_ne!(stage.check(second, Some(2.0)).action, Action::Down, "at {second} s");
    }
    let fell = (120..160).find(|&second| stage.check(second, Some(2.0)).action == Action::Down);
    assert!(fell.is_some() && stage.replicas < highest, "panic ends a window after its last cause");
    assert!(stage.replicas >= highest / 2, "at most halved");
}

/// When the last replica goes, if traffic ends at 20 s.
fn zero_at(spec: KnativeSpec) -> Option<u64> {
    let mut stage = Stage::of(spec, 1);
    for second in 0..20 {
        stage.check(second, Some(2.0));
    }
    let zero_at = (20..400).find(|&second| {
        let decision = stage.check(second, Some(0.0));
        decision.to == 0 && decision.reason.code() == "knative_to_zero"
    });
    let events = stage.engine.policy().events();
    assert_eq!(events.last().map(|event| event.message.as_str()), Some("scaled from 1 to 0"));
    zero_at
}

#[test]
fn without_traffic_the_last_replica_goes_once_the_window_is_empty_and_the_activator_long_enough_in_the_path()
{
    // A burst of 211 never fits beside one replica, so the activator is in the path all along.
    let at_once = zero_at(spec(0, 10)).unwrap();
    assert!((80..=84).contains(&at_once), "{at_once} s");
    let mut direct = spec(0, 10);
    direct.kpa.target_burst_capacity = 0.0;
    let after_grace = zero_at(direct).unwrap();
    assert!((110..=116).contains(&after_grace), "30 s of grace later: {after_grace} s");
}

#[test]
fn a_minimum_keeps_its_replicas_and_a_maximum_bounds_a_burst() {
    let mut stage = Stage::of(spec(2, 3), 2);
    for second in 0..300 {
        assert_eq!(stage.check(second, Some(0.0)).action, Action::Hold);
    }
    let decision =
        (300..310).map(|second| stage.check(second, Some(60.0))).find(|made| made.action == Action::Up);
    let decision = decision.expect("it scales up");
    assert_eq!((decision.to, decision.limited_by), (3, Some(Limit::Maximum)));
}

#[test]
fn without_data_nothing_happens_and_the_reason_says_so() {
    let mut stage = Stage::of(spec(0, 10), 4);
    for second in 0..300 {
        let decision = stage.check(second, None);
        assert_eq!(
            (decision.action, decision.reason.code()),
            (Action::Hold, "knative_no_data"),
            "at {second} s"
        );
    }
}

#[test]
fn settings_that_contradict_themselves_are_refused_by_name() {
    let refused = |change: fn(&mut KnativeSpec)| {
        let mut spec = spec(0, 10);
        change(&mut spec);
        KnativePolicy::new(spec).unwrap_err().field
    };
    assert_eq!(refused(|spec| spec.kpa.stable_window = Duration::from_secs(5)), "window");
    assert_eq!(refused(|spec| spec.panic_window = Duration::ZERO), "panicWindow");
    assert_eq!(refused(|spec| spec.kpa.target = f64::NAN), "target");
    assert_eq!(refused(|spec| spec.kpa.max_scale_down_rate = 0.5), "maxScaleDownRate");
    assert_eq!(refused(|spec| spec.scale.min_scale = 11), "maxScale");
    let without_maximum = KnativePolicy::new(spec(0, 0)).unwrap();
    assert_eq!(without_maximum.limits().max(), crate::REPLICAS_MAX);
}

#[test]
fn a_restored_state_goes_on_as_the_saved_one_would() {
    let mut stage = Stage::of(spec(0, 10), 1);
    for second in 0..200 {
        stage.check(second, Some(if (20..40).contains(&second) { 9.0 } else { 0.0 }));
        let saved = serde_json::to_string(&stage.engine.state()).unwrap();
        let mut restored = Engine::new(KnativePolicy::new(spec(0, 10)).unwrap());
        restored.restore(serde_json::from_str(&saved).unwrap()).unwrap();
        assert_eq!(restored, stage.engine, "at {second} s");
    }
}
