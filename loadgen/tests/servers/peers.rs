//! The same servers asked by hey and wrk: where their meaning agrees with the lab's, the share of successes is the same.

use std::process::Command;
use std::time::Duration;

use http::Method;

use crate::engines::{Asked, Engine};
use crate::server::Server;
use crate::table::{Peer, Row, TABLE};

/// The most by which shares may differ.
const TOLERANCE: f64 = 0.01;

/// The lab's share of successes against the tool's, for each row in which they are said to agree.
async fn assert_agrees(peer: impl Fn(&Row) -> Peer, ask: impl Fn(&str) -> f64 + Copy + Send + 'static) {
    let mut wrong = Vec::new();
    for row in &TABLE {
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
        match peer(row) {
            Peer::Agrees if !is_same => wrong.push(format!("{}: {ours:.3} and {theirs:.3}", row.name)),
            Peer::Differs(why) if is_same => {
                wrong.push(format!("{}: both {ours:.3}, so it is not so that {why}", row.name));
            }
            Peer::Agrees | Peer::Differs(_) => {}
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// All that a program prints.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("it was there a moment ago");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The number at the beginning or the end of what remains of the first line that has this text.
fn number_after(text: &str, before: &str) -> f64 {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    let digits: String =
        rest.trim_start().chars().take_while(|each| each.is_ascii_digit() || *each == '.').collect();
    digits.parse().unwrap_or(0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hey_says_the_same_where_it_means_the_same() {
    if !test_requirements::has_program("hey", "hey", "apt-get install hey") {
        return;
    }
    let requests = 40.0;
    assert_agrees(
        |row| row.hey,
        move |url| {
            let text = output("hey", &["-n", "40", "-c", "2", "-t", "1", url]);
            let answers: f64 = text.matches("] ").count() as f64;
            // Lines such as `[200]	40 responses`.
            let answered: f64 = text
                .lines()
                .filter(|line| line.trim_end().ends_with("responses"))
                .filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
                .sum();
            let _ = answers;
            answered / requests
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrk_says_the_same_where_it_means_the_same() {
    if !test_requirements::has_program("wrk", "wrk", "apt-get install wrk") {
        return;
    }
    assert_agrees(
        |row| row.wrk,
        |url| {
            let text = output("wrk", &["-t", "1", "-c", "2", "-d", "1s", "--timeout", "1s", url]);
            let answered = number_after(
                text.split_once("requests in")
                    .map_or("", |(before, _)| before.lines().last().unwrap_or_default()),
                "",
            );
            let failed = number_after(&text, "Non-2xx or 3xx responses:")
                + number_after(&text, "read ")
                + number_after(&text, "timeout ");
            if answered + failed > 0.0 {
                ((answered - number_after(&text, "Non-2xx or 3xx responses:"))
                    / (answered + failed - number_after(&text, "Non-2xx or 3xx responses:")))
                .max(0.0)
            } else {
                0.0
            }
        },
    )
    .await;
}
