//! Shows state, decisions and routes on one page that works without a script.

use std::fmt::Write as _;

use axum::extract::State;
use axum::response::Html;

use super::ApiState;
use crate::status::{DecisionStatus, Status};

/// Decisions shown.
const DECISIONS_SHOWN: usize = 15;

const ROUTES: [(&str, &str); 13] = [
    ("GET /api/status", "everything on this page, as JSON"),
    ("GET /api/history?since=…", "the last 15 minutes, one point each second, and the last decisions"),
    ("GET /api/events", "server-sent events: a status each second, every decision"),
    ("GET /api/policy", "the policy with its settings"),
    ("PUT /api/replicas {\"desired\": 3}", "a count by hand, within the limits"),
    ("PUT /api/limits {\"min\": 1, \"max\": 6}", "other limits"),
    ("POST /api/pause", "no automatic actions"),
    ("POST /api/resume", "automatic actions again"),
    ("GET /api/load", "the service's load"),
    ("POST /api/load/spike, /increase, /decrease, /reset", "change it"),
    ("GET /health", "whether this process lives"),
    ("GET /ready", "whether it has seen the service"),
    ("GET /metrics", "its metrics"),
];

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem;\
    color-scheme:light dark}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}\
    th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #8884;vertical-align:top}\
    td.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:.95em}\
    .up{color:#c60}.down{color:#06c}.hold{opacity:.65}.big{font-size:1.6rem}";

/// `GET /`.
pub(super) async fn show(State(state): State<ApiState>) -> Html<String> {
    let status = state.published.status.borrow().clone();
    let decisions = state.published.history(|history| history.decisions());
    Html(render(&status, &decisions))
}

fn render(status: &Status, decisions: &[DecisionStatus]) -> String {
    let mut page = String::with_capacity(8 * 1024);
    let service = escape(&status.service);
    write_to(
        &mut page,
        format_args!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"2\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{service}: scaler</title>\
             <style>{STYLE}</style></head><body><h1>{service}</h1>"
        ),
    );
    write_counts(&mut page, status);
    for problem in &status.problems {
        write_to(&mut page, format_args!("<p><strong>Problem:</strong> {}</p>", escape(problem)));
    }
    write_signals(&mut page, status);
    write_decisions(&mut page, decisions);
    write_endpoints(&mut page, status);
    write_routes(&mut page);
    page.push_str("</body></html>");
    page
}

fn write_counts(page: &mut String, status: &Status) {
    let replicas = status.replicas;
    let load = status.load_factor.map_or_else(|| "unknown".to_owned(), |factor| format!("{factor:.2}"));
    write_to(
        page,
        format_args!(
            "<p class=\"big\">{} of {} replicas ready, {} wanted ({} to {} allowed){}{}</p>\
             <p>Policy <code>{}</code> ({}), source {}, actuator {}, load factor {load}, up for {:.0} s, {}</p>",
            replicas.ready,
            replicas.current,
            replicas.desired,
            replicas.min,
            replicas.max,
            if status.paused { ", paused" } else { "" },
            if status.acting { ", acting" } else { "" },
            escape(&status.policy.name),
            status.policy.kind,
            status.source,
            status.actuator,
            status.uptime_seconds,
            status.at,
        ),
    );
}

fn write_signals(page: &mut String, status: &Status) {
    page.push_str("<h2>Signals</h2><table><tr><th>signal<th>value<th>age</tr>");
    for (signal, reading) in &status.signals {
        let value = reading.value.map_or_else(|| "none".to_owned(), |value| signal.amount(value).to_string());
        let age = reading.age_seconds;
        write_to(
            page,
            format_args!(
                "<tr><td><code>{signal}</code><td class=\"n\">{value}<td class=\"n\">{age:.1} s</tr>"
            ),
        );
    }
    page.push_str("</table>");
}

fn write_decisions(page: &mut String, decisions: &[DecisionStatus]) {
    page.push_str("<h2>Decisions</h2><table><tr><th>at<th>action<th>replicas<th>because</tr>");
    for decision in decisions.iter().take(DECISIONS_SHOWN) {
        let action = decision.action.name();
        write_to(
            page,
            format_args!(
                "<tr class=\"{action}\"><td>{}<td>{action}<td>{} → {}<td>{}</tr>",
                decision.at,
                decision.from,
                decision.to,
                escape(&decision.reason_text)
            ),
        );
    }
    page.push_str("</table>");
}

fn write_endpoints(page: &mut String, status: &Status) {
    page.push_str("<h2>Endpoints</h2><table><tr><th>address<th>state<th>in flight<th>process</tr>");
    for endpoint in &status.endpoints {
        let process = endpoint.pid.map_or_else(String::new, |pid| pid.to_string());
        let state = format!("{:?}", endpoint.state).to_lowercase();
        write_to(
            page,
            format_args!(
                "<tr><td>{}<td>{state}<td class=\"n\">{}<td class=\"n\">{process}</tr>",
                escape(&endpoint.url),
                endpoint.in_flight
            ),
        );
    }
    page.push_str("</table>");
}

fn write_routes(page: &mut String) {
    page.push_str("<h2>Routes</h2><table>");
    for (route, text) in ROUTES {
        write_to(page, format_args!("<tr><td><code>{}</code><td>{text}</tr>", escape(route)));
    }
    page.push_str("</table>");
}

fn write_to(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a string does not fail");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_become_markup() {
        let status = Status {
            service: "<script>alert(1)</script>".to_owned(),
            problems: vec!["<img src=x onerror='x'>".to_owned()],
            ..Status::default()
        };
        let page = render(&status, &[]);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;"));
    }
}
