//! Chromium, and the page it looks at.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The driver of the browser.
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/browser.py");

/// The longest anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// Every button that can be pressed: in a dialog, while one is open; on the page otherwise.
const BUTTONS: &str = "[...(document.querySelector('dialog[open]') ?? document).querySelectorAll('button')]
    .filter(button => button.checkVisibility() && !button.disabled)
    .map(button => ({ button, name: (button.ariaLabel ?? button.innerText).trim() }))";

/// A browser with a profile of its own, gone when it is dropped.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Browser {
    pub(crate) fn start() -> Self {
        Self::started(&[])
    }

    /// One that believes whoever listens there now to be who they say.
    pub(crate) fn trusting(url: &str) -> Self {
        Self::started(&[format!("--ignore-certificate-errors-spki-list={}", public_key(url))])
    }

    fn started(arguments: &[String]) -> Self {
        let peers =
            std::env::var("LAB_PEERS").expect("LAB_PEERS: run tests/run, or set it to the peers' bin folder");
        let mut child = Command::new(PathBuf::from(peers).join("python"))
            .arg(DRIVER)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the driver of Chromium starts");
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from }
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.to, "{command}").expect("the driver listens");
        let mut line = String::new();
        self.from.read_line(&mut line).expect("the driver answers");
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("{command}: {e}: {line}"));
        match answer.get("error") {
            Some(error) => panic!("{command}: {error}"),
            None => answer["ok"].take(),
        }
    }

    pub(crate) fn open(&mut self, address: &str) {
        self.ask(&json!({ "open": address }));
    }

    /// What an expression comes to on the page.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        self.ask(&json!({ "eval": expression }))
    }

    /// Waits until an expression is true on the page.
    pub(crate) fn until(&mut self, expression: &str) -> Value {
        self.ask(&json!({ "until": expression }))
    }

    /// Waits until an element says something.
    pub(crate) fn until_says(&mut self, id: &str, words: &str) {
        self.until(&format!("document.getElementById({id:?})?.innerText.includes({words:?})"));
    }

    pub(crate) fn text(&mut self, id: &str) -> String {
        self.eval(&format!("document.getElementById({id:?}).innerText"))
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn press(&mut self, key: &str) {
        self.ask(&json!({ "key": key }));
    }

    /// Presses the button of this name, once it can be pressed.
    pub(crate) fn push(&mut self, name: &str) {
        self.until(&format!("({BUTTONS}).some(({{ name }}) => name === {name:?})"));
        self.eval(&format!("({BUTTONS}).find(({{ name }}) => name === {name:?}).button.click()"));
    }

    /// The buttons that can be pressed, by name.
    pub(crate) fn buttons(&mut self) -> Vec<String> {
        serde_json::from_value(self.eval(&format!("({BUTTONS}).map(({{ name }}) => name)"))).unwrap()
    }

    /// Writes into a field, as if it had been typed.
    pub(crate) fn fill(&mut self, id: &str, text: &str) {
        self.until(&format!("document.getElementById({id:?}) !== null"));
        self.eval(&format!("(() => {{ const at = document.getElementById({id:?}); at.value = {text:?}; at.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"));
    }

    /// Gives the reason that a dialog asks for, and does what it asks about.
    pub(crate) fn because(&mut self, reason: &str) {
        self.fill("reason", reason);
        self.eval("document.querySelector('dialog button[value=do]').click()");
    }

    /// Waits until there is something of this role and name for a screen reader.
    pub(crate) fn until_there_is(&mut self, role: &str, name: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.accessibility().iter().any(|(r, n)| r == role && n.contains(name)) {
            assert!(Instant::now() < until, "no {role} {name:?} in {:?}", self.accessibility());
        }
    }

    /// Roles and names, as a screen reader is told them.
    pub(crate) fn accessibility(&mut self) -> Vec<(String, String)> {
        let told = self.ask(&json!({ "tree": true }));
        let text = |node: &Value, key: &str| node[key].as_str().unwrap_or_default().to_owned();
        told.as_array().unwrap().iter().map(|node| (text(node, "role"), text(node, "name"))).collect()
    }

    /// Every address the browser asked.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask(&json!({ "requests": true }))).unwrap()
    }

    /// What went wrong in the page's program.
    pub(crate) fn errors(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask(&json!({ "errors": true }))).unwrap()
    }

    /// Makes the window so many pixels wide and high.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        self.ask(&json!({ "size": [width, height] }));
    }

    pub(crate) fn scheme(&mut self, scheme: &str) {
        self.ask(&json!({ "scheme": scheme }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends, and Chromium with it, at the end of its input; a driver that hangs is ended.
        let _ = self.to.flush();
        drop(std::mem::replace(&mut self.to, closed()));
        let _ = self.child.wait();
    }
}

/// SHA-256 of the public key of whoever listens there, in base64, as openssl finds it.
fn public_key(url: &str) -> String {
    let target = url.rsplit_once('/').unwrap().1;
    let script = "openssl s_client -connect \"$0\" </dev/null 2>/dev/null | openssl x509 -pubkey -noout \
                  | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64";
    let found = Command::new("sh").args(["-c", script, target]).output().expect("openssl starts");
    assert!(found.status.success(), "{found:?}");
    String::from_utf8(found.stdout).unwrap().trim().to_owned()
}

/// An input that nobody reads.
fn closed() -> ChildStdin {
    let mut child = Command::new("true").stdin(Stdio::piped()).spawn().expect("`true` starts");
    let to = child.stdin.take().unwrap();
    let _ = child.wait();
    to
}
