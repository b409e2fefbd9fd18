//! Files for tests and trials: one of every kind, as they follow each other in the migration of one installation, and files
//! of every kind drawn at random.

mod draw;

pub use draw::drawn;

use jiff::Timestamp;
use proto_duis::{DeviceKind, Eui64};

use crate::{
    Address, AuthorisationId, Body, Commissioned, CommonInstallation, Device, Digest, Estate, File, FileKind,
    GroupId, Holder, InstallationKind, InstallationResult, MeterPoint, Note, OutcomeClass, PartyRole, Ruling,
    Sealed, Step, Text,
};

/// The installation of the examples, by its communications hub.
pub const INSTALLATION: Eui64 = Eui64::new([0x00, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 0xA0]);
/// Its electricity meter.
pub const ESME: Eui64 = Eui64::new([0x00, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 0xA1]);
/// Its gas meter.
pub const GSME: Eui64 = Eui64::new([0x00, 0xDB, 0x12, 0x34, 0x56, 0x78, 0x90, 0xA2]);
/// The supplier of both.
pub const SUPPLIER: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x01, 0x00, 0x00]);

/// The party of this role in the examples.
pub fn party(role: PartyRole) -> Address {
    let number = PartyRole::ALL.iter().position(|known| *known == role).unwrap_or_default();
    let number = u8::try_from(number).unwrap_or_default();
    Address { role, id: Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x02, number, 0x00]) }
}

/// The moment the first of them was written, 2026-11-22T10:30:00Z; the others follow a minute apart.
fn moment(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_795_343_400 + 60 * minutes).unwrap_or_default()
}

/// A text known to be one.
fn text<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    #[expect(clippy::expect_used, reason = "each text is written below, and a test reads them all")]
    text.parse().expect("a text of the examples")
}

/// One file of every kind, in the order in which they are written. The files that one follows are not those of this list: that
/// depends on signatures, which no two are alike.
pub fn files() -> Vec<File> {
    use PartyRole::{
        CommissioningParty, Dco, Dsp, MigrationControl, RequestingParty, ResponsibleSupplier, S1sp, Smso,
    };
    let writers = [
        (ResponsibleSupplier, vec![MigrationControl, RequestingParty]),
        (MigrationControl, vec![RequestingParty, Smso]),
        (RequestingParty, vec![MigrationControl]),
        (Smso, vec![MigrationControl, RequestingParty]),
        (RequestingParty, vec![MigrationControl, CommissioningParty, S1sp, Dco]),
        (RequestingParty, vec![MigrationControl, S1sp, Dco]),
        (CommissioningParty, vec![MigrationControl, S1sp, Dco]),
        (S1sp, vec![MigrationControl, CommissioningParty]),
        (S1sp, vec![MigrationControl, CommissioningParty, Dsp]),
        (MigrationControl, vec![S1sp, Dsp, Smso]),
        (
            MigrationControl,
            vec![RequestingParty, Smso, S1sp, Dco, CommissioningParty, Dsp, ResponsibleSupplier],
        ),
        (S1sp, vec![MigrationControl, Dco]),
        (Dco, vec![MigrationControl, S1sp]),
    ];
    let numbered = writers.into_iter().zip(1u32..);
    numbered.zip(FileKind::ALL).map(|(((from, to), number), kind)| file(from, &to, number, *kind)).collect()
}

fn file(from: PartyRole, to: &[PartyRole], number: u32, kind: FileKind) -> File {
    let to = to.iter().copied().map(party).collect();
    let follows = (number > 1).then(|| Digest::of(&number.to_be_bytes()));
    let written = moment(number.into());
    File::new(party(from), to, text::<GroupId>("G1"), number.into(), follows, written, body(kind))
}

