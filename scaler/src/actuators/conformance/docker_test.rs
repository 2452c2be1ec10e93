//! A real Docker engine for tests: an image of a replica, a Compose project of it, and a socket that can be cut.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

/// Where the engine of this machine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// Whether an engine answers; panics if it does not and has to.
pub(super) fn has_engine() -> bool {
    let answers = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    let found = answers.is_ok_and(|output| output.status.success());
    let state = if found { Ok(()) } else { Err("no Docker engine answers; hint: start it".to_owned()) };
    test_requirements::is_met("docker", &state)
}

/// The two Composes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ComposeVersion {
    V1,
    V2,
}

impl ComposeVersion {
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::V1 => "docker-compose",
            Self::V2 => "docker compose",
        }
    }

    /// Whether it is installed; says so if it is not.
    pub(super) fn is_installed(self) -> bool {
        let mut words = self.program().split(' ');
        let program = words.next().unwrap();
        let answers = Command::new(program).args(words).arg("version").output();
        let found = answers.is_ok_and(|output| output.status.success());
        if !found {
            println!("skipped: `{}` does not answer", self.program());
        }
        found
    }
}

/// The version to test with where it does not matter which; none where there is no engine or no Compose.
pub(super) fn any_version() -> Option<ComposeVersion> {
    let versions = [ComposeVersion::V2, ComposeVersion::V1];
    has_engine().then(|| versions.into_iter().find(|version| version.is_installed()))?
}

/// An image of a replica that can be told to fail; removed when dropped.
///
/// Tests of one run that need an engine come one after the other: an engine that starts ten containers at a time starts
/// each so late that waiting for it says nothing.
#[derive(Debug)]
pub(super) struct TestImage {
    /// A name that no other test has.
    pub(super) name: String,
    folder: tempfile::TempDir,
    _turn: tokio::sync::MutexGuard<'static, ()>,
}

impl TestImage {
    pub(super) async fn import() -> Self {
        static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let turn = ONE_AT_A_TIME.lock().await;
        let name = format!("labact-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let image = Self { name, folder: tempfile::tempdir().unwrap(), _turn: turn };
        std::fs::create_dir(image.flags()).unwrap();
        import_image(&image.tag());
        image
    }

    pub(super) fn tag(&self) -> String {
        format!("{}:test", self.name)
    }

    /// What a replica is to have at `/flags`.
    pub(super) fn flags(&self) -> PathBuf {
        self.folder.path().join("flags")
    }

    /// Makes replicas end as soon as they are started, or not.
    pub(super) fn set_failing(&self, is_failing: bool) {
        let mark = self.flags().join("fail");
        if is_failing {
            std::fs::write(mark, "").unwrap();
        } else {
            std::fs::remove_file(mark).unwrap();
        }
    }
}

impl Drop for TestImage {
    fn drop(&mut self) {
        drop(Command::new("docker").args(["rmi", "-f", &self.tag()]).output());
    }
}

/// A Compose project with a service `webapp`; everything of it is removed when dropped.
#[derive(Debug)]
pub(super) struct TestProject {
    pub(super) name: String,
    pub(super) image: TestImage,
    pub(super) version: ComposeVersion,
}

impl TestProject {
    /// Brings one replica up; `extra` is what its service has besides, indented by four spaces.
    pub(super) async fn up(version: ComposeVersion, extra: &str) -> Self {
        let image = TestImage::import().await;
        let project = Self { name: image.name.clone(), image, version };
        let tag = project.image.tag();
        let file = format!(
            "services:\n  webapp:\n    image: {tag}\n    command: [\"webapp\"]\n    stop_grace_period: 5s\n    \
             mem_limit: 64m\n    read_only: true\n    environment:\n      NAME: a b\n    \
             volumes: [\"./flags:/flags:ro\"]\n    \
             healthcheck:\n      test: [\"CMD\", \"/replica\", \"health\"]\n      interval: 1h\n{extra}  \
             other:\n    image: {tag}\nnetworks:\n  one: {{}}\n  two: {{internal: true}}\n",
        );
        std::fs::write(project.file(), file).unwrap();
        project.compose(&["up", "-d"]);
        project
    }

    pub(super) fn file(&self) -> PathBuf {
        self.image.folder.path().join("compose.yaml")
    }

    /// Calls Compose and returns what it printed.
    pub(super) fn compose(&self, arguments: &[&str]) -> String {
        let mut words = self.version.program().split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg("-f").arg(self.file()).args(["-p", &self.name]).args(arguments);
        printed(&mut command)
    }

    /// The ids of the service's containers as Compose lists them, sorted.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.compose(&["ps", "-q", "webapp"]).lines().map(str::to_owned).collect();
        ids.sort();
        ids
    }
}

impl Drop for TestProject {
    fn drop(&mut self) {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let list = |arguments: &[&str]| {
            let output = Command::new("docker").args(arguments).arg("--filter").arg(&label).output();
            let text =
                output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let remove = |arguments: &[&str], what: Vec<String>| {
            if !what.is_empty() {
                drop(Command::new("docker").args(arguments).args(what).output());
            }
        };
        remove(&["rm", "-f", "-v"], list(&["ps", "-aq"]));
        remove(&["network", "rm"], list(&["network", "ls", "-q"]));
    }
}

/// Calls `docker` and returns what it printed.
pub(super) fn docker(arguments: &[&str]) -> String {
    printed(Command::new("docker").args(arguments))
}

fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?} failed: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// An image with nothing but a replica that answers on port 8000 and ends at SIGTERM.
fn import_image(name: &str) {
    static BINARY: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = BINARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replica/replica.rs");
        let target = ["--target", "x86_64-unknown-linux-gnu", "-C", "target-feature=+crt-static"];
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", "2024"])
            .args(target)
            .arg("-o")
            .arg(folder.path().join("replica"))
            .arg(source);
        printed(&mut rustc);
        let (archive, content) = (folder.path().join("image.tar"), folder.path());
        printed(Command::new("tar").arg("-cf").arg(archive).arg("-C").arg(content).arg("replica"));
        folder
    });
    let archive = folder.path().join("image.tar");
    docker(&["import", "--change", "ENTRYPOINT [\"/replica\"]", &archive.display().to_string(), name]);
}

/// The engine's socket in another place, where it can be cut.
#[derive(Debug)]
pub(super) struct EngineSocket {
    folder: tempfile::TempDir,
    is_cut: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl EngineSocket {
    pub(super) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let (is_cut, cut) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (watched, told) = (is_cut.clone(), cut.clone());
        tokio::spawn(async move {
            while let Ok((mut inner, _)) = listener.accept().await {
                if watched.load(Ordering::SeqCst) {
                    continue;
                }
                let told = told.clone();
                tokio::spawn(async move {
                    let mut outer = UnixStream::connect(SOCKET).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut inner, &mut outer) => {}
                        () = told.notified() => {}
                    }
                });
            }
        });
        Self { folder, is_cut, cut }
    }

    pub(super) fn host(&self) -> String {
        format!("unix://{}/engine.sock", self.folder.path().display())
    }

    pub(super) fn set_cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
        self.cut.notify_waiters();
    }
}
