use proptest::prelude::*;
use proto_duis::examples::Draw;
use proto_duis::pki::Authority;
use std::sync::LazyLock;

use super::*;
use crate::examples::{drawn, files, party};
use crate::{FileKind, InstallationResult, PartyRole, Ruling};

/// One party's key, and whom everybody trusts.
struct Parties {
    signers: BTreeMap<Address, Signer>,
    trust: Trust,
}

static PARTIES: LazyLock<Parties> = LazyLock::new(|| {
    let authority = Authority::new("Lab").unwrap();
    let signers: BTreeMap<Address, Signer> =
        PartyRole::ALL.into_iter().map(|role| (party(role), authority.issue(role.word()).unwrap())).collect();
    let mut trust = Trust::new();
    signers.iter().for_each(|(party, signer)| trust.add(*party, signer.certificate().clone()));
    Parties { signers, trust }
});

fn signed(file: &File) -> Vec<u8> {
    write(file, &PARTIES.signers[&file.header.from]).unwrap()
}

fn example(kind: FileKind) -> File {
    files().into_iter().find(|file| file.body.kind() == kind).unwrap()
}

fn code(octets: &[u8]) -> FileRefusalCode {
    open(octets, &PARTIES.trust).unwrap_err().code()
}

#[test]
fn every_kind_opens_as_it_was_written() {
    for file in files() {
        assert_eq!(open(&signed(&file), &PARTIES.trust), Ok(file));
    }
}

#[test]
fn a_file_cut_anywhere_is_cut() {
    let octets = signed(&example(FileKind::Common));
    for end in (0..octets.len()).step_by(7).chain(octets.len() - 9..octets.len()) {
        assert_eq!(code(&octets[..end]), FileRefusalCode::Cut, "cut at {end}");
    }
    let error = open(&octets[..100], &PARTIES.trust).unwrap_err().to_string();
    assert!(
        error.starts_with("100 octets that do not end with the end of the document they begin"),
        "{error}"
    );
    assert_eq!(code(b"no XML at all"), FileRefusalCode::Schema);
}

#[test]
fn what_somebody_else_signed_is_not_the_writers() {
    let file = example(FileKind::Response);
    let dco = party(PartyRole::Dco);
    let octets = write(&file, &PARTIES.signers[&dco]).unwrap();
    let error = open(&octets, &PARTIES.trust).unwrap_err();
    assert_eq!(error.code(), FileRefusalCode::WrongWriter);
    assert_eq!(
        error.to_string(),
        "signed by dco 90-B3-D5-1F-30-02-04-00; expected requesting-party 90-B3-D5-1F-30-02-01-00, the writer that its header names"
    );
    let stranger = Authority::new("Elsewhere").unwrap().issue("stranger").unwrap();
    assert_eq!(code(&write(&file, &stranger).unwrap()), FileRefusalCode::UnknownWriter);
    assert_eq!(code(to_xml(&file).as_bytes()), FileRefusalCode::Schema, "not signed at all");
}

#[test]
fn one_certificate_may_be_of_two_parties() {
    let mut trust = Trust::new();
    let [control, dsp] = [PartyRole::MigrationControl, PartyRole::Dsp].map(party);
    let certificate = PARTIES.signers[&control].certificate();
    [control, dsp].into_iter().for_each(|party| trust.add(party, certificate.clone()));
    let mut file = example(FileKind::Rollback);
    for from in [control, dsp] {
        file.header.from = from;
        assert!(open(&write(&file, &PARTIES.signers[&control]).unwrap(), &trust).is_ok());
    }
}

#[test]
fn another_version_and_another_shape_are_told_apart_once_the_signature_holds() {
    let control = &PARTIES.signers[&party(PartyRole::MigrationControl)];
    let file = example(FileKind::Rollback);
    let header = xml::part(crate::names::Term::Header, &file.header);
    let of_version = |version: &str| {
        let root = foreign::Element::new(crate::names::space(), FileKind::Rollback.root());
        foreign::sign(&root.with_attribute("schemaVersion", version).with(header.clone()), control).unwrap()
    };
    let newer = of_version("2.0");
    let error = open(newer.as_bytes(), &PARTIES.trust).unwrap_err();
    assert_eq!(error.code(), FileRefusalCode::Version);
    assert_eq!(error.to_string(), "in version \"2.0\" of the schema; expected 1.0");
    let shapeless = of_version("1.0");
    assert_eq!(code(shapeless.as_bytes()), FileRefusalCode::Schema);
}

