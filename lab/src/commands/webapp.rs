//! `lab webapp`: one replica.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use webapp::{Role, Webapp, WebappConfig, WebappError};

use super::announce;
use crate::arguments::log::LogArguments;
use crate::arguments::physics::PhysicsArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::values::{base_url, discover, duration, listen_address};
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::StopSignals;
use crate::supervised;

/// Run one replica of the simulated service.
///
/// A replica is `--workers` servers behind a bounded queue: its latency comes from that finite capacity. It needs
/// nobody else to run.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(after_help = "Example:\n  lab webapp --listen 127.0.0.1:8100 --workers 2 --service-time 20ms\n  \
                  curl http://127.0.0.1:8100/load/spike?factor=4")]
pub(crate) struct WebappArguments {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", value_parser = listen_address)]
    pub(crate) listen: String,
    /// What this process stands for: webapp, database or external-api
    #[arg(long, value_name = "ROLE", default_value_t = Role::Webapp)]
    pub(crate) role: Role,
    /// Unique name among the replicas [default: made of role, host and process id]
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) physics: PhysicsArguments,
    /// Base URLs of other replicas, separated by commas: they share the load factor and the synthetic demand
    #[arg(long, value_name = "URL,…", value_delimiter = ',', value_parser = base_url)]
    pub(crate) peers: Vec<String>,
    /// A name whose addresses are the replicas, looked up each second: dns:NAME:PORT
    #[arg(long, value_name = "dns:NAME:PORT", value_parser = discover)]
    pub(crate) discover: Option<(String, u16)>,
    /// The URL at which peers reach this replica [default: where it listens, as peers see it]
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) advertise: Option<String>,
    /// Host names with a dot under which load, faults and peers may be changed, separated by commas; localhost, addresses
    /// and names without a dot always may
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) allowed_hosts: Vec<String>,
    /// Base URL of a service that each request needs
    #[arg(long, value_name = "URL", value_parser = base_url)]
    pub(crate) dependency: Option<String>,
    /// How long to stay reachable, but unready, before stopping, so that a gateway can notice
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) drain_wait: Duration,
    /// Take the settings from standard input, in the place of flags, and end as soon as it closes
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub(crate) supervised: bool,
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,
}

impl WebappArguments {
    fn config(&self) -> WebappConfig {
        WebappConfig {
            listen: self.listen.clone(),
            id: self.id.clone().unwrap_or_else(|| unique_id(self.role.name())),
            allowed_hosts: self.allowed_hosts.clone(),
            peers: self.peers.clone(),
            discover: self.discover.clone(),
            advertise: self.advertise.clone(),
            dependency: self.dependency.clone(),
            drain_wait: self.drain_wait,
            ..self.physics.config(self.role)
        }
    }
}

pub(crate) fn run(given: WebappArguments) -> Result<ExitStatus, Failure> {
    let supervised = given.supervised;
    let arguments = if supervised { supervised::settings()? } else { given };
    let config = arguments.config();
    let spans = arguments.telemetry.settings(config.role.name(), config.id.clone());
    runtime::run_traced(&arguments.log, &spans, async move {
        let mut signals = StopSignals::catch()?;
        if supervised {
            supervised::end_with_supervisor()?;
        }
        let webapp = Webapp::bind(config).await.map_err(|error| match error {
            WebappError::Config(error) => Failure::bad_input(error),
            error => Failure::could_not_run(error),
        })?;
        announce(&format!("http://{}", webapp.address()));
        webapp.serve(async move { signals.next().await }).await.map_err(Failure::could_not_run)?;
        Ok(ExitStatus::Held)
    })
}
