//! What goes through the gateway arrives, with the headers it should have and without those it should not.

use std::fmt::Write;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use crate::support::{Answer, Lab, Replica, answer};

/// Answers with what it was sent: the request line and headers, a blank line, the body's length.
async fn echo(request: Request<Incoming>) -> Answer {
    let mut text = format!("{} {} {:?}\n", request.method(), request.uri(), request.version());
    for (name, value) in request.headers() {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = request.into_body().collect().await.unwrap().to_bytes();
    write!(text, "\n{}", body.len()).unwrap();
    let mut response = answer(200, &text);
    let headers = response.headers_mut();
    headers.insert("connection", HeaderValue::from_static("x-private"));
    headers.insert("x-private", HeaderValue::from_static("1"));
    headers.insert("keep-alive", HeaderValue::from_static("timeout=5"));
    headers.insert("x-kept", HeaderValue::from_static("1"));
    response
}

#[tokio::test]
async fn a_request_arrives_as_it_was_sent() {
    let replica = Replica::start(echo).await;
    let lab = Lab::start(&[&replica]).await;
    let reply = lab.send("POST", "/order?x=%20y", &[("x-mine", "1")], "12345").await;
    let text = reply.text();
    assert_eq!(reply.status, 200);
    assert!(text.starts_with("POST /order?x=%20y HTTP/1.1\n"), "{text}");
    assert!(text.contains("x-mine: 1\n") && text.ends_with("\n\n5"), "{text}");
    assert!(text.contains(&format!("host: {}\n", lab.service)), "Host is passed on: {text}");
    assert!(text.contains("content-length: 5\n"), "{text}");
}

#[tokio::test]
async fn what_speaks_of_a_connection_ends_at_the_gateway() {
    let replica = Replica::start(echo).await;
    let lab = Lab::start(&[&replica]).await;
    let headers = [
        ("connection", "x-hop"),
        ("x-hop", "1"),
        ("te", "trailers"),
        ("proxy-connection", "close"),
        ("x-end", "1"),
    ];
    let reply = lab.send("GET", "/", &headers, "").await;
    let text = reply.text();
    for gone in ["te:", "proxy-connection", "connection:"] {
        assert!(!text.contains(gone), "`{gone}` reached the endpoint: {text}");
    }
    // What `Connection` names besides that is passed on: the list of what ends here is closed.
    assert!(text.contains("x-hop: 1") && text.contains("x-end: 1"), "{text}");
    for gone in ["keep-alive", "connection"] {
        assert!(!reply.headers.contains_key(gone), "`{gone}` reached the client: {reply:?}");
    }
    assert_eq!(
        (&reply.headers["x-private"], &reply.headers["x-kept"]),
        (&"1".parse().unwrap(), &"1".parse().unwrap())
    );
}

#[tokio::test]
async fn a_request_has_an_identity_and_says_where_it_comes_from() {
    let replica = Replica::start(echo).await;
    let lab = Lab::start(&[&replica]).await;
    let reply = lab.get("/").await;
    let id = reply.headers["x-request-id"].to_str().unwrap().to_owned();
    let text = reply.text();
    assert!(text.contains(&format!("x-request-id: {id}\n")), "{text}");
    assert!(text.contains(&format!("traceparent: 00-{id}-")), "{text}");
    assert!(text.contains("x-forwarded-for: 127.0.0.1\n"), "{text}");
    assert!(text.contains("x-forwarded-proto: http\n"), "{text}");
    assert!(text.contains(&format!("x-forwarded-host: {}\n", lab.service)), "{text}");
    assert_ne!(lab.get("/").await.headers["x-request-id"], id.as_str(), "each request has its own");

    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let reply = lab.send("GET", "/", &[("x-request-id", "mine-1"), ("traceparent", trace)], "").await;
    assert_eq!(reply.headers["x-request-id"], "mine-1");
    assert!(reply.text().contains(&format!("traceparent: {trace}\n")), "{}", reply.text());
}

#[tokio::test]
async fn an_absolute_target_and_http_1_0_are_understood() {
    let replica = Replica::start(echo).await;
    let lab = Lab::start(&[&replica]).await;
    let absolute = "GET http://example.org/a?b HTTP/1.1\r\nhost: wrong\r\nconnection: close\r\n\r\n";
    let text = lab.send_raw(absolute.as_bytes()).await;
    assert!(text.contains("GET /a?b HTTP/1.1\n") && text.contains("host: example.org\n"), "{text}");
    let text = lab.send_raw(b"GET /old HTTP/1.0\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.0 200") && text.contains("GET /old HTTP/1.1\n"), "{text}");
    let text = lab.send_raw(b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 400") && text.contains("Host"), "{text}");
}

#[tokio::test]
async fn large_bodies_stream_both_ways() {
    let replica = Replica::start(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        http::Response::new(Full::new(body))
    })
    .await;
    let lab = Lab::start(&[&replica]).await;
    let body = "0123456789".repeat(300_000);
    let reply = lab.send("POST", "/", &[], &body).await;
    assert_eq!((reply.status, reply.body), (200, Bytes::from(body)));
}

#[tokio::test]
async fn head_has_no_body_and_keeps_the_length() {
    let replica = Replica::start(async |request: Request<Incoming>| {
        let mut response = answer(200, "");
        if request.method() == "HEAD" {
            response.headers_mut().insert("content-length", HeaderValue::from_static("1234"));
        }
        response
    })
    .await;
    let lab = Lab::start(&[&replica]).await;
    let reply = lab.send("HEAD", "/", &[], "").await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    assert_eq!(reply.headers["content-length"], "1234");
}

#[tokio::test]
async fn connections_to_endpoints_are_kept() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    for _ in 0..200 {
        assert_eq!(lab.get("/").await.status, 200);
    }
    let connections = replica.connections.load(Ordering::SeqCst);
    // The probes run beside the requests and may need one of their own.
    assert!(connections <= 4, "{connections} connections for 200 requests, one after the other");
}

#[tokio::test]
async fn internal_routes_and_tunnels_are_not_passed_on() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    for path in ["/faults", "/faults/latency", "/peers", "//faults", "/%66aults", "/x/../peers/y"] {
        let reply = lab.send("POST", path, &[], "").await;
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.error().contains("not reachable"), "{reply:?}");
    }
    let text = lab.send_raw(b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\nconnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 405") && text.contains("\"hint\""), "{text}");
    assert_eq!(replica.request_count(), 0);
}

#[tokio::test]
async fn a_refusal_is_passed_on_untouched_and_is_no_failure() {
    let handle = async |_: Request<Incoming>| {
        let mut response = answer(503, "full");
        response.headers_mut().insert("retry-after", HeaderValue::from_static("2"));
        response
    };
    let (one, two) = (Replica::start(handle).await, Replica::start(handle).await);
    let lab = Lab::start(&[&one, &two]).await;
    for _ in 0..40 {
        let reply = lab.get("/").await;
        assert_eq!((reply.status, reply.text().as_str()), (503, "full"));
        assert_eq!(reply.headers["retry-after"], "2");
    }
    assert_eq!(one.request_count() + two.request_count(), 40, "no refusal is retried");
    assert_eq!(lab.states().await["ready"], 2, "no refusal ejects");
    assert!((lab.metric("gateway_refused_total").await - 40.0).abs() < 0.5);
}
