//! Finds the service that a request means: the one in its path, or the first.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::StatusCode;
use axum::http::request::Parts;
use observability::http::error::ErrorReply;
use tokio::sync::oneshot;

use super::{ApiState, ServiceApi, stopping};
use crate::driver::command::Command;

/// A request's service, and what all handlers share.
#[derive(Clone, Debug)]
pub(super) struct OfService {
    pub(super) service: ServiceApi,
    pub(super) shared: ApiState,
}

impl FromRequestParts<ApiState> for OfService {
    type Rejection = ErrorReply;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ErrorReply> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|rejection| {
            ErrorReply::bad_request(rejection.body_text(), "GET /api/services lists the services")
        })?;
        let named = parameters.iter().find(|(parameter, _)| *parameter == "service").map(|(_, name)| name);
        let found = match named {
            Some(name) => state.services.iter().find(|service| service.name == name),
            None => state.services.first(),
        };
        let service = found.cloned().ok_or_else(|| {
            let name = named.unwrap_or_default();
            let problem = format!("this scaler watches no service `{name}`");
            ErrorReply::new(StatusCode::NOT_FOUND, problem, "GET /api/services lists the services")
        })?;
        Ok(Self { service, shared: state.clone() })
    }
}

impl OfService {
    /// Sends a command to the service's driver and waits for its answer.
    pub(super) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ErrorReply> {
        let (answer, answered) = oneshot::channel();
        self.service.commands.send(command(answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())
    }
}
