//! `--metrics-port` and `--metrics-host`, for a command that runs for a while and is no server.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use loadgen::LoadMetrics;

use crate::failure::Failure;
use crate::metrics_server::MetricsServer;
use crate::output::note;

/// Where a command's metrics are while it runs.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Metrics")]
pub(crate) struct MetricsArguments {
    /// Port of `/metrics` while the run lasts; 0 lets the system choose one, 9646 is the one that the configurations
    /// of Prometheus look for [default: no metrics]
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Address on which that port is taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", requires = "metrics_port")]
    metrics_host: IpAddr,
}

impl MetricsArguments {
    /// Serves these metrics until the server is dropped, and says where on standard error; nothing where no port was
    /// asked for.
    pub(crate) async fn serve(&self, metrics: &LoadMetrics) -> Result<Option<MetricsServer>, Failure> {
        let Some(port) = self.metrics_port else { return Ok(None) };
        let server = MetricsServer::start(SocketAddr::new(self.metrics_host, port), metrics.clone()).await?;
        note(&format_args!("metrics on http://{}/metrics", server.address()));
        Ok(Some(server))
    }
}
