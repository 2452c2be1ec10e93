//! Scenarios are read, and what is wrong with one is said with its line, its field and a hint.

use std::collections::BTreeMap;

use workload::Streams;

use super::{SHIPPED_SCENARIOS, Scenario, Step};

/// A whole scenario whose one user has these lines.
fn with_user(lines: &str) -> String {
    format!("apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  users:\n    - name: A\n{lines}")
}

/// A whole scenario whose one step has these lines.
fn with_step(lines: &str) -> String {
    with_user(&format!("      wait: none\n      tasks:\n        - steps:\n            - {lines}\n"))
}

fn read(text: &str) -> Result<Scenario, super::ScenarioError> {
    Scenario::from_text("test.yaml", "test", text, None, &[])
}

#[track_caller]
fn refused(text: &str, parts: &[&str]) {
    let error = read(text).expect_err(text).to_string();
    for part in parts.iter().chain(&["test.yaml", "hint: "]) {
        assert!(error.contains(part), "`{part}` is missing from:\n{error}\nabout:\n{text}");
    }
}

#[test]
fn every_shipped_scenario_is_read_by_its_name_and_as_a_file() {
    for (name, _) in SHIPPED_SCENARIOS {
        let shipped = Scenario::load(name, &[]).expect(name);
        assert_eq!(shipped.name(), name);
        let file = format!("{}/scenarios/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let file = Scenario::load(&file, &[]).expect(name);
        assert_eq!(file.request_names(), shipped.request_names());
    }
}

#[test]
fn an_unknown_name_is_refused_with_those_there_are() {
    let error = Scenario::load("locust", &[]).unwrap_err().to_string();
    assert!(error.contains("mixed, api-user, buyer, shop, dashboard-heavy, errors"), "{error}");
    let error = Scenario::load("no/such.yaml", &[]).unwrap_err().to_string();
    assert!(error.contains("no/such.yaml") && error.contains("cannot be opened"), "{error}");
}

#[test]
fn what_a_document_cannot_be_is_refused_with_its_line() {
    for (text, parts) in [
        (String::new(), &[][..]),
        ("- a\n".to_owned(), &[]),
        ("apiVersion: [".to_owned(), &[]),
        (with_step("path: /").replace("autoscale-lab/v1", "v2"), &[":1:", "v2"]),
        (with_step("path: /").replace("kind: Scenario", "kind: Story"), &[":2:", "Story"]),
        (with_step("pth: /"), &[":9:", "pth"]),
        (with_step("{path: /, weight: 2}"), &[":9:", "weight"]),
        (with_step("{path: [1]}"), &[":9:"]),
        (with_step("{path: /, method: FETCH}"), &[":9:", "FETCH"]),
        (with_step("{path: /, timeout: fast}"), &[":9:", "fast", "250ms"]),
        (with_step("{path: /, check: {status: 999}}"), &[":9:", "999"]),
        (with_step("{path: /, check: {status: okay}}"), &[":9:", "okay", "2xx"]),
        (with_user("      wait: none\n      wait: none\n"), &["wait"]),
        (with_user("      tasks: []\n"), &["wait"]),
        (with_user("      wait: often\n      tasks: []\n"), &[":6:", "often"]),
        (with_user("      wait: {between: [1s]}\n      tasks: []\n"), &[":6:"]),
        (with_user("      wait: {constant: 3}\n      tasks: []\n"), &[":6:", "250ms"]),
    ] {
        refused(&text, parts);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line_and_field() {
    let user = |lines: &str| with_user(lines);
    let task = "      tasks: [{steps: [{path: /}]}]\n";
    for (text, parts) in [
        (
            user("      wait: none\n      tasks: []\n"),
            &[":7:", "spec.users[0].tasks", "at least one task"][..],
        ),
        (
            user(&format!("      wait: {{between: [3s, 1s]}}\n{task}")),
            &[":6:", "spec.users[0].wait", "shorter"],
        ),
        (user(&format!("      weight: 0\n      wait: none\n{task}")), &[":6:", "weight` is 0", "1 to 1000"]),
        (
            user("      wait: none\n      tasks: [{weight: 0, steps: [{path: /}]}]\n"),
            &[":7:", "tasks[0].weight` is 0"],
        ),
        (
            user("      wait: none\n      order: sequence\n      tasks: [{weight: 2, steps: [{path: /}]}]\n"),
            &[":8:", "order: sequence"],
        ),
        (user("      wait: none\n      tasks: [{steps: []}]\n"), &[":7:", "tasks[0].steps", "no request"]),
        (user("      wait: none\n      tasks: [{steps: [{wait: {constant: 1s}}]}]\n"), &["no request"]),
        (with_step("{path: orders}"), &[":9:", "steps[0].path", "begins with `/`"]),
        (with_step("{path: http://elsewhere/}"), &[":9:", "--host"]),
        (
            with_step("{path: //assets/app.js}"),
            &[":9:", "steps[0].path", "one `/`", "write `/assets/app.js`"],
        ),
        (with_step("{path: '//${userNumber}/app.js'}"), &[":9:", "one `/`"]),
        (with_step("{path: '/\\assets/app.js'}"), &[":9:", "one `/`"]),
        (with_step("{path: /, wait: {constant: 1s}}"), &[":9:", "exactly one of `path`, `wait` and `feed`"]),
        (with_step("{path: /}\n            - {method: GET}"), &[":10:", "exactly one"]),
        (with_step("{path: /, json: {a: 1}}"), &[":9:", "GET has none"]),
        (with_step("{path: /, method: POST, json: 1, body: x}"), &[":9:", "several bodies"]),
        (with_step("{path: '/${nobody}'}"), &[":9:", "`nobody` is not known"]),
        (with_step("{path: /, query: {q: '${oops(1)}'}}"), &[":9:", "query.q", "no function"]),
        (with_step("{path: /, name: ''}"), &[":9:", "name", "empty"]),
        (with_step("{path: /, timeout: 0s}"), &[":9:", "timeout` is 0s"]),
        (with_step("{path: /, headers: {'a b': x}}"), &[":9:", "no header"]),
        (with_step("{path: /, headers: {Connection: x}}"), &[":9:", "itself"]),
        (with_step("{path: /, headers: {x: \"a\\nb\"}}"), &[":9:", "one line"]),
        (with_step("{path: /, check: {matches: '('}}"), &[":9:", "check.matches", "unclosed group"]),
        (with_step("{path: /, check: {json: {id: 1}}}"), &[":9:", "`/id` may be meant"]),
        (with_step("{path: /, check: {within: 0s}}"), &[":9:", "within` is 0s"]),
        (with_step("{path: /, extract: {a: {}}}"), &[":9:", "exactly one of `json`, `header` and `regex`"]),
        (with_step("{path: /, extract: {a: {json: $.a.b}}}"), &[":9:", "`/a/b` may be meant"]),
        (with_step("{path: /, extract: {a: {regex: '['}}}"), &[":9:", "extract.a.regex"]),
        (with_step("{path: /, extract: {a: {header: 'b c'}}}"), &[":9:", "no header"]),
        (with_step("{path: /, extract: {'1a': {json: /a}}}"), &[":9:", "cannot be a name"]),
        (with_step("{path: /, extract: {iteration: {json: /a}}}"), &[":9:", "cannot be a name"]),
        (with_step("{feed: people}"), &["no request"]),
        (with_step("{path: /}\n            - {feed: people}"), &[":10:", "`people`, which is no feeder"]),
        (with_step("{path: /}\n            - {wait: none}"), &[":10:", "no pause within a task"]),
        (with_step("{path: /}\n            - {wait: {constant: 1s}, name: x}"), &[":10:", "`path`"]),
        (
            "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec: {users: []}\n".to_owned(),
            &[":3:", "spec.users", "at least one kind of user"],
        ),
    ] {
        refused(&text, parts);
    }
    let twice = with_user(&format!("      wait: none\n{task}    - name: A\n      wait: none\n{task}"));
    refused(&twice, &[":8:", "a name of its own"]);
}

#[test]
fn a_path_never_leads_to_another_host() {
    let base = reqwest::Url::parse("http://shop.example:8000").unwrap();
    let urls = |path: &str| read(&with_step(&format!("{{path: \"{path}\"}}"))).expect(path).fixed_urls(&base);
    assert_eq!(urls("/a//b"), [reqwest::Url::parse("http://shop.example:8000/a//b").ok()]);
    // A URL leaves tabs out, and two slashes are left.
    assert_eq!(urls("/\\t/elsewhere.example/"), [None]);
}

#[test]
fn feeders_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = |feeder: &str| {
        format!(
            "apiVersion: autoscale-lab/v1\nkind: Scenario\nspec:\n  feeders:\n    people: {feeder}\n  users:\n    - name: A\n      \
             wait: none\n      tasks: [{{steps: [{{feed: people}}, {{path: '/${{people.id}}'}}]}}]\n"
        )
    };
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("people.csv", "id,name\n1,\"Smith, J\"\n2,Jones\n");
    write("empty.csv", "");
    write("header.csv", "id,name\n");
    write("ragged.csv", "id,name\n1\n");
    write("names.csv", "id,my name\n1,2\n");
    write("other.csv", "number\n1\n");
    let read =
        |feeder: &str| Scenario::from_text("test.yaml", "test", &scenario(feeder), Some(folder.path()), &[]);
    for good in ["{file: people.csv}", "{file: people.csv, order: sequential}", "{rows: [{id: 1}, {id: 2}]}"]
    {
        let loaded = read(good);
        assert!(loaded.is_ok(), "{good}: {loaded:?}");
    }
    for (bad, part) in [
        ("{file: missing.csv}", "missing.csv"),
        ("{file: .}", "no file"),
        ("{file: empty.csv}", "no row below its header"),
        ("{file: header.csv}", "no row below its header"),
        ("{file: ragged.csv}", "record 1"),
        ("{file: names.csv}", "my name"),
        ("{file: other.csv}", "`people.id` is not known"),
        ("{rows: []}", "is empty"),
        ("{rows: [{}]}", "no name"),
        ("{rows: [{id: 1}, {name: x}]}", "row 2"),
        ("{}", "exactly one of `file` and `rows`"),
        ("{file: people.csv, rows: [{id: 1}]}", "exactly one"),
        ("{file: people.csv, order: backwards}", "backwards"),
    ] {
        let error = read(bad).expect_err(bad).to_string();
        assert!(
            error.contains(part) && error.contains("test.yaml:") && error.contains("hint: "),
            "{bad}: {error}"
        );
    }
}

#[test]
fn tags_choose_tasks_and_users() {
    let names = |tags: &[&str]| {
        let tags: Vec<_> = tags.iter().map(|&tag| tag.to_owned()).collect();
        Scenario::load("shop", &tags).map(|scenario| {
            let users = scenario.user_types().iter().map(|user_type| user_type.name.clone());
            users.collect::<Vec<_>>()
        })
    };
    assert_eq!(names(&[]).unwrap(), ["Visitor", "Customer"]);
    assert_eq!(names(&["checkout"]).unwrap(), ["Customer"]);
    assert_eq!(names(&["read", "checkout"]).unwrap(), ["Visitor", "Customer"]);
    let error = names(&["reed"]).unwrap_err().to_string();
    assert!(error.contains("`reed`") && error.contains("checkout, read"), "{error}");
}

/// The names of the requests that user `number` of a run with `seed` does first.
fn first_requests(seed: u64, number: u64) -> Vec<String> {
    let scenario = Scenario::load("api-user", &[]).unwrap();
    let user_type = &scenario.user_types()[0];
    let mut stream = Streams::from_seed(seed).stream(&format!("user-{number}"));
    let request = |step: &Step| match step {
        Step::Request(request) => Some(request.name.clone()),
        Step::Pause(_) | Step::Feed { .. } => None,
    };
    (1..=40)
        .flat_map(|iteration| user_type.choose(&mut stream, iteration).steps.iter().filter_map(request))
        .collect()
}

#[test]
fn each_user_has_an_order_of_its_own_which_the_seed_repeats() {
    assert_eq!(first_requests(1, 1), first_requests(1, 1));
    assert_ne!(first_requests(1, 1), first_requests(1, 2), "users would march in step");
    assert_ne!(first_requests(1, 1), first_requests(2, 1), "the seed would change nothing");
}

#[test]
fn tasks_come_about_as_often_as_their_weights_say_or_in_turn() {
    let scenario = Scenario::load("api-user", &[]).unwrap();
    let user_type = &scenario.user_types()[0];
    let mut stream = Streams::from_seed(1).stream("user-1");
    let mut counts = BTreeMap::new();
    for iteration in 1..=10_000 {
        *counts.entry(user_type.choose(&mut stream, iteration).weight).or_insert(0) += 1;
    }
    // Weights 3:1; the standard deviation of either count is 43.
    assert!((7_300..=7_700).contains(&counts[&3]), "{counts:?}");

    let sequence = with_user(
        "      wait: none\n      order: sequence\n      tasks: [{steps: [{path: /a}]}, {steps: [{path: /b}]}]\n",
    );
    let scenario = read(&sequence).unwrap();
    let user_type = &scenario.user_types()[0];
    for (iteration, task) in [(1, 0), (2, 1), (3, 0)] {
        assert!(std::ptr::eq(user_type.choose(&mut stream, iteration), &raw const user_type.tasks[task]));
    }
}

/// Whether a text follows the printed schema.
fn follows_schema(text: &str) -> Result<(), String> {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("scenario.json", Scenario::json_schema()).expect("it is a schema");
    let schema = compiler.compile("scenario.json", &mut schemas).expect("it is a schema");
    let document: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    schemas.validate(&document, schema).map_err(|error| error.to_string())
}

#[test]
fn schema_and_reader_agree() {
    for (name, text) in SHIPPED_SCENARIOS {
        assert_eq!(follows_schema(text), Ok(()), "{name}");
    }
    let task = "      tasks: [{steps: [{path: /}]}]\n";
    for text in [
        with_step("path: /"),
        with_step("{path: /, check: {status: [200, 4xx], within: 1s 500ms}, followRedirects: false}"),
        with_step(
            "{path: /, method: PUT, form: {a: b}, timeout: 2m, extract: {a: {json: /a, default: null}}}",
        ),
        with_user(&format!(
            "      wait: {{between: [1s, 2s]}}\n      cookies: false\n      onStart: [{{path: /}}]\n{task}"
        )),
    ] {
        assert_eq!(follows_schema(&text), Ok(()), "{text}");
        assert!(read(&text).is_ok(), "{text}");
    }
    for text in [
        with_step("path: /").replace("autoscale-lab/v1", "v2"),
        with_step("path: /").replace("kind: Scenario", "kind: Story"),
        with_step("path: /").replace("spec:", "spek:"),
        with_step("pth: /"),
        with_step("{path: [1]}"),
        with_step("{path: /, method: FETCH}"),
        with_step("{path: /, timeout: fast}"),
        with_step("{path: /, timeout: 5}"),
        with_step("{path: /, check: {status: 999}}"),
        with_step("{path: /, check: {status: []}}"),
        with_step("{path: /, check: {statuses: 200}}"),
        with_step("{path: /, extract: {a: /b}}"),
        with_user("      wait: often\n      tasks: []\n"),
        with_user("      wait: {between: [1s]}\n      tasks: []\n"),
        with_user("      wait: {between: [1s, 2s], constant: 1s}\n      tasks: []\n"),
        with_user("      wait: none\n"),
        with_user(&format!("      wait: none\n      weight: many\n{task}")),
        with_user(&format!("      wait: none\n      order: backwards\n{task}")),
    ] {
        assert!(follows_schema(&text).is_err(), "the schema allows:\n{text}");
        assert!(read(&text).is_err(), "the reader allows:\n{text}");
    }
}

/// What the first step of a scenario sends: path with query, and body.
fn sent(text: &str) -> (String, Vec<u8>) {
    let scenario = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let user_type = &scenario.user_types()[0];
    let Step::Request(request) = &user_type.tasks[0].steps[0] else { panic!("a request") };
    let mut stream = Streams::from_seed(1).stream("user-1");
    let mut scope =
        super::Scope { values: &user_type.initial, stream: &mut stream, user_number: 1, iteration: 1 };
    let base = reqwest::Url::parse("http://shop.example").unwrap();
    let url = request.url(&base, &mut scope).unwrap().expect("it is on the host");
    let body = match &request.body {
        Some(super::Body::Json(json)) => json.fill(&mut scope).unwrap().into_bytes(),
        Some(super::Body::Text(text)) => text.fill(&mut scope).unwrap().as_bytes().to_vec(),
        Some(super::Body::Bytes(bytes)) => bytes.to_vec(),
        _ => Vec::new(),
    };
    (format!("{}{}", url.path(), url.query().map_or(String::new(), |query| format!("?{query}"))), body)
}

#[test]
fn values_without_a_type_are_read_as_yaml_1_2_says() {
    let with = |variables: &str, step: &str| {
        with_step(step).replace("spec:\n", &format!("spec:\n  variables: {variables}\n"))
    };
    for (value, text, json) in [
        ("NO", "NO", "\"NO\""),
        ("y", "y", "\"y\""),
        ("off", "off", "\"off\""),
        ("01234", "01234", "1234"),
        ("1.10", "1.10", "1.10"),
        ("1e3", "1e3", "1e3"),
        ("1_000", "1_000", "\"1_000\""),
        ("0x1F", "0x1F", "31"),
        (".inf", ".inf", "\".inf\""),
        ("2026-01-31", "2026-01-31", "\"2026-01-31\""),
        ("12345678901234567890123", "12345678901234567890123", "12345678901234567890123"),
        ("true", "true", "true"),
        ("'01234'", "01234", "\"01234\""),
    ] {
        let step = "{method: POST, path: '/v/${v}', query: {q: '${v}'}, json: {typed: '${v}', text: 'a ${v}', own: VALUE, no: on}}";
        let scenario = with(&format!("{{v: {value}}}"), &step.replace("VALUE", value));
        let (target, body) = sent(&scenario);
        assert_eq!(target, format!("/v/{text}?q={text}"), "{value}");
        let expected = format!("{{\"typed\":{json},\"text\":\"a {text}\",\"own\":{json},\"no\":\"on\"}}");
        assert_eq!(String::from_utf8(body).unwrap(), expected, "{value}");
    }
    let rows = with_step("{feed: f}\n            - {path: '/${f.zip}'}")
        .replace("spec:\n", "spec:\n  feeders:\n    f: {rows: [{zip: 0123}]}\n");
    let scenario = read(&rows).unwrap();
    let Step::Feed { feeder, .. } = &scenario.user_types()[0].tasks[0].steps[0] else { panic!("a row") };
    let row = feeder.next_row(&mut Streams::from_seed(1).stream("user-1"));
    assert_eq!(row[0].as_text(), "0123");
}

#[test]
fn a_method_is_taken_in_small_letters_and_a_body_as_bytes() {
    let (target, body) = sent(&with_step("{path: /up, method: put, bodyBase64: AAH/gEE=}"));
    assert_eq!((target.as_str(), body.as_slice()), ("/up", &[0, 1, 0xff, 0x80, 0x41][..]));
    for method in ["get", "PROPFIND", "query"] {
        let text = with_step(&format!("{{path: /, method: {method}}}"));
        assert_eq!(follows_schema(&text), Ok(()), "{text}");
        assert!(read(&text).is_ok(), "{text}");
    }
    refused(&with_step("{path: /, method: post, bodyBase64: '%%'}"), &[":9:", "bodyBase64", "base64"]);
    refused(&with_step("{path: /, method: post, bodyBase64: AA==, body: x}"), &[":9:", "several bodies"]);
    refused(&with_step("{path: /, method: CONNECT}"), &[":9:", "CONNECT"]);
}

#[test]
fn a_missing_wait_and_files_of_other_kinds_get_a_hint_of_their_own() {
    let tasks = "      tasks: [{steps: [{path: /}]}]\n";
    refused(&with_user(tasks), &["wait: none", "between: [1s, 3s]"]);
    refused(&with_user(&format!("      wait: 1s\n{tasks}")), &["1s", "constant: 1s"]);
    for (text, hint) in [
        ("{\"log\": {\"version\": \"1.2\", \"entries\": []}}", "--from-har"),
        ("{\n  \"log\" : {}\n}", "--from-har"),
        ("openapi: 3.0.0\npaths: {}\n", "--from-openapi"),
        ("info: {}\nopenapi: 3.1.0\n", "--from-openapi"),
        ("swagger: '2.0'\n", "--from-openapi"),
        ("{\"info\": {}, \"openapi\": \"3.0.0\"}", "--from-openapi"),
    ] {
        refused(text, &[hint]);
    }
}

#[test]
fn no_message_repeats_a_value_that_is_long_or_steers_a_terminal() {
    let long = "x".repeat(1_000_000);
    for value in [long.as_str(), "\\e[31mred", "nul\\0bell\\a", "\\u202Etxt", "a\\nb"] {
        let quoted = format!("\"{value}\"");
        for text in [
            with_step(&format!("{{path: {quoted}}}")),
            with_step(&format!("{{path: /, method: {quoted}}}")),
            with_step(&format!("{{path: /, timeout: {quoted}}}")),
            with_step(&format!("{{{quoted}: 1}}")),
            with_step(&format!("{{path: /, headers: {{{quoted}: a}}}}")),
            with_step(&format!("{{path: /, check: {{status: {quoted}}}}}")),
            with_step(&format!("{{path: /, check: {{matches: \"({value}\"}}}}")),
            with_step(&format!("{{path: /, check: {{json: {{{quoted}: 1}}}}}}")),
            with_step(&format!("{{path: \"/${{{value}}}\"}}")),
            with_step(&format!("{{path: /, query: {{a: \"${{{value}(1)}}\"}}}}")),
            with_step(&format!("{{feed: {quoted}}}\n            - {{path: /}}")),
            with_user(&format!("      wait: {quoted}\n      tasks: []\n")),
            with_user(&format!("      wait: none\n      {quoted}: []\n")),
            format!("kind: {quoted}\n"),
        ] {
            let Err(error) = read(&text) else { panic!("it is read: {text:.300}") };
            let error = error.to_string();
            assert!(error.chars().count() < 1500, "{} characters: {error:.300}", error.chars().count());
            assert!(!error.contains(['\u{1b}', '\0', '\u{7}', '\u{202e}', '\n']), "{error:?}");
        }
    }
}
