//! The whole catalogue of faults: each has a script in the pack `faults`, and each script ends in the verdict it is there to
//! show, within its time, with evidence that is sound, a capture in which the fault can be seen, and a rig that was left safe.
//!
//! The rig is simulated, on real pseudo-terminals and sockets; four runs share the scripts, each with devices of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use lab_tests::{harness, repository, run_folders, shown};
use proto_lab::record::{Body, Record, Verdict};
use scenarios::{Act, Action, Pack, Script, Step};

/// Runs at a time.
const RUNS: usize = 4;
/// No run of its share of the scripts may take longer than this, debug build and busy machine included.
const QUICKLY: Duration = Duration::from_secs(300);
/// No script may: its own deadline, proving the rig again, and a machine that does other things too.
const SCRIPT: Duration = Duration::from_secs(120);

/// What one run left behind.
struct Run {
    records: Vec<Record>,
    /// Payloads of the capture, by the name of their link.
    captured: Vec<(String, Vec<u8>)>,
    /// Remarks in the capture.
    notes: Vec<String>,
}

/// The embedded lab with links that lose patience sooner, so that the table takes a minute and not five.
fn lab(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(repository().join("lab-config/labs/embedded.toml"))
        .expect("the embedded lab");
    let text = text
        .replace("links.optical = \"sim:?sign-on=e\"", "links.optical = \"sim:?sign-on=e&response=1s\"")
        .replace("links.local = \"sim:?baud=9600\"", "links.local = \"sim:?baud=9600&response=1s\"")
        .replace("links.wan = \"sim:\"", "links.wan = \"sim:?response=3s\"");
    assert_eq!(
        text.matches("response=").count(),
        3,
        "the links of the embedded lab are written otherwise now"
    );
    let path = folder.join("lab.toml");
    std::fs::write(&path, text).expect("a lab file");
    path
}

fn start(folder: &Path, lab: &Path, pack: &str, scripts: &[&Script]) -> Child {
    let mut command = harness().expect("the harness builds");
    command.args(["run", "--pack", pack, "--lab"]).arg(lab).arg("--runs").arg(folder);
    for script in scripts {
        command.args(["--script", script.id.as_str()]);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the harness starts")
}

fn read(folder: &Path) -> Run {
    let runs = run_folders(folder);
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    let sound =
        harness().expect("the harness builds").args(["verify", "--json"]).arg(run).output().expect("verify");
    let sound: serde_json::Value = serde_json::from_slice(&sound.stdout).expect("JSON");
    assert_eq!(sound["sound"], true, "{sound}");
    let lines = std::fs::read_to_string(run.join("records.jsonl")).expect("records");
    let records = lines
        .split_inclusive('\n')
        .map(|line| Record::from_line(line.as_bytes()).expect("a record"))
        .collect();
    let capture = std::fs::read(run.join("captures/run.pcapng")).expect("a capture");
    Run { records, captured: captured(&capture), notes: notes(&capture) }
}

fn word(file: &[u8], at: usize) -> usize {
    u32::from_le_bytes(file[at..at + 4].try_into().expect("four octets")) as usize
}

/// The blocks of a pcapng file in this machine's octet order, each with its type, without the length at its end.
fn blocks(mut file: &[u8]) -> Vec<(usize, &[u8])> {
    let mut blocks = Vec::new();
    while file.len() >= 12 {
        let (block, rest) = file.split_at(word(file, 4));
        blocks.push((word(block, 0), &block[..block.len() - 4]));
        file = rest;
    }
    blocks
}

/// Interface names and packets of a pcapng file (blocks 1 and 6 of its specification).
fn captured(file: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut links, mut packets) = (Vec::new(), Vec::new());
    for (kind, block) in blocks(file) {
        match kind {
            1 => links.push(option(2, &block[16..])),
            6 => packets.push((links[word(block, 8)].clone(), block[28..28 + word(block, 20)].to_vec())),
            _ => {}
        }
    }
    packets
}

