//! A request that is sent twice has a span for each try.

use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::child::Process;
use crate::collector::{Collector, Manner, Seen, list};
use crate::support::TIMEOUT;
use crate::tree::ask;

/// An endpoint that passes its probes; everything else it answers, or drops the connection.
async fn endpoint(answers: bool) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let serving = tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut head = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut head).await {
                    let is_probe = head[..length].starts_with(b"GET /ready");
                    if !is_probe && !answers {
                        return;
                    }
                    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                    if stream.write_all(answer.as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, AbortOnDropHandle::new(serving))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_request_has_two_tries_below_one_server_span() {
    let collector = Collector::start(Manner::Good).await;
    let (good, _serving) = endpoint(true).await;
    let (bad, _dropping) = endpoint(false).await;
    let gateway = Process::start(&[
        "gateway",
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
        "--endpoints",
        &format!("{good},{bad}"),
        "--trace-rate",
        "1000",
        "--otlp-endpoint",
        &collector.url,
    ]);
    let urls = gateway.urls();
    let client = http_client::HttpClient::new();
    let has_both = async || {
        let list = client.get(&format!("{}/endpoints", urls[1]), TIMEOUT).await.expect("the gateway answers");
        list.body.windows(7).filter(|window| window == b"\"ready\"").count() == 2
    };
    while !has_both().await {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    // At the same time: one after the other, all would go to whichever answered first.
    join_all((0..30).map(|_| ask(&client, &urls[0]))).await;
    let is_second = |span: &Seen| span.attribute("http.request.resend_count") == Some("1");
    let spans = collector.wait_for("a second try", |spans| spans.iter().any(is_second)).await;
    let second = spans.iter().find(|span| is_second(span)).expect("it was waited for").clone();
    let spans = collector.wait_for_trace(&second.trace, 3).await;
    assert_eq!(spans.len(), 3, "{}", list(&spans));
    let entry = spans.iter().find(|span| span.kind == SpanKind::Server).expect("a server span");
    let first =
        spans.iter().find(|span| span.kind == SpanKind::Client && !is_second(span)).expect("a first try");
    assert!(first.parent == entry.id && second.parent == entry.id, "{}", list(&spans));
    assert!(first.failed && first.attribute("error.type") == Some("connection_lost"), "{first:?}");
    assert_eq!(first.attribute("http.request.resend_count"), None);
    assert!(bad.ends_with(first.attribute("server.port").expect("a client span has it")), "{first:?}");
    assert!(good.ends_with(second.attribute("server.port").expect("a client span has it")), "{second:?}");
    assert!(!second.failed && !entry.failed, "{}", list(&spans));
}
