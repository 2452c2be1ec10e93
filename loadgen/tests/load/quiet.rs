//! Goose leaves the process alone: nothing on standard output, no file, no port.

use std::process::Command;

use loadgen::{LoadConfig, run};

use crate::service::{Answer, Service};

/// Set in the child process that runs the load.
const IN_CHILD: &str = "LOADGEN_TEST_IN_CHILD";

/// Goose's telnet port, which it opens unless told otherwise.
const TELNET: &str = "127.0.0.1:5116";

#[tokio::test]
async fn a_run_prints_nothing_and_leaves_nothing_behind() {
    if std::env::var_os(IN_CHILD).is_some() {
        let service = Service::start([("/order", Answer::Refuse), ("/buy", Answer::Unavailable)]).await;
        let config = LoadConfig { host: service.host.clone(), ..service.config("mixed") };
        let mut telnet_opened = false;
        let look = |_| telnet_opened |= std::net::TcpStream::connect(TELNET).is_ok();
        let result = run(&config, std::future::pending(), look).await.expect("the load runs");
        assert!(result.requests > 0, "{result}");
        assert!(!telnet_opened, "somebody listens on {TELNET}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "quiet::a_run_prints_nothing_and_leaves_nothing_behind", "--nocapture"])
        .env(IN_CHILD, "1")
        .current_dir(folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{output}{}", String::from_utf8_lossy(&child.stderr));
    let printed: Vec<_> = output
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("running ") && !line.starts_with("test "))
        .collect();
    assert!(printed.is_empty(), "{printed:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files were left behind");
}
