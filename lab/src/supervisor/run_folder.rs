//! A folder of its own for one run: the supervisor's socket and the scaler's state. Gone when the run ends.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The folder; removed when dropped.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    pub(super) fn create() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("autoscale-lab-{}", std::process::id()));
        // A run that was killed may have left one behind under an id that is used again.
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|error| refuse(&path, &error))?;
        }
        // Only this user may ask for replicas.
        std::fs::DirBuilder::new().mode(0o700).create(&path).map_err(|error| refuse(&path, &error))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("supervisor.sock")
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        // Nothing is lost when it stays: it lies in the system's folder for temporary files.
        let _left_behind = std::fs::remove_dir_all(&self.path);
    }
}

fn refuse(path: &Path, error: &std::io::Error) -> Failure {
    Failure::could_not_run(format!(
        "cannot make the run's folder {}: {error}; hint: set TMPDIR to a folder that you may write to",
        path.display()
    ))
}
