//! What the devices of one model do in their own way: limits, habits, and departures from the standards.
//!
//! A simulated device of the model behaves so; the driver is built to cope, or is told by the profile.

use std::collections::{BTreeMap, BTreeSet};

use proto_dlms::client::BlockWindow;
use proto_dlms::hdlc::{MaxInfo, Window};
use proto_dlms::sign_on::Baud;

use super::Fact;
use super::delivery::{StoreAndForward, WakeInterval, store_and_forward, wake_interval};
use super::image::{ImageTransferTraits, image_transfer};
use super::read::fact;
use crate::document::{FileError, Item, Table};

crate::vocabulary! {
    /// A departure from the standards that a driver has to cope with.
    pub enum Quirk {
        /// The identification at sign-on leaves out `\2`, though the meter knows mode E (IEC 62056-21, annex E).
        MissingModeEMarker = "missing-mode-e-marker",
        /// The optical head gives every octet sent to it back.
        EchoingHead = "echoing-head",
        /// The AARE leaves out the name of the authentication mechanism.
        AareWithoutMechanismName = "aare-without-mechanism-name",
        /// Buffers are not given by range (selective access 1): only by entry, or whole.
        NoSelectiveAccessByRange = "no-selective-access-by-range",
        /// A gas meter whose valve stays as it is when the battery goes flat; others close it while they can.
        ValveFreezesOnFlatBattery = "valve-freezes-on-flat-battery",
    }
}

crate::vocabulary! {
    /// A column of the half-hourly profile.
    pub enum ProfileColumn {
        /// End of the half hour.
        Time = "time",
        /// What flowed in the half hour.
        Interval = "interval",
        /// What the register showed at its end.
        Reading = "reading",
        /// Flags of the half hour, one octet.
        Status = "status",
    }
}

/// Most an HDLC frame of the device carries, and how many it sends before it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameLimits {
    /// Longest information field, either way.
    pub max_information: MaxInfo,
    /// Frames before an acknowledgement, either way.
    pub window: Window,
}

/// Who the device says it is in the opening exchange at its optical port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignOnIdentity {
    /// The three letters of the manufacturer; a small third one means a reaction time of 20 ms.
    pub manufacturer: [u8; 3],
    /// The fastest speed it offers.
    pub baud: Baud,
}

/// How the device sends what is too long for one APDU unasked: in blocks, with a pause before each but the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PushHabit {
    /// Longest APDU, in octets.
    pub octets: u16,
    /// The pause, in milliseconds.
    pub gap: u16,
}

/// Command identifiers of Metering snapshots, which differ between ZigBee stacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotCommands {
    /// From the client: GetSnapshot.
    pub get: u8,
    /// From the server: PublishSnapshot.
    pub publish: u8,
}

impl Default for SnapshotCommands {
    /// As the ZigBee Smart Energy profile numbers them.
    fn default() -> Self {
        Self { get: 0x06, publish: 0x06 }
    }
}

/// The particulars of a Device Model. What is not said is as the standards have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Particulars {
    /// Longest APDU the device takes, in octets.
    pub max_pdu: Option<Fact<u16>>,
    /// Its HDLC frames; 128 octets and one frame where nothing is said.
    pub frames: Option<Fact<FrameLimits>>,
    /// Who it says it is at sign-on.
    pub sign_on: Option<Fact<SignOnIdentity>>,
    /// How long it takes to answer a request at its local port, in milliseconds.
    pub answer_delay: Option<Fact<u16>>,
    /// The alerts it sends unasked, by code. It sends every one it knows where nothing is said.
    pub alerts: Option<Fact<BTreeSet<u16>>>,
    /// How it sends alerts too long for one APDU. In one APDU, however long, where nothing is said.
    pub pushes: Option<Fact<PushHabit>>,
    /// How many blocks it takes in a row in a general block transfer. It knows none where nothing is said.
    pub general_blocks: Option<Fact<BlockWindow>>,
    /// The columns of its half-hourly profile; time, interval, reading where nothing is said.
    pub profile_columns: Option<Fact<Vec<ProfileColumn>>>,
    /// Its numbers for Metering snapshots on the home area network.
    pub snapshot_commands: Option<Fact<SnapshotCommands>>,
    /// How often it wakes, for a device that sleeps.
    pub wake_interval: Option<Fact<WakeInterval>>,
    /// What it holds for devices that sleep, for a communications hub.
    pub store_and_forward: Option<Fact<StoreAndForward>>,
    /// How it takes firmware images.
    pub image_transfer: Option<Fact<ImageTransferTraits>>,
    /// Departures from the standards, each with whether it was seen on a device.
    pub quirks: BTreeMap<Quirk, Fact<()>>,
}

