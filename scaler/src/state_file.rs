//! Keeps the engine's memory in a file.

use std::path::{Path, PathBuf};

use scaler_engine::{EngineState, PolicyHistory};

use crate::whole_file::{StateFileError, WholeFile};

/// The layout of a state that this version continues.
const VERSION: u32 = EngineState::<PolicyHistory>::VERSION;

/// Where an engine's state is kept.
#[derive(Clone, Debug)]
pub(crate) struct StateFile(WholeFile);

/// What was found at the start.
#[expect(clippy::large_enum_variant, reason = "there is one at each start")]
#[derive(Clone, Debug, PartialEq)]
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

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(WholeFile::new("state file", path))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path with more at its end, for what belongs to the state.
    pub(crate) fn with_ending(&self, ending: &str) -> PathBuf {
        self.0.with_ending(ending)
    }

    /// Reads the state; a file that is none is moved aside.
    pub(crate) fn load(&self) -> Result<Found, StateFileError> {
        let Some(text) = self.0.read()? else { return Ok(Found::Nothing) };
        let problem = match serde_json::from_slice::<EngineState>(&text) {
            Ok(state) if state.version == VERSION => return Ok(Found::State(state)),
            Ok(state) => format!("it has version {}, expected {}", state.version, VERSION),
            Err(error) => error.to_string(),
        };
        Ok(Found::Corrupt { problem, moved_to: self.0.set_aside()? })
    }

    /// Moves the state aside, so that it is kept though it is not continued; returns where it lies now.
    pub(crate) fn set_aside(&self) -> Result<PathBuf, StateFileError> {
        self.0.set_aside()
    }

    /// Writes the state in place of the one before.
    pub(crate) fn save(&self, state: &EngineState) -> Result<(), StateFileError> {
        self.0.replace(&serde_json::to_vec_pretty(state).expect("an engine's state is plain data"))
    }
}

#[cfg(test)]
mod tests {
    use scaler_engine::{AnyPolicy, Engine, ThresholdPolicy};

    use super::*;

    fn state() -> EngineState {
        Engine::new(AnyPolicy::Threshold(ThresholdPolicy::default())).state()
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
