//! Runs the loop in virtual time.

use observability::metrics::{Selection, TextFormat};
use scaler_engine::{Engine, EngineState, Limits, Reason};

use super::command::{Command, CommandError};
use super::rig::{Pretence, Rig};
use super::*;
use crate::policy_file::{NamedPolicy, PolicyOverrides};
use crate::state_file::Found;

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn metric(rig: &Rig, line: &str) -> bool {
    let text = rig.published.metrics.registry().encode(&Selection::All, TextFormat::Classic);
    text.lines().any(|found| found == line)
}

#[tokio::test(start_paused = true)]
async fn every_series_is_there_before_its_first_event() {
    let rig = Rig::start(Pretence::default(), None, None);
    for action in ["up", "down", "hold"] {
        for reason in Reason::codes() {
            let line = format!("scaler_decisions_total{{action=\"{action}\",reason=\"{reason}\"}} 0");
            assert!(metric(&rig, &line), "{line}");
        }
    }
    for (direction, value) in [("up", 0.6), ("down", 0.2)] {
        let signal = "response_time_mean_seconds";
        let line = format!("scaler_threshold{{signal=\"{signal}\",direction=\"{direction}\"}} {value}");
        assert!(metric(&rig, &line), "{line}");
    }
    rig.end().await;
}

/// A bound that is no bucket's would be counted nowhere.
#[test]
fn the_objective_is_a_bucket_of_the_response_time() {
    assert!(observability::buckets::RESPONSE_TIME_SECONDS.contains(&Slo::DEFAULT.p95_seconds));
}

