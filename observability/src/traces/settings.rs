//! Finds out from flags and OpenTelemetry's environment variables whether to trace, and whereto; refuses what
//! cannot be before anything starts.
//!
//! The SDK reads most variables itself; here are those that it does not know (`OTEL_SDK_DISABLED`,
//! `OTEL_TRACES_EXPORTER`) and those whose mistakes it would take silently.

use std::time::Duration;

use http::Uri;

/// Where OTLP/HTTP has its traces, behind a collector's base URL.
const TRACES_PATH: &str = "/v1/traces";

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const TRACES_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const DISABLED: &str = "OTEL_SDK_DISABLED";
const SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
const TRACES_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT";

/// How long a collector may take where nothing else is said: OpenTelemetry's default (OTLP exporter specification).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Most traces per second that a process begins for its users, unless it is told otherwise: one's own requests are
/// always among them, a load test's mostly not.
pub const DEFAULT_TRACES_PER_SECOND: f64 = 10.0;

/// Highest rate that can be asked for; traces per second.
const MAX_TRACES_PER_SECOND: f64 = 1_000_000.0;

/// What a process says about its traces.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// `service.name` where `OTEL_SERVICE_NAME` says nothing: the same for all replicas of a service.
    pub service: String,
    /// `service.instance.id`: this process among the replicas of its service.
    pub instance: String,
    /// Base URL of a collector, which beats the environment. Default: what the environment says, else no tracing.
    pub endpoint: Option<String>,
    /// Most traces per second that begin here for users, 0 to 1,000,000. Default
    /// [`DEFAULT_TRACES_PER_SECOND`].
    pub traces_per_second: f64,
}

/// Why traces cannot be sent as asked.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The endpoint is no URL of a collector.
    #[error(
        "`{value}` from {source_name} is no OTLP endpoint: {problem}; \
         hint: a collector's base URL such as http://127.0.0.1:4318"
    )]
    Endpoint {
        /// The flag or variable.
        source_name: &'static str,
        /// What was given.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Another protocol was asked for.
    #[error(
        "{variable} is `{value}`, expected `http/protobuf`; \
         hint: collectors take it on port 4318, gRPC on 4317 is not built in"
    )]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// What was given.
        value: String,
    },
    /// The sampler is none of OpenTelemetry's.
    #[error(
        "{SAMPLER} is `{value}`, expected always_on, always_off, traceidratio, parentbased_always_on, \
         parentbased_always_off or parentbased_traceidratio; hint: leave it away for the lab's own sampling"
    )]
    Sampler {
        /// What was given.
        value: String,
    },
    /// The sampler's argument is no share.
    #[error("{SAMPLER_ARGUMENT} is `{value}`, expected a fraction from 0 to 1; hint: 0.1 traces one in ten")]
    SamplerArgument {
        /// What was given.
        value: String,
    },
    /// The time that a collector may take is no time.
    #[error("{variable} is `{value}`, expected milliseconds, at least 1; hint: 10000 is the default")]
    Timeout {
        /// The variable.
        variable: &'static str,
        /// What was given.
        value: String,
    },
    /// The rate is no rate.
    #[error("--trace-rate is {value}, expected 0 to 1000000 traces per second; hint: 10 is the default")]
    Rate {
        /// What was given.
        value: f64,
    },
    /// The exporter could not be built.
    #[error("traces cannot be exported: {0}; hint: look at the OTEL_EXPORTER_OTLP_… variables")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// There is no client for HTTP.
    #[error("traces cannot be exported: {0}; hint: an https:// endpoint needs the system's certificates")]
    Client(#[from] reqwest::Error),
}

/// What to do, once flags and environment have been read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    /// The full URL that spans are posted to.
    pub(super) endpoint: String,
    pub(super) service: String,
    pub(super) instance: String,
    pub(super) traces_per_second: f64,
    /// Whether `OTEL_TRACES_SAMPLER` takes the place of the lab's own sampling.
    pub(super) standard_sampler: bool,
    /// Whether `OTEL_BSP_SCHEDULE_DELAY` says how long spans wait for others.
    pub(super) standard_delay: bool,
    /// How long the collector may take for what it is sent at once.
    pub(super) timeout: Duration,
}

