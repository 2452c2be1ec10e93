//! What dies comes back, what is ended leaves nothing behind.

use std::time::{Duration, Instant};

use crate::support::{TIMEOUT, Up, is_alive, send_signal, wait_until};

/// A restart within this is "back within 1 s" as the user sees it.
const BACK: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_killed_gateway_is_back_within_a_second_and_knows_the_replicas() {
    let up = Up::start(&["--min-replicas", "2"]);
    up.wait_for_replicas(2, TIMEOUT).await;
    let before = up.in_rotation().await;
    send_signal(up.processes["gateway"], "KILL");
    let began = Instant::now();
    while up.get(&format!("{}/", up.gateway)).await.is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the gateway did not come back:\n{}",
            up.lines().join("\n")
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < BACK, "the gateway took {:?} to answer again", began.elapsed());
    up.wait_for_replicas(2, TIMEOUT).await;
    let (mut before, mut after) = (before, up.in_rotation().await);
    before.sort();
    after.sort();
    assert_eq!(before, after, "the replicas did not stay");
}

#[tokio::test]
async fn a_killed_scaler_is_back_within_a_second_and_replicas_stay() {
    let up = Up::start(&["--min-replicas", "2"]);
    up.wait_for_replicas(2, TIMEOUT).await;
    let before = up.in_rotation().await;
    send_signal(up.processes["scaler"], "KILL");
    let began = Instant::now();
    // The old process may answer once more while the signal is under way.
    assert!(wait_until(TIMEOUT, || !is_alive(up.processes["scaler"])));
    while up.status().await.is_err() {
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the scaler did not come back:\n{}",
            up.lines().join("\n")
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(began.elapsed() < BACK, "the scaler took {:?} to answer again", began.elapsed());
    assert_eq!(before, up.in_rotation().await, "the replicas did not stay");
}

#[tokio::test]
async fn a_killed_replica_is_replaced_and_counted_right() {
    let up = Up::start(&["--min-replicas", "2"]);
    up.wait_for_replicas(2, TIMEOUT).await;
    let (_, victim) = up.in_rotation().await[0].clone();
    send_signal(victim, "KILL");
    let began = Instant::now();
    loop {
        let rotation = up.in_rotation().await;
        if rotation.len() == 2 && rotation.iter().all(|(_, pid)| *pid != victim) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "it was not replaced:\n{}", up.lines().join("\n"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let counted = Instant::now();
    loop {
        let replicas = up.status().await.expect("the scaler answers")["replicas"].clone();
        if replicas["current"] == 2 && replicas["ready"] == 2 && replicas["desired"] == 2 {
            break;
        }
        assert!(counted.elapsed() < Duration::from_secs(5), "the count is wrong: {replicas}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn nothing_outlives_a_supervisor_that_was_killed() {
    let mut up = Up::start(&["--min-replicas", "3", "--with-dependency"]);
    up.wait_for_replicas(3, TIMEOUT).await;
    assert_eq!(up.processes.len(), 6, "gateway, scaler, dependency, three replicas: {:?}", up.processes);
    assert!(up.processes.values().all(|pid| is_alive(*pid)));
    up.child.kill().expect("it is our child");
    let gone = wait_until(Duration::from_secs(2), || up.processes.values().all(|pid| !is_alive(*pid)));
    let left: Vec<_> = up.processes.iter().filter(|(_, pid)| is_alive(**pid)).collect();
    assert!(gone, "still alive 2 s after the supervisor was killed: {left:?}");
    up.child.wait().expect("it is our child");
}

#[tokio::test]
async fn nothing_but_this_user_reaches_the_supervisors_socket() {
    use std::os::unix::fs::PermissionsExt;
    let mut up = Up::start(&[]);
    let folder = std::env::temp_dir().join(format!("autoscale-lab-{}", up.child.id()));
    assert!(folder.join("supervisor.sock").exists(), "the socket is in {}", folder.display());
    let mode = std::fs::metadata(&folder).expect("the folder is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    assert!(up.interrupt().success());
    assert!(!folder.exists(), "{} outlived the run", folder.display());
}

#[tokio::test]
async fn ctrl_c_ends_everything_in_order() {
    let mut up = Up::start(&["--min-replicas", "2"]);
    up.wait_for_replicas(2, TIMEOUT).await;
    let status = up.interrupt();
    assert!(status.success(), "{status}");
    // Its last line may still be on the way to the thread that reads it.
    let said = wait_until(TIMEOUT, || up.printed("stopped"));
    assert!(said, "it did not say that it stopped:\n{}", up.lines().join("\n"));
    let left: Vec<_> = up.processes.iter().filter(|(_, pid)| is_alive(**pid)).collect();
    assert!(left.is_empty(), "still alive after the end: {left:?}");
}
