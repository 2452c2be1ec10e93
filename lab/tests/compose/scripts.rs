//! What the scripts make of what an engine and a scaler tell them; both are played by stand-ins of a few lines.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tempfile::TempDir;

use crate::docker::{bounded, is_there, root, text};
use crate::ground::{PORTS, free_ports};

/// Programs that stand before those of the machine.
struct StandIns {
    folder: TempDir,
}

impl StandIns {
    fn new(programs: &[(&str, &str)]) -> Self {
        let stand_ins = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for (name, body) in programs {
            let path = stand_ins.path(name);
            std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).expect("the folder can be written");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        }
        stand_ins
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, script: &str, arguments: &[&str]) -> Output {
        let others = std::env::var("PATH").unwrap_or_default();
        let mut command = bounded(Duration::from_secs(60), root().join("scripts").join(script));
        command.env("PATH", format!("{}:{others}", self.folder.path().display()));
        command.env("LAB_COMPOSE", self.path("compose")).env("STAND_INS", self.folder.path());
        command.envs(PORTS.iter().zip(free_ports(PORTS.len())).map(|(name, port)| (name, port.to_string())));
        command.args(arguments).output().expect("the script can be started")
    }
}

/// Starts a lab on an engine that answers the wait for health with this.
fn start_on(states: &str) -> (Output, String) {
    start_while(states, "")
}

/// As [`start_on`], where Compose also does this.
fn start_while(states: &str, compose_does: &str) -> (Output, String) {
    let docker = format!(
        "case \"$*\" in\n*{{{{.Names}}}}*) {states} ;;\nlogs*) echo \"last words of $4\" ;;\nesac\n\
         echo \"docker $1\" >>\"$STAND_INS/calls\""
    );
    let compose =
        format!("echo \"compose $*\" | sed 's/-f [^ ]* //g' >>\"$STAND_INS/calls\"\n{compose_does}");
    let stand_ins = StandIns::new(&[("docker", &docker), ("compose", &compose)]);
    let output = stand_ins.run("start.sh", &["--offline", "--no-build", "--timeout", "1"]);
    let calls = std::fs::read_to_string(stand_ins.path("calls")).expect("some were made");
    (output, calls)
}

#[test]
fn an_engine_that_fails_during_the_wait_is_not_health() {
    if !is_there() {
        return;
    }
    for (states, words) in [("exit 1", "stopped answering"), ("true", "the containers are gone")] {
        let (output, calls) = start_on(states);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output));
        assert!(text(&output).contains(words), "{}", text(&output));
        assert!(states == "true" || calls.contains("compose down"), "it was not rolled back:\n{calls}");
    }
    let (output, _) = start_on("echo 'lab-webapp-1: Up 3 seconds (healthy)'");
    assert!(
        output.status.success() && text(&output).contains("All containers are healthy"),
        "{}",
        text(&output)
    );
}

#[test]
fn containers_that_are_not_well_are_asked_before_they_are_ended() {
    if !is_there() {
        return;
    }
    let states =
        "printf '%s\\n' 'lab-webapp-1: Up 3 seconds (healthy)' 'lab-scaler-1: Up 3 seconds (unhealthy)'";
    let (output, calls) = start_on(states);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("lab-scaler-1: Up 3 seconds (unhealthy)\n    last words of lab-scaler-1"),
        "{said}"
    );
    assert!(!said.contains("lab-webapp-1"), "{said}");
    let asked = calls.find("docker logs").expect("it was asked");
    assert!(calls.find("compose down").is_some_and(|ended| ended > asked), "{calls}");
}

#[test]
fn a_container_that_refuses_its_settings_ends_the_start_while_compose_still_waits() {
    if !is_there() {
        return;
    }
    for state in ["Restarting (2) 1 second ago", "Exited (2) Less than a second ago"] {
        let states = format!("echo 'lab-gateway-1: {state}'");
        let (output, calls) = start_while(&states, "case \"$*\" in *' up '*) exec sleep 50 ;; esac");
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        let words = format!("lab-gateway-1: {state}\n    last words of lab-gateway-1");
        assert!(said.contains(&words) && said.contains("refuses its settings"), "{said}");
        assert!(calls.contains("compose down"), "it was not rolled back:\n{calls}");
    }
    // Other ends may pass, such as that of a container whose dependency is not there yet.
    let (output, _) = start_on("echo 'lab-scaler-1: Restarting (3) 1 second ago'");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}

#[test]
fn a_container_that_refused_its_settings_the_last_time_is_made_anew() {
    if !is_there() {
        return;
    }
    let docker = "case \"$*\" in\n*{{.Names}}*)\n\
                  if [ -e \"$STAND_INS/removed\" ]; then echo 'lab-scaler-1: Up 3 seconds (healthy)'\n\
                  else echo 'lab-scaler-1: Restarting (2) 5 seconds ago'; fi ;;\n\
                  'ps -aq'*) echo 0123456789ab ;;\n\
                  'rm -f lab-scaler-1') touch \"$STAND_INS/removed\" ;;\nesac";
    let stand_ins = StandIns::new(&[("docker", docker), ("compose", "true")]);
    let output = stand_ins.run("start.sh", &["--offline", "--no-build", "--timeout", "1"]);
    assert!(output.status.success(), "{}", text(&output));
}

