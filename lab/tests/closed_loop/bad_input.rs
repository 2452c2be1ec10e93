//! Wrong input ends with a clear error, the right exit status, and nothing half-started.

use std::net::TcpListener;

use crate::support::lab;

/// Runs the lab to its end: exit status and standard error.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = lab().args(arguments).output().expect("the lab runs");
    (output.status.code().expect("it ended by itself"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[track_caller]
fn expect(arguments: &[&str], status: i32, parts: &[&str]) {
    let (found, message) = run(arguments);
    assert_eq!(found, status, "lab {} ended with {found}:\n{message}", arguments.join(" "));
    for part in parts {
        assert!(message.contains(part), "lab {} does not say `{part}`:\n{message}", arguments.join(" "));
    }
}

#[test]
fn usage_errors_name_the_flag_and_end_with_2() {
    expect(&[], 2, &["Usage"]);
    expect(&["upp"], 2, &["upp"]);
    expect(&["up", "--polcy", "x"], 2, &["--polcy", "--policy"]);
    expect(&["up", "--min-replicas", "many"], 2, &["--min-replicas", "many"]);
    expect(&["webapp", "--service-time", "50"], 2, &["--service-time", "50ms"]);
    expect(&["webapp", "--listen", "8000"], 2, &["--listen", "127.0.0.1:8000"]);
    expect(&["webapp", "--peers", "localhost"], 2, &["--peers", "http://"]);
    expect(&["webapp", "--service-distribution", "normal"], 2, &["normal", "lognormal"]);
    expect(&["webapp", "--role", "cache"], 2, &["cache", "database"]);
    expect(&["gateway", "--discover", "webapp:80"], 2, &["--discover", "dns:NAME:PORT"]);
    expect(&["webapp", "--log-level", "loud"], 2, &["loud", "debug"]);
    expect(&["webapp", "--log-format", "xml"], 2, &["xml", "json"]);
    expect(&["scaler", "--actuator", "processes"], 2, &["--supervisor"]);
}

#[test]
fn settings_that_cannot_be_name_value_and_expectation() {
    expect(&["webapp", "--workers", "0"], 2, &["--workers is 0", "1 to 10000", "hint:"]);
    expect(&["webapp", "--cpu-share", "60"], 2, &["--cpu-share is 60", "hint: write 0.6"]);
    expect(&["webapp", "--load-factor=-1"], 2, &["--load-factor is -1", "0 to 1000"]);
    expect(&["up", "--workers", "0"], 2, &["--workers is 0"]);
    expect(&["up", "--min-replicas", "7", "--max-replicas", "3"], 2, &["7", "3"]);
    expect(&["up", "--scale-up-threshold", "0.1"], 2, &["0.1", "0.2"]);
    expect(&["gateway", "--client-rate", "0"], 2, &["client", "0"]);
}

#[test]
fn a_wrong_policy_names_file_field_value_and_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    let path = path.to_str().unwrap();
    expect(&["up", "--policy", "gentle"], 2, &["gentle", "moderate"]);
    expect(&["up", "--policy", path], 2, &[path]);
    let document = |kind: &str, spec: &str| {
        let text =
            format!("apiVersion: autoscale-lab/v1\nkind: {kind}\nmetadata:\n  name: mine\nspec:\n  {spec}\n");
        std::fs::write(path, text).unwrap();
    };
    document("ThresholdPolicy", "scaleUpThreshold: high");
    expect(&["up", "--policy", path], 2, &[path, "scaleUpThreshold", "high"]);
    document("ThresholdPolicy", "scaleUpTreshold: 0.5");
    expect(&["up", "--policy", path], 2, &[path, "scaleUpTreshold"]);
    document("MagicPolicy", "maxReplicas: 3");
    expect(&["up", "--policy", path], 2, &[path, "MagicPolicy", "ThresholdPolicy"]);
    document("ThresholdPolicy", "maxReplicas: 0");
    expect(&["up", "--policy", path], 2, &[path, "0"]);
    std::fs::write(path, "{ not: [yaml").unwrap();
    expect(&["up", "--policy", path], 2, &[path]);
}

#[test]
fn a_port_in_use_names_port_and_flag_and_starts_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--gateway", "--admin", "--page"] {
        let mut arguments = vec!["up"];
        for other in ["--gateway", "--admin", "--page"] {
            arguments.extend([other, if other == flag { &address } else { "127.0.0.1:0" }]);
        }
        expect(&arguments, 3, &[&address, flag, "hint:"]);
    }
    expect(&["webapp", "--listen", &address], 3, &[&address, "--listen"]);
    expect(&["gateway", "--listen", &address, "--admin", "127.0.0.1:0"], 3, &[&address[10..], "--listen"]);
    expect(&["scaler", "--listen", &address], 3, &[&address[10..], "--listen"]);
}

#[test]
fn the_classic_variables_are_checked_too() {
    let output = lab().args(["up"]).env("CHECK_INTERVAL", "soon").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("CHECK_INTERVAL") && message.contains("soon"), "{message}");
}

#[test]
fn health_tells_an_answer_from_none() {
    expect(&["health", "http://127.0.0.1:1/health"], 3, &["refused"]);
    expect(&["health", "nonsense"], 3, &["nonsense", "http://"]);
}

#[test]
fn an_actuator_that_cannot_work_is_told_at_the_start() {
    let scaler = |flags: &[&str], status, parts: &[&str]| {
        expect(&[&["scaler", "--listen", "127.0.0.1:0", "--actuator"], flags].concat(), status, parts);
    };
    let nowhere = ["--docker-host", "unix:///nowhere/docker.sock"];
    for actuator in ["compose", "compose-cli", "swarm", "ansible"] {
        scaler(&[&[actuator][..], &nowhere].concat(), 3, &["/nowhere/docker.sock", "hint: start the engine"]);
    }
    scaler(&["compose", "--docker-host", "tcp://127.0.0.1:1"], 3, &["nobody listens there", "hint:"]);
    scaler(&["compose", "--docker-host", "localhost"], 2, &["`localhost` is no address", "DOCKER_HOST"]);
    scaler(&["command"], 2, &["needs --scale-command"]);
    scaler(&["command", "--scale-command", "true {service}"], 2, &["--scale-command", "{replicas}"]);
    let set = ["command", "--scale-command", "true {replicas}", "--count-command"];
    scaler(&[&set[..], &["echo many"]].concat(), 2, &["printed `many`, expected a number"]);
    scaler(&[&set[..], &["/nowhere/count"]].concat(), 2, &["/nowhere/count", "cannot be run"]);
    scaler(&[&set[..], &["false"]].concat(), 3, &["`false` failed"]);
    scaler(&["none", "--services", "/nowhere/services.yaml"], 2, &["/nowhere/services.yaml", "--services"]);
}