impl Particulars {
    /// Whether devices of this model depart from the standards in this way.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains_key(&quirk)
    }

    /// The columns of the half-hourly profile.
    pub fn profile_columns(&self) -> &[ProfileColumn] {
        const USUAL: &[ProfileColumn] =
            &[ProfileColumn::Time, ProfileColumn::Interval, ProfileColumn::Reading];
        self.profile_columns.as_ref().map_or(USUAL, |fact| fact.value.as_slice())
    }

    /// The numbers of the snapshot commands.
    pub fn snapshot_commands(&self) -> SnapshotCommands {
        self.snapshot_commands.map(|fact| fact.value).unwrap_or_default()
    }

    /// What a communications hub holds for devices that sleep.
    pub fn store_and_forward(&self) -> StoreAndForward {
        self.store_and_forward.map(|fact| fact.value).unwrap_or_default()
    }

    /// How it takes firmware images.
    pub fn image_transfer(&self) -> ImageTransferTraits {
        self.image_transfer.map(|fact| fact.value).unwrap_or_default()
    }

    /// Each fact in words, and whether it was verified.
    pub(super) fn facts(&self) -> Vec<(String, bool)> {
        let mut facts = Vec::new();
        let mut tell = |what: &str, verified: Option<bool>| {
            facts.extend(verified.map(|verified| (what.to_owned(), verified)));
        };
        tell("largest APDU", self.max_pdu.map(|fact| fact.verified));
        tell("HDLC frames", self.frames.map(|fact| fact.verified));
        tell("sign-on identification", self.sign_on.map(|fact| fact.verified));
        tell("answer delay", self.answer_delay.map(|fact| fact.verified));
        tell("alert set", self.alerts.as_ref().map(|fact| fact.verified));
        tell("pushes in blocks", self.pushes.map(|fact| fact.verified));
        tell("general block transfer", self.general_blocks.map(|fact| fact.verified));
        tell("profile columns", self.profile_columns.as_ref().map(|fact| fact.verified));
        tell("snapshot commands", self.snapshot_commands.map(|fact| fact.verified));
        if let Some(fact) = self.wake_interval {
            tell(&format!("wakes every {}", fact.value), Some(fact.verified));
        }
        if let Some(fact) = self.store_and_forward {
            tell(&format!("store and forward: {}", fact.value), Some(fact.verified));
        }
        if let Some(fact) = self.image_transfer {
            tell(&format!("image transfer: {}", fact.value), Some(fact.verified));
        }
        for (quirk, fact) in &self.quirks {
            tell(&format!("quirk {quirk}"), Some(fact.verified));
        }
        facts
    }
}

pub(super) fn particulars(item: &Item<'_>) -> Result<Particulars, FileError> {
    item.table("what the model does in its own way", |table| {
        Ok(Particulars {
            max_pdu: table.read("max-pdu", |item| fact(item, max_pdu))?,
            frames: table.read("hdlc", |item| fact(item, frames))?,
            sign_on: table.read("sign-on", |item| fact(item, sign_on))?,
            answer_delay: table.read("answer-delay", |item| fact(item, answer_delay))?,
            alerts: table.read("alerts", |item| fact(item, alerts))?,
            pushes: table.read("pushes", |item| fact(item, pushes))?,
            general_blocks: table.read("general-blocks", |item| fact(item, general_blocks))?,
            profile_columns: table.read("profile-columns", |item| fact(item, profile_columns))?,
            snapshot_commands: table.read("snapshot-commands", |item| fact(item, snapshot_commands))?,
            wake_interval: table.read("wake-interval", |item| fact(item, wake_interval))?,
            store_and_forward: table.read("store-and-forward", |item| fact(item, store_and_forward))?,
            image_transfer: table.read("image-transfer", |item| fact(item, image_transfer))?,
            quirks: table.read("quirks", quirks)?.unwrap_or_default(),
        })
    })
}

fn max_pdu(table: &mut Table<'_>) -> Result<u16, FileError> {
    let meaning = "the longest APDU in octets";
    table.required("octets", meaning)?.integer(64..=65535, meaning)
}

