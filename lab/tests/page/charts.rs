//! Axes, labels and marks of the charts: what they say, and how they are reached without a mouse.

use std::time::Duration;

use serde_json::json;

use super::closed_loop::support::Up;
use super::{DESK, PHONE, QUICK, browser, open};

#[tokio::test]
async fn ticks_have_the_digits_of_their_step_and_one_unit() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    for (formatter, ticks, expected) in [
        (
            "plainTicks('/s')",
            json!([0, 0.25, 0.5, 0.75, 1]),
            json!(["0.00/s", "0.25/s", "0.50/s", "0.75/s", "1.00/s"]),
        ),
        ("plainTicks('')", json!([0, 1, 2]), json!(["0", "1", "2"])),
        ("plainTicks('')", json!([0, 50, 100, 150]), json!(["0", "50", "100", "150"])),
        ("plainTicks('')", json!([0, 2.5, 5, 7.5]), json!(["0.0", "2.5", "5.0", "7.5"])),
        ("durationTicks", json!([0, 0.25, 0.5, 0.75]), json!(["0 ms", "250 ms", "500 ms", "750 ms"])),
        ("durationTicks", json!([0, 0.5, 1, 1.5]), json!(["0.0 s", "0.5 s", "1.0 s", "1.5 s"])),
        (
            "durationTicks",
            json!([0, 0.25, 0.5, 0.75, 1]),
            json!(["0.00 s", "0.25 s", "0.50 s", "0.75 s", "1.00 s"]),
        ),
        ("durationTicks", json!([0, 0.0025, 0.005]), json!(["0.0 ms", "2.5 ms", "5.0 ms"])),
        ("durationTicks", json!([0, 0.000_000_5, 0.000_001]), json!(["0.0000 ms", "0.0005 ms", "0.0010 ms"])),
        ("factorTicks", json!([0, 0.5, 1]), json!(["×0.0", "×0.5", "×1.0"])),
    ] {
        let labels = browser
            .evaluate(&format!("import('/page/units.js').then((units) => units.{formatter}({ticks}))"))
            .await;
        assert_eq!(labels, expected, "{formatter} of {ticks}");
    }
    // Each chart as it stands: as many digits in one label as in the next, and numbers that are evenly spaced.
    let axes = browser
        .evaluate(
            "[...document.querySelectorAll('.chart:not([hidden])')].map((chart) => [chart.id, [...chart.querySelectorAll('.grid text[text-anchor=end]')].map((one) => one.textContent)])",
        )
        .await;
    for axis in axes.as_array().expect("a list of charts") {
        let labels: Vec<&str> =
            axis[1].as_array().expect("labels").iter().filter_map(serde_json::Value::as_str).collect();
        let number = |label: &str| label.trim_matches(|letter: char| !letter.is_ascii_digit()).to_owned();
        let digits = |label: &str| number(label).split_once('.').map_or(0, |(_, rest)| rest.len());
        assert!(labels.windows(2).all(|pair| digits(pair[0]) == digits(pair[1])), "{axis}");
        let values: Vec<f64> = labels.iter().map(|label| number(label).parse().expect("a number")).collect();
        let even = |three: &[f64]| ((three[2] - three[1]) - (three[1] - three[0])).abs() < 1e-9;
        assert!(labels.len() > 1 && values.windows(3).all(even), "{axis}");
    }
}

/// Whether any label of a horizontal line lies within a plot, where it would hide data.
const LABELS_IN_PLOTS: &str = "[...document.querySelectorAll('.chart:not([hidden])')].flatMap((chart) => {
    const plot = chart.querySelector('.surface').getBoundingClientRect();
    return [...chart.querySelectorAll('.plot .thresholds text')].filter((label) => {
        const box = label.getBoundingClientRect();
        return box.left < plot.right && box.right > plot.left;
    }).map((label) => label.textContent);
})";

#[tokio::test]
async fn labels_of_lines_cover_no_data() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let labels = "[...document.querySelectorAll('#chart-response-time .plot .thresholds text')].map((one) => one.textContent)";
    let expected = json!(["scale up above 600 ms", "SLO: p95 ≤ 250 ms", "scale down below 200 ms"]);
    browser.until("labels", &format!("{labels}.length === 3"), Duration::from_secs(5)).await;
    assert_eq!(browser.evaluate(labels).await, expected);
    assert_eq!(browser.evaluate(LABELS_IN_PLOTS).await, json!([]));
    browser.look_through(PHONE).await;
    let in_legend =
        "[...document.querySelectorAll('#chart-response-time .line-key li')].map((one) => one.textContent)";
    browser.until("labels in the legend", &format!("{in_legend}.length === 3"), Duration::from_secs(5)).await;
    assert_eq!(browser.evaluate(in_legend).await, expected);
    assert_eq!(browser.evaluate(LABELS_IN_PLOTS).await, json!([]));
    let key = "document.querySelectorAll('.band-key li').length";
    assert_eq!(browser.evaluate(key).await, json!(5), "the band has a key of its colours");
}

#[tokio::test]
async fn marks_are_one_stop_of_the_tab_key_and_draw_the_ruler() {
    let Some(mut browser) = browser().await else { return };
    let up = Up::start(&QUICK);
    open(&mut browser, &up, DESK).await;
    let marks = "document.querySelectorAll('.mark[data-key]').length";
    browser.click("#pause").await;
    browser.until("three marks", &format!("{marks} >= 3"), Duration::from_secs(20)).await;
    browser.evaluate("document.querySelector('#chart-replicas-and-decisions .drawing').focus()").await;
    browser.press("Tab").await;
    // Not its label: that of a hold grows with each check.
    let name = "document.activeElement.dataset.key";
    let is_mark = "document.activeElement.classList.contains('mark')";
    assert_eq!(browser.evaluate(is_mark).await, json!(true), "a stop that is not a mark");
    let newest = browser.evaluate(name).await;
    let ruler = "document.querySelector('#chart-requests .ruler').getAttribute('visibility')";
    browser.until("the ruler", &format!("{ruler} === 'visible'"), Duration::from_secs(3)).await;
    browser.press("ArrowLeft").await;
    assert_ne!(browser.evaluate(name).await, newest, "no step to the one before");
    // A key that arrives at the group itself goes on from the current mark, not from the oldest.
    let bubbled = "document.querySelector('[role=group][aria-label^=Decisions]').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true})); document.activeElement.dataset.key";
    assert_eq!(browser.evaluate(bubbled).await, newest);
    browser.press("Escape").await;
    browser.until("no ruler", &format!("{ruler} === 'hidden'"), Duration::from_secs(3)).await;
    browser.press("Tab").await;
    let is_next = "document.activeElement.closest('#chart-requests') !== null";
    assert_eq!(browser.evaluate(is_next).await, json!(true), "the marks are more than one stop");

    browser.press("ArrowLeft").await;
    let reading = "document.getElementById('reading').textContent";
    assert_ne!(browser.evaluate(reading).await, json!(""));
    browser.press("Escape").await;
    assert_eq!(browser.evaluate(reading).await, json!(""), "a reading of before is left");
}
