//! What is too large, too slow or too much is refused with a reason, and never hangs.

use std::time::{Duration, Instant};

use gateway::{GatewayConfig, RateLimit};
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Lab, Replica, answer, config, eventually};

/// A replica that reads the body to its end before it answers.
async fn reader() -> Replica {
    Replica::start(async |request: Request<Incoming>| match request.into_body().collect().await {
        Ok(body) => answer(200, &body.to_bytes().len().to_string()),
        Err(_) => answer(400, "broken off"),
    })
    .await
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_whether_declared_or_chunked() {
    let replica = reader().await;
    let lab = Lab::with(GatewayConfig { body_bytes_max: 1000, ..config() }, &[&replica]).await;
    assert_eq!(lab.send("POST", "/", &[], &"x".repeat(1000)).await.text(), "1000");
    let reply = lab.send("POST", "/", &[], &"x".repeat(1001)).await;
    assert_eq!(reply.status, 413);
    assert!(reply.error().contains("1000 bytes"), "{reply:?}");

    let head = "POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let chunked = |chunks: usize| format!("{head}{}0\r\n\r\n", chunk.repeat(chunks));
    let reply = lab.send_raw(chunked(3).as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 413") && reply.contains("\"hint\""), "{reply}");
    let reply = lab.send_raw(chunked(2).as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("1000"), "{reply}");
    assert_eq!(lab.states().await["ready"], 1, "the client's fault is not the endpoint's");
    assert_eq!(lab.endpoints().await[0]["failed"], 0);
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let replica = Replica::plain().await;
    let lab = Lab::start(&[&replica]).await;
    let request = |bytes: usize| {
        format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n", "y".repeat(bytes))
    };
    let reply = lab.send_raw(request(60_000).as_bytes()).await;
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    for bytes in [66_000, 300_000] {
        let reply = lab.send_raw(request(bytes).as_bytes()).await;
        assert!(reply.starts_with("HTTP/1.1 431"), "{bytes} bytes: {reply}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let replica = Replica::plain().await;
    let config = GatewayConfig { header_read_timeout: Duration::from_millis(200), ..config() };
    let lab = Lab::with(config, &[&replica]).await;
    let begun = Instant::now();
    let reply = lab.send_raw(b"GET / HTTP/1.1\r\nhost:").await;
    assert!(!reply.starts_with("HTTP/1.1 200"), "{reply}");
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_slow_endpoint_is_given_up() {
    let replica = Replica::hanging().await;
    let lab =
        Lab::with(GatewayConfig { try_timeout: Duration::from_millis(200), ..config() }, &[&replica]).await;
    let begun = Instant::now();
    let reply = lab.get("/").await;
    assert_eq!(reply.status, 504);
    assert!(reply.error().contains("200ms"), "{reply:?}");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(lab.endpoints().await[0]["failed"], 1);
    assert_eq!(lab.in_flight().await, 0);
}

#[tokio::test]
async fn a_limit_of_time_that_cannot_be_kept_is_refused_with_its_flag() {
    for limit in [Duration::ZERO, Duration::from_secs(24 * 60 * 60 + 1), Duration::MAX] {
        for (flag, config) in [
            ("--try-timeout", GatewayConfig { try_timeout: limit, ..config() }),
            ("--body-pause", GatewayConfig { body_pause_max: limit, ..config() }),
        ] {
            let error = gateway::Gateway::bind(config).expect_err(flag).to_string();
            assert!(error.contains(flag) && error.contains("24 h"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_body_that_stalls_has_one_limit_for_all_methods() {
    let replica = reader().await;
    let pause = Duration::from_millis(300);
    // Whichever of the two limits is the longer one, the client's pause is what counts.
    for try_timeout in [Duration::from_millis(100), Duration::from_secs(5)] {
        let config = GatewayConfig { try_timeout, body_pause_max: pause, ..config() };
        let lab = Lab::with(config, &[&replica]).await;
        for method in ["POST", "PATCH", "PUT", "DELETE", "GET"] {
            for body in [
                "content-length: 10\r\n\r\n123",
                "content-length: 100000\r\n\r\n123",
                "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
            ] {
                let begun = Instant::now();
                let reply =
                    lab.send_raw(format!("{method} / HTTP/1.1\r\nhost: a\r\n{body}").as_bytes()).await;
                let waited = begun.elapsed();
                assert!(
                    reply.starts_with("HTTP/1.1 408") && reply.contains("300ms"),
                    "{method} {body:?}: {reply}"
                );
                assert!(reply.contains("\"hint\"") && reply.contains("--body-pause"), "{reply}");
                assert!(waited >= pause && waited < pause * 8, "{method} {body:?}: {waited:?}");
            }
        }
        assert_eq!(lab.endpoints().await[0]["failed"], 0);
        assert_eq!(lab.in_flight().await, 0);
    }
}

#[tokio::test]
async fn a_body_that_stalls_behind_the_beginning_of_its_answer_is_limited_too() {
    /// Answers with a head at once, and with each byte of the body that comes.
    async fn serve(mut stream: TcpStream) {
        let mut bytes = [0; 4096];
        while let Ok(size @ 1..) = stream.read(&mut bytes).await {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: ";
            let answer = if bytes.starts_with(b"GET /ready") {
                format!("{head}0\r\n\r\n")
            } else if bytes.starts_with(b"POST") {
                format!("{head}10\r\n\r\n")
            } else {
                String::from_utf8_lossy(&bytes[..size]).into_owned()
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
            bytes.fill(0);
        }
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        loop {
            tokio::spawn(serve(listener.accept().await.unwrap().0));
        }
    });
    let pause = Duration::from_millis(300);
    let lab = Lab::with(GatewayConfig { body_pause_max: pause, ..config() }, &[]).await;
    lab.ask_admin("PUT", "/endpoints", &format!(r#"{{"url": "{url}"}}"#)).await;
    lab.until_ready(1).await;
    for sent in [0, 3] {
        let mut stream = TcpStream::connect(lab.service).await.unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n").await.unwrap();
        let begun = Instant::now();
        for _ in 0..sent {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stream.write_all(b"x").await.unwrap();
        }
        let mut text = String::new();
        // Whether it is an end or a reset, the answer is short.
        let _end = timeout(Duration::from_secs(5), stream.read_to_string(&mut text)).await.expect("it ends");
        assert!(
            text.starts_with("HTTP/1.1 200") && text.ends_with(&format!("\r\n\r\n{}", "x".repeat(sent))),
            "{text}"
        );
        assert!(begun.elapsed() >= pause, "{:?}", begun.elapsed());
        eventually("the stay is over", || async { lab.in_flight().await == 0 }).await;
    }
    assert_eq!(lab.endpoints().await[0]["failed"], 0, "the client's fault is not the endpoint's");
    serving.abort();
}

#[tokio::test]
async fn a_slow_client_that_goes_on_in_time_may_take_longer_than_any_limit() {
    let replica = reader().await;
    let limit = Duration::from_millis(400);
    let lab =
        Lab::with(GatewayConfig { try_timeout: limit, body_pause_max: limit, ..config() }, &[&replica]).await;
    for method in ["POST", "PUT"] {
        let mut stream = TcpStream::connect(lab.service).await.unwrap();
        let head =
            format!("{method} / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 8\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..8 {
            tokio::time::sleep(Duration::from_millis(80)).await;
            stream.write_all(b"x").await.unwrap();
        }
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with('8'), "{method}: {reply}");
    }
}

#[tokio::test]
async fn an_endpoint_that_hangs_behind_an_upload_is_given_up_at_its_own_limit() {
    let replica = Replica::hanging().await;
    let config = GatewayConfig {
        try_timeout: Duration::from_millis(300),
        body_pause_max: Duration::from_secs(60),
        ..config()
    };
    let lab = Lab::with(config, &[&replica]).await;
    let begun = Instant::now();
    let reply = lab.send("POST", "/", &[], "{}").await;
    assert_eq!(reply.status, 504, "{reply:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_body_that_is_not_what_it_announces_is_a_bad_request() {
    let replica = reader().await;
    let lab = Lab::start(&[&replica]).await;
    for method in ["GET", "PUT", "POST"] {
        for chunks in
            ["zz\r\n", "5\r\nhelloX\r\n", "fffffffffffffffff\r\n", "5\nhello\r\n", "0\r\nno colon\r\n\r\n"]
        {
            let request =
                format!("{method} / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
            let reply = lab.send_raw(request.as_bytes()).await;
            assert!(
                reply.starts_with("HTTP/1.1 400") && reply.contains("not in the chunks"),
                "{chunks:?}: {reply}"
            );
        }
    }
    assert_eq!(lab.endpoints().await[0]["failed"], 0, "the client's fault is not the endpoint's");
    assert_eq!(lab.get("/").await.text(), "0");
}

#[tokio::test]
async fn no_endpoint_gives_an_answer_after_a_second_and_never_a_hang() {
    let lab = Lab::start(&[]).await;
    let begun = Instant::now();
    let reply = lab.get("/").await;
    let waited = begun.elapsed();
    assert_eq!(reply.status, 503);
    assert_eq!(reply.headers["retry-after"], "1");
    assert!(reply.error().contains("no endpoint"), "{reply:?}");
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(3), "{waited:?}");
    assert!((lab.metric("gateway_no_endpoint_total").await - 1.0).abs() < 0.5);
}

#[tokio::test]
async fn a_request_waits_for_the_endpoint_that_is_about_to_come() {
    let replica = Replica::plain().await;
    let lab = Lab::with(GatewayConfig { endpoint_wait: Duration::from_secs(8), ..config() }, &[]).await;
    let (reply, put) = tokio::join!(lab.get("/"), async {
        eventually("the request waits", || async {
            lab.metric("gateway_requests_total{code=\"2xx\"}").await < 0.5
        })
        .await;
        lab.put(&replica).await
    });
    assert_eq!((reply.status, put.status), (200, 201));
}

#[tokio::test]
async fn each_limit_of_the_rate_is_kept_and_says_when_to_come_back() {
    let replica = Replica::plain().await;
    let limit = Some(RateLimit { rate_per_second: 0.05, burst: 3 });
    for (scope, config) in [
        ("service", GatewayConfig { service_limit: limit, ..config() }),
        ("client", GatewayConfig { client_limit: limit, ..config() }),
    ] {
        let lab = Lab::with(config, &[&replica]).await;
        for _ in 0..3 {
            assert_eq!(lab.get("/").await.status, 200, "{scope}");
        }
        let reply = lab.get("/").await;
        assert_eq!(reply.status, 429, "{scope}");
        let seconds: u64 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=20).contains(&seconds), "{scope}: {reply:?}");
        assert!(reply.error().contains("limit"), "{reply:?}");
        let sample = format!("gateway_throttled_total{{scope=\"{scope}\"}}");
        assert!((lab.metric(&sample).await - 1.0).abs() < 0.5, "{scope}");
    }
}

#[tokio::test]
async fn a_client_beyond_the_bound_waits_for_a_place() {
    let replica = Replica::plain().await;
    let lab = Lab::with(GatewayConfig { connections_max: 1, ..config() }, &[&replica]).await;
    let first = TcpStream::connect(lab.service).await.unwrap();
    let second = lab.send_raw(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let mut second = Box::pin(second);
    let early = timeout(Duration::from_millis(200), &mut second).await;
    assert!(early.is_err(), "the only place is taken");
    drop(first);
    assert!(second.await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_goes_away_releases_its_place_and_blames_nobody() {
    let replica = Replica::hanging().await;
    let lab = Lab::start(&[&replica]).await;
    let mut stream = TcpStream::connect(lab.service).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    eventually("the request is in flight", || async { lab.in_flight().await == 1 }).await;
    drop(stream);
    eventually("nothing is in flight", || async { lab.in_flight().await == 0 }).await;
    assert_eq!(lab.endpoints().await[0]["failed"], 0);
}
