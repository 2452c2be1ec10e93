//! Uses the live page of a real `lab up` in a real browser, with mouse and keyboard.
//!
//! Needs Chromium. Where it is missing the tests say so and pass, unless `LAB_REQUIRE` names `browser`.

mod bad_states;
mod browser;
mod charts;
mod several_services;
#[path = "../closed_loop"]
mod closed_loop {
    //! What starts the loop, shared with the tests of the loop.
    #[expect(dead_code, reason = "these tests use a part of it")]
    pub(crate) mod support;
}

use std::time::{Duration, Instant};

use closed_loop::support::{Up, is_alive, send_signal, wait_until};
use serde_json::json;

use crate::browser::{Browser, Window, find_program};

/// A policy that makes a spike's story half a minute long.
const QUICK: [&str; 10] = [
    "--check-interval",
    "2s",
    "--window",
    "6s",
    "--scale-up-cooldown",
    "6s",
    "--scale-down-cooldown",
    "12s",
    "--max-replicas",
    "6",
];

const DESK: Window = Window { width: 1280, height: 900, is_phone: false, scheme: "light" };
const DESK_AT_NIGHT: Window = Window { scheme: "dark", ..DESK };
const PHONE: Window = Window { width: 360, height: 780, is_phone: true, scheme: "light" };

/// Name of what has the focus, and whether the ring around it, or around what stands for it, can be seen.
const FOCUS: &str = "(() => {
    const here = document.activeElement;
    const drawn = [here, here.nextElementSibling, ...here.querySelectorAll('rect, path')].filter(Boolean);
    const isVisible = drawn.map((part) => getComputedStyle(part)).some(
        (style) => (style.outlineStyle === 'solid' && style.outlineWidth === '3px') || ['3px', '3.5px'].includes(style.strokeWidth),
    );
    return [here.id || here.getAttribute('aria-label') || here.name || here.tagName, isVisible];
})()";

/// The stream of a viewer; bytes per second.
const STREAM_MAX: f64 = 5.0 * 1024.0;

async fn browser() -> Option<Browser> {
    if let Some(program) = find_program() {
        return Some(Browser::start(&program).await);
    }
    test_requirements::is_met(
        "browser",
        &Err("no Chromium was found; hint: apt-get install chromium".to_owned()),
    );
    None
}

/// Opens the page and waits until it shows numbers.
async fn open(browser: &mut Browser, up: &Up, window: Window) {
    browser.open(&up.scaler, window).await;
    let ready = "document.getElementById('link')?.dataset.state === 'live' && /\\d m?s$/.test(document.getElementById('p95').textContent)";
    browser.until("a live page with a p95", ready, Duration::from_secs(15)).await;
}

async fn assert_no_complaint(browser: &mut Browser) {
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "the browser complains: {complaints:#?}");
}

