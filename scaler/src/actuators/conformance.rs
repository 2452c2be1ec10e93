//! What every actuator must do, told once and played on each of them.
//!
//! A stage is a platform with one replica, whose engine can be made to die and whose starts can be made to fail.

mod compose_stage;
mod docker_test;
mod program_stage;
mod supervisor_stage;

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Actuator, ScaleReport};

/// Longest wait for anything; a machine under load needs some of it.
const PATIENCE: Duration = Duration::from_secs(90);

/// A platform to act on.
trait Stage {
    fn actuator(&self) -> &dyn Actuator;

    /// Somebody else removes a replica.
    async fn lose_one(&self);

    /// The platform stops answering, or answers again.
    async fn set_dead(&self, is_dead: bool);

    /// What is started fails, or starts again.
    async fn set_failing(&self, is_failing: bool);
}

async fn conforms(stage: &impl Stage) {
    counts_are_reached_and_read_back(stage).await;
    asking_for_what_is_changes_nothing(stage).await;
    one_who_asks_during_an_action_waits_for_its_end(stage).await;
    a_loss_is_seen_and_made_good(stage).await;
    an_engine_that_dies_is_told_and_used_again(stage).await;
    a_start_that_fails_is_not_counted(stage).await;
}

async fn scale(stage: &impl Stage, asked: u32) -> ScaleReport {
    let report = timeout(PATIENCE, stage.actuator().scale_to(asked)).await;
    report.unwrap_or_else(|_| panic!("scaling to {asked} did not end within {PATIENCE:?}"))
}

async fn until_count(stage: &impl Stage, wanted: u32) {
    let mut last = None;
    let reached = async {
        while last != Some(Ok(Some(wanted))) {
            sleep(Duration::from_millis(50)).await;
            last = Some(stage.actuator().observe().await.map(|listing| listing.count()));
        }
    };
    let reached = timeout(PATIENCE, reached).await;
    assert!(reached.is_ok(), "the count never became {wanted}: {last:?}");
}

async fn counts_are_reached_and_read_back(stage: &impl Stage) {
    let mut before = 1;
    for asked in [3, 2, 5, 1] {
        let report = scale(stage, asked).await;
        assert!(report.succeeded(), "{report:?}");
        assert_eq!((report.before, report.after), (Some(before), Some(asked)), "{report:?}");
        assert!(!report.did.is_empty() && report.took > Duration::ZERO, "it says what it did: {report:?}");
        until_count(stage, asked).await;
        before = asked;
    }
}

async fn asking_for_what_is_changes_nothing(stage: &impl Stage) {
    let report = scale(stage, 1).await;
    assert!(report.succeeded() && report.did.is_empty(), "{report:?}");
}

async fn one_who_asks_during_an_action_waits_for_its_end(stage: &impl Stage) {
    let (first, second) = tokio::join!(scale(stage, 3), scale(stage, 2));
    assert!(first.succeeded() && second.succeeded(), "{first:?} {second:?}");
    assert_eq!(second.before, Some(3), "the second found what the first had left");
    until_count(stage, 2).await;
}

async fn a_loss_is_seen_and_made_good(stage: &impl Stage) {
    stage.lose_one().await;
    until_count(stage, 1).await;
    let report = scale(stage, 2).await;
    assert!(report.succeeded() && report.before == Some(1), "{report:?}");
}

async fn an_engine_that_dies_is_told_and_used_again(stage: &impl Stage) {
    stage.set_dead(true).await;
    let report = scale(stage, 3).await;
    assert!(!report.succeeded() && report.after.is_none(), "{report:?}");
    let problem = report.problem.map(|problem| problem.to_string()).unwrap_or_default();
    assert!(!problem.is_empty());
    let noticed = async {
        while stage.actuator().observe().await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, noticed).await.expect("a count was told by an engine that is dead");
    stage.set_dead(false).await;
    until_count(stage, 2).await;
    assert!(scale(stage, 3).await.succeeded());
}

async fn a_start_that_fails_is_not_counted(stage: &impl Stage) {
    stage.set_failing(true).await;
    let report = scale(stage, 4).await;
    // A process may live for a moment before it fails; then it is the next look that tells.
    assert!(report.succeeded() || report.problem.is_some(), "{report:?}");
    until_count(stage, 3).await;
    stage.set_failing(false).await;
    let report = scale(stage, 4).await;
    assert!(report.succeeded() && report.before == Some(3), "{report:?}");
    assert!(scale(stage, 1).await.succeeded());
}
