//! The right outcome of each server for GET and POST, and that every engine tells exactly that.
//!
//! GET stands for the methods that may be sent twice, POST for those that may not (RFC 9110, section 9.2.2).

use std::time::Duration;

use futures_util::{StreamExt, stream};
use http::Method;

use crate::engines::{Asked, Engine};
use crate::server::{Manner, OK, Server};

/// What is right.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Right {
    /// Every request ends so.
    All(&'static str),
    /// Both occur, and nothing else.
    Both(&'static str, &'static str),
    /// The first occurs, the second may: the connection may be closed in the moment of sending.
    Maybe(&'static str, &'static str),
}

/// What another tool says of the same server, asked by GET.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    /// The same share of successes, within 1 %.
    Agrees,
    /// Something else, and why.
    Differs(&'static str),
}

/// One server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) manner: Manner,
    pub(crate) get: Right,
    pub(crate) post: Right,
    /// Whether a GET has to be sent a second time; none where it may.
    repeats: Option<bool>,
    pub(crate) hey: Peer,
    pub(crate) wrk: Peer,
}

const REUSED: &str = "reused connection was closed";
const BROKE_OFF: &str = "broke off";

/// Longest that a request may take where it is to time out.
const SHORT: Duration = Duration::from_millis(300);

const fn row(name: &'static str, manner: Manner, get: Right, post: Right) -> Row {
    Row { name, manner, get, post, repeats: Some(false), hey: Peer::Agrees, wrk: Peer::Agrees }
}

const fn always(name: &'static str, manner: Manner, outcome: &'static str) -> Row {
    row(name, manner, Right::All(outcome), Right::All(outcome))
}

impl Row {
    const fn repeats(self, repeats: Option<bool>) -> Self {
        Self { repeats, ..self }
    }

    const fn hey(self, why: &'static str) -> Self {
        Self { hey: Peer::Differs(why), ..self }
    }

    const fn wrk(self, why: &'static str) -> Self {
        Self { wrk: Peer::Differs(why), ..self }
    }

    /// Longest that a request may take: short where that is the right outcome.
    pub(crate) fn timeout(&self) -> Duration {
        if matches!(self.get, Right::All("timed out")) { SHORT } else { Duration::from_secs(20) }
    }
}

const COUNTS_ENDS: &str = "wrk counts a connection that ends as an error of the socket, beside its requests";
const COUNTS_3XX: &str = "wrk follows no redirect and takes 3xx for a success";

