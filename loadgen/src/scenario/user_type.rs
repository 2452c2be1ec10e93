//! A kind of user: how long it pauses, and what it does how often, each user in an order of its own.

use std::time::Duration;

use goose::goose::GooseMethod;
use rand::{Rng, RngExt};
use serde_json::Value;
use workload::Stream;

/// Makes the JSON body of one request; the number tells users apart and counts from 1.
pub(crate) type MakeBody = fn(&mut Stream, u64) -> Value;

/// One thing that a user does: one request.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    /// How often it is done, relative to the others.
    weight: u32,
    /// The HTTP method.
    pub(crate) method: GooseMethod,
    /// The path, which also names the request in results; it must not vary, or results grow without bound.
    pub(crate) path: String,
    make_body: Option<MakeBody>,
}

impl Action {
    /// Reads `path`, `weight` times as often as an action of weight 1.
    pub(crate) fn get(weight: u32, path: &str) -> Self {
        Self { weight, method: GooseMethod::Get, path: path.to_owned(), make_body: None }
    }

    /// Sends JSON to `path`, `weight` times as often as an action of weight 1.
    pub(crate) fn post(weight: u32, path: &str, make_body: MakeBody) -> Self {
        Self { weight, method: GooseMethod::Post, path: path.to_owned(), make_body: Some(make_body) }
    }

    /// The request's name in results, such as `POST /order`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What to send, or nothing.
    pub(crate) fn body(&self, stream: &mut Stream, user_number: u64) -> Option<Value> {
        self.make_body.map(|make_body| make_body(stream, user_number))
    }
}

/// A kind of user.
#[derive(Clone, Debug)]
pub(crate) struct UserType {
    /// The name in Goose's reports.
    pub(crate) name: &'static str,
    /// The shortest pause between two actions.
    pub(crate) pause_min: Duration,
    /// The longest pause between two actions.
    pub(crate) pause_max: Duration,
    /// What it does; never empty, and no weight is 0.
    pub(crate) actions: Vec<Action>,
}

impl UserType {
    /// Chooses the next action by weight.
    ///
    /// Goose would draw one order of actions for the whole run, and all users would go through it in step.
    pub(crate) fn choose<R: Rng + ?Sized>(&self, stream: &mut R) -> &Action {
        let total: u32 = self.actions.iter().map(|action| action.weight).sum();
        let mut left = stream.random_range(0..total);
        self.actions
            .iter()
            .find(|action| {
                let chosen = left < action.weight;
                left = left.saturating_sub(action.weight);
                chosen
            })
            .expect("a number below the sum of the weights falls to one of them")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use workload::Streams;

    use crate::scenario::Scenario;

    /// What user `number` of a run with `seed` does first.
    fn first_actions(seed: u64, number: u64) -> Vec<String> {
        let user_type = &Scenario::ApiUser.user_types()[0];
        let mut stream = Streams::from_seed(seed).stream(&format!("user-{number}"));
        (0..40).map(|_| user_type.choose(&mut stream).name()).collect()
    }

    #[test]
    fn actions_come_about_as_often_as_their_weights_say() {
        let mut stream = Streams::from_seed(1).stream("user-1");
        let user_type = &Scenario::ApiUser.user_types()[0];
        let mut counts = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(user_type.choose(&mut stream).name()).or_insert(0) += 1;
        }
        // Weights 3:1; the standard deviation of either count is 43.
        assert!((7_300..=7_700).contains(&counts["GET /api/dashboard"]), "{counts:?}");
        assert_eq!(counts["GET /api/dashboard"] + counts["POST /api/events"], 10_000);
    }

    #[test]
    fn each_user_has_an_order_of_its_own_which_the_seed_repeats() {
        assert_eq!(first_actions(1, 1), first_actions(1, 1));
        assert_ne!(first_actions(1, 1), first_actions(1, 2), "users would march in step");
        assert_ne!(first_actions(1, 1), first_actions(2, 1), "the seed would change nothing");
    }
}
