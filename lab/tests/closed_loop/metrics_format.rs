//! Every process answers a scrape in the format that was asked for, and the classic one stands up to Prometheus' own check.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use observability::metrics::{OpenMetricsVersion, TextFormat};

use crate::support::{TIMEOUT, Up, lab};

/// What `promtool check metrics` says of a text: nothing where it finds nothing.
fn promtool_findings(text: &str) -> Result<(), String> {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("promtool cannot be run: {error}"))?;
    promtool.stdin.take().expect("it was piped").write_all(text.as_bytes()).expect("promtool reads");
    let output = promtool.wait_with_output().map_err(|error| error.to_string())?;
    let said =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if output.status.success() && said.trim().is_empty() { Ok(()) } else { Err(said) }
}

/// Status, media type and text of a scrape with this `Accept`, or without one.
fn scrape(url: &str, accept: Option<&str>) -> (String, String, String) {
    let (address, path) = url.trim_start_matches("http://").split_once('/').expect("an address and a path");
    let accept = accept.map(|accept| format!("accept: {accept}\r\n")).unwrap_or_default();
    let mut stream = TcpStream::connect(address).expect("the process listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {address}\r\n{accept}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the process reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the process answers");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let media_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (head.lines().next().unwrap_or_default().to_owned(), media_type.to_owned(), text.to_owned())
}

#[tokio::test]
async fn every_process_answers_in_the_format_that_was_asked_for() {
    let up = Up::start(&[]);
    let mut load = lab()
        .args(["load", "--host", &up.gateway, "--run-time", "60s", "--metrics-port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the lab starts");
    let load_url = crate::load_metrics::metrics_url(&mut load);
    let replica = up.in_rotation().await[0].0.clone();
    let classic = TextFormat::Classic.content_type();
    let [draft, standard] = [OpenMetricsVersion::V0_0_1, OpenMetricsVersion::V1_0_0]
        .map(|version| TextFormat::OpenMetrics(version).content_type());
    let has_promtool = test_requirements::has_program("prometheus", "promtool", "apt-get install prometheus");
    for (part, url) in [
        ("webapp", format!("{replica}/metrics")),
        ("gateway", format!("{}/metrics", up.admin)),
        ("scaler", format!("{}/metrics", up.scaler)),
        ("loadgen", load_url),
    ] {
        for (accept, expected) in [
            (None, classic),
            (Some("*/*"), classic),
            (Some("text/plain;version=0.0.4"), classic),
            (Some("application/json"), classic),
            (Some("application/openmetrics-text;q=0,*/*;q=0"), classic),
            (Some("text/plain;q=0.5,application/openmetrics-text;version=1.0.0"), standard),
            (Some("application/openmetrics-text;version=0.0.1"), draft),
        ] {
            let (status, media_type, text) = scrape(&url, accept);
            assert_eq!(
                (status.as_str(), media_type.as_str()),
                ("HTTP/1.1 200 OK", expected),
                "{part}, Accept: {accept:?}"
            );
            assert_eq!(text.ends_with("# EOF\n"), expected != classic, "{part}, Accept: {accept:?}:\n{text}");
        }
        let (_, _, text) = scrape(&url, None);
        for absent in [" unknown\n", " # {", "# UNIT", "# EOF"] {
            assert!(!text.contains(absent), "`{absent}` is in the classic text of {part}:\n{text}");
        }
        if has_promtool && let Err(findings) = promtool_findings(&text) {
            panic!("promtool on the {part}'s metrics:\n{findings}");
        }
    }
    load.kill().expect("it still runs");
    load.wait().expect("it is our child");
}
