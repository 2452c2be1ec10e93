//! A socket that leads to the engine's, and can be shut: the engine itself is everybody's, and stays as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

/// Where the engine of this machine listens.
const ENGINE: &str = "/var/run/docker.sock";

/// The door; whoever comes while it is shut is sent away, and who was inside is put out.
#[derive(Debug)]
pub(crate) struct EngineDoor {
    folder: TempDir,
    is_open: Arc<watch::Sender<bool>>,
}

impl EngineDoor {
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let listener =
            UnixListener::bind(folder.path().join("docker.sock")).expect("the folder can be written");
        let (is_open, watched) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut watched = watched.clone();
                if !*watched.borrow() {
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(mut engine) = UnixStream::connect(ENGINE).await else { return };
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut client, &mut engine) => {}
                        _ = watched.wait_for(|is_open| !is_open) => {}
                    }
                });
            }
        });
        Self { folder, is_open: Arc::new(is_open) }
    }

    /// Where it is.
    pub(crate) fn socket(&self) -> PathBuf {
        Path::new(self.folder.path()).join("docker.sock")
    }

    pub(crate) fn shut(&self) {
        self.is_open.send_replace(false);
    }

    pub(crate) fn reopen(&self) {
        self.is_open.send_replace(true);
    }
}
