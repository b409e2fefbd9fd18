//! Captures: what crossed each link, as pcapng that common packet viewers open.
//!
//! One file a run, one interface a link, each packet with its direction and, where there is something to say that the
//! bytes do not, a comment. Link types are LINKTYPE_USER0 for serial lines and LINKTYPE_USER1 for TCP and UDP streams: the
//! harness sees the octets of a stream, not the segments that carried them, and addresses or sequence numbers made up to
//! look like IP would be invented evidence. A viewer shows direction, link and octets as they are, and can be told to
//! decode either type as DLMS or HDLC.
//!
//! Every octet written goes through a running SHA-256, whose value records bind at script ends and at the end.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use proto_lab::Digest;
use proto_lab::record::CaptureBound;
use sha2::{Digest as _, Sha256};

use super::EvidenceError;
use super::recorder::SLOWEST;
use super::scribe::Scribe;
pub use crate::link::LinkKind;
use crate::link::{Direction, Tap};

/// The largest packet that packet viewers take; longer bursts become several packets.
const MAX_PACKET: usize = 262_144;

/// LINKTYPE_USER0 for serial lines, LINKTYPE_USER1 for streams and datagrams over the network.
const fn link_type(kind: LinkKind) -> u16 {
    match kind {
        LinkKind::Serial => 147,
        LinkKind::Network => 148,
    }
}

/// A capture file being written, shared by all links of the rig. Give it to links as their [`Tap`].
#[derive(Debug, Clone)]
pub struct Capture {
    inner: Arc<Mutex<Writer>>,
    /// Set on the first failure; the recorder looks at it before every record.
    failed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Writer {
    file: Arc<File>,
    scribe: Scribe,
    path: PathBuf,
    name: String,
    hash: Sha256,
    length: u64,
    packets: u64,
    interfaces: BTreeMap<String, u32>,
    failure: Option<String>,
    closed: bool,
    block: Vec<u8>,
}

impl Capture {
    /// Starts a capture file that belongs to no run.
    ///
    /// # Errors
    /// There is such a file already, or none can be made there.
    pub fn apart(path: &Path) -> Result<Self, EvidenceError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::create(folder, &name)
    }

    /// Starts a capture file in the folder `captures`.
    pub(super) fn create(captures: &Path, name: &str) -> Result<Self, EvidenceError> {
        let path = captures.join(name);
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(EvidenceError::io("create", &path))?;
        let mut writer = Writer {
            file: Arc::new(file),
            scribe: Scribe::start(captures, SLOWEST)?,
            path: path.clone(),
            name: name.to_owned(),
            hash: Sha256::new(),
            length: 0,
            packets: 0,
            interfaces: BTreeMap::new(),
            failure: None,
            closed: false,
            block: Vec::new(),
        };
        writer.section_header().map_err(EvidenceError::io("write", &path))?;
        Ok(Self { inner: Arc::new(Mutex::new(writer)), failed: Arc::new(AtomicBool::new(false)) })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Writer) -> T) -> T {
        // A panic elsewhere while the lock was held leaves at worst a half-written block, which the hash covers as it is.
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn attempt(&self, act: impl FnOnce(&mut Writer) -> std::io::Result<()>) {
        self.with(|writer| {
            if writer.closed || writer.failure.is_some() {
                return;
            }
            if let Err(e) = act(writer) {
                writer.failure = Some(format!("cannot write {}: {e}", writer.path.display()));
                self.failed.store(true, Ordering::Release);
            }
        });
    }

    /// Packets written so far; the next packet has the number after it.
    pub fn packets(&self) -> u64 {
        self.with(|writer| writer.packets)
    }

    /// The file's name within `captures/`.
    pub fn file_name(&self) -> String {
        self.with(|writer| writer.name.clone())
    }

    /// The folder of the file has this name from now on.
    pub(super) fn moved_to(&self, captures: &Path) {
        self.with(|writer| {
            writer.path = captures.join(&writer.name);
            writer.scribe.moved_to(captures);
        });
    }

    /// Why the capture stopped, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        if !self.failed.load(Ordering::Acquire) {
            return None;
        }
        self.with(|writer| writer.failure.clone())
    }

    /// The file as far as it is written.
    pub(super) fn bound(&self) -> CaptureBound {
        self.with(|writer| writer.bound())
    }

    /// Ends the file: what crosses a link after this is not part of the run.
    pub(super) fn close(&self) -> CaptureBound {
        self.with(|writer| {
            writer.closed = true;
            writer.bound()
        })
    }

    pub(super) fn sync(&self) -> Result<(), EvidenceError> {
        self.with(|writer| {
            let file = Arc::clone(&writer.file);
            writer.scribe.does(move || file.sync_data())?.map_err(EvidenceError::io("sync", &writer.path))
        })
    }
}

impl Tap for Capture {
    fn link(&self, link: &str, url: &str, kind: LinkKind) {
        self.attempt(|writer| writer.interface(link, url, kind).map(|_| ()));
    }

    fn frame(&self, link: &str, direction: Direction, at: Timestamp, bytes: &[u8], note: Option<&str>) {
        self.attempt(|writer| writer.burst(link, direction, at, bytes, note));
    }
}

