//! What witnesses cost a run: the embedded lab under `harness serve`, alone and with a crowd of witnesses, by turns.
//!
//! `cargo bench -p lab-tests --bench witnesses [-- WITNESSES [TURNS]]`; a hundred witnesses and three turns of each kind unless
//! told otherwise. Half of the witnesses follow by gRPC and half by the page's events, and one of them reads nothing once it has
//! asked. They are a process of their own at the lowest priority (`nice -n 19`). Printed are
//!
//! - the run's time by its records, first to last, alone and watched;
//! - the processor time of the controller process alone (user and system), which holds the devices too: the measure that the
//!   witnesses' own work does not touch, however few processors they share;
//! - how long after a record's own time its octets were with a witness, the median and the 99th percentile. The record's time
//!   is taken before its line is written, so the figure is not less than it was;
//! - the most memory the controller had.
//!
//! `LAB_WITNESSES_SCRIPTS=a,b` runs these scripts of the pack only. Figures of a debug build say nothing, and
//! `LAB_WITNESSES_DEBUG=1` allows one for trying this out. It passes or fails nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use harness::evidence::RunFolder;
use harness::watch::Follow;
use jiff::Timestamp;
use lab_tests::crowd::{Fallible, Given, Kind, ReadsNothing, follow, lateness, queue};
use proto_lab::queue::JoinRequest;
use proto_lab::record::Body;
use serde_json::{Value, json};

const PACK: &str = "ioc-service-reference-variant";
/// How long a run may take to begin, and to end.
const LONG: Duration = Duration::from_secs(3600);
/// How often a run is looked at by the measurement itself.
const LOOK: Duration = Duration::from_millis(50);
/// Ticks of a second in which Linux counts processor time for processes.
const TICKS: f64 = 100.0;

fn main() -> Fallible<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let [role, url, run, records, witnesses] = words.as_slice()
        && role == "crowd"
    {
        return runtime.block_on(crowd(url, run, Path::new(records), witnesses.parse()?));
    }
    let is_release = std::env::current_exe()?.ancestors().any(|folder| folder.ends_with("release"));
    if !is_release && std::env::var_os("LAB_WITNESSES_DEBUG").is_none() {
        return Err(
            "figures of a debug build say nothing: use cargo bench, or set LAB_WITNESSES_DEBUG=1".into()
        );
    }
    let number = |n: usize, usual: usize| words.get(n).map_or(Ok(usual), |word| word.parse());
    runtime.block_on(measure(number(0, 100)?, number(1, 3)?))
}

/// The witnesses, in a process of their own: says as one line of JSON what they were given.
async fn crowd(url: &str, run: &str, records: &Path, witnesses: usize) -> Fallible<()> {
    let unread = ReadsNothing::ask(url, run).await?;
    let kinds = [Kind::Grpc, Kind::Page].into_iter().cycle().take(witnesses.saturating_sub(1));
    let mut following = tokio::task::JoinSet::new();
    for kind in kinds {
        let (url, run) = (url.to_owned(), run.to_owned());
        following.spawn(async move { follow(kind, &url, &run).await });
    }
    let given: Vec<Given> = following.join_all().await.into_iter().collect::<Result<_, _>>()?;
    drop(unread);
    let late = lateness(records, &given)?;
    let at = |of: f64| late.get((late.len().saturating_sub(1) as f64 * of) as usize).copied();
    let mut digests: Vec<&str> = given.iter().map(|given| given.digest.as_str()).collect();
    digests.sort_unstable();
    digests.dedup();
    let told = json!({
        "witnesses": given.len(), "digests": digests, "records": given.iter().map(|g| g.came.len()).max(),
        "live": late.len(), "median": at(0.5), "99th": at(0.99), "longest": at(1.0),
    });
    println!("{told}");
    Ok(())
}

/// What one run came to.
struct Measured {
    /// Seconds from its first record to its last.
    took: f64,
    /// Processor seconds of the controller meanwhile.
    worked: f64,
    /// The most memory of the controller, in mebibytes.
    memory: f64,
    /// What the crowd said.
    crowd: Option<Value>,
}

async fn measure(witnesses: usize, turns: usize) -> Fallible<()> {
    println!(
        "{witnesses} witnesses, half by gRPC and half by the page, one of whom reads nothing; {turns} turns"
    );
    println!(
        "the witnesses are a process of their own at nice 19; processor time is that of the controller alone"
    );
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    for turn in 1..=turns {
        for crowd in [None, Some(witnesses)] {
            let measured = one(crowd).await?;
            println!("{}", line(turn, &measured));
            if crowd.is_some() { &mut watched } else { &mut alone }.push(measured);
        }
    }
    for (what, of) in [
        ("time of the run", (|m| m.took) as fn(&Measured) -> f64),
        ("processor time of the controller", |m| m.worked),
        ("most memory of the controller", |m| m.memory),
    ] {
        let (alone, watched) = (median(&alone, of), median(&watched, of));
        println!("{what}: alone {alone:.2}, watched {watched:.2}, ratio {:.4}", watched / alone);
    }
    for (what, key) in [("median", "median"), ("99th percentile", "99th")] {
        let of =
            |m: &Measured| m.crowd.as_ref().and_then(|told| told[key].as_f64()).unwrap_or(f64::NAN) / 1000.0;
        println!("from a record's time to the octets at a witness, {what}: {:.1} ms", median(&watched, of));
    }
    Ok(())
}

