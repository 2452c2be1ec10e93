//! Passes bytes both ways after a protocol change, WebSocket above all.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::fleet::Lease;
use crate::upstream::Connection;

/// The endpoint's side of a protocol change.
#[derive(Debug)]
pub(crate) struct UpstreamSide {
    pub(crate) upgrade: OnUpgrade,
    /// The connection that changes.
    pub(crate) connection: Connection,
    pub(crate) lease: Lease,
}

/// Copies until both sides are done, or the gateway has to end. The stay at the endpoint lasts as long.
pub(crate) async fn run(client: OnUpgrade, upstream: UpstreamSide, end: CancellationToken) {
    let UpstreamSide { upgrade: upstream, mut connection, lease } = upstream;
    let copying = async {
        // Only then it can be handed over.
        connection.finish().await;
        let (client, upstream) = match tokio::try_join!(client, upstream) {
            Ok(both) => both,
            Err(error) => return debug!(%error, "a protocol change did not complete"),
        };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        // A side that breaks off is how many of these end; there is nobody to tell.
        let _copied = copy_bidirectional(&mut client, &mut upstream).await;
    };
    tokio::select! {
        () = copying => {}
        () = end.cancelled() => {}
    }
    drop(lease);
}
