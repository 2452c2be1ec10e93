//! Sends signals by system call: Debian's smallest system has no program `kill`.

use rustix::process::{Pid, Signal, kill_process};

/// The signals that tests send, by the names under which `kill` knows them.
const SIGNALS: [(&str, Signal); 7] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("KILL", Signal::KILL),
    ("TERM", Signal::TERM),
    ("STOP", Signal::STOP),
    ("CONT", Signal::CONT),
    ("USR1", Signal::USR1),
];

/// Sends the signal of this name, such as `TERM`, to a process.
///
/// # Errors
/// Where the name is not one of the signals that tests send, or the process does not exist.
pub fn try_send_signal(process: u32, name: &str) -> Result<(), String> {
    let problem = |problem: &str| format!("cannot send {name} to the process {process}: {problem}");
    let (_, signal) = SIGNALS
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| problem("the name is not one of the signals that tests send"))?;
    // 0 and negative numbers would address whole groups of processes, the test runner's own among them.
    let process = i32::try_from(process)
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| problem("the number is not a process id"))?;
    kill_process(process, signal).map_err(|error| problem(&error.to_string()))
}

/// As [`try_send_signal`], where the process must be there. Not for destructors: see there.
///
/// # Panics
/// Where the signal cannot be sent. A panic in a destructor that runs because of another panic aborts the whole test
/// binary, so destructors use [`try_send_signal`].
pub fn send_signal(process: u32, name: &str) {
    if let Err(problem) = try_send_signal(process, name) {
        panic!("{problem}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{Command, Stdio};

    use super::{send_signal, try_send_signal};

    #[test]
    fn a_process_gets_the_signal_of_this_name() {
        // Not INT, which a shell has its background jobs ignore, and their children with them.
        for (name, number) in [("TERM", 15), ("KILL", 9), ("USR1", 10)] {
            // It waits for its input, which stays open.
            let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            send_signal(child.id(), name);
            assert_eq!(child.wait().unwrap().signal(), Some(number), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_an_error_and_addresses_no_group() {
        let mut ended = Command::new("true").spawn().unwrap();
        ended.wait().unwrap();
        for (process, name) in [(ended.id(), "TERM"), (0, "CONT"), (u32::MAX, "CONT"), (1, "NONSENSE")] {
            let problem = try_send_signal(process, name).unwrap_err();
            assert!(problem.contains(name) && problem.contains(&process.to_string()), "{problem}");
        }
    }
}
