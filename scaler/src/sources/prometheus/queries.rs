//! Writes the three PromQL queries of a look; each answers for every replica, by its `instance`.
//!
//! `increase()` does not count what a series showed at its first sample, so a replica counts from its first scrape, as
//! for the source `scrape`. That its process says when it started is no help: that is a moment of its own clock.

use std::fmt::Write;
use std::time::Duration;

use observability::names;

/// The shortest distance at which the time of a first sample is looked for.
const STEP_MIN: Duration = Duration::from_millis(500);

/// How many scrape intervals `increase()` extrapolates to the window's edge (Prometheus' `extrapolatedRate`).
pub(super) const NEAR: f64 = 1.1;

/// The label by which a query's answers are told apart.
pub(super) const FIGURE: &str = "figure";

// What `Queries::state` answers.
pub(super) const FIRST_SAMPLE: &str = "first_sample";
pub(super) const LAST_SAMPLE: &str = "last_sample";
pub(super) const SAMPLES: &str = "samples";
pub(super) const JOBS: &str = "jobs";
pub(super) const STARTED_AT: &str = "started_at";
pub(super) const WORKERS: &str = "workers";
pub(super) const QUEUE_DEPTH: &str = "queue_depth";
/// By how much the queue's depth rose in the window.
pub(super) const QUEUE_GROWTH: &str = "queue_growth";
pub(super) const MEMORY_BYTES: &str = "memory_bytes";
pub(super) const LOAD_FACTOR: &str = "load_factor";
/// Jobs completed since its start.
pub(super) const COMPLETED: &str = "completed";
/// Jobs waiting or being worked on at the newest sample.
pub(super) const UNFINISHED: &str = "unfinished";

// What `Queries::counters` answers: growth in the window.
pub(super) const DURATION_SUM: &str = "duration_sum";
pub(super) const DURATION_COUNT: &str = "duration_count";
pub(super) const ARRIVED: &str = "arrived";
pub(super) const REFUSED: &str = "refused";
pub(super) const ERRORS: &str = "errors";
pub(super) const DEPENDENCY_WAIT_SUM: &str = "dependency_wait_sum";
pub(super) const DEPENDENCY_WAIT_COUNT: &str = "dependency_wait_count";
pub(super) const BUSY_SECONDS: &str = "busy_seconds";
pub(super) const CPU_SECONDS: &str = "cpu_seconds";

/// The queries of one look.
#[derive(Clone, Debug)]
pub(super) struct Queries {
    /// Times of samples and gauges, by `instance` and [`FIGURE`].
    pub(super) state: String,
    /// What counters grew by, by `instance` and [`FIGURE`].
    pub(super) counters: String,
    /// What the response times' cumulative buckets grew by, by `instance` and `le`.
    pub(super) buckets: String,
}

/// What Prometheus calls an endpoint with this URL, when it is scraped as the gateway's `/sd` lists it.
pub(super) fn instance_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

impl Queries {
    /// The queries about these instances.
    pub(super) fn about<'a>(instances: impl Iterator<Item = &'a str>, window: Duration) -> Self {
        let scope = Scope { replicas: instances_pattern(instances), window };
        let (grown_sum, grown_count) = (
            format!("{}_sum", names::WEBAPP_REQUEST_DURATION_SECONDS),
            format!("{}_count", names::WEBAPP_REQUEST_DURATION_SECONDS),
        );
        let (wait_sum, wait_count) = (
            format!("{}_sum", names::WEBAPP_DEPENDENCY_WAIT_SECONDS),
            format!("{}_count", names::WEBAPP_DEPENDENCY_WAIT_SECONDS),
        );
        let counters = [
            (DURATION_SUM, grown_sum.as_str()),
            (DURATION_COUNT, &grown_count),
            (ARRIVED, names::WEBAPP_TOTAL_REQUESTS),
            (REFUSED, names::WEBAPP_REFUSED_TOTAL),
            (ERRORS, names::WEBAPP_ERRORS_TOTAL),
            (DEPENDENCY_WAIT_SUM, &wait_sum),
            (DEPENDENCY_WAIT_COUNT, &wait_count),
            (BUSY_SECONDS, names::WEBAPP_WORKERS_BUSY_SECONDS_TOTAL),
            (CPU_SECONDS, names::PROCESS_CPU_SECONDS_TOTAL),
        ];
        let bucket = format!("{}_bucket", names::WEBAPP_REQUEST_DURATION_SECONDS);
        Self {
            state: together(&scope.state()),
            counters: together(&counters.map(|(figure, name)| (figure, scope.grown(name, "instance")))),
            buckets: scope.grown(&bucket, "instance, le"),
        }
    }
}

/// The label matcher of these instances.
pub(super) fn instances_pattern<'a>(instances: impl Iterator<Item = &'a str>) -> String {
    let any: Vec<String> = instances.map(quoted_pattern).collect();
    format!("instance=~\"{}\"", any.join("|"))
}

