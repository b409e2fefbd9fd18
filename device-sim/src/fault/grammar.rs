//! The one grammar of faults: text to [`Placed`] and back. The text a fault prints as reads as the same fault.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SignedDuration;
use lab_config::cosem::Obis;
use lab_config::{DeviceKind, Path, nearest};

use super::{Asked, DeviceFault, Extent, Fault, Placed, Way, When, WireFault};

/// The longest time a fault may name: a year.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// The longest delay of one frame: an hour.
const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// The largest load that is put on a meter, in watts.
const LARGEST_LOAD: u64 = 200_000;
/// The highest voltage a meter is put to, in tenths of a volt.
const HIGHEST_VOLTAGE: u16 = 5000;
/// The words faults begin with.
pub const KINDS: [&str; 21] = [
    "silence",
    "delay",
    "noise",
    "bit-errors",
    "bit-error",
    "truncate",
    "wrong-speed",
    "wrong-checksum",
    "duplicate",
    "reorder",
    "reset",
    "unplug",
    "clock-jump",
    "clock-drift",
    "flat-battery",
    "asleep",
    "wrong-password",
    "wrong-key",
    "key-lock",
    "memory-full",
    "bad-firmware",
];
/// The words of what a bench or a hand does at a meter that is no fault of it, in the same grammar.
pub const CONDITIONS: [&str; 4] = ["load", "voltage", "cover-open", "privacy-pin"];
/// The words of what a device does wrongly while everything about it works, in the same grammar.
pub const BEHAVIOURS: [&str; 4] = ["ignores", "misreports", "mutes", "credits-used-tokens"];
/// The words clauses begin with.
const CLAUSES: [&str; 6] = ["at", "when", "on", "for", "odds", "inward"];

/// What is wrong with a fault's text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {column}: found {found}, expected {expected}")]
pub struct GrammarError {
    /// The character it stands at, from 1.
    pub column: usize,
    /// What stands there.
    pub found: String,
    /// What should.
    pub expected: String,
}

impl FromStr for Placed {
    type Err = GrammarError;

    fn from_str(text: &str) -> Result<Self, GrammarError> {
        let Some((place, _)) = text.split_once(':') else {
            let expected = "a place, a colon and a fault, such as `ESME/optical: silence`";
            return Err(GrammarError { column: 1, found: quoted(text), expected: expected.to_owned() });
        };
        let mut words = Words::of(text, place.len() + 1);
        let (rig, device, path) = self::place(place)?;
        let kind = kind(&mut words, device, path)?;
        let (when, way) = clauses(&mut words)?;
        let fault = turned(kind, way, &words)?;
        Ok(Self { rig, device, fault, when: completed(when) })
    }
}

/// The rig, device and path of `rig-1/ESME/optical`, `ESME/optical`, `rig-1/ESME`, `ESME`.
///
/// # Errors
/// [`GrammarError`].
pub fn place(place: &str) -> Result<(Option<lab_config::Name>, DeviceKind, Option<Path>), GrammarError> {
    let wrong = |part: &str, expected: String| {
        let column = place.find(part).unwrap_or_default() + 1;
        GrammarError { column, found: quoted(part), expected }
    };
    let trimmed = place.trim();
    let parts: Vec<&str> = trimmed.split('/').collect();
    let is_device = |part: &&&str| part.parse::<DeviceKind>().is_ok();
    let at = parts.iter().position(|part| is_device(&part));
    let (rig, device, path) = match (at, &parts[..]) {
        (Some(0), [device]) => (None, device, None),
        (Some(0), [device, path]) => (None, device, Some(path)),
        (Some(1), [rig, device]) => (Some(rig), device, None),
        (Some(1), [rig, device, path]) => (Some(rig), device, Some(path)),
        _ => return Err(wrong(trimmed, "a device, such as ESME, ESME/optical or rig-1/ESME/optical".into())),
    };
    let path = path.map(|path| path.parse::<Path>().map_err(|e| wrong(path, format!("a path: {e}"))));
    let rig = rig.map(|rig| rig.parse().map_err(|e| wrong(rig, format!("a rig's name: {e}"))));
    let device = device.parse().map_err(|_| wrong(device, "a device kind".into()))?;
    Ok((rig.transpose()?, device, path.transpose()?))
}

