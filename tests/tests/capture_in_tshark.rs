//! A run's capture file is read by a packet viewer that is not ours: link, direction, time, comment and octets.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;

use harness::evidence::{LabKey, LinkKind, Recorder, RunEnd, RunFolder};
use harness::link::{Direction, Tap as _};
use proto_lab::Digest;
use proto_lab::record::{DmcUnderTest, FORMAT, RunStarted, SystemUnderTest};

fn first(key: &LabKey) -> Result<RunStarted, Box<dyn Error>> {
    let words = |text: &str| text.to_owned();
    Ok(RunStarted {
        format: FORMAT,
        run: "run-1".parse()?,
        harness: words("harness"),
        lab: words("lab"),
        lab_digest: Digest::of(b"lab"),
        rig: words("rig"),
        dmc: DmcUnderTest {
            id: words("dmc"),
            epcl_entry: words("entry"),
            release: words("IOC"),
            installation: words("dormant"),
            stands_for: vec![],
            mtad: None,
        },
        devices: Vec::new(),
        system: SystemUnderTest {
            dcc_systems: words("1"),
            environment: words("SIT"),
            parts: BTreeMap::new(),
        },
        packs: Vec::new(),
        plan: Vec::new(),
        selected: Vec::new(),
        witnessed: Vec::new(),
        data_sets: Vec::new(),
        key: key.signer(),
        previous: None,
        previous_run: None,
    })
}

/// A run with two links and three bursts; gives its capture file.
fn captured(dir: &Path) -> Result<std::path::PathBuf, Box<dyn Error>> {
    let key = LabKey::ephemeral("lab".parse()?);
    let folder = RunFolder::new(dir.join("run-1"));
    let recorder = Recorder::create(folder.clone(), first(&key)?, key)?;
    let capture = recorder.capture();
    let at = "2026-11-21T21:14:05.123456789Z".parse()?;
    capture.link("optical", "serial:///dev/ttyUSB0?baud=9600", LinkKind::Serial);
    capture.link("wan", "tcp://127.0.0.1:4059", LinkKind::Network);
    capture.frame("optical", Direction::Sent, at, b"/?!\r\n", Some("sign-on"));
    capture.frame("wan", Direction::Received, at, &[0, 1, 0, 1, 0, 16, 0, 0], None);
    capture.frame("optical", Direction::Received, at, b"", Some("closed by the other side"));
    recorder.finish(RunEnd::Completed)?;
    Ok(folder.captures().join("run.pcapng"))
}

#[test]
fn tshark_reads_link_direction_time_comment_and_octets() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let fields = [
        "frame.interface_name",
        "frame.interface_description",
        "frame.encap_type",
        "frame.packet_flags_direction",
        "frame.time_epoch",
        "frame.comment",
        "data.data",
    ];
    let out = Command::new("tshark")
        .args(["-n", "-T", "fields", "-E", "separator=|"])
        .args(fields.iter().flat_map(|field| ["-e", *field]))
        .arg("-r")
        .arg(captured(dir.path())?)
        .output()
        .map_err(|e| format!("tshark could not be started ({e}); tests/run installs it"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    insta::assert_snapshot!(String::from_utf8(out.stdout)?);
    Ok(())
}
