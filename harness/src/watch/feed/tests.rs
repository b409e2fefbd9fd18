//! What a feed gives is what stands in the files, to everybody, whatever was asked before.

use std::io::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A run's folder with these octets for records, and nothing signed.
fn folder(records: &[u8]) -> (TempDir, RunFolder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(dir.path());
    std::fs::write(folder.records(), records).unwrap();
    (dir, folder)
}

fn add(path: &std::path::Path, octets: &[u8]) {
    std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(octets).unwrap();
}

async fn followed(folder: &RunFolder) -> Arc<Feed> {
    let feed = Feeds::default().of(folder).unwrap();
    feed.edge().await.unwrap();
    feed
}

/// All octets from a place on.
fn rest(feed: &Feed, mut at: Position) -> Vec<u8> {
    let mut octets = Vec::new();
    while let Some(chunk) = feed.chunk(Track::Records, at).unwrap() {
        assert_eq!(chunk.from, at);
        assert_eq!(chunk.to.offset - at.offset, chunk.octets.len() as u64);
        octets.extend_from_slice(&chunk.octets);
        at = chunk.to;
    }
    octets
}

#[tokio::test]
async fn whoever_is_at_the_edge_is_given_what_everybody_is_given() {
    let (_dir, folder) = folder(b"0\n1\n2");
    let feeds = Feeds::default();
    let (one, other) = (feeds.of(&folder).unwrap(), feeds.of(&folder).unwrap());
    assert!(Arc::ptr_eq(&one, &other));
    let mut edge = one.edge().await.unwrap();
    let seen = edge.borrow().records;
    assert_eq!(seen, Position { number: 2, offset: 4 });
    add(&folder.records(), b"\n3\n");
    edge.wait_for(|edge| edge.records.number == 4).await.unwrap();
    let chunks = [&one, &other].map(|feed| feed.chunk(Track::Records, seen).unwrap().unwrap());
    assert!(Arc::ptr_eq(&chunks[0], &chunks[1]));
    assert_eq!(&chunks[0].octets[..], b"2\n3\n");
}

/// However much is written, what is kept has its bound, and what is kept no more is read from the file.
#[tokio::test]
async fn what_is_kept_is_bounded_and_the_rest_stands_in_the_file() {
    let (_dir, folder) = folder(b"");
    let feed = followed(&folder).await;
    let mut edge = feed.edge().await.unwrap();
    let mut written = Vec::new();
    for n in 0..60u64 {
        let line = format!("{n:60000}\n");
        add(&folder.records(), line.as_bytes());
        written.extend_from_slice(line.as_bytes());
        edge.wait_for(|edge| edge.records.number == n + 1).await.unwrap();
        assert!(feed.octets_kept() <= recent::KEPT);
    }
    assert_eq!(rest(&feed, Position::default()), written);
}

