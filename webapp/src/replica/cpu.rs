//! Burns CPU time on a thread of its own, so that the async runtime keeps answering probes meanwhile.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Rounds between two looks at the clock; some ten microseconds.
const ROUNDS: u32 = 10_000;

/// Returns when a thread has used `cpu_time`, however long that took on a busy machine.
pub(super) async fn burn(cpu_time: Duration) {
    let burned = tokio::task::spawn_blocking(move || {
        let until = thread_cpu_time() + cpu_time;
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        while thread_cpu_time() < until {
            for _ in 0..ROUNDS {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
            }
            black_box(state);
        }
    })
    .await;
    // Fails only while the runtime ends; then nobody waits for this job any more.
    let _runtime_ended = burned;
}

fn thread_cpu_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(used.tv_sec).unwrap_or_default(),
        u32::try_from(used.tv_nsec).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn burning_takes_at_least_its_cpu_time() {
        let began = Instant::now();
        super::burn(Duration::from_millis(30)).await;
        assert!(began.elapsed() >= Duration::from_millis(30));
    }
}
