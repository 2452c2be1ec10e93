//! Starts this same binary as another process, hands it its settings, holds a pipe to it, and ends it.
//!
//! The settings go over that pipe, as one document: a command line would show them to everybody on the machine.
//!
//! The child gets a cleaned environment, so that a variable meant for one process does not change another, and a
//! process group of its own, so that Ctrl-C reaches only the supervisor, which then ends all in order.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::child_command::ChildCommand;

/// Variables that a child inherits: where things are, how to speak, and OpenTelemetry's own.
const INHERITED: [&str; 7] = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "RUST_BACKTRACE"];

/// Longest that a child may take from its start to its announcement.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A process started from this binary.
#[derive(Debug)]
pub(crate) struct ChildProcess {
    name: String,
    child: Child,
    /// Brings the settings; closing this end tells the child that its supervisor is gone.
    pipe: ChildStdin,
    /// What the child waits for before it begins.
    settings: String,
    pid: u32,
}

impl ChildProcess {
    /// Starts `program` for this command; it begins when [`announcement`](Self::announcement) is waited for.
    pub(crate) fn spawn(name: &str, program: &Path, command: &ChildCommand) -> std::io::Result<Self> {
        let inherited = std::env::vars_os().filter(|(variable, _)| {
            variable.to_str().is_some_and(|name| INHERITED.contains(&name) || name.starts_with("OTEL_"))
        });
        let mut child = Command::new(program)
            .args([command.name(), "--supervised"])
            .env_clear()
            .envs(inherited)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pipe = child.stdin.take().expect("standard input was piped");
        let pid = child.id().expect("a child that nobody waited for has an id");
        Ok(Self { name: name.to_owned(), child, pipe, settings: command.document(), pid })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Hands over the settings and waits until the child says where it listens; answers what follows `listening on `.
    pub(crate) async fn announcement(&mut self) -> Result<String, String> {
        let name = self.name.clone();
        // A child that has ended meanwhile does not take them; how it ended is told below.
        let _ended = self.pipe.write_all(std::mem::take(&mut self.settings).as_bytes()).await;
        let output = self.child.stdout.take().expect("the announcement is read once");
        let mut lines = BufReader::new(output).lines();
        let line = tokio::time::timeout(START_TIMEOUT, lines.next_line())
            .await
            .map_err(|_| format!("{name} did not say within {START_TIMEOUT:?} where it listens"))?
            .map_err(|error| format!("{name} could not be read: {error}"))?;
        let Some(line) = line else {
            let status = self.wait().await;
            return Err(format!("{name} ended before it listened ({status})"));
        };
        // Whatever else it prints must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        line.strip_prefix("listening on ")
            .map(str::to_owned)
            .ok_or_else(|| format!("{name} said `{line}`, expected `listening on …`"))
    }

    /// Waits until the child has ended; tells how, in words.
    pub(crate) async fn wait(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => describe(status),
            Err(error) => format!("its end could not be read: {error}"),
        }
    }

    /// Sends SIGTERM, waits for `grace`, then sends SIGKILL; tells how it ended.
    pub(crate) async fn stop(mut self, grace: Duration) -> String {
        self.signal(Signal::TERM);
        if let Ok(end) = tokio::time::timeout(grace, self.wait()).await {
            return end;
        }
        self.signal(Signal::KILL);
        self.wait().await
    }

    fn signal(&self, signal: Signal) {
        // Not waited for yet, so the id cannot belong to another process by now.
        if self.child.id().is_some()
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            // It fails when the child has just ended, which is what was wanted.
            let _ended = kill_process(pid, signal);
        }
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