/// The comments of packets: option 1.
fn notes(file: &[u8]) -> Vec<String> {
    let packets = blocks(file).into_iter().filter(|(kind, _)| *kind == 6);
    packets.map(|(_, block)| option(1, &block[28 + word(block, 20).next_multiple_of(4)..])).collect()
}

/// The text of an option; nothing, where it is not among them.
fn option(wanted: u8, mut options: &[u8]) -> String {
    while let [code, _, low, high, rest @ ..] = options {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        if *code == wanted {
            return String::from_utf8_lossy(&rest[..length]).into_owned();
        }
        options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    String::new()
}

impl Run {
    /// How each script ended: verdict, reason, and how long it took.
    fn ended(&self) -> BTreeMap<String, (Verdict, String, Duration)> {
        let mut open = BTreeMap::new();
        let mut ended = BTreeMap::new();
        for record in &self.records {
            match &record.body {
                Body::ScriptStarted(started) => {
                    open.insert(record.sequence, (started.case.script.clone(), record.at));
                }
                Body::ScriptFinished(finished) => {
                    let (script, begun) = &open[&finished.started];
                    let took = record.at.duration_since(*begun).unsigned_abs();
                    let reason = finished.reason.clone().unwrap_or_default();
                    ended.insert(script.clone(), (finished.verdict, reason, took));
                }
                _ => {}
            }
        }
        ended
    }

    fn left_safe(&self) -> bool {
        let mut states = self.records.iter().filter_map(|record| match &record.body {
            Body::SafeState(state) => Some(state.reached),
            _ => None,
        });
        states.next_back() == Some(true)
    }

    fn has_packet(&self, link: &str, like: impl Fn(&[u8]) -> bool) -> bool {
        self.captured.iter().any(|(of, octets)| of.contains(link) && like(octets))
    }
}

/// The faults a script brings about, as it writes them.
fn faults(script: &Script) -> impl Iterator<Item = &str> {
    script.all_steps().filter_map(|step| match &step.action {
        Action::Ask(ask) => match &ask.act {
            Act::Fault(text) => Some(text.as_str()),
            _ => None,
        },
        _ => None,
    })
}

/// Plays a pack, its scripts shared out over some runs at a time, and holds each to what it expects.
fn play(name: &str, folder: &Path, lab: &Path, at_a_time: usize) -> Vec<Run> {
    let pack = Pack::shipped(name).expect("the shipped pack");
    // Built before the clock runs: building is no part of what is held to a time.
    harness().expect("the harness builds");
    let begun = Instant::now();
    let share = |number: usize| pack.scripts.iter().skip(number).step_by(at_a_time).collect::<Vec<&Script>>();
    let folders: Vec<PathBuf> = (0..at_a_time).map(|number| folder.join(format!("runs-{number}"))).collect();
    let running: Vec<Child> =
        folders.iter().enumerate().map(|(number, runs)| start(runs, lab, name, &share(number))).collect();
    let said: Vec<String> =
        running.into_iter().map(|child| shown(&child.wait_with_output().expect("it ends"))).collect();
    assert!(begun.elapsed() < QUICKLY, "took {:?}", begun.elapsed());
    let runs: Vec<Run> = folders.iter().map(|folder| read(folder)).collect();
    let wrong: Vec<String> =
        runs.iter().enumerate().flat_map(|(number, run)| judge(run, &share(number))).collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), said.join("\n"));
    assert!(runs.iter().all(Run::left_safe), "{}", said.join("\n"));
    runs
}

#[test]
fn every_fault_leads_to_the_verdict_its_script_is_there_to_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = play("faults", folder.path(), &lab(folder.path()), RUNS);
    the_capture_shows_it(&runs);
}

