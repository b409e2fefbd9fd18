//! The grammar both ways, the clock of each clause, and what each wire fault makes of a frame.

use std::time::{Duration, Instant};

use lab_config::{DeviceKind, Document, Path};
use proptest::prelude::*;

use super::*;

const OPTICAL: From = From { port: (DeviceKind::Esme, Path::Optical), origin: None };
const FRAME: &[u8] = &[0x7e, 0xa0, 0x07, 0x03, 0x21, 0x93, 0x0f, 0x01, 0x7e];

fn placed(text: &str) -> Placed {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Every frame that goes out on one connection, with a fault on it, at one moment.
fn out(faults: &[&str], frames: usize) -> Vec<Vec<u8>> {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    for fault in faults {
        board.arm(placed(fault), now).unwrap();
    }
    for number in 0..frames {
        let mut frame = FRAME.to_vec();
        frame[5] = u8::try_from(number).unwrap();
        board.outward(OPTICAL, frame, &mut outbox, now);
    }
    let mut sent = Vec::new();
    while let Some(Outgoing::Octets(octets)) = outbox.poll(now) {
        sent.push(octets);
    }
    sent
}

/// The sixth octet of each frame: its number.
fn numbers(frames: &[Vec<u8>]) -> Vec<u8> {
    frames.iter().map(|frame| frame[5]).collect()
}

#[test]
fn what_a_fault_prints_reads_as_itself() {
    for text in [
        "rig-1/ESME/optical: truncate after 12 octets on frame 3",
        "ESME/optical: silence",
        "ESME: silence for 5s",
        "CHF/wan: silence when asked 1-0:99.1.0 for 2 frames",
        "GSME/local: delay 800ms at 10s odds 1 in 3",
        "ESME/wan: noise 20 octets",
        "ESME/optical: noise 20 octets inside inward",
        "ESME/optical: bit-errors 1 in 1000",
        "ESME/optical: bit-error octet 7 bit 3",
        "ESME/optical: wrong-speed 9600 as 2400",
        "ESME/optical: wrong-checksum for 1 frame",
        "CHF/wan: duplicate",
        "CHF/wan: reorder",
        "CHF/wan: reset",
        "ESME/optical: reset after 12 octets when asked 1-0:99.1.0/2 on frame 2",
        "CHF/wan: unplug at 1s for 3s",
        "ESME: clock-jump -2h",
        "ESME: clock-drift -500 ppm",
        "GSME: flat-battery",
        "GSME: asleep",
        "ESME: wrong-password",
        "ESME: wrong-key",
        "ESME: key-lock",
        "ESME: memory-full",
        "ESME: bad-firmware",
        "ESME: load 25000 W for 5s",
        "rig-1/ESME: voltage 262.5 V",
        "ESME: voltage 0.0 V",
        "ESME: cover-open",
        "ESME: privacy-pin",
        "ESME: ignores 0-0:1.0.0",
        "ESME: misreports 1-0:1.8.0 at 5s",
        "rig-1/GSME: mutes 8F32",
        "ESME: credits-used-tokens",
    ] {
        assert_eq!(placed(&placed(text).to_string()), placed(text));
        assert_eq!(placed(text).to_string().replace("0-0:", ""), text.replace("0-0:", ""));
    }
}

#[test]
fn every_refusal_says_where_and_what_was_expected() {
    for (text, column, words) in [
        ("ESME silence", 1, "a place, a colon and a fault"),
        ("METER: silence", 1, "a device"),
        ("ESME/front: silence", 6, "a path"),
        ("ESME: silense", 7, "did you mean `silence`?"),
        ("ESME: truncate after 3 octets", 7, "a path in the place"),
        ("ESME/optical: key-lock", 15, "no path in the place"),
        ("CHF/wan: wrong-checksum", 10, "which has no checksum"),
        ("ESME/optical: delay", 20, "a time of at most"),
        ("ESME/optical: delay 5", 21, "a time of at most"),
        ("ESME/optical: delay 5s inward", 24, "no `inward` here"),
        ("ESME/optical: silence on frame 0", 32, "the number of a frame"),
        ("ESME/optical: silence for 3", 28, "`frames`"),
        ("ESME/optical: silence for 5s for 6s", 30, "each clause once"),
        ("ESME: clock-drift 200000 ppm", 19, "parts per million"),
        ("ESME/optical: silence when asked 1-0", 34, "an object"),
        ("ESME/optical: bit-error octet 1 bit 8", 37, "a bit, from 0 to 7"),
    ] {
        let error = text.parse::<Placed>().expect_err(text);
        assert!(error.expected.contains(words), "{text}: {error}");
        assert_eq!(error.column, column, "{text}: {error}");
    }
}

#[test]
fn a_fault_file_is_read_and_its_mistakes_have_their_place() {
    let text = "seed = 7\nfaults = [\n  \"ESME: key-lock\",\n  \"ESME/optical: silense\",\n]\n";
    let error = FaultPlan::parse(&Document::new("faults.toml", text)).expect_err("a misspelt fault");
    assert_eq!((error.line, error.column), (4, 18), "{error}");
    assert!(error.to_string().contains("did you mean `silence`?"), "{error}");
    let plan = FaultPlan::parse(&Document::new("faults.toml", text.replace("silense", "silence"))).unwrap();
    assert_eq!((plan.seed, plan.faults.len()), (7, 2));
    let odd = FaultPlan::parse(&Document::new("faults.toml", "fault = []\n")).expect_err("a misspelt key");
    assert!(odd.to_string().contains("did you mean `faults`"), "{odd}");
}

#[test]
fn each_wire_fault_does_to_a_frame_what_it_says() {
    let one = |fault: &str| out(&[&format!("ESME/optical: {fault}")], 1);
    assert_eq!(one("silence"), Vec::<Vec<u8>>::new());
    assert_eq!(one("truncate after 3 octets"), [FRAME[..3].to_vec()]);
    assert_eq!(one("duplicate").len(), 2);
    let noisy = &one("noise 4 octets")[0];
    assert!(noisy.len() == FRAME.len() + 4 && noisy[4] == 0x7e);
    let inside = &one("noise 4 octets inside")[0];
    assert!(inside.len() == FRAME.len() + 4 && inside.starts_with(&FRAME[..4]));
    assert_eq!(one("bit-error octet 1 bit 0")[0][1], FRAME[1] ^ 1);
    assert_eq!(one("bit-error octet 99 bit 0")[0].len(), FRAME.len());
    let checked = &one("wrong-checksum")[0];
    assert_eq!((checked[7], checked[8]), (0x01 ^ 0x55, 0x7e));
    assert!(one("wrong-speed 9600 as 9600")[0].starts_with(&FRAME[..5]));
    assert!(!one("wrong-speed 9600 as 4800")[0].starts_with(&FRAME[..2]));
    assert_eq!(one("bit-errors 1 in 1")[0][0], !0x7e);
    assert_eq!(numbers(&out(&["ESME/optical: reorder on frame 1"], 3)), [1, 0, 2]);
}

#[test]
fn a_frame_that_is_to_come_after_its_successor_comes_alone_when_there_is_none() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    board.arm(placed("ESME/optical: reorder"), now).unwrap();
    board.outward(OPTICAL, FRAME.to_vec(), &mut outbox, now);
    assert_eq!(outbox.poll(now), None);
    let due = outbox.poll_timeout().unwrap();
    assert_eq!(outbox.poll(due), Some(Outgoing::Octets(FRAME.to_vec())));
}

