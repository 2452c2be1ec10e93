//! Recordings drawn at random, each entry with what a server must see of it: exactly that, or a word that it is left out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand::RngExt;
use serde_json::{Value, json};
use workload::{Stream, Streams};

use super::super::{Imported, scenario_from_har};
use super::{Arrived, Visitor, file};

/// How many recordings are drawn.
const RECORDINGS: u64 = 120;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"];

/// Segments as a browser writes them.
const SEGMENTS: [&str; 18] = [
    "a",
    "b%20c",
    "caf%C3%A9",
    "%E9",
    "a;v=1",
    "x+y",
    "a:b",
    "%7Bid%7D",
    "$%7Bx%7D",
    "$",
    "~tilde",
    "*",
    "(1)",
    "@me",
    "a,b",
    "a=b",
    "%2F",
    "",
];

const QUERIES: [&str; 20] = [
    "",
    "?",
    "?wsdl",
    "?q=caf%E9",
    "?a=1&b=2",
    "?b=1&a=2",
    "?a=1;b=2",
    "?x=a+b",
    "?x=a%20b",
    "?a[]=1&a[]=2",
    "?u=http://x/y?z=1",
    "?pct=100%",
    "?=x",
    "?${v}",
    "?a=$${w}",
    "?{a:1}",
    "?a",
    "?a&b=2",
    "?t=1~2*3",
    "?q=%C3%BC&r=(x)",
];

/// Headers that a service may need.
const HEADERS: [(&str, &str); 9] = [
    ("X-Api-Version", "2"),
    ("SOAPAction", "\"urn:x#y\""),
    ("Range", "bytes=0-99"),
    ("If-None-Match", "W/\"e\""),
    ("Prefer", "return=minimal"),
    ("X-Template", "${not} $${a} template"),
    ("Accept", "text/html;q=0.9, */*"),
    ("X-Yaml", "no: - [yes, 'it''s']"),
    ("Depth", "1"),
];

/// Texts that YAML, JSON or a form would write in another way.
const TEXTS: [&str; 28] = [
    "{\"b\":1,\"a\":[true,null,\"x\"]}",
    "{\"n\":12345678901234567890123}",
    "{\"f\":1.0,\"g\":1e3}",
    "null",
    "{\"a\":1,\"a\":2}",
    " {\"a\" : 1} ",
    "{\"delete\":{}}\n{\"id\":1}\n",
    "{\"u\":\"\\ud83d\\ude00\"}",
    "{\"${k}\":\"${v} $${w}\"}",
    "a=1&b=2",
    "b=1&a=2",
    "a=1&a=2",
    "x=a%20b",
    "flag",
    "q=caf%E9",
    "raw text & more",
    "<x a=\"1\">\r\n  y\r\n</x>\r\n",
    "- a\n- b\n",
    "key: value\n",
    "---\n...\n",
    "| block\n  indented\n\n",
    "\n leading, and trailing spaces  \n \n",
    "tab\tnul\0bell\u{7}\u{85}\u{2028}\u{feff}\u{fffe}",
    "größer 漢字 🙂",
    "\u{feff}mark",
    "'single' \"double\" \\ #hash",
    "no",
    "01234",
];

const MEDIA_TYPES: [&str; 8] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/x-ndjson",
    "text/xml; charset=utf-8",
    "application/x-yaml",
];

/// What is to become of an entry.
enum Fate {
    Sent { request: Box<Arrived>, status: u16 },
    LeftOut,
}

/// An entry that was drawn, and its fate.
struct Drawn {
    entry: Value,
    fate: Fate,
}

fn pick<'c, T: ?Sized>(stream: &mut Stream, choices: &[&'c T]) -> &'c T {
    choices[stream.random_range(0..choices.len())]
}

fn one_in(stream: &mut Stream, count: u32) -> bool {
    stream.random_range(0..count) == 0
}

