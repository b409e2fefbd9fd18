//! What a lab meets: a pulled link, a wrong password, the wrong firmware, a changed script. Each ends quickly, in a verdict
//! that says so, with sound evidence where there is any.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lab_tests::bench::Bench;
use lab_tests::{repository, run_folders, shown};
use serde_json::Value;

/// No fault may take longer to be found than this, debug build and busy machine included.
const QUICKLY: Duration = Duration::from_secs(60);

fn run(bench: &Bench, lab: &Path, more: &[&str]) -> (Output, Duration) {
    let begun = Instant::now();
    let mut command = bench.harness().expect("the harness builds");
    command.arg("run").arg("--lab").arg(lab).arg("--runs").arg(bench.folder().join("runs")).args(more);
    let out = command.output().expect("the harness starts");
    (out, begun.elapsed())
}

fn only_run(bench: &Bench) -> std::path::PathBuf {
    let runs = run_folders(&bench.folder().join("runs"));
    let [run] = &runs[..] else { panic!("one run folder, found {runs:?}") };
    run.clone()
}

fn sound(bench: &Bench, run: &Path) -> bool {
    let out = bench
        .harness()
        .expect("the harness builds")
        .args(["verify", "--json"])
        .arg(run)
        .output()
        .expect("verify");
    serde_json::from_slice::<Value>(&out.stdout).expect("JSON")["sound"] == true
}

#[test]
fn a_bench_of_real_links_passes() {
    let bench = Bench::start().expect("a bench");
    let (out, _) = run(
        &bench,
        &bench.lab(),
        &["--script", "read-import-registers", "--script", "read-firmware-version"],
    );
    assert!(out.status.success(), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("read-import-registers"), "{said}");
    assert!(sound(&bench, &only_run(&bench)));
}

#[test]
fn a_wrong_password_is_said_to_be_one() {
    let bench = Bench::start().expect("a bench");
    let lab = bench
        .write_lab("wrong.toml", |text| text.replace("BENCH_PASSWORD", "BENCH_WRONG"))
        .expect("a lab file");
    let begun = Instant::now();
    let mut command = bench.harness().expect("the harness builds");
    command.env("BENCH_WRONG", "00000000").arg("run").arg("--lab").arg(&lab);
    let out = command.arg("--runs").arg(bench.folder().join("runs")).output().expect("the harness starts");
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    assert!(said.contains("Verdict      error") && said.contains("refuses the password"), "{said}");
    assert!(begun.elapsed() < QUICKLY);
    assert!(sound(&bench, &only_run(&bench)));
}

#[test]
fn a_wrong_firmware_version_stops_the_run_with_what_differs() {
    let bench = Bench::start().expect("a bench");
    let shipped = repository().join("lab-config/device-models/esme-liberty-100.toml");
    let model = std::fs::read_to_string(shipped).expect("a Device Model").replace("P4X2G04", "P4X2G05");
    std::fs::write(bench.folder().join("other-firmware.toml"), model).expect("a file");
    let lab = bench.write_lab("firmware.toml", |text| {
        text.replace("shipped:esme-liberty-100.toml", "other-firmware.toml")
    });
    let (out, took) = run(&bench, &lab.expect("a lab file"), &[]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    assert!(said.contains("expected P4X2G05, found P4X2G04"), "{said}");
    assert!(took < QUICKLY);
    let run = only_run(&bench);
    assert!(sound(&bench, &run));
    let report = std::fs::read_to_string(run.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["status"], "draft", "a rig that is not as declared gives no DMCT Report");
}

#[test]
fn a_changed_script_is_refused_by_name_with_both_digests() {
    let bench = Bench::start().expect("a bench");
    let pack = bench.folder().join("pack");
    let shipped = repository().join("scenarios/packs/ioc-service-reference-variant");
    std::fs::create_dir(&pack).expect("a folder");
    for file in std::fs::read_dir(shipped).expect("the shipped pack") {
        let file = file.expect("a file").path();
        std::fs::copy(&file, pack.join(file.file_name().expect("a name"))).expect("a copy");
    }
    let script = pack.join("read-import-registers.toml");
    let text = std::fs::read_to_string(&script).expect("a script");
    std::fs::write(&script, text + "\n# an innocent remark\n").expect("a changed script");
    let (out, took) = run(&bench, &bench.lab(), &["--pack", pack.to_str().expect("a path")]);
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("read-import-registers") && said.contains("verdict: error"), "{said}");
    assert!(took < QUICKLY);
    assert!(run_folders(&bench.folder().join("runs")).is_empty(), "nothing of it was run");
}

