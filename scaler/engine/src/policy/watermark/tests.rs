//! Drives a watermark policy through an engine.

use super::*;
use crate::engine::Engine;

fn engine(change: impl FnOnce(&mut WatermarkSettings)) -> Engine<WatermarkPolicy> {
    let mut settings = WatermarkSettings::default();
    change(&mut settings);
    Engine::new(WatermarkPolicy::new(settings).unwrap())
}

/// `count` replicas with so many requests per second in all.
fn seen(second: u64, count: u32, requests_per_second: f64) -> Observation {
    let at = Duration::from_secs(1_000 + second);
    let mut seen = Observation { window: Duration::from_secs(30), ..Observation::of_replicas(at, count) };
    seen.report_from_all(Signal::RequestsPerSecond, requests_per_second);
    seen
}

#[test]
fn above_the_high_mark_it_asks_for_as_many_as_bring_the_share_below() {
    let mut engine = engine(|_| ());
    let decision = engine.decide(&seen(0, 1, 200.0));
    assert_eq!((decision.to, decision.reason.code()), (4, "above_high_mark"), "200 at 60 each");
    engine.record_scaled(decision.at, 1, 4, Cause::Policy);
    let decision = engine.decide(&seen(10, 4, 260.0));
    assert_eq!((decision.action, decision.limited_by), (Action::Hold, Some(Limit::Cooldown)));
    let decision = engine.decide(&seen(30, 4, 900.0));
    assert_eq!((decision.to, decision.limited_by), (10, Some(Limit::Maximum)));
}

#[test]
fn between_the_marks_a_load_that_moves_one_target_to_and_fro_comes_to_rest() {
    let mut engine = engine(|_| ());
    for second in (0..600).step_by(10) {
        let decision = engine.decide(&seen(second, 2, if second % 20 == 0 { 62.0 } else { 118.0 }));
        assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "between_marks"));
    }
}

#[test]
fn below_the_low_mark_it_waits_for_its_checks_and_never_crosses_the_high_mark() {
    let mut engine = engine(|_| ());
    for second in [0, 10] {
        let decision = engine.decide(&seen(second, 6, 90.0));
        assert_eq!((decision.action, decision.reason.code()), (Action::Hold, "below_low_mark_pending"));
    }
    let decision = engine.decide(&seen(20, 6, 90.0));
    assert_eq!((decision.to, decision.reason.code()), (3, "below_low_mark"), "30 each is the low mark");
    let mut narrow = self::engine(|settings| {
        (settings.low, settings.high, settings.scale_down_checks) = (50.0, 55.0, 1);
    });
    let decision = narrow.decide(&seen(0, 2, 90.0));
    assert_eq!(decision.action, Action::Down, "by one at least, or it would stay for ever: {decision:?}");
}

#[test]
fn missing_partial_and_hostile_values_hold() {
    let mut engine = engine(|settings| settings.scale_down_checks = 1);
    let silent = Observation::of_replicas(Duration::from_secs(1_000), 3);
    assert_eq!(engine.decide(&silent).reason.code(), "missing_data");
    let mut partial = seen(10, 3, 6.0);
    partial.replicas[0].signals.clear();
    assert_eq!(engine.decide(&partial).reason.code(), "partial_data");
    for value in [f64::NAN, f64::INFINITY] {
        assert_eq!(engine.decide(&seen(20, 3, value)).reason.code(), "not_a_number");
    }
    let mut old = seen(30, 3, 6.0);
    old.service.get_mut(&Signal::RequestsPerSecond).unwrap().age = Duration::from_secs(31);
    assert_eq!(engine.decide(&old).reason.code(), "stale_data");
}

#[test]
fn each_rule_refuses_by_name() {
    let refused = |change: fn(&mut WatermarkSettings)| {
        let mut settings = WatermarkSettings::default();
        change(&mut settings);
        WatermarkPolicy::new(settings).unwrap_err().field
    };
    assert_eq!(refused(|settings| settings.low = 60.0), "low");
    assert_eq!(refused(|settings| settings.high = f64::NAN), "high");
    assert_eq!(refused(|settings| settings.scale_down_checks = 0), "scaleDownChecks");
    assert_eq!(refused(|settings| settings.window = Duration::ZERO), "window");
    assert_eq!(refused(|settings| settings.min_replicas = 0), "minReplicas");
    assert_eq!(refused(|settings| settings.max_replicas = 1_001), "maxReplicas");
}
