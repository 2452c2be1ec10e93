//! `lab docker-proxy`: stands between the scaler and the Docker engine.

use std::path::PathBuf;

use clap::Args;
use docker_proxy::{Proxy, serve};
use observability::http::guard::AllowedHosts;
use tokio::net::TcpListener;

use super::announce;
use crate::arguments::log::LogArguments;
use crate::arguments::values::listen_address;
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::StopSignals;

/// Let a scaler use the Docker engine for one service, and for nothing else.
///
/// Orders are passed on to the engine's socket where they concern that service's containers; a new container must be
/// like one that Compose made. Whoever asks here can do to the machine what a replica can, and no more.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lab docker-proxy --compose-project autoscale-lab\n  \
                  lab scaler --actuator compose --docker-host tcp://127.0.0.1:2375 --compose-project autoscale-lab")]
pub(crate) struct DockerProxyArguments {
    /// Where orders are taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:2375", value_parser = listen_address)]
    listen: String,
    /// Host names other than localhost under which orders are taken, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    allowed_hosts: Vec<String>,
    /// The engine's socket
    #[arg(long, value_name = "PATH", default_value = "/var/run/docker.sock")]
    docker_socket: PathBuf,
    /// The Compose project whose containers may be seen
    #[arg(long, value_name = "NAME")]
    compose_project: String,
    /// Its service whose containers may be made, started, stopped and removed
    #[arg(long, value_name = "NAME", default_value = "webapp")]
    compose_service: String,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: DockerProxyArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let mut signals = StopSignals::catch()?;
        let refuse = |error| {
            Failure::could_not_run(format!(
                "cannot listen on {}: {error}; hint: another process may have it, choose one with --listen",
                arguments.listen
            ))
        };
        let listener = TcpListener::bind(&arguments.listen).await.map_err(refuse)?;
        announce(&format!("http://{}", listener.local_addr().map_err(refuse)?));
        let proxy =
            Proxy::new(&arguments.docker_socket, &arguments.compose_project, &arguments.compose_service);
        serve(
            listener,
            proxy,
            AllowedHosts::new(&arguments.allowed_hosts),
            async move { signals.next().await },
        )
        .await
        .map_err(|error| Failure::could_not_run(format!("the proxy broke: {error}")))?;
        Ok(ExitStatus::Held)
    })
}
