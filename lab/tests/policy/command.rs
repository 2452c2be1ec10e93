//! Runs the command, and finds the manifests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A finished command.
pub(crate) struct Finished {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }
}

/// Runs `lab policy` with these arguments.
pub(crate) fn policy(arguments: &[&str]) -> Finished {
    let binary = std::env::var_os("LAB_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_lab").into());
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LAB_")) {
        command.env_remove(name);
    }
    let Output { status, stdout, stderr } =
        command.arg("policy").args(arguments).stdin(Stdio::null()).output().expect("lab runs");
    Finished {
        status: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).expect("text"),
        stderr: String::from_utf8(stderr).expect("text"),
    }
}

/// The manifests of a folder, in the order of their names.
pub(crate) fn manifests(folder: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scaler/documents/tests/manifests").join(folder);
    let entries = std::fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// One manifest.
pub(crate) fn manifest(name: &str) -> String {
    let (folder, name) = name.split_once('/').expect("folder/name");
    let found = manifests(folder).into_iter().find(|path| path.ends_with(&format!("/{name}")));
    found.unwrap_or_else(|| panic!("no manifest {name}"))
}
