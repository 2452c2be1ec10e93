//! `lab scaler`: the autoscaler.

mod services_file;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Resettable;
use clap::{Args, FromArgMatches};
use scaler::{Scaler, ScalerConfig, ScalerError, ServiceConfig};
use tracing::info;

use self::services_file::ServiceEntry;
use super::announce;
use crate::arguments::actuator::ActuatorArguments;
use crate::arguments::classic;
use crate::arguments::log::LogArguments;
use crate::arguments::policy::PolicyArguments;
use crate::arguments::source::SourceArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::values::{base_url, duration, listen_address, resolve};
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::{Hangups, StopSignals, end_with_supervisor};

/// Run the autoscaler.
///
/// It looks each second at every replica that the gateway lists, asks the policy at each check how many replicas
/// there should be, and has the actuator start or stop the difference.
///
/// A changed policy file is followed within about 2 s, or at once on SIGHUP; one that cannot be followed leaves the last
/// good policy in force. Other flags, and the list of --services, take a restart.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab scaler --policy aggressive --actuator none   # only say what it would do\n  \
                  lab scaler --actuator compose --compose-project shop\n  \
                  lab scaler --services services.yaml --state state.json\n  \
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
    /// Several services, each with what differs from the flags: `apiVersion: autoscale-lab/v1`, `kind: Services`
    #[arg(long, value_name = "FILE")]
    services: Option<PathBuf>,
    /// Where counters, cooldowns and limits survive a restart; of several services each has its own, with its name
    /// before the ending [default: nowhere]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Time between two looks at the replicas
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    scrape_interval: Duration,
    /// Name of the service; also `SERVICE_NAME`, or in the file of `SERVICE_NAME_FILE` [default: webapp]
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
        let services = match &self.services {
            None => vec![self.service_config(self.state.clone())?],
            Some(file) => {
                self.refuse_a_single_name(file)?;
                services_file::read(file)?
                    .into_iter()
                    .map(|entry| self.entry_config(&entry))
                    .collect::<Result<_, _>>()?
            }
        };
        Ok(ScalerConfig {
            listen: resolve(&self.listen).map_err(Failure::bad_input)?,
            allowed_hosts: self.allowed_hosts.clone(),
            services,
        })
    }

    /// Each entry of a services file has its name, so one that is given beside it would have no effect.
    fn refuse_a_single_name(&self, file: &Path) -> Result<(), Failure> {
        let (origin, name) = match &self.service_name {
            Some(name) => ("--service-name", Some(name.clone())),
            None => ("SERVICE_NAME", classic::variable("SERVICE_NAME")?),
        };
        match name {
            None => Ok(()),
            Some(name) => Err(Failure::bad_input(format!(
                "{origin} is `{}`, and the services are named in {}; hint: leave out {origin}, or change the name there",
                name.escape_debug(),
                file.display()
            ))),
        }
    }

    /// What an entry of the services file says, and for what it does not say, what the flags say.
    fn entry_config(&self, entry: &ServiceEntry) -> Result<ServiceConfig, Failure> {
        // Without defaults: what the entry does not say stays as it is.
        let mut command = Self::augment_args_for_update(clap::Command::new("service").no_binary_name(true))
            .mut_args(|argument| argument.default_value(Resettable::Reset));
        let flags = entry.flags(&command)?;
        let matches = command.try_get_matches_from_mut(flags).map_err(|error| entry.refusal(&error))?;
        let mut arguments = self.clone();
        arguments.update_from_arg_matches(&matches).map_err(|error| entry.refusal(&error))?;
        let state = self.state.as_deref().map(|file| entry.state_file(file));
        arguments.service_config(state).map_err(|failure| failure.within(&entry.place()))
    }

    fn service_config(&self, state_file: Option<PathBuf>) -> Result<ServiceConfig, Failure> {
        let policy_source = self.policy.source()?;
        let policy = self.policy.load(&policy_source.overrides)?;
        let name = match &self.service_name {
            Some(name) => Some(name.clone()),
            None => classic::variable("SERVICE_NAME")?,
        };
        let defaults = ServiceConfig::new(policy);
        Ok(ServiceConfig {
            name: name.unwrap_or(defaults.name),
            gateway_admin: self.gateway_admin.clone(),
            gateway_url: self.gateway.clone(),
            policy: defaults.policy,
            policy_source: Some(policy_source),
            source: self.source.kind()?,
            actuator: self.actuator.kind()?,
            state_file,
            scrape_interval: self.scrape_interval,
            resources: self.source.resources(),
            queries_url: self.source.queries_url()?,
        })
    }
}

pub(crate) fn run(arguments: ScalerArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    let spans = arguments.telemetry.settings("scaler", unique_id("scaler"));
    runtime::run_traced(&log, &spans, async move {
        let mut signals = StopSignals::catch()?;
        let mut hangups = Hangups::catch()?;
        if arguments.supervised {
            end_with_supervisor()?;
        }
        let scaler = Scaler::bind(arguments.config()?).await.map_err(|error| {
            let message = format!("{error}; hint: {}", error.hint());
            match error {
                ScalerError::Actuator { is_setting: true, .. }
                | ScalerError::ServiceNames { .. }
                | ScalerError::ScrapeInterval { .. }
                | ScalerError::GatewayUrl { .. }
                | ScalerError::PrometheusUrl(_) => Failure::bad_input(message),
                _ => Failure::could_not_run(message),
            }
        })?;
        announce(&format!("http://{}", scaler.local_addr()));
        let reload = scaler.reload();
        tokio::spawn(async move {
            loop {
                hangups.next().await;
                info!("SIGHUP: reading the policy again");
                reload.request();
            }
        });
        scaler.serve(async move { signals.next().await }).await.map_err(Failure::could_not_run)?;
        Ok(ExitStatus::Held)
    })
}
