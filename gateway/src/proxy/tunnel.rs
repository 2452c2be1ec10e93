//! Passes bytes both ways after a protocol change, WebSocket above all.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::fleet::Stay;
use crate::upstream::ChangedConnection;

/// The endpoint's side of a protocol change.
#[derive(Debug)]
pub(crate) struct UpstreamSide {
    pub(crate) connection: ChangedConnection,
    pub(crate) stay: Stay,
}

/// Copies until both sides are done, or the gateway has to end. The stay at the endpoint lasts as long.
pub(crate) async fn run(client: OnUpgrade, upstream: UpstreamSide, end: CancellationToken) {
    let UpstreamSide { mut connection, stay } = upstream;
    let copying = async {
        let mut client = match client.await {
            Ok(client) => TokioIo::new(client),
            Err(error) => return debug!(%error, "a protocol change did not complete"),
        };
        // A side that breaks off is how many of these end; there is nobody to tell.
        if client.write_all(&connection.first).await.is_ok() {
            let _copied = copy_bidirectional(&mut client, &mut connection.stream).await;
        }
    };
    tokio::select! {
        () = copying => {}
        () = end.cancelled() => {}
    }
    drop(stay);
}
