//! `lab gateway`: the load balancer.

use std::time::Duration;

use clap::Args;
use gateway::{DnsTarget, EndpointUrl, Gateway, GatewayConfig, GatewayError, RateLimit};
use serde::{Deserialize, Serialize};

use super::announce;
use crate::arguments::log::LogArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::texts;
use crate::arguments::values::{duration, listen_address, resolve};
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::StopSignals;
use crate::supervised;

/// Run the load balancer.
///
/// It chooses the better of two random endpoints for each request, probes them, takes out those that fail, and
/// drains those that are taken away. It alone knows who is in rotation; everybody else asks it at `--admin`.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(after_help = "Example:\n  lab gateway --endpoints http://127.0.0.1:8100,http://127.0.0.1:8101\n  \
                  curl http://127.0.0.1:8001/endpoints\n  \
                  curl -X PUT http://127.0.0.1:8001/endpoints -d '{\"url\": \"http://127.0.0.1:8102\"}'")]
pub(crate) struct GatewayArguments {
    /// Where requests are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000", value_parser = listen_address)]
    pub(crate) listen: String,
    /// Where the gateway itself is asked and told: /endpoints, /waiting, /metrics, /sd, /health
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8001", value_parser = listen_address)]
    pub(crate) admin: String,
    /// Host names other than localhost under which /endpoints may be changed, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) allowed_hosts: Vec<String>,
    /// Base URLs of the endpoints known from the start, separated by commas
    #[arg(long, value_name = "URL,…", value_delimiter = ',')]
    #[serde(with = "texts::list")]
    pub(crate) endpoints: Vec<EndpointUrl>,
    /// A name whose addresses are the endpoints, looked up each second: dns:NAME:PORT
    #[arg(long, value_name = "dns:NAME:PORT")]
    #[serde(with = "texts::optional")]
    pub(crate) discover: Option<DnsTarget>,
    /// Longest time from sending a request to the head of its response, per try
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub(crate) try_timeout: Duration,
    /// Longest wait of a request for an endpoint to come into rotation; then the answer is 503
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    pub(crate) endpoint_wait: Duration,
    /// Most requests that wait so at a time; further ones get 503 at once
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) max_waiting: usize,
    /// Longest pause of a client within a request's body, for all methods; then the answer is 408
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) body_pause: Duration,
    /// Largest body of a request; bytes
    #[arg(long, value_name = "BYTES", default_value_t = 10 * 1024 * 1024)]
    pub(crate) max_body: u64,
    /// Most requests per second for the service as a whole; further ones get 429 [default: no limit]
    #[arg(long, value_name = "RATE")]
    pub(crate) service_rate: Option<f64>,
    /// Requests that may come at once within the service's limit
    #[arg(long, value_name = "N", default_value_t = 100, requires = "service_rate")]
    pub(crate) service_burst: u32,
    /// Most requests per second for each client address; further ones get 429 [default: no limit]
    #[arg(long, value_name = "RATE")]
    pub(crate) client_rate: Option<f64>,
    /// Requests that may come at once within a client's limit
    #[arg(long, value_name = "N", default_value_t = 20, requires = "client_rate")]
    pub(crate) client_burst: u32,
    /// Seed of the balancing, so that a run can be repeated [default: another one each time]
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// Take the settings from standard input, in the place of flags, and end as soon as it closes
    #[arg(long, hide = true)]
    #[serde(skip)]
    pub(crate) supervised: bool,
    #[command(flatten)]
    pub(crate) telemetry: TelemetryArguments,
    #[command(flatten)]
    pub(crate) log: LogArguments,
}

impl GatewayArguments {
    fn config(&self) -> Result<GatewayConfig, Failure> {
        Ok(GatewayConfig {
            listen: resolve(&self.listen).map_err(Failure::bad_input)?,
            admin: resolve(&self.admin).map_err(Failure::bad_input)?,
            allowed_hosts: self.allowed_hosts.clone(),
            endpoints: self.endpoints.clone(),
            discover: self.discover.clone(),
            try_timeout: self.try_timeout,
            endpoint_wait: self.endpoint_wait,
            waiting_max: self.max_waiting,
            body_pause_max: self.body_pause,
            body_bytes_max: self.max_body,
            service_limit: limit(self.service_rate, self.service_burst),
            client_limit: limit(self.client_rate, self.client_burst),
            seed: self.seed,
            ..GatewayConfig::default()
        })
    }
}

fn limit(rate: Option<f64>, burst: u32) -> Option<RateLimit> {
    rate.map(|rate_per_second| RateLimit { rate_per_second, burst })
}

pub(crate) fn run(given: GatewayArguments) -> Result<ExitStatus, Failure> {
    let supervised = given.supervised;
    let arguments: GatewayArguments = if supervised { supervised::settings()? } else { given };
    let log = arguments.log.clone();
    let spans = arguments.telemetry.settings("gateway", unique_id("gateway"));
    runtime::run_traced(&log, &spans, async move {
        let mut signals = StopSignals::catch()?;
        if supervised {
            supervised::end_with_supervisor()?;
        }
        let gateway = Gateway::bind(arguments.config()?).map_err(|error| match error {
            GatewayError::BadRateLimit { .. }
            | GatewayError::BadTimeLimit { .. }
            | GatewayError::HeaderLimitTooSmall { .. }
            | GatewayError::BadBalancerSettings(_) => Failure::bad_input(error),
            error => Failure::could_not_run(error),
        })?;
        let (service, admin) = (gateway.service_address(), gateway.admin_address());
        announce(&format!("http://{service}, admin on http://{admin}"));
        gateway.serve(async move { signals.next().await }).await.map_err(Failure::could_not_run)?;
        Ok(ExitStatus::Held)
    })
}
