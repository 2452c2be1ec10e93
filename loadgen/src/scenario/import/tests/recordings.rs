//! What becomes of recordings as browsers, proxies and other tools write them.

use serde_json::{Value, json};

use super::super::{Imported, scenario_from_har};
use super::file;

fn import(har: &Value, origin: Option<&str>) -> Result<Imported, String> {
    let (_folder, path) = file("visit.har", &har.to_string());
    scenario_from_har(&path, origin).map_err(|error| error.to_string())
}

#[track_caller]
fn imported(entries: &Value) -> Imported {
    import(&json!({"log": {"entries": entries}}), None).expect("it is a recording")
}

fn entry(url: &str, status: u16) -> Value {
    json!({"request": {"method": "GET", "url": url}, "response": {"status": status}})
}

/// The paths of the steps, in their order.
fn paths(imported: &Imported) -> Vec<&str> {
    imported
        .text
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '-']).strip_prefix("path: "))
        .collect()
}

#[track_caller]
fn told(imported: &Imported, parts: &[&str]) {
    for part in parts {
        assert!(
            imported.notes.iter().any(|note| note.contains(part)),
            "`{part}` is missing: {:#?}",
            imported.notes
        );
    }
}

/// Like `entry`, and it redirects to `location`.
fn redirect(url: &str, status: u16, location: &str) -> Value {
    let mut entry = entry(url, status);
    entry["response"]["redirectURL"] = location.into();
    entry
}

fn page(url: &str) -> Value {
    let mut entry = entry(url, 200);
    entry["response"]["content"] = json!({"mimeType": "text/html; charset=utf-8"});
    entry
}

#[test]
fn the_origin_is_where_the_visit_went() {
    let upgrade = [
        redirect("http://shop.test/", 301, "https://shop.test/"),
        entry("https://shop.test/", 200),
        entry("https://shop.test/a.css", 200),
    ];
    let apex = [
        redirect("https://shop.test/", 308, "https://www.shop.test/"),
        entry("https://www.shop.test/", 200),
        entry("https://cdn.test/1.js", 200),
        entry("https://cdn.test/2.js", 200),
    ];
    let hsts =
        [redirect("http://shop.test/a", 307, "https://shop.test/a"), entry("https://shop.test/a", 200)];
    let revocation = [
        json!({"request": {"method": "POST", "url": "http://ocsp.test/"}, "response": {"status": 200}}),
        entry("https://shop.test/", 200),
        entry("https://shop.test/api", 200),
    ];
    let pages =
        [page("https://shop.test/"), entry("https://cdn.test/1", 200), entry("https://cdn.test/2", 200)];
    let login = [
        redirect("https://app.test/", 302, "https://login.test/"),
        page("https://login.test/"),
        redirect("https://login.test/in", 302, "https://app.test/home"),
        page("https://app.test/home"),
        entry("https://app.test/api", 200),
    ];
    let marker = [
        json!({"request": {"method": "GET", "url": "about:blank"}, "response": {"status": 200}}),
        json!({"request": {"method": "GET", "url": "chrome-extension://abc/x.js"}, "response": {"status": 200}}),
        entry("http://[::1]:8080/a", 200),
    ];
    let cases: [(&[Value], &str, usize, &str); 7] = [
        (&upgrade, "https://shop.test", 2, "left out 1 entry to other origins"),
        (&apex, "https://www.shop.test", 1, "http"),
        (&hsts, "https://shop.test", 1, "http://shop.test"),
        (&revocation, "https://shop.test", 2, "http://ocsp.test"),
        (&pages, "https://shop.test", 1, "https://cdn.test (2)"),
        (&login, "https://app.test", 3, "https://login.test (2)"),
        (
            &marker,
            "http://[::1]:8080",
            1,
            "left out 2 entries that did not go over HTTP: about:, chrome-extension:",
        ),
    ];
    for (entries, origin, kept, left_out) in cases {
        let imported = imported(&json!(entries));
        assert_eq!(imported.notes[0], format!("recorded from {origin}: play it with --host {origin}"));
        assert_eq!(imported.notes[1], format!("kept {kept} of {} entries", entries.len()));
        told(&imported, &[left_out]);
    }
    let har = json!({"log": {"entries": upgrade}});
    let chosen = import(&har, Some("http://shop.test:80/any/path")).expect("it was recorded");
    assert_eq!(paths(&chosen), ["/"]);
    for (origin, part) in [
        ("shop.test", "expected a URL"),
        ("ftp://shop.test", "expected a URL"),
        ("https://other.test", "no request"),
    ] {
        let error = import(&har, Some(origin)).expect_err(origin);
        assert!(error.contains(part) && error.contains("https://shop.test (2)"), "{error}");
    }
}

