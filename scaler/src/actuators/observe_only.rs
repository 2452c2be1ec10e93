//! Commands nobody: decisions are logged and shown, and others may act on them or not.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Actuator, ActuatorError, ReplicaEntry, ScaleReport};

/// The actuator `none`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObserveOnly;

impl Actuator for ObserveOnly {
    fn observe(&self) -> BoxFuture<'_, Result<Option<Vec<ReplicaEntry>>, ActuatorError>> {
        async { Ok(None) }.boxed()
    }

    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport> {
        let problem = Some(ActuatorError::ObservesOnly);
        async move { ScaleReport { before: None, asked, after: None, took: Duration::ZERO, problem } }.boxed()
    }

    fn acts(&self) -> bool {
        false
    }
}
