//! A gateway that stops finishes what it has, and one that cannot start says why.

use std::time::{Duration, Instant};

use gateway::{Gateway, GatewayConfig, GatewayError, RateLimit};
use http::Request;
use hyper::body::Incoming;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Lab, PATIENCE, Replica, answer, config, eventually};

#[tokio::test]
async fn requests_in_flight_are_finished_and_nothing_new_is_taken() {
    let replica = Replica::start(async |_: Request<Incoming>| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        answer(200, "finished")
    })
    .await;
    let mut lab = Lab::start(&[&replica]).await;
    let service = lab.service;
    let _idle = TcpStream::connect(service).await.unwrap();
    let mut stream = TcpStream::connect(service).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    eventually("the request is in flight", || async { replica.request_count() == 1 }).await;
    lab.begin_stop();
    eventually("nothing new is taken", || async { TcpStream::connect(service).await.is_err() }).await;
    // The client would keep the connection; that the gateway closes it ends the reading.
    let mut reply = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut reply)).await.expect("it is closed").unwrap();
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("finished"), "{reply}");
    assert!(lab.stopped().await.is_ok());
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let replica = Replica::hanging().await;
    let mut lab =
        Lab::with(GatewayConfig { stop_grace: Duration::from_millis(200), ..config() }, &[&replica]).await;
    let mut stream = TcpStream::connect(lab.service).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    eventually("the request hangs", || async { replica.request_count() == 1 }).await;
    let begun = Instant::now();
    lab.begin_stop();
    assert!(lab.stopped().await.is_ok());
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_port_in_use_is_named_with_its_flag_and_the_other_is_not_kept() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let text = |result: Result<Gateway, GatewayError>| result.expect_err("the port is in use").to_string();
    let error = text(Gateway::bind(GatewayConfig { listen: address, ..config() }));
    assert!(error.contains(&address.port().to_string()) && error.contains("--listen"), "{error}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = text(Gateway::bind(GatewayConfig { listen: free, admin: address, ..config() }));
    assert!(error.contains(&address.port().to_string()) && error.contains("--admin"), "{error}");
    assert!(std::net::TcpListener::bind(free).is_ok(), "nothing is half-started");
}

#[tokio::test]
async fn limits_that_make_no_sense_are_refused() {
    let limit = RateLimit { rate_per_second: 0.0, burst: 1 };
    let error = Gateway::bind(GatewayConfig { client_limit: Some(limit), ..config() }).expect_err("no rate");
    assert!(error.to_string().contains("client"), "{error}");
    let error = Gateway::bind(GatewayConfig { header_bytes_max: 10, ..config() }).expect_err("no head");
    assert!(error.to_string().contains("10 bytes"), "{error}");
}
