//! What cannot be is said in one line, with what to do, and leaves nothing half-started.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::docker::{bounded, docker, is_there, root, run, text};
use crate::image::{LAB_IMAGE, build_all};

const NAME: &str = "labcmp-refused";

/// Has containers for a while, which the other tests beside it must not find.
const NAME_WITH_CONTAINERS: &str = "labcmp-refused-value";

/// A free port below those that the system gives to connections, so that none takes it before a container does.
fn free_port() -> u16 {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 5_000).expect("it is small") + 20_000;
    (0..5_000)
        .map(|_| first + TRIED.fetch_add(1, Ordering::Relaxed))
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("one of 5,000 ports is free")
}

fn start() -> Command {
    start_as(NAME)
}

fn start_as(name: &str) -> Command {
    let mut command = bounded(Duration::from_secs(120), root().join("scripts/start.sh"));
    command.env("COMPOSE_PROJECT_NAME", name).env("LAB_IMAGE", LAB_IMAGE).args(["--offline", "--no-build"]);
    // Where a test gets past the check it is about, it must not meet somebody's own lab.
    for name in ["GATEWAY_PORT", "GATEWAY_ADMIN_PORT", "SCALER_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT"]
    {
        command.env(name, free_port().to_string());
    }
    command
}

fn refused(command: &mut Command, status: i32, words: &[&str]) {
    let project = command
        .get_envs()
        .find_map(|(name, value)| (name == "COMPOSE_PROJECT_NAME").then_some(value?.to_str()?.to_owned()))
        .unwrap_or_else(|| NAME.to_owned());
    let output: Output = command.output().expect("the script can be started");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(status), "{said}");
    let hints = said.lines().filter(|line| line.starts_with("hint: ")).count();
    assert_eq!(hints, 1, "there is one hint:\n{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in:\n{said}");
    }
    let filter = format!("label=com.docker.compose.project={project}");
    for list in [["ps", "-aq"], ["network", "ls"], ["volume", "ls"]] {
        let mut arguments = list.to_vec();
        arguments.extend(["--filter", &filter]);
        if list[0] != "ps" {
            arguments.push("-q");
        }
        assert_eq!(docker(&arguments), "", "something was left half-started");
    }
}

#[test]
fn flags_that_cannot_be_are_refused() {
    if !is_there() {
        return;
    }
    refused(start().arg("--nonsense"), 2, &["`--nonsense` is unknown"]);
    refused(start().args(["--timeout", "soon"]), 2, &["--timeout", "`soon`"]);
    refused(start().env("SCALER_PORT", "http"), 2, &["SCALER_PORT", "`http`"]);
}

#[test]
fn an_engine_that_is_not_there_or_not_for_this_user_is_named() {
    if !is_there() {
        return;
    }
    refused(
        start().env("DOCKER_HOST", "unix:///nowhere/docker.sock"),
        3,
        &["engine does not answer", "systemctl"],
    );
}

