//! The same servers asked by hey and wrk: where their meaning agrees with the lab's, the share of successes is the same.

use std::process::Command;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::Method;

use crate::engines::{Asked, Engine};
use crate::server::Server;
use crate::table::{Peer, Row, TABLE};

/// The most by which shares may differ.
const TOLERANCE: f64 = 0.01;

/// How many rows are asked at a time: few, for hey and wrk send as fast as they can.
const SIDE_BY_SIDE: usize = 4;

/// The lab's share of successes against the tool's, for each row in which they are said to agree.
async fn assert_agrees(peer: impl Fn(&Row) -> Peer, ask: impl Fn(&str) -> f64 + Copy + Send + 'static) {
    let asked = TABLE.iter().map(|row| wrong_of_row(row, peer(row), ask));
    let wrong: Vec<String> =
        stream::iter(asked).buffered(SIDE_BY_SIDE).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What contradicts the row's word on the tool.
async fn wrong_of_row(row: &Row, peer: Peer, ask: impl Fn(&str) -> f64 + Send + 'static) -> Option<String> {
    let server = Server::start(row.manner).await;
    let asked = Asked {
        url: &server.url,
        method: Method::GET,
        timeout: row.timeout(),
        run_time: Duration::from_millis(700),
    };
    let ours = asked.of(Engine::OpenModel).await.ok_share();
    let server = Server::start(row.manner).await;
    let theirs = tokio::task::spawn_blocking(move || ask(&server.url)).await.expect("it was run");
    let is_same = (ours - theirs).abs() <= TOLERANCE;
    match peer {
        Peer::Agrees if !is_same => Some(format!("{}: {ours:.3} and {theirs:.3}", row.name)),
        Peer::Differs(why) if is_same => {
            Some(format!("{}: both {ours:.3}, so it is not so that {why}", row.name))
        }
        Peer::Agrees | Peer::Differs(_) => None,
    }
}

/// All that a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it was there a moment ago");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The number that follows `before`; 0 where it does not occur.
fn number_after(text: &str, before: &str) -> f64 {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest).trim_start();
    let end = rest.find(|each: char| !each.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().unwrap_or(0.0)
}

/// The share of requests that hey counts with a status of success.
fn hey(url: &str) -> f64 {
    let text = output("hey", &["-n", "20", "-c", "2", "-t", "1", url]);
    // Lines such as `[200] 20 responses`.
    let succeeded: f64 = text
        .lines()
        .filter_map(|line| {
            line.trim().strip_prefix("[2")?.split_once(']')?.1.trim().strip_suffix(" responses")
        })
        .filter_map(|count| count.parse::<f64>().ok())
        .sum();
    succeeded / 20.0
}

/// The share of requests that wrk counts as answered with a status below 400, among those that ended.
fn wrk(url: &str) -> f64 {
    let text = output("wrk", &["-t", "1", "-c", "2", "-d", "1s", "--timeout", "1s", url]);
    let answered_line = text.lines().find(|line| line.contains(" requests in "));
    let answered = answered_line.map_or(0.0, |line| number_after(line, " "));
    let lost = text.lines().find(|line| line.contains("Socket errors:")).map_or(0.0, |line| {
        ["read", "write", "timeout"].map(|kind| number_after(line, &format!("{kind} "))).iter().sum()
    });
    let succeeded = answered - number_after(&text, "Non-2xx or 3xx responses:");
    if answered + lost > 0.0 { succeeded / (answered + lost) } else { 0.0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hey_says_the_same_where_it_means_the_same() {
    if test_requirements::has_program("hey", "hey", "apt-get install hey") {
        assert_agrees(|row| row.hey, hey).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrk_says_the_same_where_it_means_the_same() {
    if test_requirements::has_program("wrk", "wrk", "apt-get install wrk") {
        assert_agrees(|row| row.wrk, wrk).await;
    }
}