/// Lost, doubled, overtaken, late and spoilt datagrams, on a hub that is reached over UDP.
#[test]
fn every_fault_of_datagrams_leads_to_the_verdict_its_script_is_there_to_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path());
    rewrite(&lab, "sim:?response=3s", "sim:?response=2s&transport=udp");
    let runs = play("faults-of-datagrams", folder.path(), &lab, 2);
    let wan: Vec<&(String, Vec<u8>)> =
        runs.iter().flat_map(|run| &run.captured).filter(|(link, _)| link.contains("CHF/wan")).collect();
    let any = |like: fn(&[u8]) -> bool| wan.iter().any(|(_, octets)| like(octets));
    // As they crossed the wire: a datagram is a packet, whole or not.
    assert!(runs.iter().any(comes_twice), "a datagram twice over");
    assert!(any(|octets| octets.len() == 12 && octets.starts_with(&[0, 1])), "half a datagram");
    assert!(
        any(|octets| octets.len() > 28 && octets.starts_with(&[0, 0])),
        "a bit that turned over in a header"
    );
    let announced = |octets: &[u8]| 8 + usize::from(u16::from_be_bytes([octets[6], octets[7]]));
    let stuffed = |octets: &[u8]| octets.starts_with(&[0, 1]) && octets.len() == announced(octets) + 20;
    assert!(wan.iter().any(|(_, octets)| octets.len() > 28 && stuffed(octets)), "noise inside a datagram");
    let twice_asked = |run: &&Run| run.notes.iter().any(|note| note.contains("the datagram is sent again"));
    assert!(runs.iter().any(|run| twice_asked(&run)), "a question asked again is remarked on");
}

/// Wrong keys, replays and tampering, on an electricity meter that has keys and ciphers every message.
#[test]
fn every_fault_of_keys_leads_to_the_verdict_its_script_is_there_to_show() {
    let folder = tempfile::tempdir().expect("a folder");
    let lab = lab(folder.path());
    let model = repository().join("lab-config/device-models/esme-liberty-100.toml");
    let model = std::fs::read_to_string(model).expect("a Device Model");
    let security = "[profile.security.1]\nmechanism = \"gmac\"\npolicy = \"authenticated-encrypted\"\n\
                    invocation-counter = \"0-0:43.1.1\"\nsecurity-setup = \"0-0:43.0.1\"\nverified = false\n\n[profile.objects]";
    std::fs::write(folder.path().join("esme-keys.toml"), model.replace("[profile.objects]", security))
        .expect("a file");
    rewrite(&lab, "shipped:esme-liberty-100.toml", "esme-keys.toml");
    let text = std::fs::read_to_string(&lab).expect("the lab file");
    let (others, meter) = text.split_once("kind = \"ESME\"\neui-64").expect("the meter");
    let password = "client.1 = { security = \"low\", password = { generated = true } }";
    let keys = "client.1 = { security = \"gmac\", encryption-key = { generated = true }, authentication-key = { generated = true }, master-key = { generated = true } }";
    let meter = meter.replacen(password, keys, 1);
    std::fs::write(&lab, format!("{others}kind = \"ESME\"\neui-64{meter}")).expect("a lab file");
    let runs = play("faults-of-keys", folder.path(), &lab, 1);
    assert!(
        runs.iter().any(|run| run.has_packet("CHF/wan", |octets| octets.contains(&0xCC))),
        "messages are ciphered"
    );
}

/// Changes a lab file, in which these words must stand.
fn rewrite(lab: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(lab).expect("the lab file");
    assert!(text.contains(from), "{from}");
    std::fs::write(lab, text.replace(from, to)).expect("a lab file");
}

/// What did not end as its script says it must.
fn judge(run: &Run, scripts: &[&Script]) -> Vec<String> {
    let ended = run.ended();
    let one = |script: &&Script| {
        let expected = script.expected.as_ref().unwrap_or_else(|| panic!("{} expects nothing", script.id));
        let Some((verdict, reason, took)) = ended.get(script.id.as_str()) else {
            return Some(format!("{}: not run", script.id));
        };
        let missing = expected.reason.iter().find(|words| !reason.contains(words.as_str()));
        let as_expected = *verdict == expected.verdict && missing.is_none() && *took < SCRIPT;
        let words = || {
            let Expected { verdict: wanted, reason: because } = Expected::of(script);
            format!("{}: expected {wanted} ({because}), found {verdict} in {took:?}: {reason}", script.id)
        };
        (!as_expected).then(words)
    };
    scripts.iter().filter_map(one).collect()
}