/// The entry number `index` of the visit of `origin`.
fn draw(stream: &mut Stream, origin: &str, index: u32) -> Drawn {
    let method = pick(stream, &METHODS);
    let mut target = String::new();
    for _ in 0..stream.random_range(1..=3) {
        target.push('/');
        target.push_str(pick(stream, &SEGMENTS));
    }
    let query = pick(stream, &QUERIES);
    target.push_str(query);
    let mut recorded = target.clone();
    let mut headers =
        vec![json!({"name": ":authority", "value": "x"}), json!({"name": "User-Agent", "value": "browser"})];
    let mut request = Arrived { method: method.to_ascii_uppercase(), ..Arrived::default() };
    for (name, value) in HEADERS {
        if one_in(stream, 3) {
            headers.push(json!({"name": name, "value": value}));
            request.headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    if one_in(stream, 4) {
        headers.push(
            json!({"name": pick(stream, &["Authorization", "Cookie", "X-Api-Key"]), "value": "s3cret"}),
        );
    }
    if one_in(stream, 6) {
        let pair = pick(stream, &["api_key=s3cret", "access_token=s3cret", "X-Amz-Signature=s3cret"]);
        recorded = if query.is_empty() { format!("{recorded}?{pair}") } else { format!("{recorded}&{pair}") };
        // An empty pair before it is one, and stays.
        if query == "?" {
            target = recorded.replace(&format!("&{pair}"), "");
        }
    }
    target.clone_into(&mut request.target);
    let body = if request.method == "GET" { None } else { draw_body(stream, &mut request) };
    let status = draw_status(stream);
    let fragment = if one_in(stream, 8) { "#part" } else { "" };
    let mut entry = json!({
        "startedDateTime": format!("2026-11-29T10:{:02}:{:02}.000Z", index / 60, index % 60),
        "time": pick(stream, &["50", "null", "\"50\"", "-1", "1e308"]).parse::<Value>().expect("it is JSON"),
        "request": {"method": method, "url": format!("{origin}{recorded}{fragment}"), "headers": headers},
        "response": {"status": status, "content": {"mimeType": if index == 0 { "text/html; charset=utf-8" } else { "" }}},
    });
    if let Some(body) = body {
        entry["request"]["postData"] = body;
    }
    let left_out = index > 0 && one_in(stream, 6);
    let fate = if left_out {
        spoil(stream, &mut entry, &recorded);
        Fate::LeftOut
    } else {
        Fate::Sent { request: Box::new(request), status }
    };
    Drawn { entry, fate }
}

/// A status that a request can be answered with again.
fn draw_status(stream: &mut Stream) -> u16 {
    match stream.random_range(0..10) {
        0 => 404,
        1 => 302,
        2 => 500,
        3 => 304,
        4 => 204,
        5 => 401,
        6 => 308,
        _ => 200,
    }
}

/// Makes an entry one that never reached the service, or not this one.
fn spoil(stream: &mut Stream, entry: &mut Value, target: &str) {
    match stream.random_range(0..12) {
        0 => entry["_fromCache"] = "disk".into(),
        1 => entry["_fromCache"] = "memory".into(),
        2 => entry["_error"] = "net::ERR_BLOCKED_BY_CLIENT".into(),
        3 => entry["response"]["status"] = 0.into(),
        4 => entry["response"]["status"] = 101.into(),
        5 => entry["request"]["url"] = format!("https://cdn.test{target}").into(),
        6 => entry["request"]["url"] = "wss://live.test/socket".into(),
        7 => entry["request"]["url"] = "chrome-extension://abc/x.js".into(),
        8 => entry["request"]["url"] = "::".into(),
        9 => entry["request"]["method"] = "BREW".into(),
        10 => *entry = json!(5),
        _ => entry["response"]["_error"] = "aborted".into(),
    }
}

/// A body as a recording has it; what arrives of it is noted in `request`.
fn draw_body(stream: &mut Stream, request: &mut Arrived) -> Option<Value> {
    let mut arrives = |media_type: &str, bytes: Vec<u8>| {
        if !bytes.is_empty() {
            request.headers.insert("content-type".to_owned(), media_type.to_owned());
        }
        request.body = bytes;
    };
    match stream.random_range(0..8) {
        0 => None,
        1 => {
            let bytes: Vec<u8> =
                (0..stream.random_range(1..300)).map(|_| stream.random_range(0..=255)).collect();
            let text = BASE64.encode(&bytes);
            arrives("application/octet-stream", bytes);
            Some(json!({"mimeType": "application/octet-stream", "encoding": "base64", "text": text}))
        }
        2 => {
            let media_type = "multipart/form-data; boundary=XX";
            arrives(
                media_type,
                b"--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                  --XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\
                  Content-Type: text/plain\r\n\r\nhello ${x}\r\n--XX--\r\n"
                    .to_vec(),
            );
            let file =
                json!({"name": "f", "fileName": "x.txt", "contentType": "text/plain", "value": "hello ${x}"});
            Some(json!({"mimeType": media_type, "params": [{"name": "a", "value": "1"}, file]}))
        }
        3 => {
            let media_type = "application/x-www-form-urlencoded";
            arrives(media_type, b"colour=red&colour=a+b%26c&%24%7Bx%7D=".to_vec());
            let params = json!([
                {"name": "colour", "value": "red"}, {"name": "colour", "value": "a b&c"}, {"name": "${x}", "value": null},
            ]);
            Some(
                json!({"mimeType": media_type, "params": params, "text": pick(stream, &["null", "\"\""]).parse::<Value>().ok()}),
            )
        }
        4 => {
            arrives("text/plain", b"a=1\r\nb=x y\r\n".to_vec());
            Some(
                json!({"mimeType": "text/plain", "params": [{"name": "a", "value": "1"}, {"name": "b", "value": "x y"}]}),
            )
        }
        5 => {
            let text: String = (0..stream.random_range(1..400))
                .map(|_| pick(stream, &["long ", "words", "\n", "  ", "#", ": "]))
                .collect();
            arrives("text/plain", text.clone().into_bytes());
            Some(json!({"mimeType": "text/plain", "text": text, "params": null}))
        }
        _ => {
            let (media_type, text) = (pick(stream, &MEDIA_TYPES), pick(stream, &TEXTS));
            arrives(media_type, text.as_bytes().to_vec());
            Some(json!({"mimeType": media_type, "text": text}))
        }
    }
}

/// How many entries the notes say were left out.
fn told_left_out(imported: &Imported) -> usize {
    let count = |note: &String| {
        let mut words = note.split(' ');
        let is_of_entries = words.next() == Some("left") && words.next() == Some("out");
        let count = words.next().and_then(|count| count.parse::<usize>().ok());
        let noun = words.next().unwrap_or_default();
        count.filter(|_| is_of_entries && matches!(noun, "entry" | "entries"))
    };
    imported.notes.iter().filter_map(count).sum()
}

#[tokio::test]
async fn a_recorded_visit_arrives_byte_for_byte_or_is_named_as_left_out() {
    let mut visitor = Visitor::new().await;
    for seed in 0..RECORDINGS {
        let mut stream = Streams::from_seed(seed).stream("recording");
        let origin = format!(
            "{}://shop-{seed}.test{}",
            pick(&mut stream, &["http", "https"]),
            pick(&mut stream, &["", ":8443"])
        );
        let drawn: Vec<_> =
            (0..stream.random_range(3..12)).map(|index| draw(&mut stream, &origin, index)).collect();
        let mut entries: Vec<_> = drawn.iter().map(|drawn| drawn.entry.clone()).collect();
        if drawn.iter().all(|drawn| drawn.entry.is_object()) && one_in(&mut stream, 3) {
            entries.reverse();
        }
        let har = json!({"log": {"version": "1.2", "entries": entries}}).to_string();
        let (_folder, path) = file("visit.har", &har);
        let imported =
            scenario_from_har(&path, None).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{har}"));
        let (mut expected, mut statuses, mut left_out) = (Vec::new(), Vec::new(), 0);
        for Drawn { fate, .. } in drawn {
            match fate {
                Fate::Sent { request, status } => {
                    expected.push(*request);
                    statuses.push(status);
                }
                Fate::LeftOut => left_out += 1,
            }
        }
        let arrived = visitor.play(&imported, &statuses).await;
        assert_eq!(arrived.len(), expected.len(), "seed {seed}\n{har}\n{}", imported.text);
        for (arrived, expected) in arrived.iter().zip(&expected) {
            let told = format!("seed {seed}\n{har}\n{}", imported.text);
            assert_eq!((&arrived.method, &arrived.target), (&expected.method, &expected.target), "{told}");
            assert_eq!(
                String::from_utf8_lossy(&arrived.body),
                String::from_utf8_lossy(&expected.body),
                "{told}"
            );
            assert_eq!(arrived.body, expected.body, "{told}");
            for (name, value) in &expected.headers {
                assert_eq!(arrived.header(name), Some(value.as_str()), "{name}: {told}");
            }
            let secret =
                arrived.headers.values().chain([&arrived.target]).any(|text| text.contains("s3cret"));
            assert!(!secret, "a credential was sent: {told}");
        }
        assert_eq!(told_left_out(&imported), left_out, "seed {seed}\n{har}\n{}", imported.notes.join("\n"));
        let has_secret = har.contains("s3cret");
        assert!(!imported.text.contains("s3cret"), "seed {seed}\n{}", imported.text);
        let tells = imported.notes.iter().any(|note| note.contains("credential"));
        assert!(!tells || has_secret, "seed {seed}\n{har}");
        assert!(imported.notes[0].contains(&origin), "{:?}", imported.notes);
        assert!(
            imported.notes.iter().all(|note| imported.text.contains(&format!("# {note}\n"))),
            "{}",
            imported.text
        );
    }
}

#[tokio::test]
async fn a_url_that_no_request_line_can_hold_is_changed_and_told() {
    let mut visitor = Visitor::new().await;
    for (url, target) in [
        ("http://shop.test/a b", "/a%20b"),
        ("http://shop.test/ü", "/%C3%BC"),
        ("http://shop.test/a/../b", "/b"),
        ("http://shop.test/a/%2e/b", "/a/b"),
        ("http://shop.test?q=\"x\"", "/?q=%22x%22"),
        ("http://user:s3cret@shop.test/x'y?z='1'", "/x'y?z=%271%27"),
    ] {
        let har = json!({"log": {"entries": [{"request": {"method": "GET", "url": url}}]}}).to_string();
        let (_folder, path) = file("visit.har", &har);
        let imported = scenario_from_har(&path, None).expect(url);
        let arrived = visitor.play(&imported, &[]).await;
        assert_eq!(arrived[0].target, target, "{}", imported.text);
        let is_told =
            imported.notes.iter().any(|note| note.starts_with("changed 1 URL") && note.contains(target));
        assert!(is_told, "{:?}", imported.notes);
        assert!(!imported.text.contains("s3cret"), "{}", imported.text);
    }
}
