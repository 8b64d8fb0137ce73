//! A real Chromium for tests and for the book's pictures: [`Browser`] starts one, [`Tab`] opens a page in it.
//!
//! It speaks the DevTools protocol over a pipe (`--remote-debugging-pipe`): without a port or web socket, and the
//! browser ends when this process ends for whatever reason.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The time limit of one command; generous for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Chromium reads commands from descriptor 3 and writes answers to 4.
const STARTER: &str = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"#;

/// An error of the browser, or of a page's own script.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A running browser with its own profile. It ends when dropped.
pub struct Browser {
    child: Child,
    asked: ChildStdin,
    answers: Receiver<Value>,
    /// Messages received and not yet read.
    events: VecDeque<Value>,
    next: u64,
    _profile: TempDir,
}

impl Browser {
    /// Starts the browser at this path.
    ///
    /// # Errors
    /// If it can't be started.
    pub fn start(program: &str) -> Result<Self, Error> {
        let profile = TempDir::with_prefix("twyla-chromium-")?;
        let mut command = Command::new("sh");
        command.args(["-c", STARTER, program]).args([
            "--headless",
            // as root, and in containers, Chromium refuses to start with its sandbox
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-extensions",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-default-browser-check",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            "--lang=en-US",
            "--remote-debugging-pipe",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let gone = || io::Error::other("the browser has no pipe");
        let asked = child.stdin.take().ok_or_else(gone)?;
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let (send, answers) = mpsc::channel();
        std::thread::spawn(move || {
            loop {
                let mut text = Vec::new();
                match stdout.read_until(0, &mut text) {
                    Ok(count) if count > 0 => {}
                    _ => return,
                }
                text.pop();
                let Ok(value) = serde_json::from_slice(&text) else { continue };
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, asked, answers, events: VecDeque::new(), next: 0, _profile: profile })
    }

    fn call(&mut self, session: Option<&str>, method: &str, params: Value) -> Result<Value, Error> {
        self.next += 1;
        let id = self.next;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        self.asked.write_all(message.to_string().as_bytes())?;
        self.asked.write_all(&[0])?;
        self.asked.flush()?;
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).map_err(|error| format!("{method}: {error}"))?;
            if answer["id"] == id {
                return match answer.get("error") {
                    Some(error) => Err(format!("{method}: {error}").into()),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.events.push_back(answer);
        }
    }

    /// Opens a tab of this size in CSS pixels.
    ///
    /// # Errors
    /// If the browser opens none.
    pub fn tab(&mut self, width: u32, height: u32) -> Result<Tab<'_>, Error> {
        let made = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }))?;
        let target = made["targetId"].clone();
        let attached = self.call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }))?;
        let session = attached["sessionId"].as_str().ok_or("the tab has no session")?.to_owned();
        let mut tab = Tab { browser: self, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        tab.call("Emulation.setDeviceMetricsOverride", size)?;
        Ok(tab)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let close = self.call(None, "Browser.close", json!({}));
        if close.is_err() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A tab.
pub struct Tab<'b> {
    browser: &'b mut Browser,
    session: String,
}

/// The activity of a page.
#[derive(Debug, Default)]
pub struct Seen {
    /// Errors and warnings of the console, including violations of the page's content security policy.
    pub complaints: Vec<String>,
    /// The URLs that the page requested.
    pub requests: Vec<String>,
}

impl Tab<'_> {
    fn call(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        let session = self.session.clone();
        self.browser.call(Some(&session), method, params)
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Errors
    /// If it can't be loaded.
    pub fn open(&mut self, url: &str) -> Result<(), Error> {
        let answer = self.call("Page.navigate", json!({ "url": url }))?;
        if let Some(error) = answer.get("errorText") {
            return Err(format!("{url}: {error}").into());
        }
        self.loaded()
    }

    /// Opens a file.
    ///
    /// # Errors
    /// The errors of [`open`](Self::open).
    pub fn open_file(&mut self, path: &Path) -> Result<(), Error> {
        let path = path.canonicalize()?;
        self.open(&format!("file://{}", path.display()))
    }

    /// Waits until the current page is loaded.
    ///
    /// # Errors
    /// If it doesn't load in time.
    pub fn loaded(&mut self) -> Result<(), Error> {
        let is = |event: &Value| event["method"] == "Page.loadEventFired";
        if let Some(at) = self.browser.events.iter().position(is) {
            self.browser.events.remove(at);
            return Ok(());
        }
        loop {
            let event = self.browser.answers.recv_timeout(PATIENCE)?;
            if is(&event) {
                return Ok(());
            }
            self.browser.events.push_back(event);
        }
    }

    /// Evaluates an expression in the page; awaits a promise.
    ///
    /// # Errors
    /// The exception that it throws.
    pub fn eval(&mut self, expression: &str) -> Result<Value, Error> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", params)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(format!("{expression:.200}: {details}").into()),
            None => Ok(answer["result"].get("value").cloned().unwrap_or_default()),
        }
    }

    /// Presses a key, by its name in JavaScript: `Tab`, `ArrowDown`, `/`.
    ///
    /// # Errors
    /// If the browser doesn't answer.
    pub fn press(&mut self, key: &str) -> Result<(), Error> {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            "/" => 191,
            _ => 0,
        };
        let mut down = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        match key {
            "Enter" => down["text"] = "\r".into(),
            key if key.chars().count() == 1 => down["text"] = key.into(),
            _ => {}
        }
        self.call("Input.dispatchKeyEvent", down)?;
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }))?;
        Ok(())
    }

    /// Types a text into the focused element.
    ///
    /// # Errors
    /// If the browser doesn't answer.
    pub fn write(&mut self, text: &str) -> Result<(), Error> {
        self.call("Input.insertText", json!({ "text": text }))?;
        Ok(())
    }

    /// Sets the preferred colour scheme, `light` or `dark`.
    ///
    /// # Errors
    /// If the browser doesn't answer.
    pub fn scheme(&mut self, scheme: &str) -> Result<(), Error> {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }))?;
        Ok(())
    }

    /// A screenshot of the visible part, as a PNG.
    ///
    /// # Errors
    /// If the browser takes none.
    pub fn picture(&mut self) -> Result<Vec<u8>, Error> {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }))?;
        decoded(answer["data"].as_str().unwrap_or_default()).ok_or_else(|| "the picture is not base64".into())
    }

    /// The page's activity since the last call.
    ///
    /// # Errors
    /// If the browser doesn't answer.
    pub fn seen(&mut self) -> Result<Seen, Error> {
        // messages sent before this answer have arrived by then
        self.eval("new Promise((done) => setTimeout(done, 0))")?;
        let mut seen = Seen::default();
        for event in std::mem::take(&mut self.browser.events) {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" => seen.complaints.push(params["exceptionDetails"].to_string()),
                "Runtime.consoleAPICalled"
                    if matches!(params["type"].as_str(), Some("error" | "warning" | "assert")) =>
                {
                    seen.complaints.push(params["args"].to_string());
                }
                "Log.entryAdded" if matches!(params["entry"]["level"].as_str(), Some("error" | "warning")) => {
                    seen.complaints.push(params["entry"]["text"].to_string());
                }
                "Network.requestWillBeSent" => {
                    seen.requests.push(params["request"]["url"].as_str().unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        Ok(seen)
    }
}

/// RFC 4648, section 4; the browser's base64 has no line breaks.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn decodes_base64() {
        assert_eq!(super::decoded("YW55IGNhcm5hbA==").as_deref(), Some(&b"any carnal"[..]));
        assert_eq!(super::decoded("a-"), None);
    }
}
