//! What goes wrong on the way is counted by its kind, and the run goes on or ends as was asked.

use std::time::Duration;

use loadgen::{LoadConfig, LoadResult, Scenario, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::service::{run_until, users};

/// What a connection meets.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// It is closed once the request has been read.
    Reset,
    /// Half an answer comes, and then the end.
    HalfAnswer,
    /// Nothing ever comes.
    Silent,
    /// 500.
    Broken,
}

async fn peer(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let read = connection.read(&mut request).await;
                let answer: &[u8] = match manner {
                    Manner::Reset => return,
                    Manner::HalfAnswer => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
                    Manner::Silent => std::future::pending().await,
                    Manner::Broken => b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                };
                let _gone = (read, connection.write_all(answer).await);
            });
        }
    });
    address.to_string()
}

async fn load(host: String, timeout: Duration) -> LoadResult {
    let config = LoadConfig {
        host,
        load: users(3),
        scenario: Scenario::load("api-user", &[]).expect("it is shipped"),
        ramp_up: Duration::ZERO,
        timeout,
        must_answer: false,
        ..LoadConfig::default()
    };
    run_until(config, |now| now.failures > 0).await
}

#[tokio::test]
async fn each_way_to_fail_is_counted_apart() {
    // A port that was free a moment ago, and has nobody behind it.
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (host, kinds) in [
        (format!("http://{nobody}"), &["connection refused"][..]),
        ("http://no-such-host.invalid".to_owned(), &["name not found"]),
        (format!("https://{}", peer(Manner::Broken).await), &["no encrypted connection"]),
        (format!("http://{}", peer(Manner::Reset).await), &["broke off"]),
        (format!("http://{}", peer(Manner::HalfAnswer).await), &["broke off"]),
        (format!("http://{}", peer(Manner::Silent).await), &["timed out"]),
        (format!("http://{}", peer(Manner::Broken).await), &["status 500"]),
    ] {
        let timeout =
            if kinds == ["timed out"] { Duration::from_millis(300) } else { Duration::from_secs(30) };
        let result = load(host.clone(), timeout).await;
        assert!(result.failures > 0 && result.failures == result.requests, "{host}: {result}");
        assert_eq!(result.errors.keys().collect::<Vec<_>>(), kinds, "{host}: {result}");
        assert!(result.gave_up.is_none(), "{result}");
    }
}

#[tokio::test]
async fn too_many_errors_end_the_run_with_a_complete_result() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("load.md");
    let config = LoadConfig {
        host: format!("http://{}", peer(Manner::Broken).await),
        load: users(10),
        scenario: Scenario::load("api-user", &[]).unwrap(),
        run_time: Some(Duration::from_secs(600)),
        ramp_up: Duration::ZERO,
        max_errors: Some("4".parse().unwrap()),
        reports: vec![report.clone()],
        ..LoadConfig::default()
    };
    let result = run(&config, std::future::pending(), |_| {}).await.expect("the load runs");
    assert!(result.gave_up.as_ref().is_some_and(|reason| reason.contains("--max-errors 4")), "{result}");
    assert!(!result.held() && !result.interrupted && result.duration_seconds < 300.0, "{result}");
    assert!(std::fs::read_to_string(report).unwrap().contains("gave up"), "the report is incomplete");
}
