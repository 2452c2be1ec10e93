//! What the page says when something is wrong: nothing is green on a reading that is old, and nothing breaks the layout.

use std::time::Duration;

use serde_json::json;

use super::closed_loop::support::{Up, send_signal};
use super::several_services::Scaler;
use super::{Browser, DESK, PHONE, QUICK, Window, browser, open};

/// Window widths at which nothing may be wider than the window; CSS pixels.
const WIDTHS: [u32; 5] = [320, 390, 768, 1280, 1920];

/// A process that runs on when the test ends, however it ends.
struct Frozen(u32);

impl Frozen {
    fn freeze(pid: u32) -> Self {
        send_signal(pid, "STOP");
        Self(pid)
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        send_signal(self.0, "CONT");
    }
}

/// Compares the page with its window at all widths, and leaves it at the desk's.
pub(super) async fn assert_fits(browser: &mut Browser, state: &str) {
    // For people who want to see the states.
    let folder = std::env::var_os("LAB_PAGE_PICTURES").map(std::path::PathBuf::from);
    for width in WIDTHS {
        for scheme in ["light", "dark"] {
            let window = Window { width, height: 900, is_phone: width < 700, scheme };
            browser.look_through(window).await;
            let fits = "new Promise((done) => setTimeout(() => done([document.documentElement.scrollWidth, innerWidth]), 150))";
            let found = browser.evaluate(fits).await;
            assert!(found[0].as_u64() <= Some(u64::from(width)), "{state}, {width} px: {found}");
            if let Some(folder) = &folder {
                browser.picture(&folder.join(format!("{state}-{width}-{scheme}.png")), window).await;
            }
        }
    }
    browser.look_through(DESK).await;
}

fn text(id: &str) -> String {
    format!("document.getElementById('{id}').textContent")
}

/// Nothing that is green in the state that should not be.
const GREEN: &str = "[...document.querySelectorAll('#link, .tile[data-verdict=met], [data-state=ready] .state')].filter((one) => one.id !== 'link' || one.dataset.state === 'live').map((one) => one.textContent.trim())";

const POINTS: &str = "(document.querySelector('#chart-response-time .plot .line.p95').getAttribute('d')?.match(/[ML]/g) ?? []).length";

async fn until_text(browser: &mut Browser, id: &str, expected: &str, within: u64) {
    let is_it = format!("{} === {expected:?}", text(id));
    browser.until(&format!("{id}: {expected}"), &is_it, Duration::from_secs(within)).await;
}

async fn until_event(browser: &mut Browser, part: &str, within: u64) {
    let told = format!(
        "[...document.querySelectorAll('#log-lines [data-tone]')].some((line) => line.textContent.includes({part:?}))"
    );
    browser.until(&format!("an event: {part}"), &told, Duration::from_secs(within)).await;
    let marked = format!(
        "[...document.querySelectorAll('.mark.event')].some((mark) => mark.getAttribute('aria-label').includes({part:?})) \
         && [...document.querySelectorAll('figure:not(#chart-replicas-and-decisions):not([hidden]) .events')].every((lines) => lines.children.length > 0)"
    );
    browser.until(&format!("lines of it: {part}"), &marked, Duration::from_secs(5)).await;
}

#[tokio::test]
async fn nothing_is_green_while_the_gateway_is_frozen() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    browser.until("a curve", &format!("{POINTS} >= 4"), Duration::from_secs(20)).await;
    let dependency = "document.getElementById('tile-dependency').hidden && document.getElementById('chart-wait-for-the-dependency').hidden && getComputedStyle(document.querySelector('th.dependency')).display === 'none'";
    assert_eq!(browser.evaluate(dependency).await, json!(true), "there is no dependency to show");
    assert_fits(&mut browser, "rest").await;
    let frozen = Frozen::freeze(up.processes["gateway"]);
    let banner = "!document.getElementById('gateway').hidden && document.getElementById('gateway').textContent.startsWith('Gateway not responding: clients cannot reach the service')";
    browser.until("a red banner", banner, Duration::from_secs(7)).await;
    until_text(&mut browser, "slo", "Unknown", 2).await;
    until_text(&mut browser, "ready", "? of 1", 2).await;
    assert_eq!(browser.evaluate(GREEN).await, json!([]), "green while nobody can reach the service");
    let points = browser.evaluate(POINTS).await;
    until_event(&mut browser, "The gateway stopped responding", 5).await;
    assert_fits(&mut browser, "gateway-frozen").await;
    assert_eq!(browser.evaluate(POINTS).await, points, "the line is drawn on");
    drop(frozen);
    until_event(&mut browser, "The gateway responds again", 20).await;
    let judged = format!("{} !== 'Unknown'", text("slo"));
    browser.until("a verdict again", &judged, Duration::from_secs(20)).await;
    let calm = "document.getElementById('gateway').hidden && document.getElementById('link').dataset.state === 'live'";
    browser.until("a calm page", calm, Duration::from_secs(10)).await;
}

