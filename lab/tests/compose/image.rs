//! The image: small, without a shell, for a user without a name; and made again in no time.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::docker::{bounded, docker, is_there, root, run, text};

/// Longest that making all images may take: Debian's packages are fetched, and where no binary is given one is built.
const BUILD_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The image under test, made here as a user without a registry makes it.
pub(crate) const LAB_IMAGE: &str = "autoscale-lab/lab:test";

/// The most that the image may weigh; bytes.
const LARGEST_IMAGE: u64 = 40_000_000;

/// Makes the images once.
pub(crate) fn build_all() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        run(&mut build_command());
    });
}

pub(crate) fn build_command() -> std::process::Command {
    let mut command = bounded(BUILD_TIMEOUT, root().join("compose/offline/build-images.sh"));
    // Quick to build: what is tested is the image, not the binary's speed.
    command.env("LAB_IMAGE", LAB_IMAGE).env("LAB_PROFILE", "release");
    if let Some(binary) = std::env::var_os("LAB_STATIC_BINARY").map(PathBuf::from) {
        // The variable is given for the workspace's root, where the user's shell stands; tests run elsewhere.
        command.arg("--binary").arg(root().join(binary));
    }
    command
}

#[test]
fn it_is_small_and_holds_nothing_but_the_binary() {
    if !is_there() {
        return;
    }
    build_all();
    let inspect =
        |format: &str| docker(&["image", "inspect", "--format", format, LAB_IMAGE]).trim().to_owned();
    let size: u64 = inspect("{{.Size}}").parse().expect("a size in bytes");
    assert!(size <= LARGEST_IMAGE, "{size} bytes are more than {LARGEST_IMAGE}");
    assert_eq!(inspect("{{.Config.User}}"), "65532:65532");
    assert!(
        inspect("{{json .Config.Healthcheck.Test}}").contains("health"),
        "the image checks its own health"
    );

    let shell = bounded(Duration::from_secs(60), "docker")
        .args(["run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", LAB_IMAGE, "-c", "true"])
        .output()
        .expect("docker can be started");
    assert!(!shell.status.success(), "there is a shell in it");
    let version = docker(&[
        "run",
        "--rm",
        "--network",
        "none",
        "--read-only",
        "--cap-drop",
        "ALL",
        LAB_IMAGE,
        "--version",
    ]);
    assert_eq!(version.trim(), concat!("lab ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn making_it_again_changes_nothing() {
    if !is_there() {
        return;
    }
    build_all();
    let id = || docker(&["image", "inspect", "--format", "{{.Id}}", LAB_IMAGE]);
    let before = id();
    run(&mut build_command());
    assert_eq!(id(), before, "the same inputs gave another image");
}

#[test]
fn a_binary_that_needs_libraries_is_refused_before_anything_is_made() {
    if !is_there() {
        return;
    }
    let output = bounded(Duration::from_secs(60), root().join("compose/offline/build-images.sh"))
        .env("LAB_IMAGE", "autoscale-lab/lab:refused")
        .args(["--binary", "/bin/ls"])
        .output()
        .expect("the script can be started");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("is not static"), "{}", text(&output));
    assert_eq!(docker(&["image", "ls", "-q", "autoscale-lab/lab:refused"]), "");
}
