//! Waiting for a condition, with an end.

use std::time::{Duration, Instant};

/// Time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Returns how long it took until `holds`; fails the test when that takes longer than `within`.
pub(crate) async fn until(within: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    loop {
        let held = holds().await;
        let took = began.elapsed();
        assert!(took <= within, "not within {within:?}: {what}");
        if held {
            return took;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
