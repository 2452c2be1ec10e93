//! What a reader must know of a result to read its numbers right.

use loadgen_baseline::{FailureKind, Threshold};

use super::LoadResult;

/// From this share of errors on a result without a threshold for them is not left without a word.
const ALARMING_SHARE: f64 = 0.5;

impl LoadResult {
    /// The share of errors as a sum, and whether it alarms.
    pub fn verdict_line(&self) -> String {
        let word = if self.is_alarming() { "FAILED: " } else { "" };
        format!("{word}errors {}", self.error_sum)
    }

    /// That half of the requests or more were errors and no threshold says whether that is right; none where that is not
    /// so.
    pub fn unnoticed_errors(&self) -> Option<String> {
        let is_judged =
            self.thresholds.iter().any(|verdict| matches!(verdict.threshold, Threshold::Errors { .. }));
        (self.is_alarming() && !is_judged).then(|| {
            format!(
                "WARNING: errors {}, and no threshold was set for them, so the exit status does not tell; \
                 hint: --threshold errors=1%",
                self.error_sum
            )
        })
    }

    fn is_alarming(&self) -> bool {
        self.error_sum.share().is_some_and(|share| share >= ALARMING_SHARE)
    }

    /// What a reader must know of the numbers, a sentence each.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        remarks.extend(self.unnoticed_errors());
        remarks.extend(self.gave_up.clone());
        if self.interrupted {
            remarks.push("stopped before its time was over".to_owned());
        }
        if !self.ramped_up {
            remarks.push("not all users had started: these are numbers of the ramp-up".to_owned());
        }
        for reason in &self.generator.spoiled_by {
            remarks.push(format!("SPOILED: the generator was the limit, not the service: {reason}"));
        }
        remarks.extend(self.generator.notes.iter().cloned());
        if self.arrivals.is_some() {
            remarks.push(
                "response times count from the intended start; what timed out, was never sent or never answered is in \
                 them with the time it waited"
                    .to_owned(),
            );
        } else if self.unanswered > 0 || self.errors.contains_key(&FailureKind::TimedOut.to_string()) {
            remarks.push(
                "what timed out or was never answered is in the response times with the time it waited"
                    .to_owned(),
            );
        }
        if self.unsent > 0 {
            remarks.push(format!("{} requests were due and never sent", self.unsent));
        }
        if self.unanswered > 0 {
            remarks.push(format!("{} requests were still unanswered at the end", self.unanswered));
        }
        if self.late > 0 {
            let rates = if self.arrivals.is_some() { "" } else { ", but in no rate" };
            remarks.push(format!(
                "{} requests ended after the measured time: they count{rates}, and are not in the charts over time",
                self.late
            ));
        }
        if self.repeated > 0 {
            remarks.push(format!(
                "{} requests were sent a second time, because the service had closed the connection that was reused",
                self.repeated
            ));
        }
        if self.refusals > 0 {
            remarks.push(
                "refused: 503 with Retry-After; refusals and requests whose connection failed have no response time"
                    .to_owned(),
            );
        }
        remarks
    }
}
