//! Files drawn from decisions: whatever a file can say, a drawn one may.

use jiff::Timestamp;
use proto_duis::examples::Draw;
use proto_duis::{DeviceKind, Eui64};

use super::text;
use crate::limits::{ENCAPSULATED, MAX_AUTHORISATIONS, MAX_DEVICES, MAX_METER_POINTS, MAX_SEALED, TAG};
use crate::{
    Address, AuthorisationId, Body, Commissioned, CommonInstallation, Device, Digest, Estate, File, FileKind,
    Holder, InstallationKind, InstallationResult, MeterPoint, Note, OutcomeClass, PartyRole, Ruling, Sealed,
    Step, Text,
};

/// The most of a list that is drawn where far more may be: so many are enough for a test.
const MANY: usize = 6;

/// A file of this kind, drawn: the same decisions give the same file.
///
/// ```
/// use proto_duis::examples::Draw;
/// use proto_migration::{FileKind, examples::drawn};
/// let file = drawn(FileKind::Common, &mut Draw::new(&[3, 1, 4, 1, 5]));
/// assert_eq!(file.body.kind(), FileKind::Common);
/// ```
pub fn drawn(kind: FileKind, draw: &mut Draw<'_>) -> File {
    let from = address(draw);
    let to = distinct(draw, 1, MANY, address);
    let group = text(pick(draw, &["G1", "dormant-2.IOC", "A", "0_9", "GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"]));
    let number = whole(draw, u64::MAX);
    let follows = draw.flag().then(|| digest(draw));
    let written = instant(draw, 0);
    File::new(from, to, group, number, follows, written, body(kind, draw))
}

fn body(kind: FileKind, draw: &mut Draw<'_>) -> Body {
    match kind {
        FileKind::Authorisation => authorisation(draw),
        FileKind::Demand => {
            Body::Demand { installations: keyed(draw, 1, MANY, |draw, id| (id, authorisations(draw))) }
        }
        FileKind::Response => Body::Response { installations: results(draw) },
        FileKind::Estate => Body::Estate { installations: keyed(draw, 1, MANY, estate) },
        FileKind::Common => {
            Body::Common { smso: name(draw), installations: keyed(draw, 1, MANY, installation) }
        }
        FileKind::Group => Body::Group { common: digest(draw), sealed: keyed(draw, 0, MANY, sealed) },
        FileKind::Results => Body::Results { step: *draw.one_of(Step::ALL), installations: results(draw) },
        FileKind::RequiredFileSet => Body::RequiredFileSet {
            files: distinct(draw, 0, MANY, digest).into_iter().map(|digest| (text("MC_1"), digest)).collect(),
            installations: keyed(draw, 1, MANY, |draw, id| (id, distinct(draw, 1, MAX_DEVICES, eui))),
        },
        FileKind::Commissioning => Body::Commissioning { installations: keyed(draw, 1, MANY, commissioned) },
        FileKind::Rollback => Body::Rollback { installations: results(draw) },
        FileKind::KeyWrapRequest => Body::KeyWrapRequest { sealed: keyed(draw, 1, MANY, sealed) },
        FileKind::WrappedKeys => {
            Body::WrappedKeys { installations: results(draw), sealed: keyed(draw, 0, MANY, sealed) }
        }
        FileKind::Outcome => {
            let outcome = |draw: &mut Draw<'_>, id| (result(draw, id), *draw.one_of(OutcomeClass::ALL));
            Body::Outcome { installations: keyed(draw, 1, MANY, outcome) }
        }
    }
}

