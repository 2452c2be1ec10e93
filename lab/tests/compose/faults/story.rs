//! A load and what the scaler does about it, with a fault in its middle and without.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::docker::{bounded, run};
use crate::project::Project;

/// Longer than any fault; the load is ended when the story is over.
const HOLD: &str = "600s";

/// One load on one lab.
#[derive(Debug)]
pub(super) struct Story {
    /// The project's name where nothing breaks.
    name: &'static str,
    settings: &'static [(&'static str, &'static str)],
    /// Times the load at rest.
    factor: u32,
    /// Replicas that the load comes to.
    at_height: u64,
    /// Replicas when it is over.
    at_rest: u64,
    /// What it takes without a fault; played once.
    actions: OnceCell<usize>,
}

/// A spike that takes three replicas, and goes.
///
/// By the classic thresholds three replicas are too fast for this load and two are too slow, so the count would go to
/// and fro for as long as it lasts. The scale-down threshold is lower here: then each action has its cause, and one
/// more than without a fault is one too many.
pub(super) static SPIKE: Story = Story {
    name: "labcmp-fault-none",
    settings: &[("SCALE_DOWN_THRESHOLD", "0.065"), ("SCALE_UP_COOLDOWN", "20s")],
    factor: 5,
    at_height: 3,
    at_rest: 1,
    actions: OnceCell::const_new(),
};

/// One replica more than the load needs, so that losing one is no reason to act.
pub(super) static ONE_TO_SPARE: Story = Story {
    name: "labcmp-fault-none-spare",
    settings: &[("MIN_REPLICAS", "3")],
    factor: 3,
    at_height: 3,
    at_rest: 3,
    actions: OnceCell::const_new(),
};

impl Story {
    /// Plays it with this fault: in the end all is as before, and it took no more actions than without.
    pub(super) async fn check(
        &'static self,
        name: &'static str,
        settings: &[(&str, &str)],
        fault: impl AsyncFnOnce(&Project),
    ) {
        let without = async || {
            self.play(self.name, &[], async |lab| {
                self.height(lab).await;
                end_load(lab);
            })
            .await
        };
        let expected = *self.actions.get_or_init(without).await;
        let found = self.play(name, settings, fault).await;
        assert!(found <= expected, "{found} actions, and {expected} without the fault: it flaps");
    }

    /// Starts a lab, lets the load come, breaks something by `fault`, and waits until all is back at rest. Returns the
    /// actions taken.
    async fn play(
        &self,
        name: &'static str,
        settings: &[(&str, &str)],
        fault: impl AsyncFnOnce(&Project),
    ) -> usize {
        let lab = Project::start(name, &[self.settings, settings].concat());
        lab.wait_for("values from Prometheus", Duration::from_secs(60), |status| {
            status["signals"]["response_time_mean_seconds"]["value"].is_f64()
        })
        .await;
        curl(&format!("{}/load/spike?factor={}&hold={HOLD}&ramp=5s", lab.gateway, self.factor));
        fault(&lab).await;
        end_load(&lab);
        let is_home = |status: &Value| {
            count(status, "current") == self.at_rest
                && count(status, "ready") == self.at_rest
                && status["acting"] == false
                && status["problems"] == json!([])
        };
        lab.wait_for("all as before the load", Duration::from_secs(120), is_home).await;
        actions(&lab)
    }

    /// Waits until the load has as many replicas as it needs.
    pub(super) async fn height(&self, lab: &Project) {
        let is_there = |status: &Value| count(status, "ready") >= self.at_height && status["acting"] == false;
        lab.wait_for("as many replicas as the load needs", Duration::from_secs(120), is_there).await;
    }
}

pub(super) fn count(status: &Value, which: &str) -> u64 {
    status["replicas"][which].as_u64().unwrap_or_default()
}

pub(super) fn curl(url: &str) -> String {
    run(bounded(Duration::from_secs(20), "curl").args(["-fsS", "--max-time", "15", url]))
}

pub(super) fn end_load(lab: &Project) {
    curl(&format!("{}/load/reset", lab.gateway));
}

/// Actions carried out, by the log: it survives the scaler's restart, as its counters do not.
pub(super) fn actions(lab: &Project) -> usize {
    lab.logs("scaler").matches("Successfully scaled").count()
}

/// Watches for a while that the replicas stay those that they are.
pub(super) async fn nobody_comes_or_goes(lab: &Project, during: Duration) {
    let (began, at_first, acted) = (Instant::now(), lab.containers("webapp"), actions(lab));
    while began.elapsed() < during {
        let now = lab.containers("webapp");
        assert_eq!(now, at_first, "the replicas changed while data is missing:\n{}", lab.logs("scaler"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(actions(lab), acted, "it acted without data");
}

pub(super) fn assert_logged(lab: &Project, service: &str, words: &[&str]) {
    let log = lab.logs(service);
    for word in words {
        assert!(log.contains(word), "`{word}` is missing in the log of the {service}:\n{log}");
    }
}
