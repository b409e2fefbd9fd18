//! How fast the two answers a lab sees most are read and written: a register, and a day of half hours (96 rows are two).
//!
//! Ours against independent libraries in one run: `cargo bench -p lab-tests --bench codec`. The same octets go to all; the peers
//! are Python, so the ratios say what a lab gains by not going through them, not how good they are. It prints figures and
//! passes or fails nothing.

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proto_dlms::apdu::{Apdu, GetResponse, GetResponseKind, InvokeId};
use proto_dlms::data::Data;

const ROUNDS: usize = 7;
const ROWS: u8 = 96;

fn answer(value: Data) -> Apdu {
    let kind = GetResponseKind::Normal(Ok(value));
    Apdu::GetResponse(GetResponse { invoke: InvokeId::confirmed(1), kind })
}

/// A row of a profile: clock, status, two energies.
fn row(index: u8) -> Data {
    let (hour, minute) = (index % 48 / 2, index % 2 * 30);
    let clock = vec![0x07, 0xEA, 11, 22 + index / 48, 0xFF, hour, minute, 0, 0, 0, 0, 0];
    Data::Structure(vec![
        Data::Octets(clock),
        Data::U8(0),
        Data::U32(74_565 + u32::from(index)),
        Data::U32(4_369),
    ])
}

fn answers() -> [(&'static str, Apdu); 2] {
    [("register", answer(Data::U32(100))), ("profile", answer(Data::Array((0..ROWS).map(row).collect())))]
}

/// Nanoseconds one call takes: the best of several rounds.
fn best<T>(mut action: impl FnMut() -> T) -> f64 {
    let mut calls = 1;
    while clocked(&mut action, calls) < Duration::from_millis(60) {
        calls *= 2;
    }
    let shortest = (0..ROUNDS).map(|_| clocked(&mut action, calls)).min().unwrap_or_default();
    shortest.as_secs_f64() / f64::from(calls) * 1e9
}

fn clocked<T>(action: &mut impl FnMut() -> T, calls: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        black_box(action());
    }
    start.elapsed()
}

/// What the peers print: `LIBRARY NAME decode-ns encode-ns`, a line each.
fn peers(input: &str) -> Result<String, String> {
    let python = lab_tests::peers()?.join("python");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/codec.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| e.to_string())?;
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
    written.transpose().map_err(|e| e.to_string())?;
    let out = child.wait_with_output().map_err(|e| e.to_string())?;
    String::from_utf8(out.stdout).map_err(|e| e.to_string())
}

/// A peer's time, and how many of ours fit into it.
fn against(time: &str, ours: f64) -> String {
    time.parse::<f64>().map_or_else(|_| "-".to_owned(), |time| format!("{time:.0} ns ({:.0}x)", time / ours))
}

fn main() {
    let mut input = String::new();
    let mut ours = Vec::new();
    for (name, apdu) in answers() {
        let octets = apdu.encode();
        let decode = best(|| Apdu::decode(&octets));
        let encode = best(|| apdu.encode());
        println!(
            "{:<12} {name:<9} {:>5} octets  decode {decode:.0} ns  encode {encode:.0} ns",
            "ours",
            octets.len()
        );
        input.push_str(&format!("{name} {}\n", hex::encode(&octets)));
        ours.push((name, decode, encode));
    }
    let report = peers(&input).unwrap_or_else(|error| {
        println!("the peers were not measured: {error}");
        String::new()
    });
    for line in report.lines() {
        let [library, name, decode, encode] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            continue;
        };
        let Some((_, our_decode, our_encode)) = ours.iter().find(|(ours, ..)| *ours == name) else {
            continue;
        };
        let (reading, writing) = (against(decode, *our_decode), against(encode, *our_encode));
        println!("{library:<12} {name:<9}               decode {reading}  encode {writing}");
    }
}