/// One second as a scenario observes it.
struct Second {
    p95: &'static str,
    ready: u32,
    memory: &'static str,
}

const GOOD: Second = Second { p95: "0.08", ready: 3, memory: "9000000" };
const SLOW: Second = Second { p95: "0.9", ..GOOD };

/// The verdict on a load that went like this, each part for so many seconds: whether it is good, and its words.
fn verdict(name: &str, parts: &[(u32, Second)]) -> (bool, String) {
    let seconds = parts.iter().flat_map(|(count, second)| std::iter::repeat_n(second, *count as usize));
    let mut lines = String::new();
    let mut length = 0;
    for (at, Second { p95, ready, memory }) in seconds.enumerate() {
        writeln!(lines, "{at}\tload\t{ready}\t{ready}\t{p95}\t0\t0\t{memory}").expect("a string takes all");
        length = at + 1;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("observations.tsv");
    std::fs::write(&file, lines).expect("the folder can be written");
    let output = judge(name, length, &file);
    (output.status.success(), text(&output))
}

fn judge(name: &str, length: usize, file: &Path) -> Output {
    let mut command = std::process::Command::new("awk");
    command.args(["-F", "\t", "-v", &format!("name={name}"), "-v", &format!("length_seconds={length}")]);
    command.args(["-v", "expect=3", "-v", "at_rest=1", "-v", "back=yes"]);
    command.arg("-f").arg(root().join("scripts/scenario-verdict.awk")).arg(file);
    command.output().expect("awk can be started")
}

#[test]
fn a_p95_that_is_lost_again_is_no_good_verdict() {
    let (good, said) = verdict("spike", &[(10, SLOW), (30, GOOD)]);
    assert!(good && said.contains("again after 12 s of load"), "{said}");
    let (good, said) = verdict("spike", &[(10, SLOW), (20, GOOD), (10, SLOW)]);
    assert!(!good && said.contains("lost once more"), "{said}");
    let (good, said) = verdict("spike", &[(10, SLOW), (10, GOOD), (5, SLOW), (15, GOOD)]);
    assert!(good && said.contains("again after 27 s of load"), "{said}");
    let (good, said) = verdict("spike", &[(40, SLOW)]);
    assert!(!good && said.contains("not again"), "{said}");
}

#[test]
fn what_was_not_seen_is_no_good_verdict() {
    let unknown = |memory| Second { memory, ..GOOD };
    let (good, said) = verdict("soak", &[(40, GOOD)]);
    assert!(good && said.contains("9.0 MB, then 9.0 MB"), "{said}");
    for parts in [
        [(20, unknown("-")), (20, unknown("-"))],
        [(20, unknown("-")), (20, GOOD)],
        [(8, GOOD), (32, unknown("-"))],
        [(20, GOOD), (20, unknown("90000000"))],
    ] {
        let (good, said) = verdict("soak", &parts);
        assert!(!good && said.contains("NOT   memory of the scaler"), "{said}");
    }
    let (good, said) = verdict("spike", &[(40, Second { p95: "-", ..GOOD })]);
    assert!(!good && said.contains("NOT   p95 within 250 ms: unknown"), "{said}");
}

/// Plays a spike against a scaler of two services, where no load can be set: the end status, and what was said.
fn play(service: &str) -> (Option<i32>, String) {
    let metrics = ["ready_replicas", "desired_replicas"].map(|name| {
        let of_dependency = if name == "ready_replicas" { 1 } else { 3 };
        format!(
            "scaler_{name}{{service=\"webapp\"}} 1\nscaler_{name}{{service=\"dependency\"}} {of_dependency}\n"
        )
    });
    let curl = format!(
        "case \"$*\" in\n*/metrics) cat <<'TEXT'\n{}TEXT\n;;\n*spike*) exit 22 ;;\nesac",
        metrics.concat()
    );
    let output = StandIns::new(&[("curl", &curl)]).run("scenario.sh", &["spike", "--service", service]);
    (output.status.code(), text(&output))
}

#[test]
fn a_scenario_watches_one_service_and_wants_it_at_rest() {
    if !is_there() {
        return;
    }
    let played = ["webapp", "dependency", "cache"].map(|name| (name, std::thread::spawn(move || play(name))));
    let words =
        ["the load could not be set", "3 replicas are there before any load", "nothing of the service"];
    for ((name, playing), words) in played.into_iter().zip(words) {
        let (status, said) = playing.join().expect("it does not panic");
        assert_eq!(status, Some(3), "{name}: {said}");
        assert!(said.contains(words) && said.contains("hint: "), "{name}: {said}");
    }
}
