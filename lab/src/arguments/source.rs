//! Where the scaler's signals come from, for `lab scaler`, `lab up` and `lab demo`.

use clap::{Args, ValueEnum};
use scaler::SourceKind;

use super::values::prometheus_url;
use crate::failure::Failure;

/// Where Prometheus is unless somebody says otherwise.
const PROMETHEUS_URL: &str = "http://127.0.0.1:9090";

/// Where signals come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SourceName {
    /// Each replica's own /metrics, each second.
    Scrape,
    /// A Prometheus that scrapes the replicas.
    Prometheus,
}

/// Which source, and where it is.
#[derive(Clone, Debug, Args)]
pub(crate) struct SourceArguments {
    /// Where the scaler's signals come from
    #[arg(long, value_enum, value_name = "NAME", default_value_t = SourceName::Scrape)]
    source: SourceName,
    /// Prometheus, for the source `prometheus`; also `PROMETHEUS_URL` [default: `http://127.0.0.1:9090`]
    #[arg(long, value_name = "URL", value_parser = prometheus_url)]
    prometheus_url: Option<String>,
}

impl SourceArguments {
    /// The source, with the address from the flag, the classic variable or the default.
    pub(crate) fn kind(&self) -> Result<SourceKind, Failure> {
        match self.source {
            SourceName::Scrape => Ok(SourceKind::Scrape),
            SourceName::Prometheus => Ok(SourceKind::Prometheus { url: self.url()? }),
        }
    }

    fn url(&self) -> Result<String, Failure> {
        let classic = || std::env::var("PROMETHEUS_URL").ok().filter(|url| !url.is_empty());
        match (&self.prometheus_url, classic()) {
            (Some(url), _) => Ok(url.clone()),
            (None, Some(url)) => prometheus_url(&url)
                .map_err(|error| Failure::bad_input(format!("the variable PROMETHEUS_URL: {error}"))),
            (None, None) => Ok(PROMETHEUS_URL.to_owned()),
        }
    }

    /// The same source as flags of `lab scaler`.
    pub(crate) fn flags(&self) -> Result<Vec<String>, Failure> {
        let kind = self.kind()?;
        let mut flags = vec!["--source".to_owned(), kind.name().to_owned()];
        if let SourceKind::Prometheus { url } = kind {
            flags.extend(["--prometheus-url".to_owned(), url]);
        }
        Ok(flags)
    }
}
