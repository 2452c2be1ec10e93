//! Reads a stream of server-sent events, and connects again when it breaks.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;

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

async fn read(
    url: &str,
    events: &mpsc::UnboundedSender<ServerSentEvent>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(url).header(http::header::ACCEPT, "text/event-stream").body(Empty::new())?;
    let mut body = client.request(request).await?.into_body();
    let mut parser = EventParser::default();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        for event in parser.feed(&data) {
            if events.send(event).is_err() {
                return Ok(());
            }
        }
        if parser.buffered_bytes() > MAX_EVENT_BYTES {
            return Err("an event is longer than 256 KiB".into());
        }
    }
    Ok(())
}

/// Puts events together from pieces of a stream (WHATWG HTML, "Server-sent events"; `event` and `data` only).
#[derive(Debug, Default)]
struct EventParser {
    unfinished_line: Vec<u8>,
    name: String,
    data: String,
}

impl EventParser {
    fn buffered_bytes(&self) -> usize {
        self.unfinished_line.len() + self.data.len()
    }

    /// Takes the next piece; answers the events that it completes.
    fn feed(&mut self, piece: &[u8]) -> Vec<ServerSentEvent> {
        let mut events = Vec::new();
        for &byte in piece {
            if byte != b'\n' {
                self.unfinished_line.push(byte);
                continue;
            }
            let line = String::from_utf8_lossy(&std::mem::take(&mut self.unfinished_line)).into_owned();
            events.extend(self.line(line.trim_end_matches('\r')));
        }
        events
    }

    fn line(&mut self, line: &str) -> Option<ServerSentEvent> {
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let data = std::mem::take(&mut self.data);
            return (!data.is_empty()).then_some(ServerSentEvent { name, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{EventParser, ServerSentEvent};

    #[test]
    fn events_are_put_together_whatever_the_pieces() {
        let stream =
            b": a comment\n\nevent: status\ndata: {\"a\":1}\n\ndata: one\ndata: two\r\n\r\nevent: cut";
        let expected = vec![
            ServerSentEvent { name: "status".to_owned(), data: "{\"a\":1}".to_owned() },
            ServerSentEvent { name: String::new(), data: "one\ntwo".to_owned() },
        ];
        for size in [1, 3, 7, stream.len()] {
            let mut parser = EventParser::default();
            let events: Vec<_> = stream.chunks(size).flat_map(|piece| parser.feed(piece)).collect();
            assert_eq!(events, expected, "pieces of {size} bytes");
        }
    }
}
