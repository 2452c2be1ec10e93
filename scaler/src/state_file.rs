//! Keeps the engine's memory in a file, whole at every moment: written aside, then renamed into place.

use std::path::{Path, PathBuf};

use scaler_engine::EngineState;

/// Where an engine's state is kept.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

/// What was found at the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No file: a first start.
    Nothing,
    /// A state to continue from.
    State(EngineState),
    /// A file that is no state; it was moved aside.
    Corrupt {
        /// What is wrong with it.
        problem: String,
        /// Where it lies now.
        moved_to: PathBuf,
    },
}

/// A state file that can be neither read nor written.
#[derive(Debug, thiserror::Error)]
#[error("the state file {} cannot be {verb}: {source}", .path.display())]
pub struct StateFileError {
    path: PathBuf,
    verb: &'static str,
    source: std::io::Error,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the state; a file that is none is renamed to `FILE.corrupt`, so that nobody trips over it again and it
    /// can still be looked at.
    pub(crate) fn load(&self) -> Result<Found, StateFileError> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(source) => return Err(self.failed("read", source)),
        };
        match serde_json::from_slice::<EngineState>(&text) {
            Ok(state) if state.version == EngineState::VERSION => Ok(Found::State(state)),
            Ok(state) => {
                self.set_aside(format!("it has version {}, expected {}", state.version, EngineState::VERSION))
            }
            Err(error) => self.set_aside(error.to_string()),
        }
    }

    /// Writes the state in place of the one before.
    pub(crate) fn save(&self, state: &EngineState) -> Result<(), StateFileError> {
        let text = serde_json::to_vec_pretty(state).expect("an engine's state is plain data");
        let aside = self.with_ending(".new");
        // Not synced to the disk: a killed scaler loses nothing by that, and after a power failure an empty file is
        // found out at the start. Waiting for the disk would hold up the loop.
        let write = || std::fs::write(&aside, &text).and_then(|()| std::fs::rename(&aside, &self.path));
        write().map_err(|source| self.failed("written", source))
    }

    fn set_aside(&self, problem: String) -> Result<Found, StateFileError> {
        let moved_to = self.with_ending(".corrupt");
        std::fs::rename(&self.path, &moved_to).map_err(|source| self.failed("moved aside", source))?;
        Ok(Found::Corrupt { problem, moved_to })
    }

    fn with_ending(&self, ending: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    }

    fn failed(&self, verb: &'static str, source: std::io::Error) -> StateFileError {
        StateFileError { path: self.path.clone(), verb, source }
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::{Engine, Policy, ThresholdPolicy};

    use super::*;

    fn state() -> EngineState {
        Engine::new(Policy::Threshold(ThresholdPolicy::default())).state().clone()
    }

    #[test]
    fn what_is_saved_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state.json"));
        assert_eq!(file.load().unwrap(), Found::Nothing);
        let mut saved = EngineState { desired: Some(3), ..state() };
        file.save(&saved).unwrap();
        saved.paused = true;
        file.save(&saved).unwrap();
        assert_eq!(file.load().unwrap(), Found::State(saved));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_no_state_is_moved_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state.json"));
        let other_version = serde_json::to_string(&EngineState { version: 99, ..state() }).unwrap();
        for text in ["", "{", "[]", other_version.as_str()] {
            std::fs::write(file.path(), text).unwrap();
            let Found::Corrupt { moved_to, .. } = file.load().unwrap() else {
                panic!("`{text}` was taken for a state");
            };
            assert_eq!(std::fs::read_to_string(moved_to).unwrap(), text);
            assert_eq!(file.load().unwrap(), Found::Nothing);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let file = StateFile::new(PathBuf::from("/nowhere/state.json"));
        let error = file.save(&state()).unwrap_err().to_string();
        assert!(error.starts_with("the state file /nowhere/state.json cannot be written"), "{error}");
    }
}
