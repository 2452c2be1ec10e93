//! Says why Prometheus tells too little: scraped too seldom, replicas that it does not know, or not any more.

use std::time::Duration;

use super::{PrometheusSource, SCRAPES_PER_WINDOW_MIN, SPACING_TOLERANCE, queries};

impl PrometheusSource {
    pub(super) fn window_problem(&self, window: Duration) -> Option<String> {
        let spacing = self.spacing_seconds?;
        let needed = SCRAPES_PER_WINDOW_MIN * spacing;
        (window.as_secs_f64() < SPACING_TOLERANCE * needed).then(|| {
            format!(
                "Prometheus scrapes the replicas each {spacing:.1} s, too seldom for the policy's window of \
                 {window:?}, expected {SCRAPES_PER_WINDOW_MIN} scrapes in it; hint: a window of at least \
                 {needed:.0} s, or a shorter scrape_interval in Prometheus' configuration"
            )
        })
    }

    /// Which replicas in rotation Prometheus does not know, or does not scrape any more.
    pub(super) fn sample_problems(&self, now: Duration) -> Vec<String> {
        let Some(answer) = &self.answer else { return Vec::new() };
        let mut problems = answer.problems.clone();
        if answer.replicas.is_empty() && !self.asked.is_empty() {
            let wanted: Vec<&str> = self.instances().collect();
            problems.push(format!(
                "{} has no samples of any replica, expected series with the label `instance` {}; hint: scrape what \
                 the gateway's GET /sd lists",
                self.prometheus.name(),
                wanted.join(" or ")
            ));
            return problems;
        }
        for endpoint in self.rotation.endpoints().iter().filter(|endpoint| endpoint.is_ready()) {
            let instance = queries::instance_of(&endpoint.url);
            let Some(asked) = self.asked.get(&endpoint.url) else { continue };
            match answer.replicas.get(instance).map(|seen| self.age(seen, now)) {
                Some(age) if self.is_silent(age) => problems.push(format!(
                    "{}'s newest sample of {instance} is {:.1} s old; hint: is the replica among the targets, and up?",
                    self.prometheus.name(),
                    age.as_secs_f64()
                )),
                // A new replica is discovered and scraped a while after the gateway has it in rotation.
                None if now.saturating_sub(asked.since) > self.wanted.window() => problems.push(format!(
                    "{} has no samples of {instance}; hint: is the replica among the targets?",
                    self.prometheus.name()
                )),
                _ => {}
            }
        }
        problems
    }
}
