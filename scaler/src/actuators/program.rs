//! Runs another program to its end, within a time, and passes on what it says is wrong.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::ActuatorError;

/// The most of a program's output that is kept.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// The most of its complaint that is passed on.
const COMPLAINT_CHARS_MAX: usize = 400;

/// Runs a program in a process group of its own, with these variables besides this process's own; returns what it
/// printed.
///
/// When time is up, or nobody waits any more, the whole group is ended.
pub(super) async fn run(
    words: &[String],
    variables: &[(&str, &str)],
    within: Duration,
) -> Result<String, ActuatorError> {
    let (name, arguments) = words.split_first().expect("a command has at least its program");
    let child = Command::new(name)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn();
    let mut child = child.map_err(|error| {
        ActuatorError::Setting(format!("`{name}` cannot be run: {error}"))
            .with_hint("install it, or give its path")
    })?;
    let mut group = ProcessGroup::led_by(&child);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let to_the_end = async { tokio::join!(read(stdout), read(stderr), child.wait()) };
    let (printed, complaint, status) = timeout(within, to_the_end).await.map_err(|_| {
        ActuatorError::Platform(format!("`{}` did not end within {within:?}, and was ended", words.join(" ")))
    })?;
    group.has_ended = status.is_ok();
    match status {
        Ok(status) if status.success() => Ok(printed),
        Ok(status) => {
            let said = if complaint.trim().is_empty() { &printed } else { &complaint };
            Err(ActuatorError::Platform(format!(
                "`{}` failed ({status}): {}",
                words.join(" "),
                last_words(said)
            )))
        }
        Err(error) => Err(ActuatorError::Platform(format!("`{name}` was lost: {error}"))),
    }
}

/// Ended as a whole when dropped before its end: a tool such as `docker` leaves the work to a child of its own.
struct ProcessGroup {
    /// Noted at the start: a child that is waited for has no id any more, while its own children may live on.
    leader: Option<Pid>,
    /// The program has ended, and nobody holds its output open.
    has_ended: bool,
}

impl ProcessGroup {
    fn led_by(child: &Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { leader, has_ended: false }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.leader.filter(|_| !self.has_ended) {
            let _gone_already = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Reads to the end and keeps the last of it.
async fn read(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let (mut kept, mut chunk) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..length]);
        if kept.len() > OUTPUT_BYTES_MAX {
            kept.drain(..kept.len() - OUTPUT_BYTES_MAX);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// What a program said last, on one line.
fn last_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let joined = lines.join(" | ");
    let too_many = joined.chars().count().saturating_sub(COMPLAINT_CHARS_MAX);
    joined.chars().skip(too_many).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shell(script: &str, within: Duration) -> Result<String, ActuatorError> {
        run(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], &[("COUNT", "3")], within).await
    }

    #[tokio::test]
    async fn what_a_program_prints_and_what_it_complains_of_are_passed_on() {
        assert_eq!(shell("echo $COUNT", Duration::from_secs(10)).await.unwrap(), "3\n");
        let error =
            shell("echo no such service >&2; exit 4", Duration::from_secs(10)).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 4") && error.ends_with("no such service"), "{error}");
        let error = run(&["/nowhere/tool".to_owned()], &[], Duration::from_secs(1)).await.unwrap_err();
        assert!(error.is_setting() && error.to_string().contains("/nowhere/tool"), "{error}");
    }

    /// Runs a script whose child lives on, beyond the time it is given, and checks that the child is gone after it.
    async fn child_is_ended(and_then: &str) {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("pid");
        let script = format!("sleep 600 & echo $! > {}; {and_then}", mark.display());
        let error = shell(&script, Duration::from_millis(500)).await.unwrap_err().to_string();
        assert!(error.contains("did not end within 500ms"), "{error}");
        let pid = std::fs::read_to_string(&mark).unwrap();
        let process = std::path::PathBuf::from(format!("/proc/{}/stat", pid.trim()));
        let ended = async {
            // A process that was ended but not yet waited for by init is a `Z`.
            while std::fs::read_to_string(&process).is_ok_and(|stat| !stat.contains(") Z")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(10), ended).await.expect("the program's child lives on");
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_ended_with_its_children() {
        child_is_ended("wait").await;
    }

    #[tokio::test]
    async fn children_that_outlive_the_program_are_ended_with_its_time() {
        child_is_ended("exit 0").await;
    }
}
