//! Drives a headless Chromium over its `DevTools` protocol: opens a page, clicks and types as a person, and remembers
//! what the page complains of.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Names under which distributions install it.
const PROGRAMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Longest wait for one answer of the browser.
const ANSWER: Duration = Duration::from_secs(20);

/// A window: its size in CSS pixels, whether it is a phone's, and the colours its owner prefers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) is_phone: bool,
    pub(crate) scheme: &'static str,
}

/// A browser with one tab; ended when dropped.
pub(crate) struct Browser {
    child: Child,
    _profile: TempDir,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    last_id: u64,
    complaints: Vec<String>,
}

/// The browser's program, if it is installed.
pub(crate) fn find_program() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&folders).flat_map(|folder| PROGRAMS.map(|name| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

impl Browser {
    pub(crate) async fn start(program: &Path) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut child = Command::new(program)
            .args(["--headless", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0"])
            // Its sandbox needs rights that a container does not give; the only page it opens is our own.
            .args(["--no-sandbox", "--no-first-run", "--disable-background-networking"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the browser starts");
        let mut output = BufReader::new(child.stderr.take().expect("its error output was piped")).lines();
        let address = output
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned))
            .expect("the browser tells where it is driven from");
        // A pipe that nobody reads would stop it one day.
        std::thread::spawn(move || output.for_each(drop));
        let (socket, _) = connect_async(address).await.expect("the browser takes a connection");
        let mut browser =
            Self { child, _profile: profile, socket, session: None, last_id: 0, complaints: Vec::new() };
        let target = browser.command("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.command("Target.attachToTarget", attach).await;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.command(&format!("{domain}.enable"), json!({})).await;
        }
        browser
    }

    /// One command and its answer.
    pub(crate) async fn command(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).await.expect("the browser listens");
        let deadline = tokio::time::Instant::now() + ANSWER;
        loop {
            let next = tokio::time::timeout_at(deadline, self.socket.next()).await;
            let next = next.unwrap_or_else(|_| panic!("no answer to {method} within {ANSWER:?}"));
            let text = next.expect("the browser runs").expect("the browser speaks");
            let Ok(answer) = serde_json::from_str::<Value>(text.to_text().unwrap_or_default()) else {
                continue;
            };
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method} {params}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.complaints.extend(complaint(&answer));
        }
    }

    /// The value of an expression, promises awaited.
    pub(crate) async fn evaluate(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.command("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].clone()
    }

    /// Waits, bounded, until an expression is true.
    pub(crate) async fn until(&mut self, what: &str, expression: &str, within: Duration) {
        let began = Instant::now();
        while self.evaluate(expression).await != json!(true) {
            if began.elapsed() > within {
                let text = self.evaluate("document.body.innerText").await;
                panic!(
                    "{what} did not come within {within:?}; complaints: {:?}; the page shows:\n{}",
                    self.complaints,
                    text.as_str().unwrap_or_default()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Opens an address in a window.
    pub(crate) async fn open(&mut self, url: &str, window: Window) {
        self.look_through(window).await;
        self.command("Page.navigate", json!({"url": url})).await;
    }

    /// Changes the window.
    pub(crate) async fn look_through(&mut self, window: Window) {
        let Window { width, height, is_phone, scheme } = window;
        let scale = if is_phone { 2 } else { 1 };
        let size = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone});
        self.command("Emulation.setDeviceMetricsOverride", size).await;
        self.command("Emulation.setTouchEmulationEnabled", json!({"enabled": is_phone})).await;
        let colours = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.command("Emulation.setEmulatedMedia", colours).await;
    }

    /// Moves the mouse to the middle of the first element that a selector finds; tells where that is.
    pub(crate) async fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let expression = format!(
            "(() => {{ const found = document.querySelector({selector:?}); found.scrollIntoView({{block: 'center'}}); \
             const box = found.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let middle = self.evaluate(&expression).await;
        let (x, y) = (middle[0].as_f64().expect(selector), middle[1].as_f64().expect(selector));
        self.mouse("mouseMoved", x, y, 0).await;
        (x, y)
    }

    /// Clicks as a person does: with the mouse, on whatever lies there.
    pub(crate) async fn click(&mut self, selector: &str) {
        let (x, y) = self.point_at(selector).await;
        self.mouse("mousePressed", x, y, 1).await;
        self.mouse("mouseReleased", x, y, 1).await;
    }

    /// Taps with a finger on the middle of the first element that a selector finds.
    pub(crate) async fn tap(&mut self, selector: &str) {
        let expression = format!(
            "(() => {{ const found = document.querySelector({selector:?}); found.scrollIntoView({{block: 'center'}}); \
             const box = found.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let middle = self.evaluate(&expression).await;
        let point = json!({"x": middle[0], "y": middle[1]});
        self.command("Input.dispatchTouchEvent", json!({"type": "touchStart", "touchPoints": [point]})).await;
        self.command("Input.dispatchTouchEvent", json!({"type": "touchEnd", "touchPoints": []})).await;
    }

    async fn mouse(&mut self, kind: &str, x: f64, y: f64, clicks: u32) {
        let button = if clicks > 0 { "left" } else { "none" };
        let params = json!({"type": kind, "x": x, "y": y, "button": button, "clickCount": clicks});
        self.command("Input.dispatchMouseEvent", params).await;
    }

    /// Presses a key: `Tab`, `Enter`, `ArrowLeft`, a digit …
    pub(crate) async fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            "Escape" => (27, ""),
            "ArrowLeft" => (37, ""),
            "ArrowRight" => (39, ""),
            "ArrowUp" => (38, ""),
            digit => (u32::from(digit.as_bytes()[0]), digit),
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let down = json!({"type": kind, "key": key, "windowsVirtualKeyCode": code, "text": text});
        self.command("Input.dispatchKeyEvent", down).await;
        self.command(
            "Input.dispatchKeyEvent",
            json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code}),
        )
        .await;
    }

    /// Writes a picture of the whole page.
    pub(crate) async fn picture(&mut self, to: &Path, window: Window) {
        self.look_through(window).await;
        // Two frames: one to lay out, one in which what follows a change of size was drawn.
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))))")
            .await;
        let metrics = self.command("Page.getLayoutMetrics", json!({})).await;
        let clip = json!({
            "x": 0, "y": 0, "width": window.width, "height": metrics["cssContentSize"]["height"], "scale": 1
        });
        let params = json!({"captureBeyondViewport": true, "clip": clip});
        let picture = self.command("Page.captureScreenshot", params).await;
        let bytes = from_base64(picture["data"].as_str().expect("a picture in base64"));
        std::fs::write(to, bytes).expect("the folder can be written to");
    }

    /// What the page complained of so far, and forgets it: console errors, exceptions, refused or failed requests.
    pub(crate) async fn complaints(&mut self) -> Vec<String> {
        // Whatever was on its way has arrived with the answer to this.
        self.evaluate("0").await;
        std::mem::take(&mut self.complaints)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(format!("exception: {}", params["exceptionDetails"])),
        "Runtime.consoleAPICalled"
            if matches!(params["type"].as_str(), Some("error" | "warning" | "assert")) =>
        {
            Some(format!("console: {}", params["args"]))
        }
        "Log.entryAdded" if matches!(params["entry"]["level"].as_str(), Some("error" | "warning")) => {
            Some(format!("log: {} {}", params["entry"]["text"], params["entry"]["url"]))
        }
        // A page that is left, or closes its stream, cancels what is under way.
        "Network.loadingFailed" if params["canceled"] != json!(true) => {
            Some(format!("request failed: {} {}", params["errorText"], params["type"]))
        }
        "Network.responseReceived" if params["response"]["status"].as_u64() >= Some(400) => {
            Some(format!("answered {}: {}", params["response"]["status"], params["response"]["url"]))
        }
        _ => None,
    }
}

/// RFC 4648, section 4, without line breaks.
fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let (mut bytes, mut bits, mut held) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        bits = (bits << 6) | u32::from(digit(byte));
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    bytes
}