/// The words of a text from an offset on, each with its place.
struct Words<'t> {
    text: &'t str,
    rest: std::iter::Peekable<std::vec::IntoIter<(usize, &'t str)>>,
    /// Where the last word taken began.
    last: usize,
}

impl<'t> Words<'t> {
    fn of(text: &'t str, from: usize) -> Self {
        let tail = text.get(from..).unwrap_or_default();
        let place = |word: &'t str| word.as_ptr() as usize - text.as_ptr() as usize;
        let words: Vec<(usize, &str)> = tail.split_whitespace().map(|word| (place(word), word)).collect();
        Self { text, rest: words.into_iter().peekable(), last: from }
    }

    fn peek(&mut self) -> Option<&'t str> {
        self.rest.peek().map(|(_, word)| *word)
    }

    fn take(&mut self, expected: &str) -> Result<&'t str, GrammarError> {
        match self.rest.next() {
            Some((at, word)) => {
                self.last = at;
                Ok(word)
            }
            None => {
                let column = self.text.chars().count() + 1;
                Err(GrammarError { column, found: "the end".to_owned(), expected: expected.to_owned() })
            }
        }
    }

    /// Takes the next word if it is this one.
    fn take_if(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            drop(self.take(word));
        }
        found
    }

    fn must(&mut self, word: &str) -> Result<(), GrammarError> {
        match self.take(&format!("`{word}`"))? {
            found if found == word => Ok(()),
            found => Err(self.wrong(found, format!("`{word}`"))),
        }
    }

    /// A complaint about the word taken last.
    fn wrong(&self, found: &str, expected: impl Into<String>) -> GrammarError {
        let column = self.text.get(..self.last).unwrap_or_default().chars().count() + 1;
        GrammarError { column, found: quoted(found), expected: expected.into() }
    }

    fn number<T: TryFrom<u64>>(
        &mut self,
        range: std::ops::RangeInclusive<u64>,
        meaning: &str,
    ) -> Result<T, GrammarError> {
        let expected = format!("{meaning}, from {} to {}", range.start(), range.end());
        let word = self.take(&expected)?;
        let number = word.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| self.wrong(word, expected))
    }

    fn time(&mut self, longest: Duration) -> Result<Duration, GrammarError> {
        let expected = format!("a time of at most {:#}, such as 800ms or 5s", signed(longest));
        let word = self.take(&expected)?;
        let time = word.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
        time.filter(|time| *time <= longest).ok_or_else(|| self.wrong(word, expected))
    }

    /// `1 in 10`: the ten.
    fn one_in(&mut self) -> Result<u32, GrammarError> {
        self.must("1")?;
        self.must("in")?;
        self.number(1..=u64::from(u32::MAX), "in how many")
    }

    fn octets(&mut self) -> Result<u16, GrammarError> {
        let count = self.number(0..=u64::from(u16::MAX), "a number of octets")?;
        self.must("octets")?;
        Ok(count)
    }
}

fn kind(words: &mut Words<'_>, device: DeviceKind, path: Option<Path>) -> Result<Fault, GrammarError> {
    let name = words.take("a fault")?;
    let column = words.wrong(name, "").column;
    let wire = match name {
        "silence" if path.is_some() => Some(WireFault::Silence),
        "delay" => Some(WireFault::Delay(words.time(LONGEST_DELAY)?)),
        "noise" => Some(WireFault::Noise { octets: words.octets()?, inside: words.take_if("inside") }),
        "bit-errors" => Some(WireFault::BitErrors { one_in: words.one_in()? }),
        "bit-error" => Some(bit_error(words)?),
        "truncate" => {
            words.must("after")?;
            Some(WireFault::Truncate { after: words.octets()? })
        }
        "wrong-speed" => Some(wrong_speed(words)?),
        "wrong-checksum" => Some(WireFault::WrongChecksum),
        "duplicate" => Some(WireFault::Duplicate),
        "reorder" => Some(WireFault::Reorder),
        "reset" => {
            let after = if words.take_if("after") { words.octets()? } else { 0 };
            Some(WireFault::Reset { after })
        }
        _ => None,
    };
    let found = |words: &Words<'_>, expected: &str| GrammarError { column, ..words.wrong(name, expected) };
    match (wire, path) {
        (Some(WireFault::WrongChecksum), Some(Path::Wan)) => {
            let expected = "a fault of the DLMS wrapper, which has no checksum: bit-errors, truncate, noise";
            Err(found(words, expected))
        }
        (Some(fault), Some(path)) => Ok(Fault::Wire { path, way: Way::Outward, fault }),
        (Some(_), None) => {
            Err(found(words, &format!("a path in the place, such as {device}/wan: the fault is of a wire")))
        }
        (None, Some(path)) if name == "unplug" => Ok(Fault::Unplug(path)),
        (None, None) if name == "unplug" => Err(found(words, "a path in the place: which cable?")),
        (None, path) => match (device_fault(words, name)?, path) {
            (Some(fault), None) => Ok(Fault::Device(fault)),
            (Some(_), Some(_)) => {
                Err(found(words, &format!("no path in the place, only {device}: the fault is of the device")))
            }
            (None, _) => {
                Err(unknown(words, name, &[&KINDS[..], &CONDITIONS, &BEHAVIOURS].concat(), "a fault"))
            }
        },
    }
}