#[test]
fn recorded_answers_are_expected_again_and_no_redirect_is_followed_twice() {
    let entries = json!([
        entry("https://shop.test/page", 200),
        entry("https://shop.test/favicon.ico", 404),
        entry("https://shop.test/login", 401),
        entry("https://shop.test/down", 503),
        entry("https://shop.test/cached.js", 304),
        redirect("https://shop.test/old", 302, "/new"),
        entry("https://shop.test/new", 200),
        entry("https://shop.test/odd", 999),
    ]);
    let imported = imported(&entries);
    let text = &imported.text;
    for status in ["status: 404", "status: 401", "status: 503", "status: 302"] {
        assert!(text.contains(status), "{text}");
    }
    assert!(text.contains("- '304'") || text.contains("- \"304\""), "304 or 2xx: {text}");
    assert_eq!(text.matches("followRedirects: false").count(), 1, "{text}");
    told(
        &imported,
        &[
            "expect 5 requests",
            "do not follow 1 redirect",
            "left out 1 entry whose status no check can name: GET /odd",
        ],
    );
}

#[test]
fn what_was_no_request_is_left_out_with_a_word() {
    let with = |url: &str, field: &str, value: Value| {
        let mut entry = entry(url, 200);
        entry[field] = value;
        entry
    };
    let mut blocked = entry("https://shop.test/ad.js", 0);
    blocked["response"]["_error"] = "net::ERR_BLOCKED_BY_CLIENT".into();
    let method = |method: &str| json!({"request": {"method": method, "url": "https://shop.test/m"}});
    let imported = imported(&json!([
        entry("https://shop.test/", 200),
        blocked,
        entry("https://shop.test/aborted", 0),
        with("https://shop.test/disk.css", "_fromCache", "disk".into()),
        with("https://shop.test/safari.css", "_fetchType", "Memory Cache".into()),
        with("https://shop.test/kept.css", "_fromCache", Value::Null),
        with("https://shop.test/also-kept.css", "_error", Value::Null),
        entry("https://shop.test/socket", 101),
        entry("wss://shop.test/socket", 101),
        method("PROPFIND"),
        method("query"),
        method("CONNECT"),
        method("BREW"),
        method("G\u{1b}[31mT"),
    ]));
    assert_eq!(paths(&imported), ["/", "/kept.css", "/also-kept.css", "/m", "/m"]);
    assert!(
        imported.text.contains("method: PROPFIND") && imported.text.contains("method: QUERY"),
        "{}",
        imported.text
    );
    told(
        &imported,
        &[
            "left out 2 entries that never got an answer, as when a browser blocks it: https://shop.test/ad.js, https://shop.test/aborted",
            "left out 2 entries that the browser answered",
            "left out 2 entries that became a websocket",
            "left out 3 entries whose method cannot be sent",
            r"G\u{1b}[31mT",
        ],
    );
}