#[tokio::test]
async fn a_spike_is_clicked_and_seen_in_the_curve_and_in_the_replicas() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let curve = "document.querySelector('#chart-response-time .plot .line.p95').getAttribute('d')";
    let highest = "Math.min(...document.querySelector('#chart-response-time .plot .line.p95').getAttribute('d').match(/[\\d.]+/g).map(Number).filter((_, index) => index % 2 === 1))";
    let before = browser.evaluate(curve).await;
    assert_eq!(browser.evaluate("document.getElementById('ready').textContent").await, json!("1 of 1"));

    browser.click("#spike").await;
    let said = "document.getElementById('outcome').textContent.startsWith('Spike started: ×5, 200 synthetic requests/s')";
    browser.until("the answer to the click", said, Duration::from_secs(5)).await;
    browser
        .until("the load", "document.getElementById('load').textContent === '×5'", Duration::from_secs(5))
        .await;
    browser
        .until(
            "a missed objective",
            "document.getElementById('slo').textContent === '✕ Missed'",
            Duration::from_secs(20),
        )
        .await;
    browser
        .until(
            "a third replica",
            "/^[3-6] of [3-6]$/.test(document.getElementById('ready').textContent)",
            Duration::from_secs(60),
        )
        .await;
    assert_ne!(browser.evaluate(curve).await, before, "the curve does not move");
    // In the upper half of a chart of 250 pixels.
    assert!(browser.evaluate(highest).await.as_f64().expect("a number") < 125.0, "the curve does not rise");
    let rows = "document.querySelectorAll('#replica-rows tr[data-state=ready]').length >= 3";
    browser.until("the replicas in the table", rows, Duration::from_secs(5)).await;
    let marks = "document.querySelectorAll('.mark.up').length >= 2";
    browser.until("the marks of the decisions", marks, Duration::from_secs(5)).await;
    let log = "[...document.querySelectorAll('#log [data-action=up]')].some((line) => line.textContent.includes('▲ Up 1 → 2') && line.textContent.includes('above 600 ms'))";
    assert_eq!(browser.evaluate(log).await, json!(true), "the log does not say why");

    browser.point_at(".mark.up path").await;
    let bubble = "document.querySelector('#chart-replicas-and-decisions .bubble:not([hidden])')?.textContent";
    let reason = browser.evaluate(bubble).await;
    assert!(reason.as_str().is_some_and(|reason| reason.contains("above 600 ms for")), "{reason}");
    browser
        .until(
            "the objective met again",
            "document.getElementById('slo').textContent === '✓ Met'",
            Duration::from_secs(40),
        )
        .await;

    let folder =
        tempfile::Builder::new().prefix("lab-page-").disable_cleanup(true).tempdir().expect("a folder");
    for (name, window) in [("light.png", DESK), ("dark.png", DESK_AT_NIGHT), ("phone.png", PHONE)] {
        browser.picture(&folder.path().join(name), window).await;
        let is_cut = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(browser.evaluate(is_cut).await, json!(false), "{name}: the page is wider than its window");
    }
    println!("pictures of the page: {}", folder.path().display());
    assert_no_complaint(&mut browser).await;
}

#[tokio::test]
async fn a_killed_scaler_is_noticed_and_the_page_goes_on_with_it() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    assert_no_complaint(&mut browser).await;
    // Everything that the page says about its connection from here on.
    browser
        .evaluate(
            "window.told = []; new MutationObserver(() => told.push(document.getElementById('link').dataset.state + ' ' + !document.getElementById('lost').hidden)).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['data-state', 'hidden']}); true",
        )
        .await;
    let points = "(document.querySelector('#chart-response-time .plot .line.p95').getAttribute('d').match(/[ML]/g) ?? []).length";
    browser.until("some seconds of a curve", &format!("{points} >= 5"), Duration::from_secs(15)).await;
    let seen = browser.evaluate(points).await;
    let pid = up.processes["scaler"];
    send_signal(pid, "KILL");
    assert!(wait_until(Duration::from_secs(5), || !is_alive(pid)));
    browser
        .until(
            "the page saying that it is disconnected",
            "told.includes('lost true')",
            Duration::from_secs(10),
        )
        .await;
    let again = "document.getElementById('link').dataset.state === 'live' && document.getElementById('lost').hidden && !document.body.hasAttribute('data-stale')";
    browser.until("the page live again", again, Duration::from_secs(15)).await;
    // What was seen before the restart stays, and the curve goes on.
    browser.until("the curve of both", &format!("{points} > {seen}"), Duration::from_secs(15)).await;
    for complaint in browser.complaints().await {
        let is_the_loss =
            complaint.contains("ERR_CONNECTION") || complaint.contains("ERR_INCOMPLETE_CHUNKED");
        assert!(is_the_loss, "{complaint}");
    }
    browser.click("#pause").await;
    let paused = "document.getElementById('pause').textContent === 'Resume'";
    browser.until("the new scaler's answer", paused, Duration::from_secs(5)).await;
    assert_no_complaint(&mut browser).await;
}