#[test]
fn a_user_without_permission_on_the_socket_is_told_so() {
    if !is_there() {
        return;
    }
    build_all();
    // Where that user can read them: the workspace may lie in somebody's own folder.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copied = ["scripts", "compose"].map(|part| root().join(part));
    run(bounded(Duration::from_secs(10), "cp").arg("-r").args(&copied).arg(folder.path()));
    run(bounded(Duration::from_secs(10), "chmod").args(["-R", "a+rX"]).arg(folder.path()));
    for script in ["start.sh", "stop.sh", "load-test.sh"] {
        let mut command = bounded(Duration::from_secs(30), "setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command.arg(folder.path().join("scripts").join(script)).env("COMPOSE_PROJECT_NAME", NAME);
        refused(&mut command, 3, &["this user may not use Docker's socket", "usermod -aG docker"]);
    }
    let socket = "/var/run/docker.sock:/var/run/docker.sock";
    let mut scaler = bounded(Duration::from_secs(60), "docker");
    scaler.args(["run", "--rm", "--network", "none", "--user", "65532", "-v", socket, LAB_IMAGE]);
    scaler.args(["scaler", "--actuator", "compose", "--compose-project", NAME]);
    refused(&mut scaler, 3, &["no permission on its socket", "run the scaler as a user of the group"]);
}

#[test]
fn a_port_that_is_taken_is_named_before_anything_starts() {
    if !is_there() {
        return;
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    refused(
        start().env("SCALER_PORT", &port),
        3,
        &[&format!("port {port} on 127.0.0.1 is taken"), "SCALER_PORT="],
    );
}

#[test]
fn a_file_that_is_no_compose_file_is_named() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("broken.yaml");
    std::fs::write(&file, "services:\n  webapp:\n    imagine: this\n").expect("the folder can be written");
    refused(start().env("LAB_OVERLAYS", &file), 2, &["Compose cannot read its files", "imagine"]);
}

/// Each role's settings, by variables and by files: the end comes with the container's first, not with the timeout.
#[test]
fn a_value_that_a_container_refuses_ends_the_start_at_once() {
    if !is_there() {
        return;
    }
    build_all();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("value");
    std::fs::write(&file, "0,6\n").expect("the folder can be written");
    let file = file.to_str().expect("the path is text");
    for (variable, value, word) in [
        ("SCALE_UP_THRESHOLD", "0,6", "SCALE_UP_THRESHOLD"),
        ("SCALE_DOWN_THRESHOLD_FILE", file, "SCALE_DOWN_THRESHOLD"),
        ("PROMETHEUS_URL", "prometheus:9090", "PROMETHEUS_URL"),
        ("SERVICE_NAME", "shop", "no container of a service `shop`"),
        ("LAB_WEBAPP_WORKERS", "many", "--workers"),
        ("LAB_GATEWAY_SERVICE_RATE", "fast", "--service-rate"),
    ] {
        let began = std::time::Instant::now();
        refused(start_as(NAME_WITH_CONTAINERS).env(variable, value), 2, &["refuses its settings", word]);
        let took = began.elapsed();
        assert!(took < Duration::from_secs(75), "{variable}={value} was refused after {took:?}");
    }
}

#[test]
fn an_image_that_is_missing_is_named() {
    if !is_there() {
        return;
    }
    build_all();
    let missing = "autoscale-lab/no-such-image:1";
    refused(start().env("LAB_IMAGE", missing), 3, &[missing, "offline/build-images.sh"]);
}

#[test]
fn a_second_project_of_the_same_name_is_neither_started_nor_ended() {
    if !is_there() {
        return;
    }
    build_all();
    // A container of a project of that name that lives in another folder.
    let other = docker(&[
        "create",
        "--label",
        "com.docker.compose.project=labcmp-twice",
        "--label",
        "com.docker.compose.project.working_dir=/somewhere/else",
        LAB_IMAGE,
    ]);
    let mut stop = bounded(Duration::from_secs(60), root().join("scripts/stop.sh"));
    stop.arg("--volumes");
    let outputs = [start(), stop].map(|mut command| {
        command.env("COMPOSE_PROJECT_NAME", "labcmp-twice").output().expect("the script can be started")
    });
    // Fails, too, where the container was ended with the lab that is refused.
    docker(&["rm", other.trim()]);
    for output in outputs {
        let said = text(&output);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("/somewhere/else") && said.contains("COMPOSE_PROJECT_NAME="), "{said}");
    }
}

#[test]
fn the_load_test_says_what_is_missing() {
    if !is_there() {
        return;
    }
    let load_test = || {
        let mut command = bounded(Duration::from_secs(60), root().join("scripts/load-test.sh"));
        command.env("COMPOSE_PROJECT_NAME", NAME).env("LAB_IMAGE", LAB_IMAGE);
        command
    };
    refused(load_test().arg("soon"), 2, &["`soon` is no number of seconds"]);
    refused(load_test().args(["60", "many"]), 2, &["`many` is no rate"]);
    refused(load_test().args(["60", "50"]), 3, &["the lab does not run", "scripts/start.sh"]);
}
