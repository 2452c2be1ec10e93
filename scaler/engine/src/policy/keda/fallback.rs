//! Replaces a metric whose query keeps failing.

use serde::{Deserialize, Serialize};

use crate::policy::rounding::saturate_to_i64;

/// What counts while a trigger's queries fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fallback {
    /// More failures than this in a row bring the fallback in; a negative number makes it invalid.
    pub failure_threshold: i64,
    /// The count to go to; a negative number makes the fallback invalid.
    pub replicas: i64,
    /// How the present count is taken into account.
    #[serde(default)]
    pub behavior: FallbackBehavior,
}

impl Fallback {
    /// Whether the numbers make sense; an invalid fallback is treated as none.
    ///
    /// Source: `pkg/fallback/fallback.go`, `HasValidFallback`.
    pub const fn is_valid(&self) -> bool {
        self.failure_threshold >= 0 && self.replicas >= 0
    }
}

/// How a fallback takes the present count into account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FallbackBehavior {
    /// Not at all.
    #[default]
    Static,
    /// The present count holds.
    CurrentReplicas,
    /// The higher of both holds.
    CurrentReplicasIfHigher,
    /// The lower of both holds.
    CurrentReplicasIfLower,
}

/// The target of the metric that is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackTarget {
    /// A mean per pod.
    AverageValue {
        /// Thousandths.
        milli: i64,
    },
    /// The metric itself.
    Value {
        /// Thousandths.
        milli: i64,
    },
}

/// One query of a metric. Queries of the autoscaler and of the polling loop both pass here and both count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The value in thousandths; none if the query failed.
    pub value_milli: Option<i64>,
    /// The target of the metric.
    pub target: FallbackTarget,
    /// The present count; none if it is not known.
    pub current_replicas: Option<u32>,
    /// The pods that are Running and Ready; none if that is not known.
    pub ready_pods: Option<u32>,
}

/// The metric that the autoscaler gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The value in thousandths.
    pub metric_milli: i64,
    /// Whether it is the fallback's.
    pub fallback_active: bool,
}

/// Why the autoscaler gets an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FallbackError {
    /// The query failed, and there is no fallback or it does not stand in yet.
    #[error("the query failed")]
    QueryFailed,
    /// The fallback should stand in, but its value cannot be computed.
    #[error(
        "the fallback cannot be computed: the present count or the ready pods are not known, or there are none"
    )]
    FallbackFailed,
}

/// Answers one query and counts failures. A success sets the count to 0; without a valid fallback it stays as it is.
///
/// # Errors
/// If the query failed and the fallback does not stand in, or cannot.
///
/// Source: `pkg/fallback/fallback.go`, `GetMetricsWithFallback`.
pub fn answer_query(
    fallback: Option<&Fallback>,
    failures: &mut u32,
    query: &Query,
) -> Result<Answered, FallbackError> {
    let fallback = fallback.filter(|fallback| fallback.is_valid());
    if let Some(metric_milli) = query.value_milli {
        if fallback.is_some() {
            *failures = 0;
        }
        return Ok(Answered { metric_milli, fallback_active: false });
    }
    let fallback = fallback.ok_or(FallbackError::QueryFailed)?;
    *failures = failures.saturating_add(1);
    if i64::from(*failures) <= fallback.failure_threshold {
        return Err(FallbackError::QueryFailed);
    }
    let metric_milli = fallback_milli(fallback, query).ok_or(FallbackError::FallbackFailed)?;
    Ok(Answered { metric_milli, fallback_active: true })
}

/// The value that makes the autoscaler come to the fallback's count; truncated to thousandths.
///
/// Source: `pkg/fallback/fallback.go`, `doFallback`.
fn fallback_milli(fallback: &Fallback, query: &Query) -> Option<i64> {
    let current = query.current_replicas.map(i64::from);
    let replicas = match fallback.behavior {
        FallbackBehavior::Static => fallback.replicas,
        FallbackBehavior::CurrentReplicas => current?,
        FallbackBehavior::CurrentReplicasIfHigher => current?.max(fallback.replicas),
        FallbackBehavior::CurrentReplicasIfLower => current?.min(fallback.replicas),
    };
    let times = |milli: i64| i128::from(milli) * i128::from(replicas);
    Some(saturate_to_i64(match query.target {
        FallbackTarget::AverageValue { milli } => times(milli),
        // The autoscaler multiplies the ratio by the ready pods.
        FallbackTarget::Value { milli } => times(milli).checked_div(i128::from(query.ready_pods?))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fallback(behavior: FallbackBehavior) -> Fallback {
        Fallback { failure_threshold: 3, replicas: 10, behavior }
    }

    fn failed(current_replicas: Option<u32>) -> Query {
        let target = FallbackTarget::AverageValue { milli: 10_000 };
        Query { value_milli: None, target, current_replicas, ready_pods: None }
    }

    fn metric(behavior: FallbackBehavior, current: u32) -> i64 {
        answer_query(Some(&fallback(behavior)), &mut 3, &failed(Some(current))).unwrap().metric_milli
    }

    #[test]
    fn as_many_failures_as_the_threshold_are_passed_on() {
        let fallback = fallback(FallbackBehavior::Static);
        let mut failures = 2;
        assert_eq!(
            answer_query(Some(&fallback), &mut failures, &failed(None)),
            Err(FallbackError::QueryFailed)
        );
        assert_eq!(failures, 3);
        assert!(answer_query(Some(&fallback), &mut failures, &failed(None)).unwrap().fallback_active);
        let ok = Query { value_milli: Some(7), ..failed(None) };
        assert_eq!(answer_query(Some(&fallback), &mut failures, &ok).unwrap().metric_milli, 7);
        assert_eq!(failures, 0);
    }

    #[test]
    fn the_present_count_is_taken_as_the_behavior_says() {
        assert_eq!(metric(FallbackBehavior::CurrentReplicas, 4), 40_000);
        assert_eq!(metric(FallbackBehavior::CurrentReplicasIfHigher, 4), 100_000);
        assert_eq!(metric(FallbackBehavior::CurrentReplicasIfHigher, 12), 120_000);
        assert_eq!(metric(FallbackBehavior::CurrentReplicasIfLower, 4), 40_000);
        assert_eq!(metric(FallbackBehavior::CurrentReplicasIfLower, 12), 100_000);
    }

    #[test]
    fn an_unknown_count_fails_the_fallback_but_not_the_counting() {
        let fallback = fallback(FallbackBehavior::CurrentReplicas);
        let mut failures = 3;
        assert_eq!(
            answer_query(Some(&fallback), &mut failures, &failed(None)),
            Err(FallbackError::FallbackFailed)
        );
        assert_eq!(failures, 4);
    }

    #[test]
    fn an_invalid_fallback_is_none() {
        for invalid in [
            Fallback { failure_threshold: -1, ..fallback(FallbackBehavior::Static) },
            Fallback { replicas: -1, ..fallback(FallbackBehavior::Static) },
        ] {
            let mut failures = 9;
            let answer = answer_query(Some(&invalid), &mut failures, &failed(Some(1)));
            assert_eq!((answer, failures), (Err(FallbackError::QueryFailed), 9));
        }
    }

    #[test]
    fn hostile_numbers_saturate() {
        let huge = Fallback { replicas: i64::MAX, ..fallback(FallbackBehavior::Static) };
        let mut failures = u32::MAX;
        assert_eq!(answer_query(Some(&huge), &mut failures, &failed(None)).unwrap().metric_milli, i64::MAX);
        assert_eq!(failures, u32::MAX);
    }
}