#[tokio::test]
async fn everything_can_be_done_with_the_keyboard_and_refusals_are_said_in_words() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let mut reached = Vec::new();
    for _ in 0..40 {
        browser.press("Tab").await;
        let stop = browser.evaluate(FOCUS).await;
        let name = stop[0].as_str().expect("a name").to_owned();
        if name == "BODY" || reached.first() == Some(&name) {
            break;
        }
        assert_eq!(stop[1], json!(true), "the focus on {name} cannot be seen");
        reached.push(name);
    }
    for control in [
        "decrease",
        "increase",
        "spike",
        "reset",
        "pause",
        "desired",
        "scale-button",
        "min",
        "max",
        "limits-button",
        "span",
        "Response time",
        "Replicas and decisions",
        "Requests",
        "Errors and refusals",
        "Queue depth per replica",
        "Load factor",
        "log",
    ] {
        assert!(reached.iter().any(|name| name == control), "{control} is not reached with Tab: {reached:?}");
    }
    assert!(
        reached.iter().any(|name| name.contains("Hold at 1")),
        "no decision is reached with Tab: {reached:?}"
    );

    // By keyboard alone: two replicas.
    browser
        .evaluate("document.getElementById('desired').select(), document.getElementById('desired').focus()")
        .await;
    browser.press("2").await;
    browser.press("Enter").await;
    let reached = "document.getElementById('outcome').textContent === 'Scaled to 2.'";
    browser.until("two replicas", reached, Duration::from_secs(15)).await;
    // A value read out at another time, of which there has to be one.
    let some = "(document.querySelector('#chart-response-time .plot .line.p95').getAttribute('d').match(/L/g) ?? []).length >= 3";
    browser.until("some seconds of a curve", some, Duration::from_secs(15)).await;
    browser.evaluate("document.querySelector('#chart-response-time .drawing').focus()").await;
    browser.press("ArrowLeft").await;
    let read = "/^\\d\\d:\\d\\d:\\d\\d: mean .* ms, p50 .* ms, p95 .* ms, p99 .* ms(\\. .+)?$/.test(document.getElementById('reading').textContent)";
    browser.until("a reading in words", read, Duration::from_secs(2)).await;

    // Nine replicas are beyond the limits; the form itself would refuse, so the page is asked to send it all the same.
    browser
        .evaluate("document.getElementById('scale').noValidate = true; document.getElementById('desired').value = 9; document.getElementById('scale-button').click()")
        .await;
    let refused = "document.getElementById('outcome').dataset.kind === 'failed' && document.getElementById('outcome').textContent.includes('9 replicas were asked for, expected 1 to 6')";
    browser.until("a refusal in words", refused, Duration::from_secs(5)).await;
    let complaints = browser.complaints().await;
    assert!(complaints.iter().all(|text| text.contains("400")), "{complaints:#?}");
}

#[tokio::test]
async fn a_viewers_stream_takes_at_most_5_kib_a_second() {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;

    let up = Up::start(&["--min-replicas", "6", "--max-replicas", "6", "--check-interval", "1s"]);
    up.wait_for_replicas(6, Duration::from_secs(20)).await;
    let client: Client<_, Empty<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let request =
        http::Request::get(format!("{}/api/events", up.scaler)).body(Empty::new()).expect("a request");
    let mut stream = client.request(request).await.expect("the scaler answers").into_body();
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(10) {
        let frame = stream.frame().await.expect("the stream goes on").expect("the stream is sound");
        bytes += frame.data_ref().map_or(0, bytes::Bytes::len);
    }
    let per_second =
        f64::from(u32::try_from(bytes).expect("some thousand bytes")) / began.elapsed().as_secs_f64();
    println!("six replicas, a check each second: {per_second:.0} bytes/s");
    assert!(per_second <= STREAM_MAX, "{per_second:.0} bytes/s");
    assert!(per_second > 500.0, "only {per_second:.0} bytes/s: is anything told at all?");
}