#[rustfmt::skip]
pub(crate) const TABLE: [Row; 32] = [
    always("answers", Manner::Answers(OK), "ok"),
    always("answers by 204", Manner::Answers("HTTP/1.1 204 No Content\r\n\r\n"), "ok"),
    always("answers in chunks", Manner::Answers("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"), "ok"),
    always("interim answers first", Manner::Answers("HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"), "ok"),
    always("says close", Manner::AnswersAndCloses("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"), "ok"),
    always("HTTP/1.0, ends with the connection", Manner::AnswersAndCloses("HTTP/1.0 200 OK\r\n\r\nok"), "ok")
        .wrk(COUNTS_ENDS),
    always("HTTP/1.0, keeps the connection", Manner::Answers("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"), "ok"),
    row("closes after the answer", Manner::AnswersAndCloses(OK), Right::All("ok"), Right::Maybe("ok", REUSED))
        .repeats(None).wrk(COUNTS_ENDS),
    row("closes when idle", Manner::ClosesWhenIdle(Duration::from_millis(20)), Right::All("ok"), Right::Maybe("ok", REUSED))
        .repeats(None),
    row("closes on the second request", Manner::ClosesOnSecondRequest, Right::All("ok"), Right::Both("ok", REUSED))
        .repeats(Some(true)).wrk(COUNTS_ENDS),
    row("resets on the second request", Manner::ResetsOnSecondRequest, Right::All("ok"), Right::Both("ok", REUSED))
        .repeats(Some(true)).wrk(COUNTS_ENDS),
    // A connection that was opened beforehand may have been closed unused, so the open model tries a new one.
    always("closes without an answer", Manner::ClosesWithoutAnswer, BROKE_OFF).repeats(None),
    always("resets", Manner::Resets, BROKE_OFF).repeats(None),
    always("cut in the head", Manner::AnswersAndCloses("HTTP/1.1 200 OK\r\ncontent-le"), BROKE_OFF),
    always("cut in the body", Manner::AnswersAndCloses("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"), BROKE_OFF)
        .hey("hey ignores an error in the body"),
    always("cut in a chunk", Manner::AnswersAndCloses("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhal"), BROKE_OFF)
        .hey("hey ignores an error in the body"),
    always("garbage", Manner::AnswersAndCloses("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not an HTTP answer"),
    always("slow head", Manner::Slow("HTTP/1.1 200 OK\r\nconte", "nt-length: 2\r\n\r\nok"), "ok"),
    always("slow body", Manner::Slow("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no", "k"), "ok"),
    always("never answers", Manner::Stalls(""), "timed out"),
    always("stalls in the head", Manner::Stalls("HTTP/1.1 200 OK\r\n"), "timed out"),
    always("stalls in the body", Manner::Stalls("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"), "timed out")
        .hey("hey ignores an error in the body"),
    always("refuses", Manner::Answers("HTTP/1.1 503 Full\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"), "refused"),
    always("unavailable", Manner::Answers("HTTP/1.1 503 Broken\r\ncontent-length: 0\r\n\r\n"), "status 503"),
    always("redirects to itself, once", Manner::RedirectsTo("/target"), "ok"),
    always("redirects in raw UTF-8", Manner::RedirectsTo("/ok/ü"), "ok"),
    always("redirects elsewhere", Manner::RedirectsTo("https://elsewhere.invalid/"), "redirected to another host")
        .wrk(COUNTS_3XX),
    always("redirects to nowhere", Manner::RedirectsTo(""), "redirect without a usable Location")
        .wrk(COUNTS_3XX),
    always("redirects without a Location", Manner::Answers("HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n"), "status 302")
        .wrk(COUNTS_3XX),
    always("redirects in a circle", Manner::RedirectsInACircle, "redirected too often")
        .wrk(COUNTS_3XX),
    always("redirects slowly, in time", Manner::RedirectsSlowly(3, Duration::from_millis(20)), "ok"),
    always("redirects slowly, too slowly as a whole", Manner::RedirectsSlowly(4, Duration::from_millis(120)), "timed out")
        .wrk(COUNTS_3XX).hey("hey's shortest timeout is 1 s"),
];

/// How many rows are asked at a time: each mostly waits, and its load is small.
const SIDE_BY_SIDE: usize = 8;

/// Plays each row of the table, from one on in steps of [`PROCESSES`], by one engine.
async fn assert_part(engine: Engine, first: usize) {
    assert_rows(engine, TABLE.iter().skip(first).step_by(PROCESSES)).await;
}

/// Plays rows of the table by one engine.
async fn assert_rows(engine: Engine, rows: impl Iterator<Item = &'static Row>) {
    let asked = rows
        .flat_map(|row| [(row, Method::GET, row.get), (row, Method::POST, row.post)])
        .map(|(row, method, right)| wrong_of_row(engine, row, method, right));
    let wrong: Vec<String> =
        stream::iter(asked).buffered(SIDE_BY_SIDE).filter_map(std::future::ready).collect().await;
    assert!(wrong.is_empty(), "{engine:?}:\n{}", wrong.join("\n"));
}

/// What the engine told of a row where it is not what the table says.
async fn wrong_of_row(engine: Engine, row: &Row, method: Method, right: Right) -> Option<String> {
    let server = Server::start(row.manner).await;
    let asked = Asked {
        url: &server.url,
        method: method.clone(),
        timeout: row.timeout(),
        run_time: Duration::from_millis(500),
    };
    let found = asked.of(engine).await;
    let kinds: Vec<&str> = found.counts.keys().map(String::as_str).collect();
    let is_right = match right {
        Right::All(outcome) => kinds == [outcome],
        Right::Both(one, other) => kinds == [one, other],
        Right::Maybe(one, other) => kinds == [one] || kinds == [one, other],
    };
    let repeats_rightly = match method {
        Method::POST => found.repeated == 0,
        _ => row.repeats.is_none_or(|repeats| (found.repeated > 0) == repeats),
    };
    (!is_right || !repeats_rightly)
        .then(|| format!("{method} {}: {right:?} is right, {found:?} was told", row.name))
}

/// Into how many processes the table is dealt for an engine on Goose, of which a process runs one load at a time.
const PROCESSES: usize = 8;

/// Names the part of the table, and the engine, for a process that plays just that.
const PART: &str = "LAB_TEST_PART_OF_THE_TABLE";

/// Plays the table in several processes, each of which plays a part of it.
async fn assert_rows_in_processes(engine: Engine) {
    let parts = (0..PROCESSES).map(|part| {
        let mut process = tokio::process::Command::new(std::env::current_exe().expect("this program"));
        process.args(["--exact", "table::a_part_of_the_table", "--ignored", "--nocapture"]);
        process.env(PART, format!("{part} {engine:?}")).kill_on_drop(true).output()
    });
    for output in futures_util::future::join_all(parts).await {
        let output = output.expect("this program runs once more");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("1 passed"), "the part was not played: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "played by processes that the tests of the table start"]
async fn a_part_of_the_table() {
    let named = std::env::var(PART).expect("the part is named");
    let (part, engine) = named.split_once(' ').expect("a part and an engine");
    let engine = if engine == "Users" { Engine::Users } else { Engine::Rate };
    assert_part(engine, part.parse().expect("a number")).await;
}

#[tokio::test]
async fn users_tell_what_the_table_says() {
    assert_rows_in_processes(Engine::Users).await;
}

#[tokio::test]
async fn a_rate_tells_what_the_table_says() {
    assert_rows_in_processes(Engine::Rate).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_model_tells_what_the_table_says() {
    assert_rows(Engine::OpenModel, TABLE.iter()).await;
}

#[tokio::test]
async fn a_request_that_is_sent_twice_is_seen_twice_and_counted_once() {
    let server = Server::start(Manner::ClosesOnSecondRequest).await;
    let asked = Asked {
        url: &server.url,
        method: Method::GET,
        timeout: Duration::from_secs(20),
        run_time: Duration::from_millis(500),
    };
    let found = asked.of(Engine::OpenModel).await;
    let told: u64 = found.counts.values().sum();
    assert!(found.repeated > 0, "{found:?}");
    // What ends after the measured time is not among those that were told.
    let seen = server.requests();
    assert!(seen >= told + found.repeated && seen <= 20 + found.repeated, "{seen} of {found:?}");
}