fn frames(table: &mut Table<'_>) -> Result<FrameLimits, FileError> {
    let octets = "octets of the longest information field";
    let frames = "frames before an acknowledgement";
    let information = table.required("max-information", octets)?;
    let window = table.required("window", frames)?;
    let limits = MaxInfo::new(information.integer(32..=2030, octets)?)
        .zip(Window::new(window.integer(1..=7, frames)?));
    let (max_information, window) = limits
        .ok_or_else(|| information.refuse("sizes HDLC has", "use 32 to 2030 octets and 1 to 7 frames"))?;
    Ok(FrameLimits { max_information, window })
}

fn sign_on(table: &mut Table<'_>) -> Result<SignOnIdentity, FileError> {
    let letters = "the three letters of the manufacturer";
    let manufacturer = table.required("manufacturer", letters)?;
    let text = manufacturer.text(letters)?.as_bytes();
    let found = <[u8; 3]>::try_from(text).ok().filter(|text| text.iter().all(u8::is_ascii_alphabetic));
    let rate = "the fastest speed it offers, in baud";
    let baud = table.required("baud", rate)?;
    Ok(SignOnIdentity {
        manufacturer: found
            .ok_or_else(|| manufacturer.refuse(letters, "write three letters, such as \"SML\""))?,
        baud: Baud::from_rate(baud.integer(300..=19200, rate)?)
            .ok_or_else(|| baud.refuse(rate, "use 300, 600, 1200, 2400, 4800, 9600 or 19200"))?,
    })
}

fn answer_delay(table: &mut Table<'_>) -> Result<u16, FileError> {
    let meaning = "milliseconds to an answer";
    table.required("milliseconds", meaning)?.integer(1..=5000, meaning)
}

fn alerts(table: &mut Table<'_>) -> Result<BTreeSet<u16>, FileError> {
    let meaning = "alert codes in hexadecimal, such as \"8F3F\"";
    let list = table.required("codes", meaning)?.list(meaning)?;
    let code = |item: &Item<'_>| {
        let text = item.text(meaning)?;
        let code = u16::from_str_radix(text, 16).ok().filter(|_| text.len() == 4);
        code.ok_or_else(|| item.refuse(meaning, "write four hexadecimal digits"))
    };
    list.iter().map(code).collect()
}

fn pushes(table: &mut Table<'_>) -> Result<PushHabit, FileError> {
    let (octets, gap) = ("the longest APDU of a push in octets", "milliseconds between its APDUs");
    Ok(PushHabit {
        octets: table.required("octets", octets)?.integer(32..=65535, octets)?,
        gap: table.required("gap", gap)?.integer(0..=30_000, gap)?,
    })
}

fn general_blocks(table: &mut Table<'_>) -> Result<BlockWindow, FileError> {
    let blocks = "blocks it takes in a row";
    let window = table.required("window", blocks)?;
    let count = window.integer(1..=63, blocks)?;
    BlockWindow::new(count).ok_or_else(|| window.refuse(blocks, "use 1 to 63"))
}

fn profile_columns(table: &mut Table<'_>) -> Result<Vec<ProfileColumn>, FileError> {
    let meaning = "the columns in order, the time first";
    let item = table.required("columns", meaning)?;
    let columns: Vec<ProfileColumn> =
        item.list(meaning)?.iter().map(|item| item.parse("a column")).collect::<Result<_, _>>()?;
    let distinct: BTreeSet<_> = columns.iter().collect();
    let fits =
        columns.first() == Some(&ProfileColumn::Time) && distinct.len() == columns.len() && columns.len() > 1;
    if fits { Ok(columns) } else { Err(item.refuse(meaning, "begin with \"time\" and name a column once")) }
}

fn snapshot_commands(table: &mut Table<'_>) -> Result<SnapshotCommands, FileError> {
    let mut id = |key, meaning| table.required(key, meaning)?.integer(0..=255, meaning);
    Ok(SnapshotCommands {
        get: id("get", "the id of GetSnapshot")?,
        publish: id("publish", "the id of PublishSnapshot")?,
    })
}

fn quirks(item: &Item<'_>) -> Result<BTreeMap<Quirk, Fact<()>>, FileError> {
    item.open("quirks, such as echoing-head = { verified = false }")?
        .entries()
        .into_iter()
        .map(|(quirk, value)| Ok((quirk.parse("a quirk")?, fact(&value, |_| Ok(()))?)))
        .collect()
}
