//! Replaces the policy of a running loop in virtual time.

use std::time::Duration;

use scaler_engine::Limits;
use tokio::sync::oneshot;

use super::command::Command;
use super::rig::{Pretence, Rig};
use crate::policy_file::{NamedPolicy, PolicyFileError, PolicyOverrides};

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn policy(spec: &str) -> Result<NamedPolicy, PolicyFileError> {
    let text = format!("apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nspec: {{{spec}}}\n");
    NamedPolicy::from_text("my.yaml", "mine", &text, &PolicyOverrides::default())
}

impl Rig {
    async fn read_again(&self, outcome: Result<NamedPolicy, PolicyFileError>) {
        self.commands.send(Command::SetPolicy { outcome, is_asked: true }).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_was_read_again_is_followed_and_keeps_what_was_counted() {
    let rig = Rig::start(Pretence { value: Some(0.9), ..Pretence::default() }, None, None);
    pass(5).await;
    rig.read_again(policy("maxReplicas: 3, scaleUpThreshold: 0.8")).await;
    rig.until(|status| status.policy.name == "mine").await;
    let status = rig.status();
    assert_eq!((status.replicas.max, status.policy.thresholds[0].value), (3, 0.8));
    pass(6).await;
    assert_eq!(rig.told(), ["0s hold 1 breach_pending", "10s up 2 above_threshold"]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn another_window_is_measured_over_before_it_is_judged_and_counted_from_0() {
    let rig = Rig::start(Pretence { value: Some(0.9), ..Pretence::default() }, None, None);
    pass(5).await;
    rig.read_again(policy("window: 10s")).await;
    rig.until(|status| (status.window_seconds - 10.0).abs() < 1e-9).await;
    pass(6).await;
    assert_eq!(rig.told(), ["0s hold 1 breach_pending", "10s hold 1 breach_pending"]);
    assert_eq!(rig.pretence.lock().unwrap().window, Duration::from_secs(10));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_cannot_be_followed_leaves_the_last_good_one_and_is_a_problem_until_it_is_mended() {
    let rig = Rig::start(Pretence::default(), None, None);
    pass(2).await;
    for (bad, part) in [
        (policy("scaleUpThreshold: fast"), "`spec.scaleUpThreshold` is `fast`"),
        (policy("minReplicas: 0"), "at least 1"),
        (NamedPolicy::load("/nowhere/policy.yaml", &PolicyOverrides::default()), "cannot be opened"),
    ] {
        rig.read_again(bad).await;
        rig.until(|status| status.problems.iter().any(|problem| problem.contains(part))).await;
        let status = rig.status();
        assert_eq!(
            (status.policy.name.as_str(), status.problems.len()),
            ("moderate", 1),
            "{:?}",
            status.problems
        );
        assert!(
            status.problems[0].contains("the last good one stays") && status.problems[0].contains("hint: ")
        );
        pass(3).await;
        assert_eq!(rig.status().problems.len(), 1, "it stays a problem");
    }
    rig.read_again(NamedPolicy::load("moderate", &PolicyOverrides::default())).await;
    rig.until(|status| status.problems.is_empty()).await;
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn limits_set_by_hand_and_a_pause_stay() {
    let rig = Rig::start(Pretence { value: Some(0.9), count: 2, ..Pretence::default() }, None, None);
    pass(2).await;
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::SetLimits { limits: Limits::new(2, 4).unwrap(), answer }).await.unwrap();
    answered.await.unwrap().unwrap();
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::Pause { pause: true, answer }).await.unwrap();
    answered.await.unwrap();
    rig.read_again(policy("minReplicas: 1, maxReplicas: 9, signal: utilization, scaleUpThreshold: 0.8"))
        .await;
    rig.until(|status| status.policy.name == "mine").await;
    let status = rig.status();
    assert_eq!((status.replicas.min, status.replicas.max, status.paused), (2, 4, true));
    let told = rig.published.history(|history| format!("{:?}", history.events_since(None)));
    assert!(told.contains(r#"PolicyChanged { policy: "mine" }"#), "{told}");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_gateway_is_silent_nothing_is_removed_and_readiness_is_unknown() {
    let idle = Pretence { value: Some(0.05), count: 4, ..Pretence::default() };
    let rig = Rig::start(idle, None, None);
    pass(5).await;
    assert_eq!(rig.status().replicas.ready, Some(4));
    rig.pretend(|pretence| pretence.rotation_unknown_for = Some(Duration::from_secs(3)));
    pass(100).await;
    assert_eq!(rig.pretence.lock().unwrap().orders, [0; 0], "{:?}", rig.told());
    let status = rig.status();
    assert_eq!((status.replicas.current, status.replicas.ready), (4, None));
    assert_eq!(status.last_decision.as_ref().unwrap().reason, "rotation_unknown");
    let metrics = rig
        .published
        .metrics
        .registry()
        .encode(&observability::metrics::Selection::All, observability::metrics::TextFormat::Classic);
    assert!(!metrics.contains("\nscaler_ready_replicas "), "an old number: {metrics}");
    rig.pretend(|pretence| pretence.rotation_unknown_for = None);
    pass(30).await;
    assert_eq!(rig.pretence.lock().unwrap().orders, [3], "three checks later: {:?}", rig.told());
    rig.end().await;
}