/// Datagrams that go out of a port under a fault, each with when it does, in milliseconds.
fn datagrams(fault: &str, count: u8) -> Vec<(u64, u8)> {
    let (mut board, mut outbox, begun) = (Board::new(1), Outbox::of_datagrams(), Instant::now());
    board.arm(placed(fault), begun).unwrap();
    for number in 0..count {
        board.outward(OPTICAL, vec![number], &mut outbox, begun);
    }
    let mut sent = Vec::new();
    while let Some(due) = outbox.poll_timeout() {
        let due = due.max(begun);
        while let Some(Outgoing::Octets(octets)) = outbox.poll(due) {
            sent.push((u64::try_from((due - begun).as_millis()).unwrap(), octets[0]));
        }
    }
    sent
}

#[test]
fn a_datagram_that_is_late_is_overtaken_and_a_frame_on_a_line_is_not() {
    assert_eq!(datagrams("ESME/optical: delay 800ms on frame 1", 3), [(0, 1), (0, 2), (800, 0)]);
    assert_eq!(datagrams("ESME/optical: duplicate on frame 2", 3), [(0, 0), (0, 1), (0, 1), (0, 2)]);
    assert_eq!(datagrams("ESME/optical: reorder on frame 1", 3), [(0, 1), (0, 0), (0, 2)]);
    assert_eq!(datagrams("ESME/optical: reorder", 1), [(2000, 0)]);
    assert_eq!(numbers(&out(&["ESME/optical: delay 0ms on frame 1"], 3)), [0, 1, 2]);
}

