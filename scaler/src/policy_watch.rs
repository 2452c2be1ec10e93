//! Reads a service's policy file again when it has changed or somebody asks for it, and hands the outcome to the loop.
//!
//! The file's text is read each second and compared, rather than waited for with the system's notifications: those do not
//! come through every bind mount and network file system, and a file that is replaced by renaming (as editors and
//! Kubernetes' `ConfigMap`s do) has to be watched anew each time. A text counts as changed once it was the same twice, so
//! that half a file is never read.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::driver::command::Command;
use crate::policy_file::{NamedPolicy, PolicyFileError, PolicySource, read_text};

/// Time between two comparisons.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

/// Asks a running scaler to read its policy files again.
#[derive(Clone, Debug)]
pub struct Reload(watch::Sender<u64>);

impl Reload {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Has every policy file read again now. One that cannot be followed leaves the policy in force, and is told of.
    pub fn request(&self) {
        self.0.send_modify(|requests| *requests += 1);
    }

    pub(crate) fn requests(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Watches one policy until it is stopped.
pub(crate) async fn watch_policy(
    source: PolicySource,
    mut requests: watch::Receiver<u64>,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
) {
    let mut file = WatchedFile::new(source.path());
    let mut ticks = interval(COMPARE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        let is_asked = tokio::select! {
            () = stop.cancelled() => return,
            changed = requests.changed() => {
                if changed.is_err() {
                    return;
                }
                true
            }
            _ = ticks.tick() => false,
        };
        let (has_changed, looked_at) = file.look().await;
        file = looked_at;
        if !is_asked && !has_changed {
            continue;
        }
        let outcome = load(source.clone()).await;
        if commands.send(Command::SetPolicy { outcome, is_asked }).await.is_err() {
            return;
        }
    }
}

async fn load(source: PolicySource) -> Result<NamedPolicy, PolicyFileError> {
    // Files may lie anywhere, also where reading takes long.
    let loading = tokio::task::spawn_blocking(move || source.load());
    loading.await.expect("reading a policy does not panic")
}

/// A file and what was in it: its text, or why it could not be read.
#[derive(Debug)]
struct WatchedFile {
    /// None for a shipped policy, which never changes.
    path: Option<PathBuf>,
    acted_on: Option<Result<String, String>>,
    last: Option<Result<String, String>>,
}

impl WatchedFile {
    fn new(path: Option<PathBuf>) -> Self {
        Self { path, acted_on: None, last: None }
    }

    /// Whether it holds something else than what was acted on, for the second look in a row. That is so at the second look
    /// of all, too: it may have changed since the scaler read it.
    async fn look(mut self) -> (bool, Self) {
        let Some(path) = self.path.clone() else { return (false, self) };
        let reading = tokio::task::spawn_blocking(move || read_text(&path));
        let text = reading.await.expect("reading a file does not panic");
        let is_settled = self.last.as_ref() == Some(&text);
        let has_changed = is_settled && self.acted_on.as_ref() != Some(&text);
        if has_changed {
            self.acted_on = Some(text.clone());
        }
        self.last = Some(text);
        (has_changed, self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn looks(file: WatchedFile, count: usize) -> (Vec<bool>, WatchedFile) {
        let (mut changes, mut file) = (Vec::new(), file);
        for _ in 0..count {
            let (has_changed, looked_at) = file.look().await;
            changes.push(has_changed);
            file = looked_at;
        }
        (changes, file)
    }

    #[tokio::test]
    async fn a_change_is_told_once_it_was_seen_twice_whatever_way_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        fs::write(&path, "one").unwrap();
        let (changes, file) = looks(WatchedFile::new(Some(path.clone())), 3).await;
        assert_eq!(changes, [false, true, false], "what it began with");

        fs::write(&path, "two").unwrap();
        let (changes, file) = looks(file, 3).await;
        assert_eq!(changes, [false, true, false], "written in place");

        fs::write(folder.path().join("new"), "three").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        let (changes, file) = looks(file, 3).await;
        assert_eq!(changes, [false, true, false], "replaced by renaming");

        fs::remove_file(&path).unwrap();
        let (changes, file) = looks(file, 3).await;
        assert_eq!(changes, [false, true, false], "removed");

        for (data, text) in [("..data_1", "four"), ("..data_2", "five")] {
            fs::create_dir(folder.path().join(data)).unwrap();
            fs::write(folder.path().join(data).join("policy.yaml"), text).unwrap();
        }
        std::os::unix::fs::symlink("..data_1", folder.path().join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/policy.yaml", &path).unwrap();
        let (changes, file) = looks(file, 3).await;
        assert_eq!(changes, [false, true, false], "a link, as a ConfigMap has it");
        std::os::unix::fs::symlink("..data_2", folder.path().join("..data_tmp")).unwrap();
        fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
        let (changes, _) = looks(file, 3).await;
        assert_eq!(changes, [false, true, false], "the folder behind the link, exchanged");
    }

    #[tokio::test]
    async fn what_is_half_written_is_not_acted_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.yaml");
        fs::write(&path, "one").unwrap();
        let (_, file) = looks(WatchedFile::new(Some(path.clone())), 2).await;
        fs::write(&path, "").unwrap();
        let (half, file) = looks(file, 1).await;
        fs::write(&path, "two").unwrap();
        let (whole, file) = looks(file, 2).await;
        assert_eq!((half, whole), (vec![false], vec![false, true]));
        fs::write(&path, "").unwrap();
        let (_, file) = looks(file, 1).await;
        fs::write(&path, "two").unwrap();
        assert_eq!(looks(file, 2).await.0, [false, false], "it is what it was");
    }

    #[tokio::test]
    async fn a_shipped_policy_never_changes() {
        assert_eq!(looks(WatchedFile::new(None), 2).await.0, [false, false]);
    }
}