#[test]
fn what_is_missing_null_or_of_another_type_counts_as_absent() {
    let odd = [
        json!({"time": null}),
        json!({"time": "50", "startedDateTime": 7}),
        json!({"time": -1, "response": null}),
        json!({"time": [1], "cache": null, "response": {"status": "200", "content": []}}),
    ];
    let requests = [
        json!({"headers": null, "postData": null, "bodySize": null}),
        json!({"headers": [null, 5, {"name": "X-Api", "value": null}], "postData": {"text": null, "mimeType": null, "params": null}}),
        json!({"headers": {}, "postData": {"text": "a", "params": {}}, "queryString": 7}),
        json!({"method": "POST", "postData": {"mimeType": 5, "text": 12}}),
    ];
    let mut entries = vec![json!({}), json!(null), json!("entry"), json!({"request": {"url": "::"}})];
    for (outer, inner) in odd.iter().zip(&requests) {
        let mut entry = outer.clone();
        entry["request"] = inner.clone();
        entry["request"]["url"] = "https://shop.test/a".into();
        entries.push(entry);
    }
    let imported = imported(&json!(entries));
    assert_eq!(paths(&imported).len(), 4, "{}", imported.text);
    told(
        &imported,
        &["left out 2 entries that cannot be read", "left out 2 entries whose `request.url` is not a URL"],
    );

    // Half of a character in an answer is the answer's own; in a request it costs that entry.
    let text = r#"{"log": {"entries": [
        {"request": {"url": "https://shop.test/a"}, "response": {"content": {"text": "\ud800"}}},
        {"request": {"url": "https://shop.test/b", "postData": {"text": "\ud800"}}}]}}"#;
    let (_folder, path) = file("visit.har", text);
    let imported = scenario_from_har(&path, None).expect("it is a recording");
    assert_eq!(paths(&imported), ["/a"]);
    told(&imported, &["left out 1 entry that cannot be read: log.entries[1]"]);
}

