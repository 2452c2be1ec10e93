//! Reads a stream of server-sent events, and connects again when it breaks.

use std::future::ready;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Stream, StreamExt, TryStreamExt};
use http::Request;
use http_body_util::{BodyDataStream, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use sse_stream::SseByteStream;
use tokio::sync::mpsc;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Time between two attempts to connect.
const RETRY: Duration = Duration::from_millis(300);

/// Longest event; a longer one breaks the stream, so that memory stays bounded.
const MAX_EVENT_BYTES: usize = 256 * 1024;

/// One event: its name and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerSentEvent {
    pub(crate) name: String,
    pub(crate) data: String,
}

/// Sends every event of `url` to `events` until nobody receives them any more.
pub(crate) async fn follow(url: String, events: mpsc::UnboundedSender<ServerSentEvent>) {
    while !events.is_closed() {
        if let Err(error) = read(&url, &events).await {
            tracing::debug!(url, %error, "the event stream broke, connecting again");
        }
        tokio::time::sleep(RETRY).await;
    }
}

async fn read(url: &str, events: &mpsc::UnboundedSender<ServerSentEvent>) -> Result<(), BoxError> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(url).header(http::header::ACCEPT, "text/event-stream").body(Empty::new())?;
    let body = client.request(request).await?.into_body();
    let mut parsed = pin!(parse(BodyDataStream::new(body)));
    while let Some(event) = parsed.try_next().await? {
        if events.send(event).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// An event is longer than [`MAX_EVENT_BYTES`], or the connection broke within it.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("an event is longer than {} KiB", MAX_EVENT_BYTES / 1024)]
    TooLong,
    #[error(transparent)]
    Connection(BoxError),
}

/// The events with data of a stream of pieces; ends with the first error.
fn parse<E: Into<BoxError>>(
    pieces: impl Stream<Item = Result<Bytes, E>>,
) -> impl Stream<Item = Result<ServerSentEvent, sse_stream::Error>> {
    // The parser keeps what it has of an event, however much that is.
    let since_last_event = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&since_last_event);
    let bounded = pieces.map(move |piece| {
        let piece = piece.map_err(|error| Broken::Connection(error.into()))?;
        let bytes = counted.fetch_add(piece.len(), Ordering::Relaxed) + piece.len();
        if bytes > MAX_EVENT_BYTES { Err(Broken::TooLong) } else { Ok(piece) }
    });
    SseByteStream::new(bounded).try_filter_map(move |event| {
        since_last_event.store(0, Ordering::Relaxed);
        let name = event.event.unwrap_or_default();
        let data = event.data.filter(|data| !data.is_empty());
        ready(Ok(data.map(|data| ServerSentEvent { name, data })))
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream::{self, StreamExt, TryStreamExt};

    use super::{BoxError, MAX_EVENT_BYTES, ServerSentEvent, parse};

    #[tokio::test]
    async fn events_are_put_together_whatever_the_pieces() {
        let stream: &[u8] =
            b": a comment\n\nevent: status\ndata: {\"a\":1}\n\nid: 7\n\ndata: one\ndata: two\r\n\r\nevent: cut";
        let expected = vec![
            ServerSentEvent { name: "status".to_owned(), data: "{\"a\":1}".to_owned() },
            ServerSentEvent { name: String::new(), data: "one\ntwo".to_owned() },
        ];
        for size in [1, 3, 7, stream.len()] {
            let pieces = stream.chunks(size).map(|piece| Ok::<_, BoxError>(Bytes::copy_from_slice(piece)));
            let events: Vec<_> = parse(stream::iter(pieces)).try_collect().await.unwrap();
            assert_eq!(events, expected, "pieces of {size} bytes");
        }
    }

    #[tokio::test]
    async fn an_event_without_end_breaks_the_stream() {
        let beginning = stream::iter([Ok::<_, BoxError>(Bytes::from_static(b"data: first\n\ndata: "))]);
        let endless = stream::repeat(Bytes::from(vec![b'x'; 1024])).map(Ok);
        let pieces = beginning.chain(endless.take(2 * MAX_EVENT_BYTES / 1024));
        let events: Vec<_> = parse(pieces).collect().await;
        let [Ok(first), Err(error)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(first.data, "first");
        let told = format!("{error} {:?}", std::error::Error::source(error).map(ToString::to_string));
        assert!(told.contains("longer than 256 KiB"), "{told}");
    }
}
