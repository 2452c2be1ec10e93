//! Wakes the sender when the next request is due, to a fraction of a millisecond.
//!
//! The runtime's own timer counts whole milliseconds and rounds up, so it would send every request about 1 ms late;
//! Linux' timer descriptors are late by less than a tenth of that. Elsewhere the runtime's timer has to do.

#[cfg(target_os = "linux")]
pub(crate) use linux::Timer;
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::Timer;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    /// A timer of the current runtime.
    #[derive(Debug)]
    pub(crate) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(
            deprecated,
            reason = "sound for a descriptor that is owned and so never changes its number; what replaces it is unsafe to call"
        )]
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            AsyncFd::with_interest(descriptor, Interest::READABLE).map(Self)
        }

        /// Waits for `time`, more than 0.
        pub(crate) async fn wait(&self, time: Duration) -> io::Result<()> {
            let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
            let it_value = Timespec { tv_sec: seconds, tv_nsec: time.subsec_nanos().max(1).into() };
            let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
            // Setting it also forgets an expiry that nobody waited for any more.
            timerfd_settime(
                self.0.get_ref(),
                TimerfdTimerFlags::empty(),
                &Itimerspec { it_interval, it_value },
            )?;
            // Readiness is edge-triggered: forgetting it does what reading the expiries would, without a system call.
            self.0.readable().await?.clear_ready();
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::io;
    use std::time::Duration;

    /// A timer of the current runtime.
    #[derive(Debug)]
    pub(crate) struct Timer;

    impl Timer {
        #[expect(clippy::unnecessary_wraps, reason = "where there are timer descriptors, this can fail")]
        pub(crate) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for `time`.
        pub(crate) async fn wait(&self, time: Duration) -> io::Result<()> {
            tokio::time::sleep(time).await;
            Ok(())
        }
    }
}