#[test]
fn what_readers_would_refuse_is_not_written() {
    let mut file = example(FileKind::Results);
    let signer = &PARTIES.signers[&file.header.from];
    file.header.to.clear();
    let error = write(&file, signer).unwrap_err().to_string();
    assert!(
        error.contains("MR_G1_90B3D51F30020500_7 would be refused by its readers")
            && error.contains("expected To"),
        "{error}"
    );
    let result = |n: u64| InstallationResult {
        installation: n.to_be_bytes().into(),
        ruling: Ruling::Refused { code: "MA110".parse().unwrap(), reason: "no entry".into() },
    };
    let step = crate::Step::Viability;
    let many = |most| crate::Body::Results { step, installations: (0..most).map(result).collect() };
    file = example(FileKind::Results);
    file.body = many(1_001);
    let error = write(&file, signer).unwrap_err().to_string();
    assert!(
        error.contains("the number of InstallationResult is \"1001 or more\"; expected at most 1000"),
        "{error}"
    );
    file.body = many(1_000);
    assert_eq!(open(&write(&file, signer).unwrap(), &PARTIES.trust), Ok(file));
}

/// What `limits` says of the largest files: a group of as many installations as there may be, as they are in houses.
#[test]
fn a_whole_group_fits_into_one_file_of_each_kind() {
    use crate::limits::MAX_INSTALLATIONS;
    let id = |n: usize| proto_duis::Eui64::new((n as u64).to_be_bytes());
    let mut common = example(FileKind::Common);
    if let crate::Body::Common { installations, .. } = &mut common.body {
        let mut one = installations.remove(0);
        let device = one.devices[0].clone();
        one.devices = (0..5).map(|n| crate::Device { id: id(n), ..device.clone() }).collect();
        let each = |n| crate::CommonInstallation { installation: id(n), ..one.clone() };
        installations.extend((0..MAX_INSTALLATIONS).map(each));
    }
    let mut group = example(FileKind::Group);
    if let crate::Body::Group { sealed, .. } = &mut group.body {
        let one = crate::Sealed { ciphertext: vec![7; 800], ..sealed.remove(0) };
        let to = |n, role| crate::Sealed { installation: id(n), recipient: party(role), ..one.clone() };
        let both = |n| [to(n, PartyRole::S1sp), to(n, PartyRole::Dco)];
        sealed.extend((0..MAX_INSTALLATIONS).flat_map(both));
    }
    for file in [common, group] {
        let octets = signed(&file);
        assert!((1_000_000..4_000_000).contains(&octets.len()), "{}", octets.len());
        assert_eq!(open(&octets, &PARTIES.trust), Ok(file));
    }
}

/// What a flip of one bit may come to. Where it leaves a document that says something else, the file is altered; elsewhere it
/// is no document any more, or what says how to check it is gone.
fn of_a_flip(sound: &[u8], flipped: &[u8], at: usize) -> Vec<FileRefusalCode> {
    use FileRefusalCode::{Altered, Cut, Schema, UnknownWriter};
    let text = std::str::from_utf8(sound).unwrap();
    let signature = text.find("<ds:Signature").unwrap()..text.rfind("</mig:").unwrap();
    let in_text = text[..at].rfind('>') > text[..at].rfind('<') && sound[at] != b'<';
    match at {
        // The last tag, or its fellow at the beginning: the document does not end as it begins.
        _ if at >= signature.end || at < 30 => vec![Cut, Schema, Altered],
        _ if signature.contains(&at) => vec![Altered, Schema, UnknownWriter],
        _ if in_text && flipped[at].is_ascii_alphanumeric() => vec![Altered],
        _ => vec![Altered, Schema],
    }
}

#[test]
fn a_bit_flipped_in_what_is_said_is_an_alteration() {
    let octets = signed(&example(FileKind::Outcome));
    let text = String::from_utf8(octets.clone()).unwrap();
    let at = text.find("every device answers").unwrap();
    for bit in 0..5 {
        let mut flipped = octets.clone();
        flipped[at] ^= 1u8 << bit;
        assert_eq!(code(&flipped), FileRefusalCode::Altered);
    }
}

#[test]
fn a_bit_flipped_in_any_octet_is_refused() {
    let sound = signed(&example(FileKind::Demand));
    for at in 0..sound.len() {
        let mut octets = sound.clone();
        octets[at] ^= 1 << (at % 8);
        let code = code(&octets);
        assert!(of_a_flip(&sound, &octets, at).contains(&code), "{code} at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_file_opens_as_it_was_written(kind in prop::sample::select(FileKind::ALL), octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut file = drawn(kind, &mut Draw::new(&octets));
        file.header.from = party(PartyRole::Smso);
        prop_assert_eq!(open(&signed(&file), &PARTIES.trust), Ok(file));
    }

    #[test]
    fn any_bit_flipped_is_refused(kind in prop::sample::select(FileKind::ALL), at: prop::sample::Index, bit in 0..8u8) {
        let sound = signed(&example(kind));
        let at = at.index(sound.len());
        let mut octets = sound.clone();
        octets[at] ^= 1u8 << bit;
        let code = code(&octets);
        prop_assert!(of_a_flip(&sound, &octets, at).contains(&code), "{code} at {at}");
    }

    #[test]
    fn no_octets_break_the_opening(octets: Vec<u8>) {
        prop_assert!(open(&octets, &PARTIES.trust).is_err());
        let _ = is_cut(&octets);
    }
}