fn bit_error(words: &mut Words<'_>) -> Result<WireFault, GrammarError> {
    words.must("octet")?;
    let octet = words.number(0..=u64::from(u16::MAX), "an octet")?;
    words.must("bit")?;
    Ok(WireFault::BitError { octet, bit: words.number(0..=7, "a bit")? })
}

fn wrong_speed(words: &mut Words<'_>) -> Result<WireFault, GrammarError> {
    let sent = words.number(300..=1_000_000, "a speed in baud")?;
    words.must("as")?;
    Ok(WireFault::WrongSpeed { sent, read: words.number(300..=1_000_000, "a speed in baud")? })
}

fn device_fault(words: &mut Words<'_>, name: &str) -> Result<Option<DeviceFault>, GrammarError> {
    Ok(Some(match name {
        "silence" => DeviceFault::Silence,
        "clock-jump" => DeviceFault::ClockJump(signed_time(words)?),
        "clock-drift" => DeviceFault::ClockDrift(drift(words)?),
        "flat-battery" => DeviceFault::FlatBattery,
        "asleep" => DeviceFault::Asleep,
        "wrong-password" => DeviceFault::WrongPassword,
        "wrong-key" => DeviceFault::WrongKey,
        "key-lock" => DeviceFault::KeyLock,
        "memory-full" => DeviceFault::MemoryFull,
        "bad-firmware" => DeviceFault::BadFirmware,
        "load" => DeviceFault::Load(load(words)?),
        "voltage" => DeviceFault::Voltage(decivolts(words)?),
        "cover-open" => DeviceFault::CoverOpen,
        "privacy-pin" => DeviceFault::PrivacyPin,
        "ignores" => DeviceFault::Ignores(object(words)?),
        "misreports" => DeviceFault::Misreports(object(words)?),
        "mutes" => DeviceFault::Mutes(alert_code(words)?),
        "credits-used-tokens" => DeviceFault::CreditsUsedTokens,
        _ => return Ok(None),
    }))
}

fn object(words: &mut Words<'_>) -> Result<Obis, GrammarError> {
    let expected = "an object, such as 1-0:1.8.0";
    let word = words.take(expected)?;
    word.parse().map_err(|_| words.wrong(word, expected))
}

fn alert_code(words: &mut Words<'_>) -> Result<u16, GrammarError> {
    let expected = "the code of an alert, such as 8F32";
    let word = words.take(expected)?;
    let code = word.parse::<proto_duis::AlertCode>().map_err(|_| words.wrong(word, expected))?;
    Ok(code.0)
}

fn load(words: &mut Words<'_>) -> Result<u32, GrammarError> {
    let watts = words.number(0..=LARGEST_LOAD, "a load")?;
    words.must("W")?;
    Ok(watts)
}