/// What all expressions of a look have in common.
struct Scope {
    /// The label matcher.
    replicas: String,
    window: Duration,
}

impl Scope {
    fn series(&self, name: &str) -> String {
        format!("{name}{{{}}}", self.replicas)
    }

    fn within(&self, name: &str) -> String {
        format!("{}[{}ms]", self.series(name), self.window.as_millis())
    }

    fn state(&self) -> [(&'static str, String); 12] {
        // Every scrape of a webapp has this one, once.
        let workers = self.series(names::WEBAPP_WORKERS);
        let step = (self.window / 60).max(STEP_MIN);
        let times = format!("timestamp({workers})[{}ms:{}ms]", self.window.as_millis(), step.as_millis());
        let now = |name: &str| format!("sum by (instance) ({})", self.series(name));
        let (waiting, busy) = (now(names::WEBAPP_QUEUE_DEPTH), now(names::WEBAPP_WORKERS_BUSY));
        let completed = format!("{}_count", names::WEBAPP_REQUEST_DURATION_SECONDS);
        let mean = |name| format!("sum by (instance) (avg_over_time({}))", self.within(name));
        [
            (FIRST_SAMPLE, format!("min by (instance) (min_over_time({times}))")),
            (
                LAST_SAMPLE,
                format!(
                    "(max by (instance) (timestamp({workers})) or max by (instance) (max_over_time({times})))"
                ),
            ),
            (SAMPLES, format!("max by (instance) (count_over_time({}))", self.within(names::WEBAPP_WORKERS))),
            (JOBS, format!("count by (instance) ({workers})")),
            (STARTED_AT, self.started_at()),
            (COMPLETED, now(&completed)),
            (UNFINISHED, format!("({waiting} + {busy} or {waiting})")),
            (WORKERS, mean(names::WEBAPP_WORKERS)),
            (QUEUE_DEPTH, mean(names::WEBAPP_QUEUE_DEPTH)),
            (QUEUE_GROWTH, format!("sum by (instance) (delta({}))", self.within(names::WEBAPP_QUEUE_DEPTH))),
            (MEMORY_BYTES, mean(names::PROCESS_RESIDENT_MEMORY_BYTES)),
            (LOAD_FACTOR, format!("max by (instance) ({})", self.series(names::WEBAPP_LOAD_FACTOR))),
        ]
    }

    fn started_at(&self) -> String {
        format!("max by (instance) (last_over_time({}))", self.within(names::PROCESS_START_TIME_SECONDS))
    }

    fn grown(&self, name: &str, by: &str) -> String {
        format!("sum by ({by}) (increase({}))", self.within(name))
    }
}

/// Several expressions by `instance` as one, told apart by [`FIGURE`].
pub(super) fn together(parts: &[(&str, String)]) -> String {
    let mut query = String::new();
    for (index, (figure, expression)) in parts.iter().enumerate() {
        let or = if index == 0 { "" } else { " or " };
        write!(query, "{or}label_replace({expression}, \"{FIGURE}\", \"{figure}\", \"\", \"\")")
            .expect("writing to a string does not fail");
    }
    query
}

/// A pattern that only `text` matches, for use within double quotes.
fn quoted_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            // The first of the two is for the string, the second for the pattern; a quotation mark would end the string.
            '"' => pattern.push_str("\\\""),
            _ if character.is_ascii_punctuation() && !matches!(character, ':' | '-' | '_') => {
                pattern.push_str("\\\\");
                if character == '\\' {
                    pattern.push('\\');
                }
                pattern.push(character);
            }
            _ => pattern.push(character),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_known_by_host_and_port() {
        for (url, instance) in [
            ("http://127.0.0.1:4000", "127.0.0.1:4000"),
            ("http://webapp-2:8000/", "webapp-2:8000"),
            ("http://[::1]:80/path", "[::1]:80"),
        ] {
            assert_eq!(instance_of(url), instance);
        }
    }

    #[test]
    fn nothing_in_a_name_is_a_pattern_or_ends_the_string() {
        assert_eq!(quoted_pattern("127.0.0.1:4000"), r"127\\.0\\.0\\.1:4000");
        assert_eq!(quoted_pattern("[::1]:80"), r"\\[::1\\]:80");
        assert_eq!(quoted_pattern(r#"a"|\"#), r#"a\"\\|\\\\"#);
    }

    #[test]
    fn a_query_names_every_replica_and_the_window() {
        let instances = ["a:1", "b:2"];
        let queries = Queries::about(instances.into_iter(), Duration::from_millis(7500));
        for query in [&queries.state, &queries.counters, &queries.buckets] {
            assert!(query.contains("{instance=~\"a:1|b:2\"}[7500ms]"), "{query}");
            assert_eq!(query.matches('(').count(), query.matches(')').count(), "{query}");
        }
    }
}