#[tokio::test]
async fn nothing_is_green_on_a_reading_that_never_came() {
    let Some(mut browser) = browser().await else { return };
    let nobody = "http://127.0.0.1:1";
    let (_scaler, address) = Scaler::start(&["--gateway", nobody, "--gateway-admin", nobody]);
    browser.open(&address, DESK).await;
    let unknown = "document.getElementById('slo')?.textContent === 'Unknown'";
    browser.until("an unknown objective", unknown, Duration::from_secs(20)).await;
    assert_eq!(browser.evaluate(GREEN).await, json!([]));
    let banner = "document.getElementById('gateway').hidden === false";
    assert_eq!(browser.evaluate(banner).await, json!(true));
    assert_fits(&mut browser, "nothing-known").await;
}

#[tokio::test]
async fn a_frozen_replica_does_not_respond_and_a_killed_one_is_an_event() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&["--min-replicas", "2", "--with-dependency"]);
    up.wait_for_replicas(2, Duration::from_secs(30)).await;
    open(&mut browser, &up, DESK).await;
    let pids: Vec<u32> = up.in_rotation().await.into_iter().map(|(_, pid)| pid).collect();
    let frozen = Frozen::freeze(pids[1]);
    let state = "[...document.querySelectorAll('#replica-rows tr[data-state=not_responding] .state')].map((one) => one.textContent).join()";
    browser
        .until(
            "a replica that does not respond",
            &format!("{state} === '✕not responding'"),
            Duration::from_secs(12),
        )
        .await;
    let named = "/^webapp-\\d+ \\(127\\.0\\.0\\.1:\\d+\\) did not answer its metrics request within 800 ms\\.$/.test(document.getElementById('problem-list').textContent)";
    browser.until("the problem in words", named, Duration::from_secs(5)).await;
    until_event(&mut browser, "stopped responding", 5).await;
    assert_fits(&mut browser, "replica-frozen").await;
    // Long after the gateway took it out it is still not starting.
    browser.until("one of two", &format!("{} === '1 of 2'", text("ready")), Duration::from_secs(15)).await;
    assert_eq!(browser.evaluate(state).await, json!("✕not responding"));
    drop(frozen);
    until_event(&mut browser, "is back in rotation", 20).await;

    send_signal(pids[0], "KILL");
    until_event(&mut browser, "died (signal 9), webapp-3 replaces it", 10).await;
    let wait = "!document.getElementById('tile-dependency').hidden && !document.getElementById('chart-wait-for-the-dependency').hidden && getComputedStyle(document.querySelector('th.dependency')).display !== 'none'";
    browser.until("the dependency", wait, Duration::from_secs(10)).await;
    send_signal(up.processes["dependency"], "KILL");
    until_event(&mut browser, "The dependency died (signal 9)", 10).await;
    assert_fits(&mut browser, "replica-killed").await;
}

