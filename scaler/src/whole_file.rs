//! A file that is whole at every moment: written aside, then renamed into place.

use std::path::{Path, PathBuf};

/// Where something is kept that survives a restart.
#[derive(Clone, Debug)]
pub(crate) struct WholeFile {
    what: &'static str,
    path: PathBuf,
}

/// A file of the scaler's state that can be neither read nor written.
#[derive(Debug, thiserror::Error)]
#[error("the {what} {} cannot be {verb}: {source}", .path.display())]
pub struct StateFileError {
    what: &'static str,
    path: PathBuf,
    verb: &'static str,
    source: std::io::Error,
}

impl WholeFile {
    /// `what` it is, for people.
    pub(crate) fn new(what: &'static str, path: PathBuf) -> Self {
        Self { what, path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds; none if there is no such file.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, StateFileError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed("read", source)),
        }
    }

    /// Puts something in place of what was there.
    pub(crate) fn replace(&self, bytes: &[u8]) -> Result<(), StateFileError> {
        let aside = self.with_ending(".new");
        // Not synced to the disk: a killed scaler loses nothing by that, and after a power failure an empty file is
        // found out at the start. Waiting for the disk would hold up the loop.
        let write = || std::fs::write(&aside, bytes).and_then(|()| std::fs::rename(&aside, &self.path));
        write().map_err(|source| self.failed("written", source))
    }

    /// Renames it to `FILE.corrupt`, so that nobody trips over it again and it can still be looked at; where it is then.
    pub(crate) fn set_aside(&self) -> Result<PathBuf, StateFileError> {
        let moved_to = self.with_ending(".corrupt");
        std::fs::rename(&self.path, &moved_to).map_err(|source| self.failed("moved aside", source))?;
        Ok(moved_to)
    }

    /// The path with more at its end.
    pub(crate) fn with_ending(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    }

    fn failed(&self, verb: &'static str, source: std::io::Error) -> StateFileError {
        StateFileError { what: self.what, path: self.path.clone(), verb, source }
    }
}