/// A voltage in volts with one digit after the point at most; in tenths of a volt.
fn decivolts(words: &mut Words<'_>) -> Result<u16, GrammarError> {
    let expected = format!("a voltage from 0 to {}, such as 262 or 253.5", HIGHEST_VOLTAGE / 10);
    let word = words.take(&expected)?;
    let (volts, tenths) = word.split_once('.').unwrap_or((word, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let found = || (digits(volts) && digits(tenths) && tenths.len() == 1).then(|| format!("{volts}{tenths}"));
    let decivolts = found().and_then(|text| text.parse().ok()).filter(|found| *found <= HIGHEST_VOLTAGE);
    let decivolts = decivolts.ok_or_else(|| words.wrong(word, expected))?;
    words.must("V")?;
    Ok(decivolts)
}

fn signed_time(words: &mut Words<'_>) -> Result<SignedDuration, GrammarError> {
    let expected = "a time of at most a year, such as 90s or -2h";
    let word = words.take(expected)?;
    let time = word.trim_start_matches('+').parse::<SignedDuration>().ok();
    time.filter(|time| time.unsigned_abs() <= LONGEST).ok_or_else(|| words.wrong(word, expected))
}

fn drift(words: &mut Words<'_>) -> Result<i32, GrammarError> {
    let most = crate::model::clock::LARGEST_DRIFT_PPM;
    let expected = format!("parts per million, from -{most} to {most}");
    let word = words.take(&expected)?;
    let ppm = word.parse().ok().filter(|ppm| (-most..=most).contains(ppm));
    let ppm = ppm.ok_or_else(|| words.wrong(word, expected))?;
    words.must("ppm")?;
    Ok(ppm)
}

fn clauses(words: &mut Words<'_>) -> Result<(When, Way), GrammarError> {
    let (mut when, mut way, mut said) = (When::default(), Way::Outward, Vec::new());
    while words.peek().is_some() {
        let clause = words.take("a clause")?;
        if said.contains(&clause) {
            return Err(words.wrong(clause, "each clause once"));
        }
        said.push(clause);
        match clause {
            "at" => when.at = words.time(LONGEST)?,
            "when" => when.asked = Some(asked(words)?),
            "on" => {
                words.must("frame")?;
                when.frame = Some(words.number(1..=u64::from(u32::MAX), "the number of a frame")?);
            }
            "for" => when.extent = extent(words)?,
            "odds" => when.odds = Some(words.one_in()?),
            "inward" => way = Way::Inward,
            other => return Err(unknown(words, other, &CLAUSES, "a clause")),
        }
    }
    Ok((when, way))
}

fn asked(words: &mut Words<'_>) -> Result<Asked, GrammarError> {
    words.must("asked")?;
    let expected = "an object, such as 1-0:99.1.0, and its attribute if it matters: 1-0:99.1.0/2";
    let word = words.take(expected)?;
    let (obis, number) = match word.split_once('/') {
        Some((obis, number)) => (obis, Some(number)),
        None => (word, None),
    };
    let number = number.map(|number| number.parse().map_err(|_| words.wrong(word, expected))).transpose()?;
    Ok(Asked { obis: obis.parse().map_err(|_| words.wrong(word, expected))?, number })
}

/// `5s`, or `2 frames`.
fn extent(words: &mut Words<'_>) -> Result<Extent, GrammarError> {
    let is_count = |word: &str| word.bytes().all(|octet| octet.is_ascii_digit());
    if words.peek().is_some_and(is_count) {
        let count = words.number(1..=u64::from(u32::MAX), "a number of frames")?;
        words.must(if count == 1 { "frame" } else { "frames" })?;
        return Ok(Extent::Frames(count));
    }
    Ok(Extent::Time(words.time(LONGEST)?))
}

/// The fault with its way; some make sense one way only.
fn turned(fault: Fault, way: Way, words: &Words<'_>) -> Result<Fault, GrammarError> {
    match (fault, way) {
        (fault, Way::Outward) => Ok(fault),
        (Fault::Wire { path, fault, .. }, Way::Inward)
            if !matches!(fault, WireFault::Delay(_) | WireFault::Reorder | WireFault::Reset { .. }) =>
        {
            Ok(Fault::Wire { path, way, fault })
        }
        _ => Err(words.wrong("inward", "no `inward` here: the fault is of what the device sends")),
    }
}

/// A frame that is named is one frame, unless `for` says otherwise.
fn completed(when: When) -> When {
    match (when.frame, when.extent) {
        (Some(_), Extent::Ever) => When { extent: Extent::Frames(1), ..when },
        _ => when,
    }
}

fn unknown(words: &Words<'_>, found: &str, known: &[&str], what: &str) -> GrammarError {
    let near = nearest(found, known.iter().copied());
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    words.wrong(found, format!("{what}, one of {}{near}", known.join(", ")))
}

fn quoted(text: &str) -> String {
    format!("`{}`", text.chars().take(60).collect::<String>())
}

fn signed(time: Duration) -> SignedDuration {
    SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX)
}

/// A time as the grammar takes it: one word.
struct Word(SignedDuration);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:#}", self.0).replace(' ', "");
        // Friendly durations put "ago" behind what is negative.
        match text.strip_suffix("ago") {
            Some(text) => write!(f, "-{text}"),
            None => f.write_str(&text),
        }
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rig) = &self.rig {
            write!(f, "{rig}/")?;
        }
        write!(f, "{}", self.device)?;
        match &self.fault {
            Fault::Wire { path, way, fault } => {
                write!(f, "/{path}: {fault}")?;
                if *way == Way::Inward {
                    f.write_str(" inward")?;
                }
            }
            Fault::Unplug(path) => write!(f, "/{path}: unplug")?,
            Fault::Device(fault) => write!(f, ": {fault}")?,
        }
        self.when.fmt(f)
    }
}

