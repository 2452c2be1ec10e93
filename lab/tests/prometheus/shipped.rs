//! The configuration that is shipped for `lab up`, with the addresses of this run.

use crate::expressions::observability;
use crate::running_load::RunningLoad;
use crate::running_prometheus::RunningPrometheus;
use crate::support::Up;

/// Has Prometheus watch this loop with everything that runs beside it, by the shipped rules.
pub(crate) fn watch(prometheus: &RunningPrometheus, up: &Up, load: &RunningLoad) {
    let template = observability().join("prometheus/prometheus.lab-up.yml");
    let mut configuration = std::fs::read_to_string(template).expect("the configuration is there");
    let rules = observability().canonicalize().expect("the folder is there").join("prometheus/rules");
    for (from, to) in [
        ("127.0.0.1:8001", without_scheme(&up.admin)),
        ("127.0.0.1:8080", without_scheme(&up.scaler)),
        ("127.0.0.1:8002", without_scheme(up.dependency.as_deref().expect("the loop has a dependency"))),
        ("127.0.0.1:9646", load.metrics.as_str()),
        ("127.0.0.1:9090", without_scheme(&prometheus.url)),
        ("- rules/", &format!("- {}/", rules.display())),
    ] {
        assert!(configuration.contains(from), "the configuration has no `{from}`");
        configuration = configuration.replace(from, to);
    }
    prometheus.configure(&configuration);
}

fn without_scheme(url: &str) -> &str {
    url.trim_start_matches("http://")
}
