//! Replicas that are started only to be measured, behind a gateway where there are to be several.

use std::path::Path;
use std::time::Duration;

use http_client::{HttpClient, Reply};
use tokio::time::Instant;

use super::TIMEOUT;
use crate::arguments::defaults;
use crate::arguments::log::LogArguments;
use crate::arguments::physics::PhysicsArguments;
use crate::child_command::ChildCommand;
use crate::child_process::ChildProcess;
use crate::commands::gateway::GatewayArguments;
use crate::commands::webapp::WebappArguments;
use crate::failure::Failure;

/// Longest that a part may take from its start until it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(15);

/// Time between two looks at whether it is.
const LOOK: Duration = Duration::from_millis(5);

/// Longest that a part may take to end.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Running replicas; killed when dropped.
#[derive(Debug)]
pub(crate) struct OwnService {
    url: String,
    start_up: Duration,
    processes: Vec<ChildProcess>,
}

impl OwnService {
    /// Starts so many replicas with these physics, one after the other, and waits until each is ready; with
    /// `is_behind_gateway` a gateway before them, and with `dependency` one that all of them share.
    pub(crate) async fn start(
        replicas: u32,
        physics: PhysicsArguments,
        dependency: Option<WebappArguments>,
        is_behind_gateway: bool,
    ) -> Result<Self, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::could_not_run(format!("cannot find the lab's own binary: {error}")))?;
        let log = LogArguments { log_level: "warn".to_owned(), ..defaults() };
        let mut common =
            WebappArguments { physics, drain_wait: Duration::ZERO, log: log.clone(), ..defaults() };
        let mut processes = Vec::new();
        if let Some(dependency) = dependency {
            let (drain_wait, log) = (common.drain_wait, log.clone());
            let command = ChildCommand::Webapp(Box::new(WebappArguments { drain_wait, log, ..dependency }));
            let (process, url, _) = start(&program, "dependency", &command).await?;
            processes.push(process);
            common.dependency = Some(url);
        }
        let (mut urls, mut start_up) = (Vec::new(), Duration::ZERO);
        for number in 1..=replicas {
            let id = Some(format!("webapp-{number}"));
            let command = ChildCommand::Webapp(Box::new(WebappArguments { id, ..common.clone() }));
            let (process, url, took) = start(&program, "replica", &command).await?;
            start_up = start_up.max(took);
            processes.push(process);
            urls.push(url);
        }
        let mut url = urls.first().cloned().unwrap_or_default();
        if is_behind_gateway {
            let any_port = || "127.0.0.1:0".to_owned();
            let endpoints = urls.iter().map(|url| url.parse()).collect::<Result<_, _>>();
            let gateway = GatewayArguments {
                listen: any_port(),
                admin: any_port(),
                endpoints: endpoints.map_err(Failure::could_not_run)?,
                log,
                ..defaults()
            };
            let command = ChildCommand::Gateway(Box::new(gateway));
            let (process, gateway, _) = start(&program, "gateway", &command).await?;
            processes.push(process);
            url = gateway;
        }
        Ok(Self { url, start_up, processes })
    }

    /// Where requests go.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The longest time from starting a replica until it was ready.
    pub(crate) fn start_up(&self) -> Duration {
        self.start_up
    }

    /// Ends everything, the gateway first.
    pub(crate) async fn stop(self) {
        for process in self.processes.into_iter().rev() {
            process.stop(STOP_GRACE).await;
        }
    }
}

/// Starts a part; answers it with its URL and the time from its start until it was ready.
async fn start(
    program: &Path,
    name: &str,
    command: &ChildCommand,
) -> Result<(ChildProcess, String, Duration), Failure> {
    let began = Instant::now();
    let mut process = ChildProcess::spawn(name, program, command)
        .map_err(|error| Failure::could_not_run(format!("cannot start a {name}: {error}")))?;
    let announcement = process.announcement().await.map_err(Failure::could_not_run)?;
    // The gateway names its admin side, too, and is ready when that has an endpoint to offer.
    let (url, ready) = match announcement.split_once(", admin on ") {
        Some((url, _)) => (url.to_owned(), format!("{url}/ready")),
        None => (announcement.clone(), format!("{announcement}/ready")),
    };
    let client = HttpClient::new();
    loop {
        let Err(problem) = client.get(&ready, TIMEOUT).await.and_then(Reply::ok) else {
            return Ok((process, url, began.elapsed()));
        };
        if began.elapsed() > READY_TIMEOUT {
            return Err(Failure::could_not_run(format!("the {name} was not ready in time: {problem}")));
        }
        tokio::time::sleep(LOOK).await;
    }
}
