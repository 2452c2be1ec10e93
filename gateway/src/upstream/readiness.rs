//! Asks `/ready` over one connection, and reads which replica answers.

use std::future::poll_fn;

use gateway_balancer::ProbeAnswer;
use http::{HeaderValue, Request, header};
use observability::http::replica_id::{ID_BYTES_MAX, X_REPLICA_ID};

use super::connection::Connection;
use crate::request_body::RequestBody;

/// What is read of an answer's body before its connection is given up.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// An answer to `/ready`.
#[derive(Debug)]
pub(crate) struct Readiness {
    /// What its status says.
    pub(crate) answer: ProbeAnswer,
    /// Whether the connection can serve another request.
    pub(crate) is_complete: bool,
    /// The replica that it names, with control characters escaped and at most as long as an id can be.
    replica: Option<String>,
}

impl Readiness {
    /// Whether the announced replica answered, if one was announced; if not, what is wrong in words.
    pub(crate) fn check_replica(&self, announced: Option<&str>) -> Result<(), String> {
        let Some(announced) = announced else { return Ok(()) };
        match &self.replica {
            Some(replica) if replica == announced => Ok(()),
            Some(other) => Err(format!(
                "another server answers here: its /ready names replica `{other}`, expected `{announced}`"
            )),
            None => Err(format!(
                "another server answers here: its /ready has no header {X_REPLICA_ID}, expected `{announced}` there"
            )),
        }
    }
}

/// Sends one request and reads the whole answer; nothing where none comes.
pub(crate) async fn ask(connection: &mut Connection, host: &HeaderValue) -> Option<Readiness> {
    let (head, ()) = Request::get("/ready")
        .header(header::USER_AGENT, concat!("autoscale-lab-gateway/", env!("CARGO_PKG_VERSION")))
        .body(())
        .expect("a probe is a valid request")
        .into_parts();
    let response = connection.send(&head, &mut RequestBody::empty(), host).await.ok()?;
    let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
    let answer = ProbeAnswer::of_answer(response.status().as_u16(), has_retry_after);
    let replica = response.headers().get(X_REPLICA_ID).map(|name| {
        let text = String::from_utf8_lossy(name.as_bytes());
        text.chars().take(ID_BYTES_MAX).flat_map(char::escape_debug).collect()
    });
    let is_complete = discard(connection).await;
    Some(Readiness { answer, is_complete, replica })
}

/// Reads an answer's body to its end, and returns whether that came before it grew too long.
async fn discard(connection: &mut Connection) -> bool {
    let mut left_bytes = BODY_BYTES_MAX;
    while let Some(data) = poll_fn(|context| connection.poll_body(context)).await {
        let Ok(data) = data else { return false };
        let Some(left) = left_bytes.checked_sub(data.len()) else { return false };
        left_bytes = left;
    }
    true
}