/// Every device is taken away in the middle of the run: sockets close and pseudo-terminals vanish.
#[test]
fn links_pulled_in_the_middle_of_a_run_end_it_quickly_and_say_so() {
    let mut bench = Bench::start().expect("a bench");
    let runs = bench.folder().join("runs");
    let mut command = bench.harness().expect("the harness builds");
    let running =
        command.arg("run").arg("--lab").arg(bench.lab()).arg("--runs").arg(&runs).spawn().expect("it starts");
    wait_for_scripts(&runs, 20);
    bench.pull_everything();
    let pulled = Instant::now();
    let out = running.wait_with_output().expect("it ends");
    assert!(pulled.elapsed() < Duration::from_secs(120), "took {:?}", pulled.elapsed());
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("Verdict      error"), "{said}");
    assert!(said.contains("no longer what it was proved to be"), "{said}");
    assert!(sound(&bench, &only_run(&bench)));
}

/// Only the cable of the optical head is pulled, in the middle of the run: a relay stands between the head and the meter, and ends.
#[test]
fn one_pulled_pseudo_terminal_is_said_to_be_gone_and_not_blamed_on_the_lab_file() {
    let bench = Bench::start().expect("a bench");
    let real = bench.link("ESME", "optical").expect("an optical link").to_owned();
    let port = real.trim_start_matches("serial://").split('?').next().expect("a path");
    let cable = bench.folder().join("cable");
    let mut relay = Command::new("socat")
        .arg(format!("PTY,link={},raw,echo=0", cable.display()))
        .arg(format!("OPEN:{port},raw,echo=0"))
        .spawn()
        .expect("socat starts");
    let lab = bench.write_lab("relay.toml", |text| text.replace(port, cable.to_str().expect("a path")));
    let deadline = Instant::now() + Duration::from_secs(30);
    while !cable.exists() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let runs = bench.folder().join("runs");
    let mut command = bench.harness().expect("the harness builds");
    let command = command.arg("run").arg("--lab").arg(lab.expect("a lab file")).arg("--runs").arg(&runs);
    let running = command.spawn().expect("it starts");
    wait_for_scripts(&runs, 20);
    relay.kill().and_then(|()| relay.wait()).expect("the relay ends");
    let pulled = Instant::now();
    let out = running.wait_with_output().expect("it ends");
    assert!(pulled.elapsed() < QUICKLY, "took {:?}", pulled.elapsed());
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("no longer what it was proved to be") && said.contains("optical"), "{said}");
    assert!(!said.contains("correct the lab file"), "{said}");
    assert!(sound(&bench, &only_run(&bench)));
}

/// Waits until so many scripts of the only run have begun, or a minute is over.
fn wait_for_scripts(runs: &Path, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let begun = || {
        let run = run_folders(runs).pop()?;
        let records = std::fs::read_to_string(run.join("records.jsonl")).ok()?;
        Some(records.matches("\"script-started\"").count())
    };
    while begun().unwrap_or(0) < count && Instant::now() < deadline {
        std::thread::yield_now();
    }
}

#[test]
fn a_rig_that_another_run_holds_is_not_touched_and_the_holder_is_named() {
    let bench = Bench::start().expect("a bench");
    let mut first = bench.harness().expect("the harness builds");
    let runs = bench.folder().join("runs");
    // A pack that asks nobody's hand.
    let first = first.args(["run", "--pack", "example-non-standard", "--lab"]).arg(bench.lab());
    let first = first.arg("--runs").arg(&runs).spawn().expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    while run_folders(&runs).is_empty() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    let (out, took) = run(&bench, &bench.lab(), &[]);
    assert_eq!(out.status.code(), Some(3), "{}", shown(&out));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("held") || said.contains("holds"), "{said}");
    assert!(took < QUICKLY);
    let first = first.wait_with_output().expect("it ends");
    assert!(first.status.success(), "{}", shown(&first));
}
