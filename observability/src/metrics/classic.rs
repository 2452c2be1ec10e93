//! Writes a family's OpenMetrics text as Prometheus' classic text, version 0.0.4.
//!
//! The samples are the same but for exemplars, which that format does not have. Comments name the family as it is
//! exposed, with `_total` and `_info`: there a family is found by its samples' names.

use prometheus_client::metrics::MetricType;

/// How the classic text calls a type.
///
/// It takes the suffixes of histograms and summaries for their parts, so another type under such a name is `untyped`
/// there, as is what OpenMetrics calls `unknown`.
fn type_name(metric_type: MetricType, name: &str) -> &'static str {
    let looks_like_a_part = ["_bucket", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix));
    match metric_type {
        MetricType::Histogram => "histogram",
        _ if looks_like_a_part => "untyped",
        MetricType::Counter => "counter",
        MetricType::Gauge | MetricType::Info => "gauge",
        MetricType::Unknown => "untyped",
    }
}

/// Appends the classic form of one family's OpenMetrics text, which has no end marker.
pub(super) fn append(text: &mut String, openmetrics: &str, name: &str, metric_type: MetricType) {
    for line in openmetrics.split_inclusive('\n') {
        let Some(comment) = line.strip_prefix("# ") else {
            text.extend([without_exemplar(line.trim_end_matches('\n')), "\n"]);
            continue;
        };
        let mut words = comment.trim_end_matches('\n').splitn(3, ' ');
        match (words.next(), words.nth(1)) {
            (Some("HELP"), help) => {
                let help = help.unwrap_or_default();
                text.extend(["# HELP ", name, " ", help, "\n"]);
            }
            (Some("TYPE"), _) => text.extend(["# TYPE ", name, " ", type_name(metric_type, name), "\n"]),
            // The classic text has no units.
            _ => {}
        }
    }
}

/// A sample up to its exemplar; the mark of one can also stand within a label's value.
fn without_exemplar(line: &str) -> &str {
    let mut in_quotes = false;
    let mut bytes = line.bytes().enumerate();
    while let Some((index, byte)) = bytes.next() {
        match byte {
            b'\\' if in_quotes => drop(bytes.next()),
            b'"' => in_quotes = !in_quotes,
            b'#' if !in_quotes => return line[..index].trim_end(),
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classic(openmetrics: &str, name: &str, metric_type: MetricType) -> String {
        let mut text = String::new();
        append(&mut text, openmetrics, name, metric_type);
        text
    }

    #[test]
    fn comments_name_the_family_as_it_is_exposed() {
        let counter = "# HELP orders Orders placed.\n# TYPE orders counter\norders_total 3\n";
        assert_eq!(
            classic(counter, "orders_total", MetricType::Counter),
            "# HELP orders_total Orders placed.\n# TYPE orders_total counter\norders_total 3\n"
        );
        let info = "# HELP build About it.\n# TYPE build info\nbuild_info{a=\"b\"} 1\n";
        assert_eq!(
            classic(info, "build_info", MetricType::Info),
            "# HELP build_info About it.\n# TYPE build_info gauge\nbuild_info{a=\"b\"} 1\n"
        );
        let with_unit = "# HELP t A time.\n# TYPE t gauge\n# UNIT t seconds\nt 1.5\n";
        assert_eq!(classic(with_unit, "t", MetricType::Gauge), "# HELP t A time.\n# TYPE t gauge\nt 1.5\n");
    }

    #[test]
    fn what_has_no_type_there_is_untyped() {
        let unknown = "# HELP arrivals Arrivals.\n# TYPE arrivals unknown\narrivals 7\n";
        assert!(classic(unknown, "arrivals", MetricType::Unknown).contains("# TYPE arrivals untyped\n"));
        let gauge = "# HELP request_count Requests.\n# TYPE request_count gauge\nrequest_count 7\n";
        assert!(
            classic(gauge, "request_count", MetricType::Gauge).contains("# TYPE request_count untyped\n")
        );
    }

    #[test]
    fn exemplars_are_left_out_and_labels_are_not() {
        for (line, expected) in [
            ("t_bucket{le=\"0.1\"} 3 # {trace_id=\"ab\"} 0.05 1700000000.1\n", "t_bucket{le=\"0.1\"} 3\n"),
            ("t_total{path=\"/a # {b}\"} 1 # {trace_id=\"ab\"} 1\n", "t_total{path=\"/a # {b}\"} 1\n"),
            ("t_total{path=\"a\\\" # b\"} 1\n", "t_total{path=\"a\\\" # b\"} 1\n"),
            ("t 1\n", "t 1\n"),
        ] {
            assert_eq!(classic(line, "t_total", MetricType::Counter), expected);
        }
    }
}
