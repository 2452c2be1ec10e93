//! The Docker command line, Compose and the project's scripts, each call bounded in time.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The workspace's root, where scripts and files are found.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// Whether the tests can run; panics if they cannot and have to.
pub(crate) fn is_there() -> bool {
    static FOUND: OnceLock<Result<(), String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        let engine = Command::new("docker").arg("version").output();
        match engine {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(text(&output)),
            Err(error) => Err(format!("the program docker cannot be run: {error}")),
        }
        .and_then(|()| {
            let id = Command::new("id").arg("-u").output().map_err(|error| error.to_string())?;
            let is_root = text(&id).trim() == "0";
            if is_root { Ok(()) } else { Err("debootstrap, which makes the images, needs root".to_owned()) }
        })
    });
    test_requirements::is_met("docker", found)
}

/// What a program printed, both streams.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A program that is ended by `timeout` when it takes too long, in the workspace's root, free of settings of whoever runs
/// the tests.
pub(crate) fn bounded(within: Duration, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(within.as_secs().to_string()).arg(program).current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        let is_setting = ["LAB_", "SCALE_", "COMPOSE_", "OTEL_", "PROMETHEUS_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
            || [
                "MIN_REPLICAS",
                "MAX_REPLICAS",
                "CHECK_INTERVAL",
                "SERVICE_NAME",
                "GF_SECURITY_ADMIN_PASSWORD",
            ]
            .contains(&name.trim_end_matches("_FILE"));
        if is_setting {
            command.env_remove(name);
        }
    }
    command.env("LAB_COMPOSE", compose_command()).env("DOCKER_CONFIG", docker_config());
    command
}

/// Runs `docker` and returns what it printed; panics with both streams when it fails.
pub(crate) fn docker(arguments: &[&str]) -> String {
    run(bounded(Duration::from_secs(120), "docker").args(arguments))
}

/// Runs a program and returns its standard output; panics with both streams when it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{command:?} ended with {}:\n{}", output.status, text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Which Compose is tested.
pub(crate) fn compose_command() -> String {
    std::env::var("LAB_TEST_COMPOSE").unwrap_or_else(|_| "docker compose".to_owned())
}

/// A folder of settings of the Docker command line that holds Compose v2 and nothing of a user's.
fn docker_config() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = root().join("target/compose-v2");
        let script = root().join("compose/offline/get-compose-v2.sh");
        let output = Command::new(script).arg(&folder).output().expect("the script can be started");
        assert!(output.status.success(), "Compose v2 cannot be had:\n{}", text(&output));
        folder
    })
}
