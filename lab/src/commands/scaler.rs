//! `lab scaler`: the autoscaler.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use scaler::{Scaler, ScalerConfig, ScalerError};

use super::announce;
use crate::arguments::actuator::ActuatorArguments;
use crate::arguments::log::LogArguments;
use crate::arguments::policy::PolicyArguments;
use crate::arguments::source::SourceArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::values::{base_url, duration, listen_address, resolve};
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::{StopSignals, end_with_supervisor};

/// Run the autoscaler.
///
/// It looks each second at every replica that the gateway lists, asks the policy at each check how many replicas
/// there should be, and has the actuator start or stop the difference.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab scaler --policy aggressive --actuator none   # only say what it would do\n  \
                  lab scaler --actuator compose --compose-project shop\n  \
                  lab scaler --actuator command --scale-command './scale.sh {service} {replicas}' \
                  --count-command './count.sh {service}'\n  \
                  curl http://127.0.0.1:8080/api/status"
)]
pub(crate) struct ScalerArguments {
    /// Where its page and API are
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080", value_parser = listen_address)]
    listen: String,
    #[command(flatten)]
    policy: PolicyArguments,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    actuator: ActuatorArguments,
    /// The service, for what the page passes on
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000", value_parser = base_url)]
    gateway: String,
    /// The gateway's admin side, which knows the replicas
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8001", value_parser = base_url)]
    gateway_admin: String,
    /// Where counters, cooldowns and limits survive a restart [default: nowhere]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Time between two looks at the replicas
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    scrape_interval: Duration,
    /// Name of the service; also `SERVICE_NAME` [default: webapp]
    #[arg(long, value_name = "NAME")]
    service_name: Option<String>,
    /// Host names other than localhost under which the page may be used, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// End as soon as standard input closes; whoever starts this process holds the other end
    #[arg(long, hide = true)]
    supervised: bool,
    #[command(flatten)]
    telemetry: TelemetryArguments,
    #[command(flatten)]
    log: LogArguments,
}

impl ScalerArguments {
    fn config(&self) -> Result<ScalerConfig, Failure> {
        let policy = self.policy.load(&self.policy.overrides()?)?;
        let classic_name = || std::env::var("SERVICE_NAME").ok().filter(|name| !name.is_empty());
        let defaults = ScalerConfig::new(policy);
        Ok(ScalerConfig {
            listen: resolve(&self.listen).map_err(Failure::bad_input)?,
            service_name: self.service_name.clone().or_else(classic_name).unwrap_or(defaults.service_name),
            gateway_admin: self.gateway_admin.clone(),
            gateway_url: self.gateway.clone(),
            policy: defaults.policy,
            source: self.source.kind()?,
            actuator: self.actuator.kind()?,
            state_file: self.state.clone(),
            scrape_interval: self.scrape_interval,
            allowed_hosts: self.allowed_hosts.clone(),
        })
    }
}

pub(crate) fn run(arguments: ScalerArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    let spans = arguments.telemetry.settings("scaler", unique_id("scaler"));
    runtime::run_traced(&log, &spans, async move {
        let mut signals = StopSignals::catch()?;
        if arguments.supervised {
            end_with_supervisor()?;
        }
        let scaler = Scaler::bind(arguments.config()?).await.map_err(|error| {
            let message = format!("{error}; hint: {}", error.hint());
            match error {
                ScalerError::Actuator { is_setting: true, .. }
                | ScalerError::ScrapeInterval { .. }
                | ScalerError::GatewayUrl { .. }
                | ScalerError::PrometheusUrl(_) => Failure::bad_input(message),
                _ => Failure::could_not_run(message),
            }
        })?;
        announce(&format!("http://{}", scaler.local_addr()));
        scaler.serve(async move { signals.next().await }).await.map_err(Failure::could_not_run)?;
        Ok(ExitStatus::Held)
    })
}