#[tokio::test]
async fn orders_by_hand_and_faults_are_events_and_outlive_the_scaler() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let (url, _) = up.in_rotation().await.remove(0);
    up.get(&format!("{url}/faults/latency?add=50ms&for=4s")).await.expect("the replica takes a fault");
    until_event(&mut browser, "Fault injected into webapp-1: latency +50 ms", 6).await;
    until_event(&mut browser, "Faults of webapp-1 cleared", 12).await;
    browser.click("#pause").await;
    until_event(&mut browser, "Autoscaling paused", 5).await;
    browser.click("#increase").await;
    until_event(&mut browser, "Load ×1 → ×2", 8).await;
    assert_fits(&mut browser, "paused").await;
    send_signal(up.processes["gateway"], "KILL");
    until_event(&mut browser, "The gateway is back after", 12).await;
    // The history is saved each 10 s, so that a killed scaler keeps what is older.
    tokio::time::sleep(Duration::from_secs(11)).await;
    send_signal(up.processes["scaler"], "KILL");
    until_event(&mut browser, "Scaler restarted, nothing was recorded for", 20).await;
    browser.evaluate("location.reload()").await;
    for part in [
        "Autoscaling paused",
        "Fault injected into webapp-1",
        "The gateway died (signal 9)",
        "The scaler died (signal 9)",
    ] {
        until_event(&mut browser, part, 20).await;
    }
}

#[tokio::test]
async fn without_the_scaler_nothing_can_be_pressed_and_nothing_is_carried_out_later() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let frozen = Frozen::freeze(up.processes["scaler"]);
    // Pressed before the page can know: it waits in the scaler's socket.
    tokio::time::sleep(Duration::from_secs(2)).await;
    browser.click("#spike").await;
    let lost = "document.getElementById('link').dataset.state === 'lost' && [...document.querySelectorAll('#controls button, #controls input')].every((one) => one.disabled)";
    browser.until("disabled controls", lost, Duration::from_secs(8)).await;
    assert_eq!(browser.evaluate(&text("slo")).await, json!("Unknown"));
    assert_eq!(browser.evaluate(GREEN).await, json!([]));
    browser.click("#increase").await;
    assert_fits(&mut browser, "scaler-frozen").await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    drop(frozen);
    let live = "document.getElementById('link').dataset.state === 'live' && !document.getElementById('spike').disabled";
    browser.until("the page live again", live, Duration::from_secs(15)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let load = up.get(&format!("{}/load", up.gateway)).await.expect("a load");
    assert_eq!(load["factor"], json!(1.0), "an order of long ago was carried out");
}

#[tokio::test]
async fn a_tap_is_kept_and_a_spike_counts_down() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, PHONE).await;
    browser.until("a curve", &format!("{POINTS} >= 4"), Duration::from_secs(20)).await;
    browser.tap("#chart-response-time .surface").await;
    let read = "document.querySelector('#chart-response-time .time').textContent.startsWith('at ')";
    browser.until("a reading", read, Duration::from_secs(3)).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(browser.evaluate(read).await, json!(true), "the reading is gone when the finger is lifted");
    browser.tap("#charts-title").await;
    browser.until("now again", &format!("!({read})"), Duration::from_secs(3)).await;
    browser.tap(".band").await;
    let told = "!document.querySelector('#chart-replicas-and-decisions .bubble:last-of-type').hidden";
    browser.until("the nearest piece of the band", told, Duration::from_secs(3)).await;

    browser.click("#spike").await;
    let first = "/ends in 2:[12]\\d$/.test(document.getElementById('schedule').textContent)";
    browser.until("a countdown", first, Duration::from_secs(5)).await;
    let seen = browser.evaluate(&text("load-ends")).await;
    browser.until("it runs", &format!("{} !== {seen}", text("load-ends")), Duration::from_secs(4)).await;
    browser
        .until("a success that goes", &format!("{} === ''", text("outcome")), Duration::from_secs(16))
        .await;
    browser.click("#reset").await;
    browser.until("no countdown", "document.getElementById('schedule').hidden", Duration::from_secs(8)).await;
    assert_fits(&mut browser, "spike").await;
}

#[tokio::test]
async fn no_text_is_wider_than_the_window() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let long = "x".repeat(425);
    let fill = format!(
        "for (const one of document.querySelectorAll('#policy, #problem-list, #p95-note, #slo-note, #why, #outcome, #about, #log-lines .because, #replica-rows th span, #lost, #gateway')) {{ one.textContent = '{long}'; one.hidden = false; one.parentElement.hidden = false; }} true"
    );
    for width in WIDTHS {
        browser.look_through(Window { width, height: 900, is_phone: width < 700, scheme: "light" }).await;
        browser.evaluate(&fill).await;
        let found = browser.evaluate("document.documentElement.scrollWidth").await;
        assert!(found.as_u64() <= Some(u64::from(width)), "{width} px: {found}");
    }
}