/// What a script expects, for a failed assertion.
struct Expected {
    verdict: Verdict,
    reason: String,
}

impl Expected {
    fn of(script: &Script) -> Self {
        let expected = script.expected.as_ref();
        Self {
            verdict: expected.map_or(Verdict::Pass, |expected| expected.verdict),
            reason: expected.map_or_else(String::new, |expected| expected.reason.join(", ")),
        }
    }
}

/// Half a frame, noise and a frame twice over are in the captures as they crossed the wire.
fn the_capture_shows_it(runs: &[Run]) {
    let any = |link: &str, like: fn(&[u8]) -> bool| runs.iter().any(|run| run.has_packet(link, like));
    assert!(
        any("ESME/optical", |octets| octets.len() == 5 && octets.starts_with(&[0x7e, 0xa0])),
        "half a frame"
    );
    // What makes no frame is a packet of its own; a sign-on is text.
    let noise_first = |octets: &[u8]| octets.first() != Some(&0x7e) && !octets.is_ascii();
    assert!(any("ESME/optical", noise_first), "noise before a frame");
    assert!(any("CHF/wan", |octets| octets.len() == 12 && octets.starts_with(&[0, 1])), "half a message");
    let twice = |octets: &[u8]| {
        octets.len() > 16 && octets.len().is_multiple_of(2) && {
            let (one, other) = octets.split_at(octets.len() / 2);
            one == other
        }
    };
    assert!(any("CHF/wan", twice) || runs.iter().any(comes_twice), "a message twice over");
}

/// Two messages in a row that are the same.
fn comes_twice(run: &Run) -> bool {
    let wan: Vec<&Vec<u8>> = run
        .captured
        .iter()
        .filter(|(link, octets)| link.contains("CHF/wan") && octets.len() > 8)
        .map(|(_, o)| o)
        .collect();
    wan.windows(2).any(|pair| pair[0] == pair[1])
}

/// Every word of the grammar of faults has a script.
#[test]
fn every_kind_of_fault_has_a_script() {
    let pack = Pack::shipped("faults").expect("the shipped pack");
    let word = |fault: &str| {
        fault.split_once(": ").and_then(|(_, words)| words.split(' ').next().map(str::to_owned))
    };
    let has: BTreeSet<String> =
        pack.scripts.iter().flat_map(|script| faults(script).filter_map(word)).collect();
    assert_eq!(has, device_sim::fault::KINDS.into_iter().map(str::to_owned).collect());
}

/// A person may run it: nothing in it is a part of the standard packs, and no report of it may be issued.
#[test]
fn the_packs_of_faults_are_agreed_by_nobody() {
    for name in ["faults", "faults-of-datagrams", "faults-of-keys"] {
        let pack = Pack::shipped(name).expect("the shipped pack");
        let scenarios::Standing::NonStandard(standing) = &pack.standing else {
            panic!("a pack that is not standard")
        };
        assert_eq!(standing.agreement, None);
        for script in &pack.scripts {
            let act = |step: &Step| match &step.action {
                Action::Ask(ask) => Some(ask.act.clone()),
                _ => None,
            };
            let brings = script.set_up.iter().chain(&script.steps).filter_map(act);
            let faulty = brings.into_iter().any(|act| matches!(act, Act::Fault(_)));
            let undone = script.clean_up.iter().filter_map(act).any(|act| act == Act::ClearFaults);
            assert!(undone || !faulty, "{} leaves its fault behind", script.id);
        }
    }
}