/// Whoever begins in the middle of a chunk is given the rest of it, and the same as everybody from then on.
#[tokio::test]
async fn whoever_begins_within_a_chunk_soon_has_what_everybody_has() {
    let (_dir, folder) = folder(b"0\n1\n2\n");
    let feed = followed(&folder).await;
    let at = feed.begin(Track::Records, 1).await.unwrap();
    let chunk = feed.next(Track::Records, at).await.unwrap().unwrap();
    assert_eq!((chunk.from, &chunk.octets[..]), (Position { number: 1, offset: 2 }, &b"1\n2\n"[..]));
    let mut edge = feed.edge().await.unwrap();
    add(&folder.records(), b"3\n");
    edge.wait_for(|edge| edge.records.number == 4).await.unwrap();
    let first = feed.next(Track::Records, chunk.to).await.unwrap().unwrap();
    let second = feed.next(Track::Records, Position { number: 3, offset: 6 }).await.unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_checkpoint_is_found_by_its_number() {
    let (_dir, folder) = folder(b"");
    let note = |n| format!("lab/run\n{n}\nAAAA\n\n\u{2014} lab BBBB\n");
    let notes: Vec<String> = (0..9).map(note).collect();
    add(&folder.checkpoints(), notes.concat().as_bytes());
    let feed = followed(&folder).await;
    for n in 0..=9 {
        let before: usize = notes[..n].iter().map(String::len).sum();
        let expected = Position { number: n as u64, offset: before as u64 };
        assert_eq!(feed.begin(Track::Notes, n as u64).await, Ok(expected));
    }
    let fault = Fault::Missing { what: "checkpoint", asked: 10, found: 9 };
    assert_eq!(feed.begin(Track::Notes, 10).await, Err(fault));
}

#[tokio::test]
async fn a_feed_that_nobody_holds_ends() {
    let (_dir, folder) = folder(b"0\n");
    let feeds = Feeds::default();
    let feed = feeds.of(&folder).unwrap();
    let mut edge = feed.edge().await.unwrap();
    drop(feed);
    while edge.changed().await.is_ok() {}
    assert!(unpoisoned(&feeds.open).values().all(|feed| feed.strong_count() == 0));
}

#[tokio::test]
async fn lines_taken_away_are_a_fault() {
    let (_dir, folder) = folder(b"0\n1\n");
    let mut edge = followed(&folder).await.edge().await.unwrap();
    let feed = Feeds::default().of(&folder).unwrap();
    let mut edge_of_other = feed.edge().await.unwrap();
    std::fs::write(folder.records(), b"0\n").unwrap();
    let fault = edge_of_other.wait_for(|edge| edge.fault.is_some()).await.unwrap().fault.clone().unwrap();
    assert_eq!(fault, Fault::Shorter { file: "records.jsonl", found: 2, expected: 4 });
    // The first feed was dropped, and tells nothing more.
    while edge.changed().await.is_ok() {}
}

#[tokio::test]
async fn a_line_altered_behind_those_who_were_sent_it_is_a_fault() {
    let (_dir, folder) = folder(b"0\n1\n2\n");
    let feed = followed(&folder).await;
    let mut edge = feed.edge().await.unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(folder.records()).unwrap();
    file.write_all(b"0\nI\n").unwrap();
    let fault = edge.wait_for(|edge| edge.fault.is_some()).await.unwrap().fault.clone();
    assert_eq!(fault, Some(Fault::Altered { file: "records.jsonl", from: 0, before: 3 }));
}

#[tokio::test]
async fn another_file_in_the_place_of_the_first_is_a_fault() {
    let (dir, folder) = folder(b"0\n1\n");
    let feed = followed(&folder).await;
    std::fs::write(dir.path().join("new"), b"0\n1\n2\n").unwrap();
    std::fs::rename(dir.path().join("new"), folder.records()).unwrap();
    let mut edge = feed.edge().await.unwrap();
    let fault = edge.wait_for(|edge| edge.fault.is_some()).await.unwrap().fault.clone();
    assert_eq!(fault, Some(Fault::Replaced { file: "records.jsonl" }));
}

#[tokio::test]
async fn notes_are_given_whole() {
    let (_dir, folder) = folder(b"");
    let note = "lab/run\n1\nAAAA\n\n\u{2014} lab BBBB\n";
    add(&folder.checkpoints(), &note.as_bytes()[..20]);
    let feed = followed(&folder).await;
    let mut edge = feed.edge().await.unwrap();
    assert_eq!(edge.borrow().notes.number, 0);
    add(&folder.checkpoints(), &note.as_bytes()[20..]);
    add(&folder.checkpoints(), &note.as_bytes()[..5]);
    edge.wait_for(|edge| edge.notes.number == 1).await.unwrap();
    let chunk = feed.chunk(Track::Notes, Position::default()).unwrap().unwrap();
    assert_eq!(&chunk.octets[..], note.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_record_is_found_and_followed_to_the_end(lines in vec(1..40_000usize, 1..60), wanted in 0..80u64) {
        let mut octets = Vec::new();
        for (n, length) in lines.iter().enumerate() {
            octets.extend_from_slice(format!("{n:length$}\n").as_bytes());
        }
        let (_dir, folder) = folder(&octets);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let feed = followed(&folder).await;
            let place = feed.locate(Track::Records, wanted).unwrap();
            let before: usize = octets.split_inclusive(|o| *o == b'\n').take(wanted as usize).map(<[u8]>::len).sum();
            let expected = (wanted <= lines.len() as u64).then_some(Position { number: wanted, offset: before as u64 });
            prop_assert_eq!(place, expected);
            if let Some(place) = place {
                prop_assert_eq!(&rest(&feed, place), &octets[before..]);
                let line = feed.line(wanted).unwrap();
                let stands = octets[before..].split_inclusive(|o| *o == b'\n').next().map(<[u8]>::to_vec);
                prop_assert_eq!(line, stands);
            }
            Ok(())
        })?;
    }
}
