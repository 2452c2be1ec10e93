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

#[test]
fn what_publishes_a_port_is_at_the_edge_and_on_this_machine_alone() {
    if !is_there() {
        return;
    }
    let mut command = bounded(Duration::from_secs(60), root().join("scripts/compose.sh"));
    let text = run(command.env("LAB_COMPOSE", "docker compose").args(["config", "--format", "json"]));
    let project: Value = serde_json::from_str(&text).expect("Compose gives JSON");
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