fn line(turn: usize, measured: &Measured) -> String {
    let Measured { took, worked, memory, crowd } = measured;
    let kind = if crowd.is_some() { "watched" } else { "alone" };
    let told = crowd.as_ref().map(|told| format!("; {told}")).unwrap_or_default();
    format!("turn {turn}, {kind}: {took:.2} s, processor {worked:.2} s, at most {memory:.1} MiB{told}")
}

fn median(all: &[Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = all.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A controller started anew, ended with this value.
struct Controller {
    child: Child,
    _said: BufReader<ChildStdout>,
    watch: String,
    control: String,
}

impl Controller {
    fn start(folder: &Path) -> Fallible<Self> {
        std::fs::create_dir_all(folder.join("runs"))?;
        let mut child = Command::new(lab_tests::program("harness")?)
            .args(["serve", "--json", "--loopback-without-credentials", "--runs", "runs"])
            .args(["--watch", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .env("HARNESS_STATE", folder.join("state"))
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(child.stdout.take().ok_or("its output")?);
        let mut line = String::new();
        said.read_line(&mut line)?;
        let told: Value = serde_json::from_str(&line)?;
        let url = |key: &str| told[key].as_str().map(str::to_owned).ok_or("where it listens");
        Ok(Self { watch: url("watch")?, control: url("control")?, child, _said: said })
    }

    /// User and system time so far, in seconds.
    fn worked(&self) -> Fallible<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let after_name = stat.rsplit_once(") ").ok_or("a process's figures")?.1;
        let ticks: Vec<f64> =
            after_name.split(' ').skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(ticks.iter().sum::<f64>() / TICKS)
    }

    /// The most memory it had, in mebibytes.
    fn memory(&self) -> Fallible<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("its most memory")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One run under a controller of its own.
async fn one(witnesses: Option<usize>) -> Fallible<Measured> {
    let folder = tempfile::tempdir()?;
    let controller = Controller::start(folder.path())?;
    let scripts = std::env::var("LAB_WITNESSES_SCRIPTS").unwrap_or_default();
    let scripts = scripts.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let before = controller.worked()?;
    let mut control = queue(&controller.control).await?;
    let join =
        JoinRequest { rig: "rig-1".into(), packs: vec![PACK.into()], scripts, ..JoinRequest::default() };
    control.join(join).await?;
    drop(control);
    let run = begun(&folder.path().join("runs")).await?;
    let crowd = witnesses.map(|witnesses| spawn_crowd(&controller.watch, &run, witnesses)).transpose()?;
    let took = ended(&run).await?;
    let (worked, memory) = (controller.worked()? - before, controller.memory()?);
    let crowd = crowd.map(told).transpose()?;
    Ok(Measured { took, worked, memory, crowd })
}

async fn begun(runs: &Path) -> Fallible<PathBuf> {
    let began = Instant::now();
    while began.elapsed() < LONG {
        if let Some(run) = lab_tests::run_folders(runs).pop() {
            return Ok(run);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err("no run began".into())
}

/// Waits for the end of a run; how long it took by its records.
async fn ended(run: &Path) -> Fallible<f64> {
    let mut follow = Follow::open(RunFolder::new(run))?;
    let (began, mut first) = (Instant::now(), None::<Timestamp>);
    while began.elapsed() < LONG {
        for record in follow.poll()? {
            let first = *first.get_or_insert(record.at);
            if matches!(record.body, Body::RunFinished(_)) {
                return Ok(record.at.duration_since(first).as_secs_f64());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    Err("the run did not end".into())
}

fn spawn_crowd(url: &str, run: &Path, witnesses: usize) -> Fallible<Child> {
    let name = run.file_name().unwrap_or_default();
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(std::env::current_exe()?).args(["crowd", url]).arg(name);
    command.arg(run.join("records.jsonl")).arg(witnesses.to_string());
    Ok(command.stdout(Stdio::piped()).spawn()?)
}

fn told(crowd: Child) -> Fallible<Value> {
    let ended = crowd.wait_with_output()?;
    std::io::stderr().write_all(&ended.stderr)?;
    Ok(serde_json::from_slice(&ended.stdout)?)
}
