//! The crates of the workspace, as Cargo tells them, and the arrows between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates that it may depend on, from the bottom up: an arrow leads to a line further up in this
/// table, or it runs against the direction of the workspace.
///
/// Pure crates depend on pure ones alone. Processes do not know each other; `lab` alone knows them all.
const ARROWS: [(&str, &[&str]); 19] = [
    // Pure: no files, sockets or clocks.
    ("excerpt", &[]),
    ("http-response", &[]),
    ("workload", &["excerpt"]),
    ("webapp-queue", &[]),
    ("gateway-balancer", &[]),
    ("scaler-engine", &[]),
    ("scaler-signals", &["scaler-engine"]),
    ("scaler-documents", &["excerpt", "scaler-engine"]),
    ("loadgen-baseline", &["workload"]),
    ("simulator", &["excerpt", "gateway-balancer", "scaler-engine", "scaler-signals", "workload"]),
    // For tests alone.
    ("test-requirements", &[]),
    // What processes share.
    ("observability", &["excerpt"]),
    ("http-client", &["observability"]),
    // Processes.
    ("webapp", &["excerpt", "http-client", "observability", "webapp-queue", "workload"]),
    ("gateway", &["gateway-balancer", "http-response", "observability"]),
    (
        "scaler",
        &["excerpt", "http-client", "observability", "scaler-documents", "scaler-engine", "scaler-signals"],
    ),
    ("docker-proxy", &["http-client", "observability"]),
    ("loadgen", &["excerpt", "http-response", "loadgen-baseline", "observability", "workload"]),
    // The binary.
    (
        "lab",
        &[
            "docker-proxy",
            "excerpt",
            "gateway",
            "http-client",
            "loadgen",
            "loadgen-baseline",
            "observability",
            "scaler",
            "scaler-documents",
            "scaler-engine",
            "simulator",
            "webapp",
            "workload",
        ],
    ),
];

/// A crate of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// The file that its library or binary begins with.
    pub(crate) root_file: PathBuf,
    /// Crates of the workspace that it depends on, those of its tests apart.
    dependencies: BTreeSet<String>,
    /// Crates of the workspace that its tests depend on besides.
    test_dependencies: BTreeSet<String>,
}

/// Where the repository is.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the repository")
}

/// All crates of the workspace.
pub(crate) fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .expect("Cargo runs this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("Cargo tells it as JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let text = |value: &Value| value.as_str().expect("it is a text").to_owned();
    let members: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| {
            let dependencies = |of_tests: bool| {
                let all = package["dependencies"].as_array().expect("there is a list").iter();
                all.filter(|dependency| (dependency["kind"] == "dev") == of_tests)
                    .map(|dependency| text(&dependency["name"]))
                    .filter(|name| members.contains(name))
                    .collect()
            };
            let targets = package["targets"].as_array().expect("there are targets");
            let is_root = |target: &&Value| target["kind"][0] == "lib" || target["kind"][0] == "bin";
            let root = targets.iter().find(is_root).expect("a crate is a library or a binary");
            Package {
                name: text(&package["name"]),
                root_file: text(&root["src_path"]).into(),
                dependencies: dependencies(false),
                test_dependencies: dependencies(true),
            }
        })
        .collect()
}

#[test]
fn arrows_between_crates_are_those_of_the_table() {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, allowed)| (*name, allowed.iter().copied().collect())).collect();
    let packages = packages();
    for Package { name, dependencies, .. } in &packages {
        let allowed = table.get(name.as_str()).unwrap_or_else(|| {
            panic!("crate `{name}` is not in the table of arrows; hint: add it, with {dependencies:?}")
        });
        let found: BTreeSet<&str> = dependencies.iter().map(String::as_str).collect();
        assert_eq!(&found, allowed, "the arrows of `{name}` are not those of the table");
    }
    for name in table.keys() {
        assert!(packages.iter().any(|package| package.name == *name), "there is no crate `{name}` any more");
    }
}

#[test]
fn no_arrow_between_crates_runs_up() {
    for (place, (name, allowed)) in ARROWS.iter().enumerate() {
        for target in *allowed {
            let below = ARROWS[..place].iter().any(|(lower, _)| lower == target);
            assert!(below, "`{name}` depends on `{target}`, which is not below it");
        }
    }
}

/// A test may look at its crate through other ones, but only the binary's tests through all of them.
#[test]
fn tests_depend_on_no_crate_above_their_own() {
    let place = |name: &str| ARROWS.iter().position(|(listed, _)| *listed == name);
    for Package { name, test_dependencies, .. } in packages() {
        for target in test_dependencies {
            assert!(
                place(&target) < place(&name),
                "the tests of `{name}` depend on `{target}`, which is above it"
            );
        }
    }
}
