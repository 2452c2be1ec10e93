//! What a reader must know of a result to read its numbers right.

use super::LoadResult;

impl LoadResult {
    /// What a reader must know of the numbers, a sentence each.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
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
        }
        if self.unsent > 0 {
            remarks.push(format!("{} requests were due and never sent", self.unsent));
        }
        if self.unanswered > 0 {
            remarks.push(format!("{} requests were still unanswered at the end", self.unanswered));
        }
        if self.refusals > 0 {
            remarks.push(
                "refused: 503 with Retry-After; refusals and requests without an answer have no response time"
                    .to_owned(),
            );
        }
        remarks
    }
}
