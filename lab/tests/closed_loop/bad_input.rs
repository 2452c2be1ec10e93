//! Wrong input ends with a clear error, the right exit status, and nothing half-started.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;

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
    expect(&["up", "--dependency-address", "127.0.0.1:8002"], 2, &["--with-dependency"]);
    expect(
        &["up", "--with-dependency", "--dependency-address", "8002"],
        2,
        &["--dependency-address", "127.0.0.1:8000"],
    );
    expect(&["load", "--metrics-port", "70000"], 2, &["--metrics-port", "70000"]);
    expect(&["load", "--metrics-host", "127.0.0.1"], 2, &["--metrics-port"]);
    expect(&["load", "--metrics-port", "0", "--metrics-host", "here"], 2, &["--metrics-host", "here"]);
}

#[test]
fn no_message_fills_or_steers_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let line = "x".repeat(10_000_000);
    let escape = "minute,requests\n0,\u{1b}[31mX\u{202e}\0\n";
    let services = "apiVersion: autoscale-lab/v1\nkind: Services\nservices: [{name: a, VALUE: 1}]\n";
    let (shape, har) = (["load", "--rate", "5", "--shape"], ["load", "--from-har"]);
    let long = "x".repeat(100_000);
    for arguments in [
        [&shape[..], &[&write("a.csv", &line)]].concat(),
        [&shape[..], &[&write("b.txt", &line)]].concat(),
        [&shape[..], &[&write("c.csv", escape)]].concat(),
        [&har[..], &[&write("d.har", &line)]].concat(),
        [
            &har[..],
            &[&write(
                "e.har",
                &format!("{{\"log\": {{\"entries\": [{{\"request\": {{\"url\": \"{line}\"}}}}]}}}}"),
            )],
        ]
        .concat(),
        ["load", &write("f.yaml", &format!("kind: {}\n", &line[..1_000_000]))].to_vec(),
        ["load", "--from-openapi", &write("g.yaml", &format!("openapi: {}\n", &line[..1_000_000]))].to_vec(),
        [
            "scaler",
            "--policy",
            &write("h.yaml", &format!("apiVersion: autoscale-lab/v1\nkind: \"\\e[2J{long}\"\n")),
        ]
        .to_vec(),
        ["scaler", "--services", &write("i.yaml", &services.replace("VALUE", &long))].to_vec(),
        ["scaler", "--services", &write("j.yaml", &services.replace("VALUE", "\"\\e[2J\""))].to_vec(),
        ["load", "--host", &long].to_vec(),
        ["load", "--users", &long].to_vec(),
        ["webapp", "--service-time", "\u{1b}[2J\u{202e}"].to_vec(),
        ["load", &format!("--{}", "\u{1b}[2J")].to_vec(),
    ] {
        let (status, message) = run(&arguments);
        let shown = format!("{:.100} ended with {status}: {message:.1000}", arguments.join(" "));
        assert_eq!(status, 2, "{shown}");
        assert!(message.len() < 3000, "{} bytes: {shown}", message.len());
        assert!(!message.contains(['\u{1b}', '\u{202e}', '\0']), "{shown:?}");
    }
}

#[test]
fn an_import_tells_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let har = folder.path().join("visit.har");
    let entry = |url: &str| format!("{{\"request\": {{\"method\": \"GET\", \"url\": \"{url}\"}}}}");
    let entries =
        [entry("http://shop.test/"), entry("https://shop.test/"), entry("https://shop.test/a.css")].join(",");
    std::fs::write(&har, format!("{{\"log\": {{\"entries\": [{entries}]}}}}")).unwrap();
    let har = har.to_str().unwrap();
    expect(
        &["load", "--from-har", har],
        0,
        &[
            "recorded from https://shop.test",
            "kept 2 of 3 entries",
            "left out 1 entry to other origins",
            "http://shop.test",
        ],
    );
    expect(&["load", "--from-har", har, "--har-origin", "http://shop.test"], 0, &["kept 1 of 3 entries"]);
    expect(
        &["load", "--from-har", har, "--har-origin", "shop"],
        2,
        &["--har-origin", "https://shop.test (2)"],
    );
    expect(&["load", "--from-har", har, "--tags", "a"], 2, &["--tags"]);
    expect(&["load", "--har-origin", "http://shop.test"], 2, &["--from-har"]);
    expect(&["load", har], 2, &["--from-har"]);
}

