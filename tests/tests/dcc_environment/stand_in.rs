//! The DCC of Python.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use lab_tests::files::{Files, TEMPLATE};
use serde_json::Value;

/// Its devices, as its inventory has them.
const DEVICES: &str = "CHF=00-DB-12-34-56-78-90-01,GPF=00-DB-12-34-56-78-90-02,ESME=00-DB-12-34-56-78-90-03,\
                       GSME=00-DB-12-34-56-78-90-04,PPMID=00-DB-12-34-56-78-90-05";

/// A running stand-in, ended with its value.
pub(crate) struct StandIn {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
    pub(crate) port: u16,
}

impl StandIn {
    /// One that posts to the listener at this port.
    pub(crate) fn start(files: &Files, listener: u16) -> StandIn {
        std::fs::write(files.path("template.ds"), TEMPLATE).unwrap();
        let schema = lab_tests::duis_schemas().map(|folder| folder.join("duis54.xsd")).unwrap_or_default();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/dcc_environment/dcc.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(files.folder())
            .arg(listener.to_string())
            .arg(schema)
            .arg(DEVICES)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = said.next().unwrap().unwrap().parse().unwrap();
        StandIn { process, said, port }
    }

    /// Ends it, and gives what it told.
    pub(crate) fn told(mut self) -> Vec<Value> {
        self.end();
        let lines = self.said.by_ref().map(|line| line.unwrap());
        lines.map(|line| serde_json::from_str(&line).unwrap()).collect()
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.end();
    }
}