impl fmt::Display for WireFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("silence"),
            Self::Delay(time) => write!(f, "delay {}", Word(signed(*time))),
            Self::Noise { octets, inside: false } => write!(f, "noise {octets} octets"),
            Self::Noise { octets, inside: true } => write!(f, "noise {octets} octets inside"),
            Self::BitErrors { one_in } => write!(f, "bit-errors 1 in {one_in}"),
            Self::BitError { octet, bit } => write!(f, "bit-error octet {octet} bit {bit}"),
            Self::Truncate { after } => write!(f, "truncate after {after} octets"),
            Self::WrongSpeed { sent, read } => write!(f, "wrong-speed {sent} as {read}"),
            Self::WrongChecksum => f.write_str("wrong-checksum"),
            Self::Duplicate => f.write_str("duplicate"),
            Self::Reorder => f.write_str("reorder"),
            Self::Reset { after: 0 } => f.write_str("reset"),
            Self::Reset { after } => write!(f, "reset after {after} octets"),
        }
    }
}

impl fmt::Display for DeviceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence => f.write_str("silence"),
            Self::ClockJump(by) => write!(f, "clock-jump {}", Word(*by)),
            Self::ClockDrift(ppm) => write!(f, "clock-drift {ppm} ppm"),
            Self::FlatBattery => f.write_str("flat-battery"),
            Self::Asleep => f.write_str("asleep"),
            Self::WrongPassword => f.write_str("wrong-password"),
            Self::WrongKey => f.write_str("wrong-key"),
            Self::KeyLock => f.write_str("key-lock"),
            Self::MemoryFull => f.write_str("memory-full"),
            Self::BadFirmware => f.write_str("bad-firmware"),
            Self::Load(watts) => write!(f, "load {watts} W"),
            Self::Voltage(decivolts) => write!(f, "voltage {}.{} V", decivolts / 10, decivolts % 10),
            Self::CoverOpen => f.write_str("cover-open"),
            Self::PrivacyPin => f.write_str("privacy-pin"),
            Self::Ignores(obis) => write!(f, "ignores {obis}"),
            Self::Misreports(obis) => write!(f, "misreports {obis}"),
            Self::Mutes(code) => write!(f, "mutes {code:04X}"),
            Self::CreditsUsedTokens => f.write_str("credits-used-tokens"),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_zero() {
            write!(f, " at {}", Word(signed(self.at)))?;
        }
        if let Some(Asked { obis, number }) = self.asked {
            write!(f, " when asked {obis}")?;
            number.map_or(Ok(()), |number| write!(f, "/{number}"))?;
        }
        if let Some(frame) = self.frame {
            write!(f, " on frame {frame}")?;
        }
        match self.extent {
            Extent::Ever => {}
            Extent::Time(time) => write!(f, " for {}", Word(signed(time)))?,
            Extent::Frames(1) if self.frame.is_some() => {}
            Extent::Frames(1) => f.write_str(" for 1 frame")?,
            Extent::Frames(count) => write!(f, " for {count} frames")?,
        }
        self.odds.map_or(Ok(()), |odds| write!(f, " odds 1 in {odds}"))
    }
}