#[test]
fn needed_headers_stay_and_credentials_do_not() {
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let headers = [
        header("SOAPAction", "\"urn:x\""),
        header("Range", "bytes=0-99"),
        header("If-None-Match", "\"e\""),
        header("Prefer", "return=minimal"),
        header("X-Api-Version", "2"),
        header("X-Anything", "a"),
        header("x-anything", "b"),
        header("Authorization", "Bearer s3cret"),
        header("Cookie", "a=s3cret"),
        header("X-Api-Key", "s3cret"),
        header("X-CSRF-Token", "s3cret"),
        header("Referer", "https://shop.test/"),
        header("Sec-Fetch-Mode", "cors"),
        header("Accept-Encoding", "br"),
        header(":path", "/"),
        header("Bad\u{1b}Name", "x"),
        header("X-Bad-Value", "a\r\nInjected: b"),
    ];
    let imported = imported(&json!([{"request": {
        "method": "GET", "headers": headers, "url": "https://shop.test/a?api_key=s3cret&page=2&access_token=s3cret&z=%20",
    }}]));
    let text = &imported.text;
    for part in [
        "soapaction: ",
        "range: bytes=0-99",
        "if-none-match: ",
        "prefer: return=minimal",
        "x-api-version: ",
        "x-anything: a, b",
        "path: /a?page=2&z=%20",
    ] {
        assert!(text.contains(part), "`{part}` is missing:\n{text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("Injected"), "{text}");
    told(
        &imported,
        &[
            "left out 6 credentials",
            "authorization in the headers",
            "left out 3 headers that the browser",
            "left out 2 headers that cannot be sent",
            "joined 1 header",
        ],
    );
}

#[test]
fn entries_are_sorted_by_their_start_and_pauses_are_counted_once() {
    let at = |second: f64, took: f64, path: &str| {
        json!({
            "startedDateTime": format!("2026-03-04T23:59:{second:06.3}Z"), "time": took * 1000.0,
            "request": {"method": "GET", "url": format!("https://shop.test/{path}")},
        })
    };
    // b and c go out while a is still under way, and stand in the wrong order; d comes after midnight.
    let mut after_midnight = at(0.0, 0.1, "d");
    after_midnight["startedDateTime"] = "2026-03-05T01:00:03.000+01:00".into();
    let imported =
        imported(&json!([at(50.0, 5.0, "a"), at(52.0, 0.5, "c"), at(51.0, 0.5, "b"), after_midnight]));
    assert_eq!(paths(&imported), ["/a", "/b", "/c", "/d"]);
    let pauses: Vec<_> =
        imported.text.lines().filter(|line| line.contains("constant: ")).map(str::trim).collect();
    assert_eq!(pauses, ["constant: 8s"], "from the end of a to d");
    told(&imported, &["moved 1 entry into the order of the start times: https://shop.test/b"]);
}

#[test]
fn a_body_that_cannot_be_built_is_left_out_with_its_entry() {
    let post =
        |body: Value| json!({"request": {"method": "POST", "url": "https://shop.test/up", "postData": body}});
    let imported = imported(&json!([
        entry("https://shop.test/", 200),
        post(json!({"mimeType": "application/octet-stream", "encoding": "base64", "text": "%%%"})),
        post(json!({"mimeType": "application/json", "params": [{"name": "a", "value": "1"}]})),
        post(json!({"mimeType": "image/png", "_sha1": "abc.png"})),
        {"request": {"method": "PUT", "url": "https://shop.test/up", "bodySize": 12}},
        {"request": {"method": "GET", "url": "https://shop.test/search", "postData": {"mimeType": "application/json", "text": "{}"}}},
        post(json!({"mimeType": "multipart/form-data", "params": [{"name": "f", "fileName": "x.bin"}]})),
    ]));
    assert_eq!(paths(&imported), ["/", "/search", "/up"]);
    assert!(imported.text.contains("boundary=autoscale-lab-part"), "{}", imported.text);
    told(
        &imported,
        &[
            "whose body is not the base64",
            "whose body has fields but no text",
            "in a file beside the recording",
            "whose body the recording does not have",
            "left out 1 body of requests that have none: GET /search",
            "sent 1 file without content",
            "built 1 body of the recorded fields",
        ],
    );
}

#[test]
fn more_paths_than_names_share_one_and_none_is_lost() {
    let entries: Vec<_> = (0..600).map(|number| entry(&format!("https://shop.test/{number}"), 200)).collect();
    let imported = imported(&json!(entries));
    assert_eq!(paths(&imported).len(), 600);
    told(&imported, &["named 110 requests alike"]);
}

#[test]
fn what_is_no_recording_is_named_shortly() {
    let long = "x".repeat(200_000);
    for (text, part) in [
        (format!("{{\"log\": {{\"entries\": [{{\"request\": {{\"url\": \"{long}\"}}}}]}}}}"), "not a URL"),
        (format!("{{\"log\": \"{long}\"}}"), "`log.entries` is not a list"),
        (format!("\"{long}\""), "is not a recording"),
        ("{\"openapi\": \"3.0.0\"}".to_owned(), "--from-openapi"),
        ("\u{1b}[31m".to_owned(), "is not a recording"),
    ] {
        let (_folder, path) = file("visit.har", &text);
        let error = scenario_from_har(&path, None).expect_err(part).to_string();
        assert!(error.contains(part) && error.len() < 1000 && !error.contains('\u{1b}'), "{error}");
    }
}

#[test]
fn a_body_in_another_charset_is_sent_as_utf_8_and_told() {
    let post = |media_type: &str, text: &str| {
        let mut entry = entry("https://shop.test/note", 200);
        entry["request"]["method"] = "POST".into();
        entry["request"]["headers"] = json!([{"name": "Content-Type", "value": media_type}]);
        entry["request"]["postData"] = json!({"mimeType": media_type, "text": text});
        entry
    };
    let latin = "text/plain; charset=iso-8859-1";
    let imported = imported(&json!([
        post(latin, "Käse"),
        post(latin, "cheese"),
        post("text/plain; charset=utf-8", "Käse"),
        post("application/json; charset=UTF-16LE", "{}"),
    ]));
    told(
        &imported,
        &["sent 2 bodies as UTF-8, and said so, that were recorded in another charset: iso-8859-1, UTF-16LE"],
    );
    let types: Vec<_> =
        imported.text.lines().filter_map(|line| line.trim().strip_prefix("content-type: ")).collect();
    assert_eq!(
        types,
        ["text/plain; charset=utf-8", latin, "text/plain; charset=utf-8", "application/json; charset=utf-8"],
        "{}",
        imported.text
    );
}
