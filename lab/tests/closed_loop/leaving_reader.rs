//! A reader of standard output or standard error that leaves ends no command and changes no exit status.

use std::fs::File;
use std::io::{BufRead, BufReader, PipeWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use http_client::HttpClient;
use tempfile::TempDir;

use crate::support::{TIMEOUT, Up, lab, send_signal, wait_until};

/// Flags of `lab up` and `lab demo` that let the system choose the ports.
const ANY_PORTS: [&str; 6] = ["--gateway", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--page", "127.0.0.1:0"];

/// The writing end of a pipe whose reader has left.
fn left_pipe() -> PipeWriter {
    let (_, writer) = std::io::pipe().expect("a pipe");
    writer
}

/// What happens to a command's standard output and standard error.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Stays,
    LeftOutput,
    LeftBoth,
}

/// The exit status of a command whose readers do this; none where a signal ended it, as a panic does in a release build.
fn status(arguments: &[&str], folder: &Path, reader: Reader) -> Option<i32> {
    let mut command = lab();
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    match reader {
        Reader::Stays => command.stdout(Stdio::null()).stderr(Stdio::null()),
        Reader::LeftOutput => command.stdout(left_pipe()).stderr(Stdio::null()),
        Reader::LeftBoth => command.stdout(left_pipe()).stderr(left_pipe()),
    };
    command.status().expect("the lab runs").code()
}

#[track_caller]
fn expect_same(arguments: &[&str], folder: &Path) {
    let expected = status(arguments, folder, Reader::Stays);
    // 101 is a panic where panics unwind.
    assert!(matches!(expected, Some(0..=3)), "lab {} ended with {expected:?}", arguments.join(" "));
    for reader in [Reader::LeftOutput, Reader::LeftBoth] {
        let found = status(arguments, folder, reader);
        assert_eq!(found, expected, "lab {}, reader {reader:?}", arguments.join(" "));
    }
}

/// The names of the commands below this one, as its help lists them.
fn commands_below(path: &[&str]) -> Vec<String> {
    let output = lab().args(path).arg("--help").output().expect("the lab runs");
    let help = String::from_utf8(output.stdout).expect("help is text");
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn help_and_mistakes_of_every_command_end_as_they_do_with_a_reader() {
    let folder = TempDir::new().expect("a folder");
    let commands = commands_below(&[]);
    assert!(commands.len() >= 10, "the list of commands was not found: {commands:?}");
    expect_same(&["--help"], folder.path());
    expect_same(&["--version"], folder.path());
    expect_same(&[], folder.path());
    for command in commands.iter().filter(|name| *name != "help") {
        expect_same(&[command, "--help"], folder.path());
        expect_same(&[command, "--no-such-flag"], folder.path());
        for below in commands_below(&[command]).iter().filter(|name| *name != "help") {
            expect_same(&[command, below, "--help"], folder.path());
        }
    }
}

#[test]
fn commands_with_a_result_end_as_they_do_with_a_reader() {
    let folder = TempDir::new().expect("a folder");
    let replica = Server::start(&["webapp", "--listen", "127.0.0.1:0", "--log-level", "error"]);
    let url = replica.url.clone();
    let short = ["--warm-up", "200ms", "--hold", "1s", "--longest-hold", "1s", "--lateness", "5s"];
    let measurement = ["baseline", "--host", &url, "--levels", "40", "--out", "baseline.json"];
    // Whether it kept the SLO is up to how busy this machine is.
    let measured = status(&[&measurement[..], &short].concat(), folder.path(), Reader::LeftBoth);
    assert!(matches!(measured, Some(0 | 1)), "lab baseline ended with {measured:?}");
    assert!(folder.path().join("baseline.json").exists(), "the result was lost");
    for arguments in [
        &["baseline", "diff", "baseline.json", "baseline.json"][..],
        &["baseline", "diff", "--json", "baseline.json", "baseline.json"],
        &["policy", "suggest", "--from", "baseline.json"],
        &["policy", "suggest", "--from", "missing.json"],
        &["health", &url],
        &["health", "http://127.0.0.1:9/"],
        &["load", "--host", &url, "--users", "2", "--ramp-up", "0s", "--run-time", "1s"],
        &["load", "--host", &url, "--users", "2", "--run-time", "1s", "--json", "--metrics-port", "0"],
        &["load", "--host", &url, "--rate", "20", "--run-time", "1s"],
        &["load", "--host", &url, "--rate", "20", "--run-time", "1s", "--threshold", "p50=1us"],
        &["load", "--host", "http://127.0.0.1:9", "--users", "1", "--run-time", "1s"],
    ] {
        expect_same(arguments, folder.path());
    }
}

/// A result that did not reach its file is not a success.
#[test]
fn a_full_disk_is_reported() {
    let folder = TempDir::new().expect("a folder");
    let replica = Server::start(&["webapp", "--listen", "127.0.0.1:0", "--log-level", "error"]);
    for arguments in [&["--version"][..], &["load", "--help"], &["health", &replica.url]] {
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let output =
            lab().args(arguments).current_dir(folder.path()).stdout(full).output().expect("the lab runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "lab {}: {said}", arguments.join(" "));
        assert!(said.contains("standard output") && said.contains("\nhint: "), "{said}");
    }
}

/// A command that serves until it is ended, and whose readers have left after its first line.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut command = lab();
        command.args(arguments);
        Self::run(command)
    }

    pub(crate) fn run(command: Command) -> Self {
        let (child, mut lines) = begin(command);
        let mut first = String::new();
        lines.read_line(&mut first).expect("its output is text");
        let url = first.strip_prefix("listening on ").expect("where it listens");
        // The gateway names its admin side, too.
        let url = url.split([',', '\n']).next().unwrap_or_default().to_owned();
        Self { child, url }
    }

    /// Ends it as a supervisor does; its exit status.
    fn end(&mut self) -> Option<i32> {
        send_signal(self.child.id(), "TERM");
        self.child.wait().expect("it is our child").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

/// Starts a command whose standard error nothing reads any more.
fn begin(mut command: Command) -> (Child, BufReader<ChildStdout>) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(left_pipe());
    let mut child = command.spawn().expect("the lab starts");
    let lines = BufReader::new(child.stdout.take().expect("standard output was piped"));
    (child, lines)
}

/// Each of them logs at this level whatever it is asked, into a pipe that nothing reads.
#[tokio::test]
async fn servers_go_on_serving_and_logging() {
    let client = HttpClient::new();
    for (arguments, path) in [
        (&["webapp"][..], "/health"),
        (&["gateway", "--admin", "127.0.0.1:0"], "/"),
        (&["scaler"], "/api/status"),
        (&["docker-proxy", "--compose-project", "none"], "/nothing"),
    ] {
        for format in ["text", "json"] {
            let log = ["--listen", "127.0.0.1:0", "--log-level", "trace", "--log-format", format];
            let mut server = Server::start(&[arguments, &log].concat());
            for _ in 0..3 {
                let reply = client.get(&format!("{}{path}", server.url), TIMEOUT).await;
                assert!(reply.is_ok(), "lab {} stopped answering: {:?}", arguments[0], reply.err());
            }
            assert_eq!(server.end(), Some(0), "lab {}", arguments[0]);
        }
    }
}

#[tokio::test]
async fn the_loop_goes_on_when_nothing_reads_what_it_prints() {
    let _turn = Up::turn();
    let mut command = lab();
    command.args(["up", "--log-level", "debug"]).args(ANY_PORTS);
    let (mut child, mut lines) = begin(command);
    let mut admin = String::new();
    let mut line = String::new();
    while !line.contains("Ctrl-C ends everything") {
        line.clear();
        assert!(lines.read_line(&mut line).expect("its output is text") > 0, "it ended without a greeting");
        if let Some(rest) = line.trim_start().strip_prefix("endpoints ") {
            rest.trim().clone_into(&mut admin);
        }
    }
    drop(lines);
    // It prints that a replica died, and that another one is there.
    let client = HttpClient::new();
    let replica = async || -> Option<u64> {
        let list: serde_json::Value = client.get(&admin, TIMEOUT).await.ok()?.json().ok()?;
        let first = list.as_array()?.iter().find(|endpoint| endpoint["state"] == "ready")?;
        first["pid"].as_u64()
    };
    let mut victim = None;
    let mut successor = None;
    for _ in 0..400 {
        match (victim, replica().await) {
            (None, Some(pid)) => {
                send_signal(u32::try_from(pid).expect("a process id"), "KILL");
                victim = Some(pid);
            }
            (Some(before), Some(pid)) if pid != before => successor = Some(pid),
            _ => {}
        }
        if successor.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let died = child.try_wait().expect("it is our child");
    send_signal(child.id(), "TERM");
    let ended = wait_until(Duration::from_secs(40), || !matches!(child.try_wait(), Ok(None)));
    assert!(ended, "it did not end");
    assert_eq!(died, None, "it ended with its reader");
    assert!(successor.is_some(), "no replica took the place of the one that was killed");
    assert_eq!(child.wait().expect("it is our child").code(), Some(0));
}

/// Its picture gets a line each second.
#[test]
fn the_demo_goes_on_when_nothing_watches_it() {
    let _turn = Up::turn();
    let mut command = lab();
    command.args(["demo", "--fast"]).args(ANY_PORTS);
    let (mut child, mut lines) = begin(command);
    let mut first = String::new();
    lines.read_line(&mut first).expect("its output is text");
    drop(lines);
    let ended = wait_until(Duration::from_secs(4), || !matches!(child.try_wait(), Ok(None)));
    assert!(!ended, "it ended with its reader");
    send_signal(child.id(), "INT");
    // Interrupted, it has no verdict.
    assert_eq!(child.wait().expect("it is our child").code(), Some(3));
}

/// Standard input and output that are closed altogether, as by `>&-`, are a device that takes everything.
#[test]
fn a_closed_output_is_no_error() {
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", "exec \"$0\" --version >&- 2>&-"]).arg(lab().get_program()).output();
    assert_eq!(output.expect("there is a shell").status.code(), Some(0));
    let mut written = left_pipe();
    assert!(written.write_all(b"x").is_err(), "the pipe of these tests has a reader");
}