#[tokio::test(start_paused = true)]
async fn a_breach_that_lasts_scales_up_as_the_policy_says() {
    let rig = Rig::start(Pretence { value: Some(0.9), ..Pretence::default() }, None, None);
    pass(45).await;
    assert_eq!(
        rig.told(),
        [
            "0s hold 1 breach_pending",
            "10s up 2 above_threshold",
            "20s hold 2 breach_pending",
            "30s hold 2 cooldown_active",
            "40s up 3 above_threshold",
        ],
        "a check of some milliseconds later must not miss the end of a cooldown"
    );
    assert_eq!(rig.pretence.lock().unwrap().orders, [2, 3]);
    let status = rig.status();
    assert_eq!((status.replicas.current, status.replicas.desired, status.replicas.max), (3, 3, 6));
    assert!(metric(&rig, "scaler_decisions_total{action=\"up\",reason=\"above_threshold\"} 2"));
    assert!(metric(&rig, "scaler_limited_total{limit=\"cooldown\"} 1"));
    assert!(metric(&rig, "scaler_current_replicas 3"));
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_action_that_fails_is_told_and_tried_again_without_a_cooldown() {
    let rig = Rig::start(Pretence { value: Some(0.9), refuses: true, ..Pretence::default() }, None, None);
    pass(25).await;
    let status = rig.status();
    assert_eq!((status.replicas.current, status.replicas.desired), (1, 1));
    assert!(
        status.problems.iter().any(|problem| problem.contains("no port is free")),
        "{:?}",
        status.problems
    );
    assert!(metric(&rig, "scaler_actuator_errors_total 2"));
    rig.pretend(|pretence| pretence.refuses = false);
    pass(10).await;
    assert_eq!(
        rig.told(),
        [
            "0s hold 1 breach_pending",
            "10s up 2 above_threshold",
            "20s up 2 above_threshold",
            "30s up 2 above_threshold",
        ]
    );
    assert_eq!(rig.status().replicas.current, 2);
    assert_eq!(rig.status().problems, [""; 0], "what is over is no problem any more");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_action_holds_up_neither_looks_nor_answers_and_the_next_check_waits_for_it() {
    let slow = Pretence { value: Some(0.9), takes: Duration::from_secs(25), ..Pretence::default() };
    let rig = Rig::start(slow, None, None);
    pass(20).await;
    let points = rig.published.history(|history| history.points_since(None).len());
    assert!((19..=22).contains(&points), "{points} looks in 20 s");
    assert!(rig.status().acting);
    assert_eq!(rig.status().replicas.desired, 2, "what is on its way is what is wanted");
    assert_eq!(rig.set_by_hand(3).await.unwrap_err(), CommandError::Busy);
    pass(17).await;
    let told = rig.told();
    assert_eq!(told[..2], ["0s hold 1 breach_pending", "10s up 2 above_threshold"]);
    assert!(
        told[2].starts_with("30s hold 2 ") && told.len() == 3,
        "one check for all that were missed: {told:?}"
    );
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_count_by_hand_is_carried_out_and_answered() {
    let rig = Rig::start(Pretence::default(), None, None);
    pass(5).await;
    let outcome = rig.set_by_hand(4).await.unwrap();
    assert_eq!((outcome.reached, outcome.decision.reason), (4, "by_hand"));
    assert_eq!(rig.status().replicas.current, 4, "the status shows it before the next look");
    let outcome = rig.set_by_hand(3).await.unwrap();
    assert_eq!((outcome.decision.from, outcome.reached), (4, 3));
    assert!(matches!(rig.set_by_hand(7).await, Err(CommandError::OutOfLimits(_))));
    rig.pretend(|pretence| pretence.refuses = true);
    assert!(matches!(rig.set_by_hand(2).await, Err(CommandError::Failed(_))));
    pass(20).await;
    assert_eq!(rig.status().replicas.current, 3, "it is not corrected back");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_that_began_before_an_action_ended_is_not_judged() {
    let rig =
        Rig::start(Pretence { look_takes: Duration::from_millis(500), ..Pretence::default() }, None, None);
    // The look that began at 10 s, when the check fell due, still counts one replica.
    tokio::time::sleep(Duration::from_millis(10_200)).await;
    rig.set_by_hand(3).await.unwrap();
    pass(3).await;
    assert_eq!(rig.told()[1..], ["10s up 3 by_hand", "10s hold 3 within_thresholds"]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_replica_lost_is_replaced_at_the_next_check() {
    let rig = Rig::start(Pretence { count: 3, ..Pretence::default() }, None, None);
    pass(5).await;
    rig.pretend(|pretence| pretence.count = 2);
    pass(10).await;
    assert_eq!(rig.told()[1], "10s up 3 replicas_lost");
    assert_eq!(rig.status().replicas.current, 3);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_others_take_during_an_action_is_lost_and_not_wished_for() {
    let rig = Rig::start(Pretence { count: 4, interference: Some(1), ..Pretence::default() }, None, None);
    pass(5).await;
    assert!(rig.set_by_hand(3).await.is_err(), "one is not three");
    pass(10).await;
    assert_eq!(rig.told()[1..], ["5s down 3 by_hand", "10s up 3 replicas_lost"]);
    assert_eq!(rig.status().replicas.current, 3);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn limits_and_pause_by_hand_hold() {
    let rig = Rig::start(Pretence { value: Some(0.9), ..Pretence::default() }, None, None);
    pass(5).await;
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::Pause { pause: true, answer }).await.unwrap();
    assert!(answered.await.unwrap().paused);
    pass(20).await;
    assert_eq!(rig.pretence.lock().unwrap().orders, [0; 0]);
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::SetLimits { limits: Limits::new(3, 8).unwrap(), answer }).await.unwrap();
    let status = answered.await.unwrap();
    let status = status.unwrap();
    assert_eq!((status.replicas.min, status.replicas.max), (3, 8));
    assert_eq!(status.policy.settings["maxReplicas"], 8);
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::Pause { pause: false, answer }).await.unwrap();
    assert!(!answered.await.unwrap().paused);
    pass(10).await;
    assert_eq!(rig.pretence.lock().unwrap().orders, [3]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_count_nothing_is_decided() {
    let rig = Rig::start(Pretence { value: Some(0.9), is_hidden: true, ..Pretence::default() }, None, None);
    pass(30).await;
    assert_eq!(rig.told(), [""; 0]);
    assert_eq!(rig.set_by_hand(2).await.unwrap_err(), CommandError::CountUnknown);
    assert_eq!(rig.status().problems, ["hidden"]);
    rig.pretend(|pretence| pretence.is_hidden = false);
    pass(2).await;
    assert_eq!(rig.decisions().len(), 1, "the check that was due");
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_observer_decides_does_nothing_and_accepts_what_others_do() {
    let rig = Rig::start(Pretence { value: Some(0.9), acts: false, ..Pretence::default() }, None, None);
    pass(15).await;
    rig.pretend(|pretence| pretence.count = 4);
    pass(20).await;
    assert_eq!(
        rig.told(),
        [
            "0s hold 1 breach_pending",
            "10s up 2 above_threshold",
            "20s hold 4 breach_pending",
            "30s hold 4 cooldown_active",
        ]
    );
    assert_eq!(rig.pretence.lock().unwrap().orders, [0; 0]);
    assert_eq!(rig.set_by_hand(2).await.unwrap_err(), CommandError::ObservesOnly);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_in_the_middle_of_a_cooldown_continues_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state.json"));
    let first = Rig::start(Pretence { value: Some(0.9), ..Pretence::default() }, None, Some(file.clone()));
    pass(25).await;
    first.end().await;
    let Found::State(state) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!(state.desired, Some(2));
    // The wall clock does not follow virtual time: what was saved 25 s after the start is dated back by as much.
    let back = |at: Option<Duration>| at.map(|at| at.saturating_sub(Duration::from_secs(25)));
    let (cooldown_since, next_check_at) = (back(state.cooldown_since), back(state.next_check_at));
    let mut engine = Engine::new(NamedPolicy::load("moderate", &PolicyOverrides::default()).unwrap().policy);
    engine.restore(EngineState { cooldown_since, next_check_at, ..state }).unwrap();
    let second =
        Rig::start(Pretence { value: Some(0.9), count: 2, ..Pretence::default() }, Some(engine), Some(file));
    pass(17).await;
    assert_eq!(
        second.told(),
        ["5s hold 2 cooldown_active", "15s up 3 above_threshold"],
        "30 s after the action at 10 s, of which 15 s had passed; the count of breaches goes on"
    );
    second.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_action_in_flight_at_the_end_is_waited_for_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state.json"));
    let slow = Pretence { value: Some(0.9), takes: Duration::from_secs(1), ..Pretence::default() };
    let rig = Rig::start(slow, None, Some(file.clone()));
    rig.until(|status| status.acting).await;
    rig.end().await;
    let Found::State(state) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!(state.desired, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_scaler_killed_during_an_action_finds_it_begun_and_its_cooldown_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state.json"));
    let slow = Pretence { value: Some(0.9), takes: Duration::from_secs(60), ..Pretence::default() };
    let rig = Rig::start(slow, None, Some(file.clone()));
    rig.until(|status| status.acting).await;
    // What lies in the file now is all that a killed scaler leaves behind.
    let Found::State(killed) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!((killed.desired, killed.cooldown_since.is_some()), (Some(2), true));
    let (answer, answered) = oneshot::channel();
    rig.commands.send(Command::Pause { pause: true, answer }).await.unwrap();
    answered.await.unwrap();
    let Found::State(paused) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!((paused.desired, paused.paused), (Some(2), true), "what is saved meanwhile keeps it");
    rig.end().await;
    let Found::State(ended) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!(ended.desired, Some(2), "nor does one that ends in time forget it");
}

#[tokio::test(start_paused = true)]
async fn an_action_that_failed_leaves_no_trace_in_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::new(folder.path().join("state.json"));
    let refusing = Pretence { value: Some(0.9), refuses: true, ..Pretence::default() };
    let rig = Rig::start(refusing, None, Some(file.clone()));
    pass(15).await;
    let Found::State(state) = file.load().unwrap() else { panic!("no state was saved") };
    assert_eq!((state.desired, state.cooldown_since), (Some(1), None));
    rig.end().await;
}