#[test]
fn a_datagram_that_comes_in_twice_is_two() {
    let (mut board, now) = (Board::new(1), Instant::now());
    board.arm(placed("CHF/wan: duplicate inward"), now).unwrap();
    let heard = board.inward((DeviceKind::Chf, Path::Wan), &[1, 2], now);
    assert_eq!(heard, [vec![1, 2], vec![1, 2]]);
}

#[test]
fn what_a_fault_held_back_is_lost_when_it_is_cleared() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    let late = board.arm(placed("ESME/optical: delay 1min"), now).unwrap();
    board.outward(OPTICAL, vec![1], &mut outbox, now);
    assert!(board.clear(late));
    board.outward(OPTICAL, vec![2], &mut outbox, now);
    assert_eq!(outbox.poll(now), Some(Outgoing::Octets(vec![2])));
    assert_eq!(outbox.poll_timeout(), None);
}

#[test]
fn a_reset_breaks_the_frame_off_and_then_says_so() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    board.arm(placed("ESME/optical: reset after 4 octets on frame 1"), now).unwrap();
    board.outward(OPTICAL, FRAME.to_vec(), &mut outbox, now);
    assert_eq!(outbox.poll(now), Some(Outgoing::Octets(FRAME[..4].to_vec())));
    assert_eq!(outbox.poll(now), Some(Outgoing::Reset(DeviceKind::Esme)));
}

#[test]
fn clauses_say_which_frames() {
    let gone = |clauses: &str| numbers(&out(&[&format!("ESME/optical: silence {clauses}")], 6));
    assert_eq!(gone("on frame 3"), [0, 1, 3, 4, 5]);
    assert_eq!(gone("on frame 3 for 2 frames"), [0, 1, 4, 5]);
    assert_eq!(gone("for 2 frames"), [2, 3, 4, 5]);
    assert_eq!(gone("at 1s"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(gone("when asked 1-0:1.8.0"), [0, 1, 2, 3, 4, 5]);
    let some = gone("odds 1 in 2");
    assert!(!some.is_empty() && some.len() < 6 && gone("odds 1 in 2") == some, "the seed fixes chance");
}

#[test]
fn times_and_questions_count_from_their_moment() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    board.arm(placed("ESME/optical: silence when asked 1-0:1.8.0/2 at 1s for 5s"), now).unwrap();
    let mut passes = |board: &mut Board, at: u64| {
        let now = now + Duration::from_secs(at);
        board.outward(OPTICAL, FRAME.to_vec(), &mut outbox, now);
        outbox.poll(now).is_some()
    };
    board.asked(DeviceKind::Esme, "1-0:1.8.0".parse().unwrap(), 3);
    assert!(passes(&mut board, 2), "another attribute was asked for");
    board.asked(DeviceKind::Esme, "1-0:1.8.0".parse().unwrap(), 2);
    assert!(!passes(&mut board, 3));
    assert!(!passes(&mut board, 7));
    assert!(passes(&mut board, 8));
    assert_eq!(board.armed().next().unwrap().1.state(), "over");
}

#[test]
fn a_fault_of_a_device_is_done_and_undone_in_its_time() {
    let (mut board, now) = (Board::new(1), Instant::now());
    let id = board.arm(placed("ESME: key-lock at 1s for 2s"), now).unwrap();
    assert_eq!(board.deeds(now), []);
    let begins = board.due().unwrap();
    let what = DeedKind::Device(DeviceFault::KeyLock);
    assert_eq!(board.deeds(begins), [Deed { id, device: DeviceKind::Esme, what, on: true }]);
    assert_eq!(board.deeds(begins), []);
    let ends = board.due().unwrap();
    assert_eq!(ends, begins + Duration::from_secs(2));
    assert_eq!(board.deeds(ends), [Deed { id, device: DeviceKind::Esme, what, on: false }]);
    assert_eq!((board.deeds(ends), board.due()), (vec![], None));
}

#[test]
fn clearing_undoes_what_was_done_and_nothing_else() {
    let (mut board, now) = (Board::new(1), Instant::now());
    let done = board.arm(placed("ESME: key-lock"), now).unwrap();
    assert_eq!(board.deeds(now).len(), 1);
    let waits = board.arm(placed("ESME: memory-full at 1h"), now).unwrap();
    assert!(board.clear(waits) && board.clear(done) && !board.clear(done));
    let undone = board.deeds(now);
    assert_eq!(undone.iter().map(|deed| (deed.id, deed.on)).collect::<Vec<_>>(), [(done, false)]);
}

#[test]
fn the_same_fault_twice_is_done_once_and_undone_with_the_last() {
    let (mut board, now) = (Board::new(1), Instant::now());
    let brief = board.arm(placed("ESME: wrong-password for 1s"), now).unwrap();
    let lasting = board.arm(placed("ESME: wrong-password for 5s"), now).unwrap();
    let turns = |board: &mut Board, at: u64| {
        let deeds = board.deeds(now + Duration::from_secs(at));
        deeds.into_iter().map(|deed| (deed.id, deed.on)).collect::<Vec<_>>()
    };
    assert_eq!(turns(&mut board, 0), [(brief, true)]);
    assert_eq!(turns(&mut board, 2), []);
    assert_eq!(turns(&mut board, 6), [(lasting, false)]);
}

#[test]
fn a_fault_of_a_device_waits_for_its_frame() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    board.arm(placed("ESME: key-lock on frame 2 for 2 frames"), now).unwrap();
    let mut turns = Vec::new();
    for _ in 0..5 {
        board.outward(OPTICAL, FRAME.to_vec(), &mut outbox, now);
        turns.push(board.deeds(now).first().map(|deed| deed.on));
    }
    assert_eq!(turns, [None, Some(true), None, Some(false), None]);
}

