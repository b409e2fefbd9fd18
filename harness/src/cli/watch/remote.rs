//! `harness watch URL`: a run of another machine, its evidence checked here while it is shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proto_lab::record::{Record, RunId};
use proto_lab::watch::{
    CheckpointsRequest, CheckpointsResponse, ListRunsRequest, RecordsRequest, RecordsResponse, WatchClient,
};
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use super::super::arguments::Watch;
use super::super::say::say;
use super::super::screen::Screen;
use super::super::verify::{LAB, key};
use super::super::{Exit, Failure};
use crate::driver::state_folder;
use crate::evidence::{HeldHead, Opening, VerifierKey};
use crate::watch::{Alarm, Witness};

/// How long a server may take to answer at first.
const WITHIN: Duration = Duration::from_secs(20);
/// The longest message taken; the server sends some hundred thousand octets at a time, or one line.
const LONGEST: usize = 4 << 20;

pub(super) async fn watch(verb: &Watch, url: &str) -> Result<Exit, Failure> {
    let (server, named) = place(url)?;
    let mut client = connect(&server).await?;
    let run = match named {
        Some(run) => run,
        None => latest(&mut client).await?,
    };
    let request = RecordsRequest { run: run.to_string(), from: 0, follow: true };
    let mut records = client.records(request).await.map_err(told)?.into_inner();
    let first = records.message().await.map_err(told)?.unwrap_or_default();
    let request = CheckpointsRequest { run: run.to_string(), from: 0, follow: true };
    let notes = client.checkpoints(request).await.map_err(told)?.into_inner();
    let key = signer(verb, &first)?;
    let watched = Watched::begin(verb, key, &run)?;
    tokio::select! {
        ended = watched.follow(first, records, notes) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

/// The server and the run that a URL names: `http://HOST:PORT` is the latest run, `http://HOST:PORT/RUN` that one.
fn place(url: &str) -> Result<(String, Option<RunId>), Failure> {
    let rest = url.strip_prefix("http://").ok_or_else(|| {
        Failure::input(format!("{url}: a lab is watched over http on this machine only, for now"))
            .hint("forward its port over ssh, and watch http://127.0.0.1:PORT")
    })?;
    let (server, run) = rest.split_once('/').unwrap_or((rest, ""));
    let run = match run.trim_matches('/') {
        "" => None,
        run => Some(run.parse().map_err(Failure::input)?),
    };
    Ok((format!("http://{server}"), run))
}

async fn connect(server: &str) -> Result<WatchClient<Channel>, Failure> {
    let endpoint = Endpoint::from_shared(server.to_owned()).map_err(Failure::input)?.connect_timeout(WITHIN);
    let channel = endpoint.connect().await.map_err(|e| {
        Failure::lab(format!("{server} does not answer: {e}"))
            .hint("harness serve prints the address it listens at")
    })?;
    Ok(WatchClient::new(channel).max_decoding_message_size(LONGEST))
}

async fn latest(client: &mut WatchClient<Channel>) -> Result<RunId, Failure> {
    let runs = client.list_runs(ListRunsRequest { limit: 1 }).await.map_err(told)?.into_inner().runs;
    let run = runs.first().ok_or_else(|| Failure::input("that lab has no run yet"))?;
    run.run.parse().map_err(Failure::lab)
}

fn told(status: Status) -> Failure {
    Failure::lab(format!("the lab's server: {}", status.message()))
}

/// The key the run is signed by; the one expected, where one was given.
fn signer(verb: &Watch, first: &RecordsResponse) -> Result<VerifierKey, Failure> {
    let line = first.lines.split_inclusive(|octet| *octet == b'\n').next().unwrap_or_default();
    let record = Record::from_line(line).map_err(Failure::lab)?;
    let opening = Opening::of(&record.body).ok_or_else(|| Failure::lab("the run has no first record"))?;
    let found: VerifierKey = opening.key().verifier.parse().map_err(Failure::lab)?;
    match &verb.key {
        None => {
            say!("signed by {found}");
            say!(
                "that key came with the run, so anybody could have made it: give the one you expect with --key"
            );
        }
        Some(given) => {
            let expected: VerifierKey = key(given, LAB)?;
            if !expected.same_key(&found) {
                return Err(Failure::lab(format!(
                    "ALARM: the run is signed by {found}, and you expect {expected}"
                )));
            }
        }
    }
    Ok(found)
}

/// A run as it is watched: who checks it, where the head is kept, and the screen.
struct Watched {
    witness: Witness,
    screen: Screen,
    file: PathBuf,
    kept: u64,
}

impl Watched {
    fn begin(verb: &Watch, key: VerifierKey, run: &RunId) -> Result<Self, Failure> {
        let state = state_folder().ok_or_else(|| {
            Failure::input("there is no place to keep the head you hold")
                .hint("set HARNESS_STATE to a folder")
        })?;
        let file = state.join("heads").join(format!("{run}.head"));
        let held = held(&file, &key)?;
        let kept = held.as_ref().map_or(0, |head| head.size);
        Ok(Self { witness: Witness::new(key, run, held), screen: Screen::new(verb.json), file, kept })
    }

    async fn follow(
        mut self,
        first: RecordsResponse,
        mut records: Streaming<RecordsResponse>,
        mut notes: Streaming<CheckpointsResponse>,
    ) -> Result<Exit, Failure> {
        self.take_lines(&first)?;
        let (mut more_records, mut more_notes) = (true, true);
        while more_records || more_notes {
            tokio::select! {
                lines = records.message(), if more_records => match lines.map_err(told)? {
                    Some(lines) => self.take_lines(&lines)?,
                    None => more_records = false,
                },
                signed = notes.message(), if more_notes => match signed.map_err(told)? {
                    Some(signed) => self.take_notes(&signed)?,
                    None => more_notes = false,
                },
            }
        }
        self.end()
    }

    fn take_lines(&mut self, lines: &RecordsResponse) -> Result<(), Failure> {
        for line in lines.lines.split_inclusive(|octet| *octet == b'\n') {
            let record = self.witness.take_line(line).map_err(|alarm| self.alarm(&alarm))?;
            self.screen.show(&record)?;
        }
        self.keep()
    }

    fn take_notes(&mut self, signed: &CheckpointsResponse) -> Result<(), Failure> {
        let text = String::from_utf8_lossy(&signed.notes);
        self.witness.take_notes(&text).map_err(|alarm| self.alarm(&alarm))?;
        self.keep()
    }

    /// Keeps the latest head that was checked, so that another history is found next time.
    fn keep(&mut self) -> Result<(), Failure> {
        let Some(head) = self.witness.head().filter(|head| head.size > self.kept) else { return Ok(()) };
        self.kept = head.size;
        let wrong = |e: std::io::Error| Failure::lab(format!("{}: {e}", self.file.display()));
        fs::create_dir_all(self.file.parent().unwrap_or(Path::new(""))).map_err(wrong)?;
        let draft = self.file.with_extension("new");
        fs::write(&draft, &head.note).and_then(|()| fs::rename(&draft, &self.file)).map_err(wrong)
    }

    fn end(mut self) -> Result<Exit, Failure> {
        self.screen.finish();
        self.witness.at_end().map_err(|alarm| self.alarm(&alarm))?;
        if let Some(head) = self.witness.head() {
            say!("{} records are signed, and the signatures hold; root {}", head.size, head.root);
            say!("the head you hold: {}", self.file.display());
        }
        Ok(Exit::Done)
    }

    fn alarm(&self, alarm: &Alarm) -> Failure {
        let failure = Failure::lab(format!("ALARM: {alarm}"));
        let advice = "nothing of this run from there on may be relied on: tell the lab";
        match self.file.exists() {
            true => {
                failure.hint(format!("{advice}; the head you hold is evidence, keep {}", self.file.display()))
            }
            false => failure.hint(advice),
        }
    }
}

/// The head kept from before; one that this key did not sign is an alarm.
fn held(file: &Path, key: &VerifierKey) -> Result<Option<HeldHead>, Failure> {
    let text = match fs::read_to_string(file) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|e| Failure::input(format!("{}: {e}", file.display())))?,
    };
    HeldHead::read(&text, key).map(Some).map_err(|e| {
        Failure::lab(format!("ALARM: the head you hold of this run is not signed by {key}: {e}"))
            .hint(format!("another key signs the run now; the head you hold is {}", file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_server_and_perhaps_a_run() {
        let told = |url: &str| place(url).map(|(server, run)| (server, run.map(|run| run.to_string())));
        let server = || "http://127.0.0.1:50051".to_owned();
        assert_eq!(told("http://127.0.0.1:50051").ok(), Some((server(), None)));
        assert_eq!(told("http://127.0.0.1:50051/").ok(), Some((server(), None)));
        assert_eq!(told("http://127.0.0.1:50051/run-1").ok(), Some((server(), Some("run-1".to_owned()))));
        assert!(told("http://127.0.0.1:50051/../x").is_err());
        assert!(told("https://lab/").is_err());
    }
}
