//! Many witnesses of one run, one of whom reads nothing: all others see all of it, and it goes on as if nobody watched.
//!
//! How much a hundred cost is measured by the benchmark `witnesses`; that what is kept for one who does not read has its
//! bound is shown beside the code, by counts.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use harness::evidence::{RunFolder, read_records};
use lab_tests::crowd::{Given, Kind, ReadsNothing, follow, queue};
use proto_lab::queue::{JoinRequest, ListRequest};
use proto_lab::record::{Body, Verdict};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// How long anything may take on a machine with other things to do.
const LONG: Duration = Duration::from_secs(300);
const PACK: &str = "ioc-service-reference-variant";

/// A controller with the embedded lab, ended with this value.
struct Controller {
    folder: TempDir,
    child: Child,
    _said: BufReader<ChildStdout>,
    watch: String,
    control: String,
}

impl Controller {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("runs")).unwrap();
        let mut child = Command::new(lab_tests::program("harness").unwrap())
            .args(["serve", "--json", "--loopback-without-credentials", "--runs", "runs"])
            .args(["--watch", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .env("HARNESS_STATE", folder.path().join("state"))
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let url = |key: &str| told[key].as_str().unwrap().to_owned();
        Self { watch: url("watch"), control: url("control"), folder, child, _said: said }
    }

    fn runs(&self) -> PathBuf {
        self.folder.path().join("runs")
    }

    /// The run, once it has begun.
    async fn begun(&self) -> PathBuf {
        let until = Instant::now() + LONG;
        loop {
            if let Some(run) = lab_tests::run_folders(&self.runs()).pop() {
                return run;
            }
            assert!(Instant::now() < until, "no run began");
            tokio::task::yield_now().await;
        }
    }

    async fn join(&self, scripts: &[&str], witnessed: &[&str]) {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let request = JoinRequest {
            rig: "rig-1".into(),
            packs: vec![PACK.into()],
            scripts: owned(scripts),
            data_sets: vec![],
            witnessed: owned(witnessed),
        };
        let mut control = queue(&self.control).await.unwrap();
        control.join(request).await.unwrap();
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn verdict(run: &Path) -> Verdict {
    let records = read_records(&RunFolder::new(run)).unwrap();
    match &records.last().unwrap().body {
        Body::RunFinished(finished) => finished.verdict,
        other => panic!("the last record is {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_witnesses_see_every_record_and_one_who_reads_nothing_stops_nobody() {
    let controller = Controller::start();
    controller.join(&["read-active-power", "read-identity"], &[]).await;
    let run = controller.begun().await;
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    let unread = ReadsNothing::ask(&controller.watch, &name).await.unwrap();
    let mut following = tokio::task::JoinSet::new();
    for kind in [Kind::Grpc, Kind::Page].into_iter().cycle().take(9) {
        let (watch, name) = (controller.watch.clone(), name.clone());
        following.spawn(async move { follow(kind, &watch, &name).await.unwrap() });
    }
    let given: Vec<Given> = tokio::time::timeout(LONG, following.join_all()).await.unwrap();
    let octets = std::fs::read(run.join("records.jsonl")).unwrap();
    assert_eq!(verdict(&run), Verdict::Pass);
    let records = octets.split_inclusive(|octet| *octet == b'\n').count();
    let expected = (records, hex::encode(Sha256::digest(&octets)));
    for given in &given {
        assert_eq!((given.came.len(), given.digest.clone()), expected);
    }
    // What waits for the one is whole, where it is read after all.
    let late = tokio::time::timeout(LONG, unread.read()).await.unwrap().unwrap();
    assert!(late.starts_with(b"HTTP/1.1 200") && late.windows(13).any(|part| part == b"event: record"));
}

/// What a witness chose through the queue is bound before the run begins, shown while it runs, and reported after it.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_chosen_in_the_queue_to_be_witnessed_are_in_the_first_record_and_in_the_witness_report() {
    let controller = Controller::start();
    controller.join(&["read-identity", "read-active-power"], &["read-identity"]).await;
    controller.join(&["read-identity"], &["read-active-power"]).await;
    let mut control = queue(&controller.control).await.unwrap();
    let unknown = JoinRequest {
        rig: "rig-1".into(),
        packs: vec![PACK.into()],
        witnessed: vec!["nothing-of-the-kind".into()],
        ..JoinRequest::default()
    };
    let refused = control.join(unknown).await.unwrap_err();
    assert!(refused.message().contains("no pack has a script \"nothing-of-the-kind\""), "{refused}");
    let waiting = control.list(ListRequest {}).await.unwrap().into_inner().waiting;
    assert_eq!(waiting.last().unwrap().witnessed, ["read-active-power"]);
    let run = controller.begun().await;
    let name = run.file_name().unwrap().to_str().unwrap().to_owned();
    tokio::time::timeout(LONG, follow(Kind::Grpc, &controller.watch, &name)).await.unwrap().unwrap();
    let records = read_records(&RunFolder::new(&run)).unwrap();
    let Body::RunStarted(started) = &records[0].body else { panic!("a run begins with its first record") };
    assert_eq!(started.witnessed, ["read-identity"]);
    assert_eq!(verdict(&run), Verdict::Pass);
    let harness = |arguments: &[&str]| {
        let mut command = Command::new(lab_tests::program("harness").unwrap());
        command.args(arguments).arg(&run).current_dir(controller.folder.path());
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", lab_tests::shown(&out));
        String::from_utf8(out.stdout).unwrap()
    };
    let seen = harness(&["watch"]);
    assert!(seen.contains("to be witnessed: read-identity"), "{seen}");
    assert!(seen.contains("/read-identity[esme]@ESME, witnessed"), "{seen}");
    let report: Value = serde_json::from_str(&harness(&["report", "--witness", "--json"])).unwrap();
    let text = report.to_string();
    assert!(text.contains("read-identity") && !text.contains("read-active-power"), "{text}");
}