impl TraceSettings {
    /// Checks flags and environment without starting anything.
    ///
    /// # Errors
    /// [`TraceError`] for what cannot be.
    pub fn check(&self) -> Result<(), TraceError> {
        self.plan(|name| std::env::var(name).ok()).map(|_| ())
    }

    /// What to do with this environment; nothing if nobody asked for traces.
    pub(super) fn plan(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Plan>, TraceError> {
        // OpenTelemetry takes an empty variable for one that is not set.
        let variable = |name: &'static str| lookup(name).filter(|value| !value.trim().is_empty());
        let rate = self.traces_per_second;
        if !(0.0..=MAX_TRACES_PER_SECOND).contains(&rate) {
            return Err(TraceError::Rate { value: rate });
        }
        // Off is off, whatever else is set.
        if variable(DISABLED).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
            || variable(EXPORTER).is_some_and(|value| value.trim() == "none")
        {
            return Ok(None);
        }
        let endpoint = if let Some(base) = &self.endpoint {
            Some(with_traces_path("--otlp-endpoint", base)?)
        } else if let Some(full) = variable(TRACES_ENDPOINT) {
            check_url(TRACES_ENDPOINT, &full)?;
            Some(full)
        } else if let Some(base) = variable(ENDPOINT) {
            Some(with_traces_path(ENDPOINT, &base)?)
        } else {
            None
        };
        let Some(endpoint) = endpoint else { return Ok(None) };
        if let Some((name, value)) =
            [TRACES_PROTOCOL, PROTOCOL].into_iter().find_map(|name| variable(name).map(|value| (name, value)))
            && value != "http/protobuf"
        {
            return Err(TraceError::Protocol { variable: name, value });
        }
        let sampler = variable(SAMPLER);
        if let Some(value) = &sampler {
            check_sampler(value, variable(SAMPLER_ARGUMENT))?;
        }
        let timeout = [TRACES_TIMEOUT, TIMEOUT]
            .into_iter()
            .find_map(|name| variable(name).map(|value| timeout(name, value)))
            .transpose()?
            .unwrap_or(DEFAULT_TIMEOUT);
        Ok(Some(Plan {
            endpoint,
            service: variable(SERVICE_NAME).unwrap_or_else(|| self.service.clone()),
            instance: self.instance.clone(),
            traces_per_second: rate,
            standard_sampler: sampler.is_some(),
            standard_delay: variable(SCHEDULE_DELAY).is_some(),
            timeout,
        }))
    }
}

/// A base URL with the path of traces behind it, unless it is there already.
fn with_traces_path(source_name: &'static str, base: &str) -> Result<String, TraceError> {
    check_url(source_name, base)?;
    let base = base.trim_end_matches('/');
    Ok(if base.ends_with(TRACES_PATH) { base.to_owned() } else { format!("{base}{TRACES_PATH}") })
}

fn check_url(source_name: &'static str, value: &str) -> Result<(), TraceError> {
    let refuse =
        |problem: String| Err(TraceError::Endpoint { source_name, value: value.to_owned(), problem });
    match value.parse::<Uri>() {
        Err(error) => refuse(error.to_string()),
        Ok(uri) if !matches!(uri.scheme_str(), Some("http" | "https")) => {
            refuse("it must begin with http:// or https://".to_owned())
        }
        Ok(uri) if uri.host().is_none_or(str::is_empty) => refuse("the host is missing".to_owned()),
        Ok(uri) if uri.query().is_some() => refuse("it has a query".to_owned()),
        Ok(_) => Ok(()),
    }
}

fn timeout(variable: &'static str, value: String) -> Result<Duration, TraceError> {
    match value.trim().parse() {
        Ok(milliseconds) if milliseconds > 0 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(TraceError::Timeout { variable, value }),
    }
}

fn check_sampler(name: &str, argument: Option<String>) -> Result<(), TraceError> {
    match name {
        "always_on" | "always_off" | "parentbased_always_on" | "parentbased_always_off" => Ok(()),
        "traceidratio" | "parentbased_traceidratio" => match argument {
            Some(value) if !value.parse().is_ok_and(|share| (0.0..=1.0).contains(&share)) => {
                Err(TraceError::SamplerArgument { value })
            }
            _ => Ok(()),
        },
        _ => Err(TraceError::Sampler { value: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Plan, TraceError, TraceSettings};

    fn plan(endpoint: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<Plan>, TraceError> {
        let settings = TraceSettings {
            service: "webapp".to_owned(),
            instance: "webapp-1".to_owned(),
            endpoint: endpoint.map(str::to_owned),
            traces_per_second: 10.0,
        };
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name);
        settings.plan(|name| value(name).map(|(_, value)| (*value).to_owned()))
    }

    fn endpoint(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
        plan(flag, variables).expect("valid").map(|plan| plan.endpoint)
    }

    #[test]
    fn there_are_no_traces_unless_somebody_asks_for_them() {
        assert_eq!(endpoint(None, &[]), None);
        assert_eq!(endpoint(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), None);
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert!(endpoint(None, &[asked]).is_some());
        for off in [("OTEL_SDK_DISABLED", "True"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(endpoint(Some("http://collector:4318"), &[asked, off]), None, "{off:?}");
        }
        for not_off in [("OTEL_SDK_DISABLED", "false"), ("OTEL_TRACES_EXPORTER", "otlp")] {
            assert!(endpoint(None, &[asked, not_off]).is_some(), "{not_off:?}");
        }
    }

    #[test]
    fn a_base_url_gets_the_path_and_a_full_one_stays() {
        let traces = Some("http://collector:4318/v1/traces".to_owned());
        for base in ["http://collector:4318", "http://collector:4318/", "http://collector:4318/v1/traces"] {
            assert_eq!(endpoint(Some(base), &[]), traces);
            assert_eq!(endpoint(None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", base)]), traces);
        }
        let full = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://other:1/custom");
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert_eq!(endpoint(None, &[full, base]), Some(full.1.to_owned()), "the more specific one wins");
        assert_eq!(endpoint(Some(base.1), &[full]), traces, "the flag beats both");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for url in ["", "collector:4318", "ftp://collector", "http://", "http://a b", "http://a/?x=1"] {
            let error = plan(Some(url), &[]).unwrap_err().to_string();
            assert!(error.contains("--otlp-endpoint") && error.contains("hint"), "`{url}`: {error}");
        }
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        for wrong in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
        ] {
            let error = plan(None, &[asked, wrong]).unwrap_err().to_string();
            assert!(error.contains(wrong.0) && error.contains(wrong.1), "{error}");
        }
        let ratio = ("OTEL_TRACES_SAMPLER", "traceidratio");
        assert!(plan(None, &[asked, ratio, ("OTEL_TRACES_SAMPLER_ARG", "1.5")]).is_err());
        assert!(plan(None, &[asked, ratio, ("OTEL_TRACES_SAMPLER_ARG", "0.5")]).unwrap().is_some());
        assert!(plan(None, &[ratio, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).is_ok(), "nobody asked");
    }

    #[test]
    fn a_collector_has_ten_seconds_unless_the_environment_says_otherwise() {
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let timeout = |variables: &[(&str, &str)]| {
            let plan = plan(None, &[&[asked], variables].concat()).expect("valid");
            plan.expect("asked for").timeout.as_millis()
        };
        let (all, traces) =
            (("OTEL_EXPORTER_OTLP_TIMEOUT", "500"), ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700"));
        assert_eq!((timeout(&[]), timeout(&[all]), timeout(&[all, traces])), (10_000, 500, 700));
    }

    #[test]
    fn the_environment_names_the_service_and_replaces_the_sampling() {
        let asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let own = plan(None, &[asked]).unwrap().unwrap();
        assert_eq!((own.service.as_str(), own.standard_sampler), ("webapp", false));
        let sampler = ("OTEL_TRACES_SAMPLER", "always_on");
        let theirs = plan(None, &[asked, sampler, ("OTEL_SERVICE_NAME", "shop")]).unwrap().unwrap();
        assert_eq!((theirs.service.as_str(), theirs.standard_sampler), ("shop", true));
    }
}
