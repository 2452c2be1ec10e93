//! Commands nobody: decisions are logged and shown, and others may act on them or not.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Actuator, ActuatorError, Listing, ScaleReport};

/// The actuator `none`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObserveOnly;

impl Actuator for ObserveOnly {
    fn observe(&self) -> BoxFuture<'_, Result<Listing, ActuatorError>> {
        async { Ok(Listing::default()) }.boxed()
    }

    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport> {
        let problem = Some(ActuatorError::ObservesOnly);
        let (before, after, did) = (None, None, Vec::new());
        async move { ScaleReport { before, asked, after, took: Duration::ZERO, did, problem } }.boxed()
    }

    fn acts(&self) -> bool {
        false
    }
}