/// One of these texts.
fn pick<'a>(draw: &mut Draw<'_>, from: &[&'a str]) -> &'a str {
    draw.one_of::<&str>(from)
}

fn whole(draw: &mut Draw<'_>, most: u64) -> u64 {
    u64::try_from(draw.between(0, most.into())).unwrap_or_default()
}

fn eui(draw: &mut Draw<'_>) -> Eui64 {
    Eui64::new(whole(draw, u64::MAX).to_be_bytes())
}

fn address(draw: &mut Draw<'_>) -> Address {
    Address { role: *draw.one_of(&PartyRole::ALL), id: eui(draw) }
}

fn digest(draw: &mut Draw<'_>) -> Digest {
    Digest::of(&whole(draw, u64::MAX).to_be_bytes())
}

/// A moment of the years 2000 to 2100, to the nanosecond or to the second, `after` this many seconds of 2000.
fn instant(draw: &mut Draw<'_>, after: u64) -> Timestamp {
    let second = 946_684_800 + after + whole(draw, 3_155_760_000);
    let nanosecond = i32::try_from(whole(draw, 999_999_999)).unwrap_or_default();
    Timestamp::new(i64::try_from(second).unwrap_or_default(), nanosecond).unwrap_or_default()
}

fn name(draw: &mut Draw<'_>) -> Text {
    let longest = "€".repeat(Text::LONGEST);
    text(pick(draw, &["0001", "A", "<&>\"'", "Zähler 1.2", "]]>", "&amp;", "\u{10FFFF}", &longest]))
}

fn note(draw: &mut Draw<'_>) -> Note {
    let longest = "ab ".repeat(Note::LONGEST);
    Note::new(pick(draw, &["", "found 7; expected <8>", "\r\n\t two  lines\u{85}\u{0}", "&#13;", &longest]))
}

/// So many, no two alike.
fn distinct<T: Ord>(
    draw: &mut Draw<'_>,
    least: usize,
    most: usize,
    each: impl Fn(&mut Draw<'_>) -> T,
) -> Vec<T> {
    let mut all = std::collections::BTreeSet::new();
    (0..draw.count(least, most)).for_each(|_| {
        all.insert(each(draw));
    });
    all.into_iter().collect()
}

/// So many, each about another installation or device.
fn keyed<T>(
    draw: &mut Draw<'_>,
    least: usize,
    most: usize,
    each: impl Fn(&mut Draw<'_>, Eui64) -> T,
) -> Vec<T> {
    distinct(draw, least, most, eui).into_iter().map(|id| each(draw, id)).collect()
}

fn authorisations(draw: &mut Draw<'_>) -> Vec<AuthorisationId> {
    let each = |draw: &mut Draw<'_>| AuthorisationId::of(eui(draw), eui(draw), instant(draw, 0));
    distinct(draw, 0, MAX_AUTHORISATIONS, each)
}

fn authorisation(draw: &mut Draw<'_>) -> Body {
    let from = Timestamp::from_second(946_684_800).unwrap_or_default();
    Body::Authorisation {
        authorisation: AuthorisationId::of(eui(draw), eui(draw), from),
        installation: eui(draw),
        kind: *draw.one_of(InstallationKind::ALL),
        from,
        until: instant(draw, 1),
    }
}

fn result(draw: &mut Draw<'_>, installation: Eui64) -> InstallationResult {
    let ruling = if draw.flag() {
        Ruling::Accepted { said: note(draw), without: distinct(draw, 0, MAX_DEVICES, eui) }
    } else {
        Ruling::Refused { code: name(draw), reason: note(draw) }
    };
    InstallationResult { installation, ruling }
}

fn results(draw: &mut Draw<'_>) -> Vec<InstallationResult> {
    keyed(draw, 1, MANY, result)
}

fn device(draw: &mut Draw<'_>, id: Eui64) -> Device {
    Device {
        kind: *draw.one_of(DeviceKind::ALL),
        id,
        manufacturer: name(draw),
        model: name(draw),
        hardware: name(draw),
        firmware: name(draw),
        configuration: name(draw),
    }
}

fn meter_point(draw: &mut Draw<'_>, device: Eui64) -> MeterPoint {
    MeterPoint { device, number: name(draw), supplier: eui(draw), active: draw.flag() }
}

fn installation(draw: &mut Draw<'_>, installation: Eui64) -> CommonInstallation {
    CommonInstallation {
        installation,
        kind: *draw.one_of(InstallationKind::ALL),
        authorisations: authorisations(draw),
        devices: keyed(draw, 1, MAX_DEVICES, device),
        meter_points: keyed(draw, 0, MAX_METER_POINTS, meter_point),
    }
}

fn estate(draw: &mut Draw<'_>, id: Eui64) -> Estate {
    Estate { common: installation(draw, id), sealed: keyed(draw, 0, MAX_SEALED, sealed) }
}

fn sealed(draw: &mut Draw<'_>, installation: Eui64) -> Sealed {
    let octet = whole(draw, 255).to_be_bytes()[7];
    Sealed {
        installation,
        recipient: address(draw),
        encapsulated: vec![octet; ENCAPSULATED],
        ciphertext: vec![octet; TAG + draw.count(0, 600)],
    }
}

fn holder(draw: &mut Draw<'_>, device: Eui64) -> (Eui64, Holder) {
    (device, if draw.flag() { Holder::Supplier(eui(draw)) } else { Holder::Dcc })
}

fn commissioned(draw: &mut Draw<'_>, installation: Eui64) -> Commissioned {
    Commissioned {
        installation,
        devices: keyed(draw, 1, MAX_DEVICES, device),
        holders: keyed(draw, 0, MAX_DEVICES, holder),
    }
}
