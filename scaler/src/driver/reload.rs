//! Takes a policy that was read again while the loop runs.

use scaler_engine::Policy as _;
use tracing::{info, warn};

use super::Driver;
use crate::policy_file::{NamedPolicy, PolicyFileError};
use crate::service_event::ServiceEvent;
use crate::sources::Wanted;
use crate::watched_service::check_interval;

impl Driver {
    /// Follows what was read, or goes on with the policy in force and says why until the file is mended. `is_asked` tells
    /// whether somebody waits to hear of it.
    pub(super) fn set_policy(&mut self, outcome: Result<NamedPolicy, PolicyFileError>, is_asked: bool) {
        let outcome = outcome.map_err(|error| format!("{error}; hint: {}", error.hint)).and_then(|policy| {
            check_interval(self.parts.looks_each, policy.policy.window())
                .map(|()| policy)
                .map_err(|error| format!("{error}; hint: {}", error.hint()))
        });
        match outcome {
            Ok(policy) => self.follow(policy, is_asked),
            Err(problem) => {
                let problem = format!(
                    "the policy was read again and cannot be followed, the last good one stays: {problem}"
                );
                if is_asked || self.policy_problem.as_ref() != Some(&problem) {
                    warn!("{problem}");
                    let policy = self.parts.policy.name.clone();
                    self.record_event(ServiceEvent::PolicyRefused { policy });
                }
                self.policy_problem = Some(problem);
            }
        }
        self.publish();
    }

    fn follow(&mut self, policy: NamedPolicy, is_asked: bool) {
        let was_bad = self.policy_problem.take().is_some();
        if policy == self.parts.policy {
            if is_asked || was_bad {
                info!(policy = policy.name, "the policy was read again and is the one in force");
            }
            return;
        }
        let history_stays = self.parts.control.engine_mut().set_policy(policy.policy.clone());
        info!(
            policy = policy.name,
            origin = policy.origin,
            "the policy was read again and is followed from the next check on; {}{}",
            if history_stays {
                "breaches counted so far stay"
            } else {
                "it judges other measurements, so breaches are counted from 0"
            },
            if self.parts.control.engine().state().limits.is_some() {
                ", and so do the limits set by hand"
            } else {
                ""
            }
        );
        self.parts.wanted.send_replace(Wanted::of(&policy.policy));
        self.policy_from = self.parts.clock.now();
        self.record_event(ServiceEvent::PolicyChanged { policy: policy.name.clone() });
        self.parts.policy = policy;
        self.save();
    }
}