fn body(kind: FileKind) -> Body {
    let installations = vec![result("")];
    match kind {
        FileKind::Authorisation => Body::Authorisation {
            authorisation: authorisation(),
            installation: INSTALLATION,
            kind: InstallationKind::Active,
            from: moment(0),
            until: moment(60 * 24),
        },
        FileKind::Demand => Body::Demand { installations: vec![(INSTALLATION, vec![authorisation()])] },
        FileKind::Response => Body::Response { installations },
        FileKind::Estate => Body::Estate { installations: vec![estate()] },
        FileKind::Common => {
            Body::Common { smso: text("Lab SMSO <North & South>"), installations: vec![common()] }
        }
        FileKind::Group => Body::Group { common: Digest::of(b"the common file"), sealed: vec![sealed()] },
        FileKind::Results => Body::Results { step: Step::DataValidation, installations: vec![refused()] },
        FileKind::RequiredFileSet => Body::RequiredFileSet {
            files: vec![(text("MC_G1_90B3D51F30020100_5"), Digest::of(b"the common file"))],
            installations: vec![(INSTALLATION, vec![INSTALLATION, ESME])],
        },
        FileKind::Commissioning => Body::Commissioning { installations: vec![commissioned()] },
        FileKind::Rollback => Body::Rollback { installations: vec![refused()] },
        FileKind::Outcome => {
            let accepted = result("every device answers");
            Body::Outcome { installations: vec![(accepted, OutcomeClass::Migrated)] }
        }
        FileKind::KeyWrapRequest => {
            Body::KeyWrapRequest { sealed: vec![Sealed { recipient: party(PartyRole::Dco), ..sealed() }] }
        }
        FileKind::WrappedKeys => {
            let wrapped = InstallationResult { installation: INSTALLATION, ruling: lent() };
            Body::WrappedKeys { installations: vec![wrapped], sealed: vec![sealed()] }
        }
    }
}

fn authorisation() -> AuthorisationId {
    AuthorisationId::of(SUPPLIER, INSTALLATION, moment(1))
}

fn result(said: &str) -> InstallationResult {
    let ruling = Ruling::Accepted { said: Note::new(said), without: vec![GSME] };
    InstallationResult { installation: INSTALLATION, ruling }
}

fn lent() -> Ruling {
    Ruling::Accepted { said: Note::new("4 keys wrapped"), without: Vec::new() }
}

fn refused() -> InstallationResult {
    let reason = Note::new("matches no entry of the EPCL: found firmware \"7\", expected 8");
    InstallationResult { installation: INSTALLATION, ruling: Ruling::Refused { code: text("MA110"), reason } }
}

fn device(kind: DeviceKind, id: Eui64) -> Device {
    let [manufacturer, model, hardware, firmware, configuration] =
        ["0001", "A1 B2", "1.0", "8.0.1", "C-17"].map(text::<Text>);
    Device { kind, id, manufacturer, model, hardware, firmware, configuration }
}

fn devices() -> Vec<Device> {
    let kinds = [(DeviceKind::Chf, INSTALLATION), (DeviceKind::Esme, ESME), (DeviceKind::Gsme, GSME)];
    kinds.into_iter().map(|(kind, id)| device(kind, id)).collect()
}

fn common() -> CommonInstallation {
    let point =
        |device, number, active| MeterPoint { device, number: text(number), supplier: SUPPLIER, active };
    CommonInstallation {
        installation: INSTALLATION,
        kind: InstallationKind::Mixed,
        authorisations: vec![authorisation()],
        devices: devices(),
        meter_points: vec![point(ESME, "1200023305967", true), point(GSME, "9328193404", false)],
    }
}

/// Sealed by nobody: octets of the right form.
fn sealed() -> Sealed {
    let encapsulated = (0..65).collect();
    let ciphertext = (0..64).rev().collect();
    Sealed { installation: INSTALLATION, recipient: party(PartyRole::S1sp), encapsulated, ciphertext }
}

fn estate() -> Estate {
    let common = CommonInstallation { authorisations: Vec::new(), ..common() };
    Estate { common, sealed: vec![sealed(), Sealed { recipient: party(PartyRole::Dco), ..sealed() }] }
}

fn commissioned() -> Commissioned {
    let devices = devices().into_iter().filter(|device| device.kind != DeviceKind::Gsme).collect();
    let holders = vec![(INSTALLATION, Holder::Dcc), (ESME, Holder::Supplier(SUPPLIER))];
    Commissioned { installation: INSTALLATION, devices, holders }
}
