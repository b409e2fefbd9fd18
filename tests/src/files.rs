//! Keys and certificates of parties that are not ours, made by openssl, and signatures by xmlsec1.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A signature for xmlsec1 to fill in.
pub const TEMPLATE: &str = r#"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"/>
<ds:Reference URI=""><ds:Transforms>
<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial/></ds:X509Data></ds:KeyInfo></ds:Signature>"#;

/// What came of a program.
///
/// # Panics
/// It cannot be started.
pub fn run(command: &mut Command) -> Output {
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be started ({error}); run tests/run once"))
}

/// What a program printed that did what it was asked to.
///
/// # Panics
/// It did not.
pub fn done(command: &mut Command) -> String {
    let out = run(command);
    assert!(out.status.success(), "{command:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// Keys and certificates in files: an authority, and what it certified; and a stranger with an authority of its own.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Makes them in this folder: those of an authority `ca` with these names, and a `stranger`.
    ///
    /// # Panics
    /// openssl does not.
    pub fn make(folder: &Path, names: &[&str]) -> Files {
        let files = Files { folder: folder.to_owned() };
        files.authority("ca");
        names.iter().for_each(|name| files.certify(name, "ca"));
        files.authority("other");
        files.certify("stranger", "other");
        files
    }

    /// The folder they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file by its name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn openssl(&self, words: &[&str]) {
        done(Command::new("openssl").args(words).current_dir(&self.folder));
    }

    fn authority(&self, name: &str) {
        let (key, pem, subject) =
            (format!("{name}.key"), format!("{name}.pem"), format!("/CN=Authority {name}"));
        let how =
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
        self.openssl(&[&how[..], &["-keyout", &key, "-out", &pem, "-subj", &subject]].concat());
    }

    fn certify(&self, name: &str, by: &str) {
        let (key, csr, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let (ca, ca_key) = (format!("{by}.pem"), format!("{by}.key"));
        let subject = format!("/CN=Test {name}");
        let how = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
        self.openssl(&[&how[..], &["-keyout", &key, "-out", &csr, "-subj", &subject]].concat());
        let written = std::fs::write(self.path("extensions"), "subjectAltName=IP:127.0.0.1\n");
        written.unwrap_or_else(|error| panic!("extensions: {error}"));
        // Short: the decimal form of twenty octets is more than xmllint takes for a serial number.
        let serial = name.bytes().take(7).fold(1, |serial: u64, letter| serial << 8 | u64::from(letter));
        let serial = serial.to_string();
        let how = ["x509", "-req", "-days", "2", "-set_serial", &serial, "-extfile", "extensions"];
        self.openssl(&[&how[..], &["-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-out", &pem]].concat());
    }

    /// Whether the DCC's signature holds, for xmlsec1, which trusts the authority only.
    pub fn holds(&self, file: &Path) -> bool {
        let mut command = Command::new("xmlsec1");
        command.args(["--verify", "--enabled-key-data", "x509", "--trusted-pem"]).arg(self.path("ca.pem"));
        command.arg("--untrusted-pem").arg(self.path("dsp.pem"));
        run(command.args(["--node-xpath", "/*/*[local-name()='Signature']"]).arg(file)).status.success()
    }
}
