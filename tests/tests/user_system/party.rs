//! The other side: keys by openssl, signatures by xmlsec1, HTTP by curl, a listener in Python. Nothing of ours.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use lab_tests::files::{Files, TEMPLATE, done, run};

/// How long a message may take to arrive: a run beside others on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A User System that sends.
pub(crate) struct Party<'f> {
    pub(crate) files: &'f Files,
    pub(crate) door: String,
    pub(crate) counter: u64,
}

impl Party<'_> {
    /// A request signed by xmlsec1 with this key: its file.
    #[allow(clippy::too_many_arguments, reason = "each is a part of the message's head")]
    pub(crate) fn signed(
        &mut self,
        key: &str,
        originator: &str,
        target: &str,
        reference: &str,
        variant: &str,
        command: u8,
        body: &str,
    ) -> PathBuf {
        let counter = self.counter;
        self.counter += 1;
        let xml = format!(
            "<sr:Request xmlns:sr=\"http://www.dccinterface.co.uk/ServiceUserGateway\" schemaVersion=\"5.4\"><sr:Header>\
             <sr:RequestID>{originator}:{target}:{counter}</sr:RequestID><sr:CommandVariant>{command}</sr:CommandVariant>\
             <sr:ServiceReference>{reference}</sr:ServiceReference>\
             <sr:ServiceReferenceVariant>{variant}</sr:ServiceReferenceVariant></sr:Header>\
             <sr:Body>{body}</sr:Body>{TEMPLATE}</sr:Request>"
        );
        let plain = self.files.path("template.xml");
        std::fs::write(&plain, xml).unwrap();
        let (private, certificate) =
            (self.files.path(&format!("{key}.key")), self.files.path(&format!("{key}.pem")));
        let key = format!("{},{}", private.display(), certificate.display());
        let signed = done(Command::new("xmlsec1").args(["--sign", "--privkey-pem", &key]).arg(plain));
        let file = self.files.path("request.xml");
        std::fs::write(&file, signed).unwrap();
        file
    }

    /// Posts a file, showing the certificate of this name, and gives back what was said.
    pub(crate) fn posts(&self, shown: Option<&str>, service: &str, request: &Path) -> Result<String, String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "60", "--cacert"]);
        curl.arg(self.files.path("ca.pem"));
        if let Some(name) = shown {
            let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
            curl.arg("--cert").arg(self.files.path(&certificate)).arg("--key").arg(self.files.path(&key));
        }
        let (data, url) = (format!("@{}", request.display()), format!("{}/api/v1/{service}", self.door));
        let out = run(curl.args(["-H", "Content-Type: application/xml", "--data-binary", &data, &url]));
        let said = |octets: Vec<u8>| String::from_utf8_lossy(&octets).into_owned();
        match out.status.success() {
            true => Ok(said(out.stdout)),
            false => Err(said(out.stderr)),
        }
    }

    /// Asks something, and gives back the DCC's word, whose signature holds.
    pub(crate) fn asks(
        &mut self,
        service: &str,
        target: &str,
        reference: &str,
        variant: &str,
        command: u8,
        body: &str,
    ) -> String {
        self.signed("user", super::USER, target, reference, variant, command, body);
        self.again(service)
    }

    /// Sends the last request once more.
    pub(crate) fn again(&self, service: &str) -> String {
        let said = self.posts(Some("user"), service, &self.files.path("request.xml"));
        let said = said.unwrap_or_else(|error| panic!("{error}"));
        let file = self.files.path("word.xml");
        std::fs::write(&file, &said).unwrap();
        assert!(self.files.holds(&file), "xmlsec1 does not take the signature of {said}");
        said
    }
}

/// A User System that listens.
pub(crate) struct Listener {
    process: Child,
    pub(crate) port: u16,
    /// The files of its messages.
    messages: Receiver<String>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Listener {
    pub(crate) fn start(files: &Files) -> Listener {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/user_system/listener.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(files.folder())
            .args(["ca.pem", "user.pem", "user.key"].map(|name| files.path(name)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // More than a session has messages.
        let (told, messages) = sync_channel(64);
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = said.next().unwrap().unwrap().parse().unwrap();
        // It ends with the listener, whose output ends then.
        std::thread::spawn(move || said.map_while(Result::ok).try_for_each(|name| told.send(name)));
        Listener { process, port, messages }
    }

    /// The next message, whose signature holds.
    pub(crate) fn next(&self, files: &Files) -> String {
        let name = self.messages.recv_timeout(PATIENCE);
        let file = PathBuf::from(name.unwrap_or_else(|_| panic!("no message came within {PATIENCE:?}")));
        assert!(files.holds(&file), "xmlsec1 does not take the signature of {}", file.display());
        std::fs::read_to_string(file).unwrap()
    }

    /// The next message that says this; those before it are passed over.
    pub(crate) fn until(&self, files: &Files, says: &str) -> String {
        loop {
            let message = self.next(files);
            if message.contains(says) {
                return message;
            }
        }
    }
}
