//! A decision of the scaler is a trace of its own, with what was seen, why, and what was done.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::collector::{Collector, Manner, Seen, list};
use crate::support::{TIMEOUT, Up};
use crate::tree::QUIET;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_a_span_with_its_observation_its_reason_and_the_actuators_part() {
    let collector = Collector::start(Manner::Good).await;
    let up =
        Up::start(&[&QUIET[..5], &["--check-interval", "1s", "--otlp-endpoint", &collector.url]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    up.scale_by_hand(2).await;
    let is_action = |action: &'static str| {
        move |span: &Seen| span.name == "scaling decision" && span.attribute("scaling.action") == Some(action)
    };
    let (is_up, is_hold) = (is_action("up"), is_action("hold"));
    let both = |spans: &[Seen]| spans.iter().any(is_up) && spans.iter().any(is_hold);
    let spans = collector.wait_for("a decision to hold and one to go up", both).await;
    for decision in spans.iter().filter(|span| span.name == "scaling decision") {
        assert_eq!((decision.service(), decision.kind), ("scaler", SpanKind::Internal));
        assert!(decision.parent.is_empty() && decision.links == 0, "it is linked to nothing: {decision:?}");
        for key in ["scaling.reason", "scaling.reason.text", "scaling.signal", "scaling.replicas.current"] {
            assert!(decision.attribute(key).is_some(), "{key} is missing: {decision:?}");
        }
    }
    let decision = spans.iter().find(|span| is_up(span)).expect("it was waited for");
    assert_eq!(
        (decision.attribute("scaling.from"), decision.attribute("scaling.to")),
        (Some("1"), Some("2"))
    );
    let is_part = |span: &&Seen| span.parent == decision.id && span.name == "actuator";
    let part = spans.iter().find(is_part).unwrap_or_else(|| panic!("no actuator in {}", list(&spans)));
    assert_eq!(part.attribute("scaling.reached"), Some("2"));
    assert!(decision.start_nanos <= part.start_nanos && part.end_nanos <= decision.end_nanos, "{part:?}");
}
