//! The files by themselves: both Composes read them, images are pinned, and nothing is published but where it should be.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::docker::{bounded, is_there, root, run};

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The settings of `.env`.
fn settings() -> Vec<(String, String)> {
    read("compose/.env")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split_once('=').expect("NAME=VALUE"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn images_are_pinned() {
    let images = settings().into_iter().filter(|(name, _)| name.ends_with("_IMAGE"));
    for (name, image) in images {
        let tag = image.rsplit_once(':').map(|(_, tag)| tag.to_owned());
        assert!(
            tag.is_some_and(|tag| tag != "latest" && !tag.is_empty()),
            "{name} is {image}, without a tag"
        );
    }
    for file in ["yaml", "dependency.yaml", "hardened.yaml", "offline.yaml", "swarm.yaml"] {
        let file = format!("compose.{file}");
        for line in
            read(&format!("compose/{file}")).lines().filter(|line| line.trim_start().starts_with("image:"))
        {
            assert!(line.contains("${") && line.contains("IMAGE}"), "{file} names an image itself: {line}");
        }
    }
}

#[test]
fn every_setting_is_used_somewhere() {
    let files = ["compose.yaml", "compose.hardened.yaml", "compose.swarm.yaml", "offline/build-images.sh"];
    let all: String = files.iter().map(|file| read(&format!("compose/{file}"))).collect();
    for (name, _) in settings().iter().filter(|(name, _)| name != "COMPOSE_PROJECT_NAME") {
        assert!(all.contains(name.as_str()), "{name} stands in .env and nowhere else");
    }
}

#[test]
fn every_crate_reaches_the_build() {
    let manifest = read("Cargo.toml");
    let members =
        manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).expect("a list");
    let sent = read(".dockerignore");
    for member in members.split('"').filter(|part| part.chars().next().is_some_and(char::is_alphanumeric)) {
        let folder = member.split('/').next().expect("a path has a first part");
        assert!(sent.lines().any(|line| line == format!("!{folder}")), ".dockerignore keeps {folder}/ out");
    }
}

/// The services as a Compose understands them, as JSON where it can.
fn understood(compose: &str, overlays: &str) -> String {
    let mut command = bounded(Duration::from_secs(60), root().join("scripts/compose.sh"));
    run(command.env("LAB_COMPOSE", compose).env("LAB_OVERLAYS", overlays).args(["config"]))
}

#[test]
fn both_composes_read_all_files() {
    if !is_there() {
        return;
    }
    for compose in ["docker compose", "docker-compose"] {
        for overlays in ["", "offline", "hardened", "dependency", "offline hardened", "offline dependency"] {
            let text = understood(compose, overlays);
            assert!(text.contains("webapp"), "{compose} with `{overlays}` gave:\n{text}");
        }
    }
}

/// The project as Compose v2 understands it.
fn project(overlays: &str, variables: &[(&str, &str)]) -> Value {
    let mut command = bounded(Duration::from_secs(60), root().join("scripts/compose.sh"));
    command
        .env("LAB_COMPOSE", "docker compose")
        .env("LAB_OVERLAYS", overlays)
        .envs(variables.iter().copied());
    serde_json::from_str(&run(command.args(["config", "--format", "json"]))).expect("Compose gives JSON")
}

/// The classic variables of the scaler, the flags in whose place they stand, and a value of each.
const CLASSIC: [(&str, &[&str], &str); 9] = [
    ("SCALE_UP_THRESHOLD", &["--scale-up-threshold"], "0.7"),
    ("SCALE_DOWN_THRESHOLD", &["--scale-down-threshold"], "0.3"),
    ("MIN_REPLICAS", &["--min-replicas"], "2"),
    ("MAX_REPLICAS", &["--max-replicas"], "9"),
    ("CHECK_INTERVAL", &["--check-interval"], "7"),
    ("SCALE_UP_COOLDOWN", &["--scale-up-cooldown"], "31"),
    ("SCALE_DOWN_COOLDOWN", &["--scale-down-cooldown"], "61"),
    ("PROMETHEUS_URL", &["--prometheus-url"], "http://other:9090"),
    ("SERVICE_NAME", &["--service-name", "--compose-service"], "shop"),
];

#[test]
fn classic_variables_reach_the_scaler_and_no_flag_beats_them() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for overlays in ["", "offline", "hardened", "dependency"] {
        let values: Vec<_> = CLASSIC.iter().map(|(name, _, value)| (*name, *value)).collect();
        let scaler = &project(overlays, &values)["services"]["scaler"];
        let words: Vec<&str> =
            scaler["command"].as_array().expect("a command").iter().filter_map(Value::as_str).collect();
        for (name, flags, value) in CLASSIC {
            assert_eq!(scaler["environment"][name], value, "{name} with `{overlays}`");
            let beaten =
                words.iter().find(|word| flags.iter().any(|flag| word.split('=').next() == Some(*flag)));
            assert_eq!(beaten, None, "{name} is beaten by a flag with `{overlays}`");
        }
        // Each as a file of this machine, by a relative path; and each as a file in the container, where an overlay says so.
        let mut command = bounded(Duration::from_secs(60), root().join("scripts/compose.sh"));
        command.current_dir(folder.path()).env("LAB_OVERLAYS", overlays).env("LAB_COMPOSE", "docker compose");
        for (name, _, value) in CLASSIC {
            std::fs::write(folder.path().join(name), format!("{value}\n"))
                .expect("the folder can be written");
            command.env(format!("{name}_FILE"), name);
        }
        let text = run(command.args(["config", "--format", "json"]));
        let project: Value = serde_json::from_str(&text).expect("Compose gives JSON");
        let environment = &project["services"]["scaler"]["environment"];
        for (name, _, value) in CLASSIC {
            assert_eq!(environment[name], value, "{name}_FILE with `{overlays}`");
            let file = environment.get(format!("{name}_FILE"));
            assert!(file.is_some(), "an overlay's secret cannot set {name}_FILE");
        }
    }
}

