//! A service time that is burned really uses the CPU, and a busy replica answers its probes all the same.
//!
//! Alone in its process, because the CPU time of a process is that of all its tests.

#[path = "support/replica.rs"]
mod replica;
#[path = "support/scrape.rs"]
mod scrape;
#[path = "support/wait.rs"]
mod wait;

use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use webapp::WebappConfig;

use replica::{Replica, quiet};
use scrape::Scrape;

const JOBS: u32 = 8;
const SERVICE_TIME: Duration = Duration::from_millis(150);

async fn cpu_seconds(replica: &Replica) -> f64 {
    Scrape::of(replica).await.value("process_cpu_seconds_total")
}

/// One probe, and the time to the next one.
async fn probe(replica: &Replica) {
    replica.json("/health").await;
    tokio::time::sleep(Duration::from_millis(10)).await;
}

// One thread runs the server and the client: were the CPU burned on it, every probe would wait for whole jobs.
#[tokio::test]
async fn burned_service_time_is_cpu_time_and_probes_are_answered_meanwhile() {
    let config = WebappConfig { service_time: SERVICE_TIME, cpu_share: 1.0, workers: 2, ..quiet() };
    let replica = Replica::start(config).await;
    let before = cpu_seconds(&replica).await;
    let work = async {
        let mut work = join_all((0..JOBS).map(|_| replica.get("/")));
        let mut probes_answered = 0;
        loop {
            tokio::select! {
                replies = &mut work => return (replies, probes_answered),
                () = probe(&replica) => probes_answered += 1,
            }
        }
    };
    let (replies, probes_answered): (Vec<_>, u32) = work.await;
    assert!(replies.iter().all(|reply| reply.status == StatusCode::OK), "{replies:?}");
    let burned = cpu_seconds(&replica).await - before;
    let asked = SERVICE_TIME.as_secs_f64() * f64::from(JOBS);
    println!("{burned:.3} s of CPU for {asked:.3} s asked, {probes_answered} probes answered meanwhile");
    // Serving and probing cost CPU too, in a debug build some hundredths of a second.
    assert!((asked..asked + 0.4).contains(&burned), "{burned} s of CPU for jobs of {asked} s");
    // The jobs take 600 ms at least, and two probes in 100 ms are few; blocked ones come one or two to a job.
    assert!(probes_answered >= 12, "{probes_answered} probes were answered while the workers burned");
    replica.begin_stop().await.unwrap().unwrap();
}
