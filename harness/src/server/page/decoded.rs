//! What was sent and received with a record, decoded: its messages, and the frames that crossed a link.
//!
//! The record itself, its blobs and the capture are evidence; what is said here of them is this program's reading. A
//! witness who would rather decode them elsewhere finds them beside it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Response;
use bytes::Bytes;
use proto_duis::TrustStore;
use proto_lab::Digest;
use proto_lab::record::{Body, PacketRange, Record};
use serde::Serialize;

use super::Page;
use super::answer::{Refused, of_page};
use super::documents::contents;
use crate::decode::message::{MessageTold, tell};
use crate::decode::{certificates, flow, json};
use crate::evidence::{RunFolder, read_packets};
use crate::watch::feed::Feed;

/// The largest message told of, in octets.
const MAX_MESSAGE: u64 = 4 << 20;
/// The largest capture read, in octets.
const MAX_CAPTURE: u64 = 256 << 20;
/// Frames told of with one record.
const MAX_FRAMES: usize = 500;
/// Records from the first among which those of the certificates stand.
const CERTIFICATES_WITHIN: u64 = 64;
/// Octets of what was told before and is kept, so that many who ask the same cost what one does.
const KEPT: usize = 8 << 20;

/// What was told before, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<VecDeque<(String, Bytes)>>);

impl Told {
    fn get(&self, key: &str) -> Option<Bytes> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().find(|(known, _)| known == key).map(|(_, text)| text.clone())
    }

    fn put(&self, key: String, text: Bytes) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.push_back((key, text));
        while told.iter().map(|(_, text)| text.len()).sum::<usize>() > KEPT {
            told.pop_front();
        }
    }
}

#[derive(Debug, Serialize)]
struct Decoded {
    record: u64,
    messages: Vec<MessageDecoded>,
    /// Frames that crossed links, each explained; see `harness decode --json`.
    frames: Vec<serde_json::Value>,
    /// What is not told, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

#[derive(Debug, Serialize)]
struct MessageDecoded {
    blob: Digest,
    /// Whether the octets are those the record refers to.
    whole: bool,
    #[serde(flatten)]
    told: Option<MessageTold>,
}

/// `/runs/RUN/decoded/SEQUENCE`
pub(super) async fn decoded(
    State(page): State<Page>,
    Path((run, sequence)): Path<(String, u64)>,
) -> Result<Response, Refused> {
    let folder = page.folder(&run).await?;
    let key = format!("{run}/{sequence}");
    let answer = |text| Ok(of_page("application/json", Bytes::clone(&text)));
    if let Some(text) = page.told.get(&key) {
        return answer(text);
    }
    let feed = page.feed(&folder)?;
    feed.edge().await.map_err(Refused::fault)?;
    let decoded = page.heavily(move || decode(&folder, &feed, sequence)).await??;
    let text = Bytes::from(serde_json::to_vec(&decoded).map_err(|e| Refused::Broken(e.to_string()))?);
    if decoded.left_out.is_empty() {
        page.told.put(key, text.clone());
    }
    answer(text)
}

fn decode(folder: &RunFolder, feed: &Arc<Feed>, sequence: u64) -> Result<Decoded, Refused> {
    let record = record(feed, sequence)?
        .ok_or_else(|| Refused::NotThere(format!("there is no record {sequence} in this run yet")))?;
    let trust = trust(folder, feed);
    let messages = record.body.blobs().into_iter().map(|blob| message(folder, blob, &trust)).collect();
    let mut decoded = Decoded { record: sequence, messages, frames: Vec::new(), left_out: Vec::new() };
    if let Body::Observed(observed) = &record.body
        && let Some(packets) = &observed.packets
    {
        frames(folder, packets, &mut decoded);
    }
    Ok(decoded)
}

fn record(feed: &Feed, sequence: u64) -> Result<Option<Record>, Refused> {
    let Some(line) = feed.line(sequence).map_err(Refused::fault)? else { return Ok(None) };
    Record::from_line(&line).map(Some).map_err(|e| Refused::Broken(format!("record {sequence}: {e}")))
}

/// The certificates of the run, as its first records hold them.
fn trust(folder: &RunFolder, feed: &Feed) -> TrustStore {
    let prepared = (0..CERTIFICATES_WITHIN).map_while(|n| record(feed, n).ok()?);
    let blobs = prepared.filter_map(|record| match record.body {
        Body::Prepared(prepared) => prepared.blob,
        _ => None,
    });
    let texts: Vec<String> = blobs
        .filter_map(|blob| String::from_utf8(contents(&folder.blob(&blob), MAX_MESSAGE).ok()?).ok())
        .collect();
    certificates::trust(texts.iter().map(String::as_str))
}

fn message(folder: &RunFolder, blob: Digest, trust: &TrustStore) -> MessageDecoded {
    match contents(&folder.blob(&blob), MAX_MESSAGE) {
        Ok(octets) => {
            MessageDecoded { blob, whole: Digest::of(&octets) == blob, told: Some(tell(&octets, trust)) }
        }
        Err(_) => MessageDecoded { blob, whole: false, told: None },
    }
}

/// The frames that these packets carried. A capture is explained from its beginning: what a frame means depends on the
/// association it belongs to.
fn frames(folder: &RunFolder, packets: &PacketRange, decoded: &mut Decoded) {
    if packets.file.contains('/') || packets.file.starts_with('.') {
        decoded.left_out.push(format!("{} is not a name of a capture", packets.file));
        return;
    }
    let read = contents(&folder.captures().join(&packets.file), MAX_CAPTURE).map_err(|e| e.to_string());
    let capture = match read.and_then(|octets| read_packets(&octets).map_err(|e| e.to_string())) {
        Ok(capture) => capture,
        Err(error) => return decoded.left_out.push(format!("{}: {error}", packets.file)),
    };
    if capture.packets.last().is_none_or(|last| last.number < packets.last) {
        decoded
            .left_out
            .push(format!("{} is not yet written as far as packet {}", packets.file, packets.last));
    }
    let told = flow::tell(&capture, None);
    let crossed = told.iter().filter(|told| {
        told.crossed.as_ref().is_some_and(|c| c.packets.1 >= packets.first && c.packets.0 <= packets.last)
    });
    decoded.frames =
        crossed.take(MAX_FRAMES).filter_map(|told| serde_json::to_value(json(told)).ok()).collect();
    if decoded.frames.len() == MAX_FRAMES {
        decoded.left_out.push(format!("more than {MAX_FRAMES} frames: the capture has them all"));
    }
}
