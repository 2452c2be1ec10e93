//! One lab in containers, under a name and on ports of its own; ended, and looked for leftovers, when dropped.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::docker::{bounded, docker, root, run, text};
use crate::ground::{Ground, fast_overlay};

/// Longest that starting, and longest that ending a lab may take.
const START_TIMEOUT: Duration = Duration::from_secs(240);

const TIMEOUT: Duration = Duration::from_secs(5);

/// A running lab.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    settings: Vec<(String, String)>,
    pub(crate) gateway: String,
    pub(crate) gateway_admin: String,
    pub(crate) scaler: String,
    pub(crate) prometheus: String,
    ground: Ground,
}

impl Project {
    /// Makes the images and starts the lab with these settings over the fast policy; waits until all is healthy.
    pub(crate) fn start(name: &'static str, settings: &[(&str, &str)]) -> Self {
        Self::start_with(name, settings, &[])
    }

    /// As [`Project::start`], with further flags of `scripts/start.sh`.
    pub(crate) fn start_with(name: &'static str, settings: &[(&str, &str)], flags: &[&str]) -> Self {
        let ground = Ground::prepare(name);
        let overlay = fast_overlay();
        let own = [("LAB_OVERLAYS", overlay.as_str())].into_iter().chain(settings.iter().copied());
        let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let project = Self {
            name,
            settings: ground.settings().iter().cloned().chain(own).collect(),
            gateway: ground.url("GATEWAY_PORT"),
            gateway_admin: ground.url("GATEWAY_ADMIN_PORT"),
            scaler: ground.url("SCALER_PORT"),
            prometheus: ground.url("PROMETHEUS_PORT"),
            ground,
        };
        let mut start = project.script("start.sh");
        run(start.args(["--offline", "--no-build"]).args(flags));
        project
    }

    /// What is set in the environment of whatever has to do with this lab.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A script of the project, with this lab's settings.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = bounded(START_TIMEOUT, root().join("scripts").join(name));
        command.envs(self.settings());
        command
    }

    /// Runs Compose on this lab, with the overlays it was started with.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        run(&mut self.compose_command(arguments))
    }

    /// Runs Compose while the scaler may be making or removing replicas: Compose acts on the list it began with, and ends
    /// with an error where one of them is gone by then. What it did until then counts.
    pub(crate) fn compose_beside_the_scaler(&self, arguments: &[&str]) {
        let output = self.compose_command(arguments).output().expect("the script can be started");
        let said = text(&output);
        assert!(output.status.success() || said.contains("No such container"), "{said}");
    }

    fn compose_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.script("compose.sh");
        command.env("LAB_OVERLAYS", self.overlays()).args(arguments);
        command
    }

    /// All that is laid over compose.yaml; `start.sh --offline` adds the last by itself.
    pub(crate) fn overlays(&self) -> String {
        let (_, given) =
            self.settings.iter().rfind(|(name, _)| name == "LAB_OVERLAYS").expect("set at the start");
        format!("{given} offline")
    }

    /// The ids of the containers of a service, running or not, oldest first.
    pub(crate) fn containers(&self, service: &str) -> Vec<String> {
        let list = docker(&[
            "ps",
            "-aq",
            "--no-trunc",
            "--filter",
            &format!("label=com.docker.compose.project={}", self.name),
            "--filter",
            &format!("label=com.docker.compose.service={service}"),
        ]);
        let mut ids: Vec<String> = list.split_whitespace().map(str::to_owned).collect();
        ids.reverse();
        ids
    }

    /// The only container of a service.
    pub(crate) fn container(&self, service: &str) -> String {
        let ids = self.containers(service);
        assert_eq!(ids.len(), 1, "there is one {service}: {ids:?}");
        ids.into_iter().next().expect("counted above")
    }

    pub(crate) fn logs(&self, service: &str) -> String {
        let logs = |id: &String| {
            let output = bounded(TIMEOUT * 4, "docker").args(["logs", id]).output();
            output.map(|output| text(&output)).unwrap_or_default()
        };
        self.containers(service).iter().map(logs).collect()
    }

    /// The JSON answer of a GET, or the error in words.
    pub(crate) async fn get(&self, url: &str) -> Result<Value, String> {
        self.ground.get(url).await
    }

    /// Asks the scaler for a number of replicas, and waits until it has carried that out.
    pub(crate) fn scale_by_hand(&self, desired: u32) {
        Self::scale_by_hand_at(&self.scaler, desired);
    }

    /// The same of a scaler whose page is here.
    pub(crate) fn scale_by_hand_at(page: &str, desired: u32) {
        let url = format!("{page}/api/replicas");
        change("PUT", &url, &format!("{{\"desired\": {desired}}}"));
    }

    /// Leaves the scaler's own actions off, by `pause`, or on, by `resume`; waits for the last one's end.
    pub(crate) async fn let_scaler(&self, pause_or_resume: &str) {
        change("POST", &format!("{}/api/{pause_or_resume}", self.scaler), "");
        let paused = pause_or_resume == "pause";
        self.wait_for(pause_or_resume, Duration::from_secs(10), |status| {
            status["paused"] == paused && status["acting"] == false
        })
        .await;
    }

    /// Sets the synthetic load, in times of the load at rest.
    pub(crate) fn set_load(&self, factor: u32) {
        change("PUT", &format!("{}/load", self.gateway), &format!("{{\"factor\": {factor}}}"));
    }

    /// Waits until the scaler's status fulfils a condition; panics with the last status and the scaler's log.
    pub(crate) async fn wait_for(&self, what: &str, within: Duration, condition: impl Fn(&Value) -> bool) {
        self.wait_for_status_at(&format!("{}/api/status", self.scaler), what, within, condition).await;
    }

    /// The same of a status that is here.
    pub(crate) async fn wait_for_status_at(
        &self,
        url: &str,
        what: &str,
        within: Duration,
        condition: impl Fn(&Value) -> bool,
    ) {
        let began = Instant::now();
        loop {
            let status = self.get(url).await;
            if status.as_ref().is_ok_and(&condition) {
                return;
            }
            assert!(
                began.elapsed() < within,
                "not within {within:?}: {what}\n{status:?}\n{}",
                self.logs("scaler")
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What of it is still there: containers, networks and volumes.
    pub(crate) fn leftovers(&self) -> String {
        let filter = format!("label=com.docker.compose.project={}", self.name);
        [["ps", "-a"], ["network", "ls"], ["volume", "ls"]]
            .iter()
            .map(|list| docker(&[list[0], list[1], "-q", "--filter", &filter]))
            .collect()
    }

    /// Ends it as a user does.
    pub(crate) fn stop(&self) {
        run(self.script("stop.sh").arg("--volumes"));
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        // A test that failed has said why; what it started is ended all the same.
        let _ended = self.script("stop.sh").arg("--volumes").output();
    }
}

/// Sends a request that changes something, and waits for its end.
fn change(method: &str, url: &str, body: &str) {
    let curl = ["-fsS", "-X", method, "-H", "Content-Type: application/json", "-d", body, url];
    run(bounded(TIMEOUT * 12, "curl").args(curl));
}