#[test]
fn a_device_behind_the_hub_has_faults_of_its_own_on_the_hubs_link() {
    let (mut board, mut outbox, now) = (Board::new(1), Outbox::default(), Instant::now());
    board.arm(placed("ESME/wan: silence"), now).unwrap();
    let port = (DeviceKind::Chf, Path::Wan);
    for origin in [Some(DeviceKind::Esme), Some(DeviceKind::Gpf), None] {
        board.outward(From { port, origin }, vec![1], &mut outbox, now);
    }
    let passed = std::iter::from_fn(|| outbox.poll(now)).count();
    assert_eq!(passed, 2);
}

#[test]
fn there_is_an_end_to_faults() {
    let (mut board, now) = (Board::new(1), Instant::now());
    for _ in 0..MOST_FAULTS {
        board.arm(placed("ESME: key-lock"), now).unwrap();
    }
    assert_eq!(board.arm(placed("ESME: key-lock"), now), Err(FaultError::TooMany { most: MOST_FAULTS }));
    board.clear_all();
    assert!(board.arm(placed("ESME: key-lock"), now).is_ok());
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,60}") {
        let _ = text.parse::<Placed>();
    }

    #[test]
    fn words_of_the_grammar_in_any_order_read_as_themselves_or_not_at_all(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "silence", "delay", "5s", "noise", "20", "octets", "inside", "1", "in", "on", "frame", "for", "frames",
            "when", "asked", "1-0:1.8.0/2", "odds", "inward", "at", "truncate", "after", "reset", "key-lock", "duplicate",
        ]), 1..10),
        place in proptest::sample::select(vec!["ESME", "ESME/optical", "rig-1/CHF/wan"]),
    ) {
        if let Ok(fault) = format!("{place}: {}", words.join(" ")).parse::<Placed>() {
            prop_assert_eq!(placed(&fault.to_string()), fault);
        }
    }

    #[test]
    fn whatever_strikes_an_outbox_ends(faults in proptest::collection::vec(proptest::sample::select(vec![
        "silence", "delay 2s", "noise 9 octets", "bit-errors 1 in 9", "truncate after 2 octets", "duplicate", "reorder",
        "wrong-speed 9600 as 300", "reset", "wrong-checksum", "duplicate odds 1 in 2",
    ]), 0..8), frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let (mut board, mut outbox, start) = (Board::new(3), Outbox::default(), Instant::now());
        for fault in &faults {
            board.arm(placed(&format!("ESME/optical: {fault}")), start).unwrap();
        }
        for frame in frames {
            board.outward(OPTICAL, frame, &mut outbox, start);
        }
        let mut now = start;
        while let Some(due) = outbox.poll_timeout() {
            prop_assert!(due <= start + Duration::from_secs(60));
            now = now.max(due);
            while outbox.poll(now).is_some() {}
        }
    }
}
