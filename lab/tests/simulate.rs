//! `lab simulate` as users call it: experiments, traces, results as files, and what is refused.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

fn lab(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab"))
        .arg("simulate")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the lab can be started")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn the_same_experiment_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = folder();
    let result = |threads: &str, out: &str| {
        let arguments = ["spike", "--seeds", "3", "--threads", threads, "--out", out];
        let output = lab(&arguments, folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::read(folder.path().join(out).join("result.json")).expect("a result")
    };
    let once = result("1", "one");
    assert_eq!(once, result("3", "deep/three"), "it does not depend on the threads");
    let json: Value = serde_json::from_slice(&once).expect("JSON");
    assert_eq!(json["complete"], true);
    assert_eq!(json["policies"].as_array().map(Vec::len), Some(4));
    assert_eq!(json["policies"][0]["runs"].as_array().map(Vec::len), Some(3));
    let requests = |policy: usize, run: usize| json["policies"][policy]["runs"][run]["requests"].clone();
    for run in 0..3 {
        assert_eq!(requests(0, run), requests(3, run), "policies see the same requests");
    }
    assert_ne!(requests(0, 0), requests(0, 1), "seeds do not");
    let timeline = std::fs::read_to_string(folder.path().join("one/timeline.csv")).expect("a time line");
    assert!(timeline.starts_with("policy,at_seconds,") && timeline.lines().count() > 1000);
    let run = std::fs::read_to_string(folder.path().join("one/run.json")).expect("how it was made");
    assert!(run.contains("\"command\"") && run.contains("\"threads\": 1"), "{run}");
}

#[test]
fn a_replica_more_is_dearer_and_quicker() {
    let folder = folder();
    let output = lab(&["ramp", "--policy", "fixed:4,fixed:6,moderate", "--json"], folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let measure = |policy: usize, name: &str| json["policies"][policy][name].as_f64().expect(name);
    assert!(measure(0, "violating_request_share") > measure(1, "violating_request_share"));
    let seconds = [measure(0, "replica_seconds"), measure(1, "replica_seconds")];
    assert!(
        (seconds[0] - 4.0 * 1800.0).abs() < 1e-6 && (seconds[1] - 6.0 * 1800.0).abs() < 1e-6,
        "{seconds:?}"
    );
    assert!(measure(2, "scale_ups") >= 1.0, "the load outgrows the first replica");
    assert_eq!(json["policies"][2]["kind"], "ThresholdPolicy");
    assert!(json["oracle"]["replica_seconds"].as_f64().is_some_and(|oracle| oracle < seconds[1]));
}

#[test]
fn an_access_log_is_played_packed_or_not() {
    let folder = folder();
    let lines: Vec<String> = (0..600)
        .map(|second| {
            let (minute, second) = (second / 60, second % 60);
            format!("h - - [05/Jan/2026:08:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 5")
        })
        .collect();
    let log = lines.join("\n");
    std::fs::write(folder.path().join("access.log"), &log).expect("a log");
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(log.as_bytes()).expect("memory takes it");
    std::fs::write(folder.path().join("access.log.gz"), packed.finish().expect("memory takes it"))
        .expect("a log");
    let requests = |file: &str| {
        let arguments = ["--trace", file, "--scale", "50", "--policy", "fixed:1", "--seeds", "2", "--json"];
        let output = lab(&arguments, folder.path());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        json["policies"][0]["requests"].as_f64().expect("a number")
    };
    let plain = requests("access.log");
    assert!((plain - 30_000.0).abs() < 1_000.0, "ten minutes at 50/s: {plain}");
    assert!((requests("access.log.gz") - plain).abs() < f64::EPSILON);
}

#[test]
fn files_beside_an_experiment_are_found_from_elsewhere() {
    let folder = folder();
    let beside = folder.path().join("lab");
    std::fs::create_dir(&beside).expect("a folder");
    let policy = "apiVersion: autoscale-lab/v1\nkind: ThresholdPolicy\nmetadata: {name: mine}\nspec: {maxReplicas: 4}\n";
    std::fs::write(beside.join("mine.yaml"), policy).expect("a policy");
    std::fs::write(beside.join("load.csv"), "minute,requests\n0,2400\n1,9000\n2,2400\n").expect("a trace");
    let experiment = "apiVersion: autoscale-lab/v1\nkind: Experiment\nspec:\n  seeds: [7]\n  workload: {trace: load.csv}\n  \
                      policies: [{file: mine.yaml}, {file: mine.yaml}]\n";
    std::fs::write(beside.join("own.yaml"), experiment).expect("an experiment");
    let output = lab(&["lab/own.yaml"], folder.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let shown = text(&output.stdout);
    assert!(
        shown.contains("mine ") && shown.contains("mine#2") && shown.contains("own: mean of 1 seeds"),
        "{shown}"
    );
}

#[test]
fn what_cannot_be_played_is_refused_with_a_hint() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    let head = "apiVersion: autoscale-lab/v1\nkind: Experiment\nspec:\n";
    write("endless.yaml", &format!("{head}  duration: 1000d\n  workload: {{baseRps: 12000}}\n"));
    write("bad.yaml", &format!("{head}  duration: soon\n"));
    write("gap.csv", "time,requests\n0,1\n1,1\n9,1\n");
    write("policy.yaml", "kind: Nothing\n");
    for (arguments, parts) in [
        (&["nowhere"][..], &["nowhere: cannot be opened", "hint: give a path, or one of", "flash-crowd"][..]),
        (&["bad.yaml"], &["bad.yaml:4: `spec.duration` is `soon`", "hint: write it with its unit"]),
        (&["endless.yaml"], &["1.037e12 requests a run", "hours of one core", "MiB", "hint: lower the rate"]),
        (&["--trace", "gap.csv"], &["gap.csv: line 4", "gap"]),
        (&["--trace", "none.csv"], &["none.csv: cannot be opened", "hint: name a readable trace"]),
        (&["nasa"], &["nasa-http-1995-per-minute.csv: cannot be opened", "--trace"]),
        (&["spike", "--scale", "3"], &["--scale", "hint: name one with --trace"]),
        (&["spike", "--policy", "fixed:0"], &["fixed:0", "hint: fixed:3"]),
        (&["spike", "--policy", "policy.yaml"], &["policy.yaml", "hint: "]),
        (&[], &["EXPERIMENT"]),
    ] {
        let output = lab(arguments, folder.path());
        let shown = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {shown}");
        for part in parts {
            assert!(shown.contains(part), "{arguments:?}: `{part}` is missing: {shown}");
        }
    }
}

#[test]
fn an_interrupt_leaves_what_is_finished_and_says_so() {
    let folder = folder();
    let head = "apiVersion: autoscale-lab/v1\nkind: Experiment\nspec:\n  duration: 60d\n  workload: {baseRps: 800}\n";
    let policies = "  replicas: {max: 20}\n  policies: [{fixed: 20}]\n  seeds: [1, 2]\n";
    std::fs::write(folder.path().join("long.yaml"), format!("{head}{policies}")).expect("an experiment");
    let mut child = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["simulate", "long.yaml", "--out", "cut"])
        .current_dir(folder.path())
        .env_clear()
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the lab can be started");
    // The first line of progress says that runs have begun.
    let mut progress = std::io::BufReader::new(child.stderr.take().expect("it is piped"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut progress, &mut line).expect("a line of progress");
    assert!(line.contains("0 of 4 runs") && line.contains("left"), "{line}");
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    std::io::copy(&mut progress, &mut std::io::sink()).expect("it ends");
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let result = std::fs::read_to_string(folder.path().join("cut/result.json")).expect("a result");
    let json: Value = serde_json::from_str(&result).expect("JSON");
    assert_eq!(json["complete"], false);
    assert_eq!(json["policies"][0]["runs"].as_array().map(Vec::len), Some(0));
}