#[test]
fn a_load_that_cannot_be_is_refused_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    expect(&["load", "locust"], 2, &["locust", "mixed, api-user, buyer, shop", "hint:"]);
    expect(&["load", "no/such.yaml"], 2, &["no/such.yaml", "hint:"]);
    expect(&["load", "shop", "--tags", "reed"], 2, &["reed", "checkout, read"]);
    expect(&["load", "--rate", "50", "--users", "5"], 2, &["--rate", "--users"]);
    expect(&["load", "--max-users", "5"], 2, &["--rate"]);
    expect(&["load", "--arrivals", "constant"], 2, &["--rate"]);
    expect(&["load", "--rate", "50", "--max-users", "0"], 2, &["--max-users is 0", "hint:"]);
    expect(&["load", "--rate", "50", "--arrivals", "even"], 2, &["even", "poisson"]);
    expect(&["load", "--rate", "5..10"], 2, &["5..10", "no duration"]);
    expect(&["load", "--rate", "0"], 2, &["never above 0"]);
    expect(&["load", "--users", "many"], 2, &["many", "10..200/5m"]);
    expect(&["load", "--users", "0.2"], 2, &["--users", "1 to 100000"]);
    expect(&["load", "--run-time", "0s"], 2, &["--run-time is 0s"]);
    expect(&["load", "--max-errors", "few"], 2, &["few", "5%"]);
    expect(&["load", "--threshold", "p96=1s"], 2, &["p96", "p95=250ms"]);
    expect(&["load", "--host", "localhost:8000"], 2, &["--host", "http://"]);
    expect(&["load", "--host", "http://h:99999"], 2, &["`http://h:99999`", "65535"]);
    expect(&["load", "--host", "ftp://h"], 2, &["only http:// and https://"]);
    expect(&["load", "--duration", "30s"], 2, &["--duration", "--run-time"]);
    expect(&["load", "--vus", "10"], 2, &["--vus", "--users"]);
    expect(&["load", "-u", "10"], 2, &["-u", "--users"]);
    expect(&["load", "--report", "load.pdf"], 2, &["load.pdf", ".html"]);
    expect(&["load", "--out", "x.yaml"], 2, &["--schema"]);
    expect(&["load", "shop", "--schema"], 2, &["SCENARIO", "--schema"]);
    expect(&["load", "--schema", "--from-har", "x.har"], 2, &["--schema", "--from-har"]);
    expect(&["load", "--from-har", "no/such.har"], 2, &["no/such.har"]);
    expect(&["load", "--from-openapi", &write("api.yaml", "swagger: '2.0'")], 2, &["api.yaml", "3.0"]);
    let shape = write("shape.yaml", "kind: spike\nbase: 1\npeak: -5\nhold_seconds: 1\nramp_seconds: 1\n");
    expect(&["load", "--rate", "5", "--shape", &shape], 2, &["shape.yaml", "peak", "-5"]);
    expect(&["load", "--rate", "5", "--shape", "no/such.yaml"], 2, &["no/such.yaml"]);
    let trace = write("trace.csv", "minute,requests\n0,43\n1,many\n");
    expect(
        &["load", "--rate", "5", "--shape", &trace],
        2,
        &["trace.csv", "line 3", "`requests` is `many`", "hint:"],
    );
    let shape = write("steady.yaml", "{kind: steady, level: 2}");
    expect(&["load", "--rate", "5..9/1m", "--shape", &shape], 2, &["--shape", "one number"]);
    let scenario = write("mine.yaml", "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  userz: []\n");
    expect(&["load", &scenario], 2, &["mine.yaml:4", "userz", "hint:"]);
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
    let any_port = ["--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--page", "127.0.0.1:0"];
    let dependency = ["up", "--with-dependency", "--dependency-address", &address];
    expect(&[&dependency[..], &any_port].concat(), 3, &[&address, "--dependency-address", "hint:"]);
    expect(&["webapp", "--listen", &address], 3, &[&address, "--listen"]);
    expect(&["gateway", "--listen", &address, "--admin", "127.0.0.1:0"], 3, &[&address[10..], "--listen"]);
    expect(&["scaler", "--listen", &address], 3, &[&address[10..], "--listen"]);
    expect(&["load", "--metrics-port", &address[10..]], 3, &[&address, "--metrics-port", "hint:"]);
}

/// `lab` with a variable and these arguments ends with 2 and says so.
#[track_caller]
fn refuses(arguments: &[&str], variable: &str, value: &OsStr, parts: &[&str]) {
    let output = lab().args(arguments).env(variable, value).output().expect("the lab runs");
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{variable}={} lab {}: {message}",
        value.display(),
        arguments.join(" ")
    );
    for part in parts {
        assert!(message.contains(part), "{variable}={} does not say `{part}`: {message}", value.display());
    }
}

#[test]
fn the_classic_variables_are_checked_too() {
    for command in ["up", "scaler"] {
        for (variable, value) in [
            ("SCALE_UP_THRESHOLD", "0,6"),
            ("SCALE_DOWN_THRESHOLD", "fast"),
            ("MIN_REPLICAS", "-1"),
            ("MAX_REPLICAS", "many"),
            ("CHECK_INTERVAL", "soon"),
            ("SCALE_UP_COOLDOWN", "1 fortnight"),
            ("SCALE_DOWN_COOLDOWN", "∞"),
        ] {
            refuses(&[command], variable, value.as_ref(), &[variable, value, "hint:"]);
        }
        // Read, and then found to break a rule.
        let broken = "overridden by a flag or an environment variable";
        refuses(&[command], "SCALE_UP_THRESHOLD", "600".as_ref(), &[broken, "600ms"]);
        refuses(&[command], "MIN_REPLICAS", "0".as_ref(), &[broken, "at least 1"]);
        refuses(
            &[command],
            "MAX_REPLICAS",
            OsStr::from_bytes(b"\xff3"),
            &["MAX_REPLICAS", "expected text in UTF-8"],
        );
        let from_prometheus = [command, "--source", "prometheus"];
        refuses(&from_prometheus, "PROMETHEUS_URL", "localhost".as_ref(), &["PROMETHEUS_URL", "localhost"]);
    }
    refuses(&["scaler"], "SERVICE_NAME", "a b".as_ref(), &["`a b`"]);
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
