//! One process of the lab on its own: started, read, asked to end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;

use crate::support::{lab, send_signal, wait_until};

/// A running process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    output: Arc<Mutex<Vec<String>>>,
    log: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(&[], arguments)
    }

    pub(crate) fn start_with(variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = lab();
        command.args(arguments).envs(variables.iter().copied());
        Self::run(command)
    }

    /// Starts any program.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (output, log) = (Arc::default(), Arc::default());
        let readers = vec![
            collect(child.stdout.take().expect("it was piped"), Arc::clone(&output)),
            collect(child.stderr.take().expect("it was piped"), Arc::clone(&log)),
        ];
        Self { child, output, log, readers }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The URLs that it said it listens on.
    pub(crate) fn urls(&self) -> Vec<String> {
        let said = || {
            self.output.lock().iter().find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
        };
        assert!(
            wait_until(Duration::from_secs(10), || said().is_some()),
            "it says where it listens:\n{}",
            self.log()
        );
        said().unwrap_or_default().split(", admin on ").map(str::to_owned).collect()
    }

    /// What it has written to standard error.
    pub(crate) fn log(&self) -> String {
        self.log.lock().join("\n")
    }

    /// Ends it as Ctrl-C does, and waits until all it wrote has been read.
    pub(crate) fn interrupt(&mut self) -> ExitStatus {
        send_signal(self.child.id(), "INT");
        self.wait(Duration::from_secs(40))
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, within: Duration) -> ExitStatus {
        let ended = wait_until(within, || !matches!(self.child.try_wait(), Ok(None)));
        assert!(ended, "it did not end within {within:?}:\n{}", self.log());
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _status = self.child.wait();
    }
}

fn collect(stream: impl Read + Send + 'static, sink: Arc<Mutex<Vec<String>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            sink.lock().push(line);
        }
    })
}