#[test]
fn grafana_takes_the_classic_password_from_one_place() {
    if !is_there() {
        return;
    }
    let password = [("GF_SECURITY_ADMIN_PASSWORD", "secret")];
    let of = |overlays: &str| project(overlays, &password)["services"]["grafana"]["environment"].clone();
    assert_eq!(of("")["GF_SECURITY_ADMIN_PASSWORD"], "secret");
    // Grafana ends where it is given both.
    let hardened = of("hardened");
    assert_eq!(hardened["GF_SECURITY_ADMIN_PASSWORD"], "");
    assert_eq!(hardened["GF_SECURITY_ADMIN_PASSWORD__FILE"], "/run/secrets/grafana_password");
}

#[test]
fn classic_files_that_cannot_be_are_refused_with_their_variable() {
    if !is_there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, "\n").expect("the folder can be written");
    for (script, arguments) in [("compose.sh", &["config"][..]), ("start.sh", &[]), ("deploy-stack.sh", &[])]
    {
        let refused = |variables: &[(&str, &std::path::Path)], words: &str| {
            let mut command = bounded(Duration::from_secs(60), root().join("scripts").join(script));
            let output = command.envs(variables.iter().copied()).args(arguments).output();
            let output = output.expect("the script can be started");
            let said = crate::docker::text(&output);
            assert_eq!(output.status.code(), Some(2), "{script}: {said}");
            assert!(said.contains("MAX_REPLICAS_FILE") && said.contains(words), "{script}: {said}");
        };
        refused(
            &[("MAX_REPLICAS_FILE", &folder.path().join("missing"))],
            "not a file that this user can read",
        );
        refused(&[("MAX_REPLICAS_FILE", folder.path())], "not a file that this user can read");
        refused(&[("MAX_REPLICAS_FILE", &empty)], "is empty");
        refused(&[("MAX_REPLICAS_FILE", &empty), ("MAX_REPLICAS", "4".as_ref())], "both set");
    }
}

#[test]
fn compose_v2_finds_the_lab_from_the_root() {
    if !is_there() {
        return;
    }
    let text =
        run(bounded(Duration::from_secs(60), "docker").args(["compose", "config", "--format", "json"]));
    let mut found: Value = serde_json::from_str(&text).expect("Compose gives JSON");
    let mut expected = project("", &[]);
    // An include leaves out what only anchors refer to.
    for project in [&mut found, &mut expected] {
        project.as_object_mut().expect("an object").remove("x-lab");
        project.as_object_mut().expect("an object").remove("x-logging");
    }
    assert_eq!(found, expected);
}

#[test]
fn what_publishes_a_port_is_at_the_edge_and_on_this_machine_alone() {
    if !is_there() {
        return;
    }
    let project = project("", &[]);
    assert_eq!(project["networks"]["backend"]["internal"], true);
    let mut published = BTreeSet::new();
    for (name, service) in project["services"].as_object().expect("services") {
        let ports = service["ports"].as_array().cloned().unwrap_or_default();
        for port in &ports {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name}: {port}");
            published.insert(port["target"].as_u64().expect("a port"));
        }
        let is_at_the_edge = service["networks"].get("edge").is_some();
        assert_eq!(is_at_the_edge, !ports.is_empty(), "{name}");
        let limits = &service["deploy"]["resources"]["limits"];
        assert!(!limits["cpus"].is_null() && !limits["memory"].is_null(), "{name} has no limits");
        let image_has_one = name == "webapp";
        assert!(image_has_one || !service["healthcheck"].is_null(), "{name} has no health check");
    }
    assert_eq!(published, BTreeSet::from([3000, 8000, 8001, 8080, 9090, 9093, 16686]));
}
