//! A real collector understands what is sent: Rotel takes the spans and passes them on to the test.
//!
//! It comes as a Python package. Where it is not installed, the test says so and passes; with `LAB_REQUIRE=collector`
//! it fails. `LAB_ROTEL` names the program where Python does not find it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::child::Process;
use crate::collector::{Collector, Manner};
use crate::support::{TIMEOUT, Up, wait_until};
use crate::tree::{QUIET, SPANS_OF_A_REQUEST, ask, check_tree};

/// The program of the package `rotel`; panics if it is not there and has to be.
fn rotel() -> Option<PathBuf> {
    let named = std::env::var_os("LAB_ROTEL").map(PathBuf::from);
    let program = named.or_else(|| {
        let find = "import pathlib, rotel; print(pathlib.Path(rotel.__file__).parent / 'rotel-agent')";
        let output = Command::new("python3").args(["-c", find]).output().ok()?;
        output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    });
    let program = program.filter(|path| path.is_file());
    let missing = || "the collector Rotel is not installed; hint: pip install rotel".to_owned();
    let state = program.as_ref().map(|_| ()).ok_or_else(missing);
    program.filter(|_| test_requirements::is_met("collector", &state))
}

/// Free when it was looked at.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_tree_comes_through_a_real_collector() {
    let Some(program) = rotel() else { return };
    let sink = Collector::start(Manner::Good).await;
    let (http, grpc) = (free_address(), free_address());
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program);
    command
        .arg("start")
        .args(["--otlp-http-endpoint", &http, "--otlp-grpc-endpoint", &grpc])
        .args(["--exporter", "otlp", "--otlp-exporter-protocol", "http"])
        .args(["--otlp-exporter-endpoint", &sink.url])
        .arg("--pid-file")
        .arg(folder.path().join("pid"))
        .arg("--log-file")
        .arg(folder.path().join("log"));
    let collector = Process::run(command);
    let is_up = wait_until(Duration::from_secs(10), || std::net::TcpStream::connect(&http).is_ok());
    assert!(is_up, "Rotel did not start:\n{}", collector.log());

    let up = Up::start(&[&QUIET[..], &["--otlp-endpoint", &format!("http://{http}")]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let trace = ask(&up.client, &format!("{}/?x=1", up.gateway)).await;
    let spans = sink.wait_for_trace(&trace, SPANS_OF_A_REQUEST).await;
    check_tree(&spans);
}