impl Writer {
    fn bound(&self) -> CaptureBound {
        CaptureBound {
            file: self.name.clone(),
            length: self.length,
            sha256: Digest::from_bytes(self.hash.clone().finalize().into()),
            packets: self.packets,
        }
    }

    fn section_header(&mut self) -> std::io::Result<()> {
        self.begin(0x0A0D_0D0A);
        self.block.extend_from_slice(&0x1A2B_3C4D_u32.to_le_bytes());
        self.block.extend_from_slice(&[1, 0, 0, 0]);
        // Section length: not known beforehand.
        self.block.extend_from_slice(&u64::MAX.to_le_bytes());
        self.option(4, concat!("harness ", env!("CARGO_PKG_VERSION")).as_bytes());
        self.end()
    }

    fn interface(&mut self, name: &str, description: &str, kind: LinkKind) -> std::io::Result<u32> {
        if let Some(number) = self.interfaces.get(name) {
            return Ok(*number);
        }
        self.begin(1);
        self.block.extend_from_slice(&link_type(kind).to_le_bytes());
        self.block.extend_from_slice(&[0; 6]);
        self.option(2, name.as_bytes());
        self.option(3, description.as_bytes());
        // if_tsresol: nanoseconds.
        self.option(9, &[9]);
        self.end()?;
        let number = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.insert(name.to_owned(), number);
        Ok(number)
    }

    fn burst(
        &mut self,
        link: &str,
        direction: Direction,
        at: Timestamp,
        bytes: &[u8],
        note: Option<&str>,
    ) -> std::io::Result<()> {
        let interface = self.interface(link, "", LinkKind::Network)?;
        let (first, rest) = bytes.split_at(bytes.len().min(MAX_PACKET));
        self.packet(interface, direction, at, first, note)?;
        for more in rest.chunks(MAX_PACKET) {
            self.packet(interface, direction, at, more, Some("continues the packet before"))?;
        }
        Ok(())
    }

    fn packet(
        &mut self,
        interface: u32,
        direction: Direction,
        at: Timestamp,
        bytes: &[u8],
        note: Option<&str>,
    ) -> std::io::Result<()> {
        let nanoseconds = u64::try_from(at.as_nanosecond()).unwrap_or(0).to_le_bytes();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.begin(6);
        self.block.extend_from_slice(&interface.to_le_bytes());
        self.block.extend_from_slice(&nanoseconds[4..]);
        self.block.extend_from_slice(&nanoseconds[..4]);
        self.block.extend_from_slice(&length);
        self.block.extend_from_slice(&length);
        self.block.extend_from_slice(bytes);
        self.pad();
        let inbound_or_outbound: u32 = match direction {
            Direction::Received => 1,
            Direction::Sent => 2,
        };
        self.option(2, &inbound_or_outbound.to_le_bytes());
        if let Some(note) = note {
            self.option(1, note.as_bytes());
        }
        self.end()?;
        self.packets += 1;
        Ok(())
    }

    fn begin(&mut self, block_type: u32) {
        self.block.clear();
        self.block.extend_from_slice(&block_type.to_le_bytes());
        self.block.extend_from_slice(&[0; 4]);
    }

    /// One option, its value cut to what the length field can say.
    fn option(&mut self, code: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.block.extend_from_slice(&code.to_le_bytes());
        self.block.extend_from_slice(&length.to_le_bytes());
        self.block.extend_from_slice(&value[..usize::from(length)]);
        self.pad();
    }

    fn pad(&mut self) {
        let padded = self.block.len().next_multiple_of(4);
        self.block.resize(padded, 0);
    }

    /// Closes the options and the block, and writes it with one write.
    fn end(&mut self) -> std::io::Result<()> {
        self.block.extend_from_slice(&[0; 4]);
        let total = u32::try_from(self.block.len() + 4).unwrap_or(u32::MAX).to_le_bytes();
        self.block.extend_from_slice(&total);
        self.block[4..8].copy_from_slice(&total);
        let (file, block) = (Arc::clone(&self.file), std::mem::take(&mut self.block));
        let written = self.scribe.does(move || ((&*file).write_all(&block), block));
        let (written, block) =
            written.map_err(|stuck| io::Error::new(io::ErrorKind::TimedOut, stuck.to_string()))?;
        self.block = block;
        written?;
        self.hash.update(&self.block);
        self.length += self.block.len() as u64;
        Ok(())
    }
}

/// Binds a capture file that another writer left, as it is.
pub(super) fn bind_whole(captures: &Path, file: String) -> Result<CaptureBound, EvidenceError> {
    let path = captures.join(&file);
    let octets = std::fs::read(&path).map_err(EvidenceError::io("read", &path))?;
    Ok(CaptureBound {
        file,
        length: octets.len() as u64,
        sha256: Digest::of(&octets),
        packets: count_packets(&octets),
    })
}

/// Whole packets in a capture whose end may be torn.
fn count_packets(mut octets: &[u8]) -> u64 {
    let mut packets = 0;
    while let Some((head, _)) = octets.split_first_chunk::<8>() {
        let [t0, t1, t2, t3, l0, l1, l2, l3] = *head;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let Some(rest) = octets.get(length.max(8)..) else { break };
        packets += u64::from(u32::from_le_bytes([t0, t1, t2, t3]) == 6);
        octets = rest;
    }
    packets
}
