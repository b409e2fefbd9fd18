use proptest::prelude::*;
use proto_duis::Signer;
use proto_duis::pki::Authority;
use std::sync::LazyLock;

use super::*;
use crate::examples::{files, party};
use crate::{Body, FileKind, PartyRole, Step, write};

struct Parties {
    signers: BTreeMap<Address, Signer>,
    trust: Trust,
}

static PARTIES: LazyLock<Parties> = LazyLock::new(|| {
    let authority = Authority::new("Lab").unwrap();
    let issue = |role: PartyRole| (party(role), authority.issue(role.word()).unwrap());
    let signers: BTreeMap<Address, Signer> = PartyRole::ALL.into_iter().map(issue).collect();
    let mut trust = Trust::new();
    signers.iter().for_each(|(party, signer)| trust.add(*party, signer.certificate().clone()));
    Parties { signers, trust }
});

const CONTROL: PartyRole = PartyRole::MigrationControl;
const S1SP: PartyRole = PartyRole::S1sp;
const REQUESTING: PartyRole = PartyRole::RequestingParty;

/// A body of this kind; for results of this step.
fn body(kind: FileKind, of: Option<Step>) -> Body {
    let mut body = files().into_iter().map(|file| file.body).find(|body| body.kind() == kind).unwrap();
    if let (Body::Results { step, .. }, Some(of)) = (&mut body, of) {
        *step = of;
    }
    body
}

fn octets(from: PartyRole, number: u64, follows: Option<Digest>, body: Body) -> Vec<u8> {
    grouped("G1", from, number, follows, body)
}

fn grouped(group: &str, from: PartyRole, number: u64, follows: Option<Digest>, body: Body) -> Vec<u8> {
    let written = "2026-11-22T10:30:00Z".parse().unwrap();
    let to = vec![party(CONTROL), party(S1SP)];
    let file = File::new(party(from), to, group.parse().unwrap(), number, follows, written, body);
    write(&file, &PARTIES.signers[&party(from)]).unwrap()
}

fn take(inbox: &mut Inbox, octets: &[u8]) -> Result<Digest, FileRefusal> {
    inbox.take(octets, &PARTIES.trust).map(|arrived| arrived.digest)
}

fn refused(inbox: &mut Inbox, octets: &[u8]) -> FileRefusal {
    let before: Vec<SeenFile> = inbox.seen().cloned().collect();
    let refusal = take(inbox, octets).unwrap_err();
    assert!(inbox.seen().eq(&before), "a refused file changed the inbox");
    refusal
}

/// A whole migration as control receives it: who writes, what, of which step.
const MIGRATION: [(PartyRole, FileKind, Option<Step>); 12] = [
    (PartyRole::ResponsibleSupplier, FileKind::Authorisation, None),
    (CONTROL, FileKind::Demand, None),
    (REQUESTING, FileKind::Response, None),
    (PartyRole::Smso, FileKind::Estate, None),
    (REQUESTING, FileKind::Common, None),
    (REQUESTING, FileKind::Group, None),
    (PartyRole::CommissioningParty, FileKind::Results, Some(Step::DataValidation)),
    (PartyRole::Dco, FileKind::Results, Some(Step::Viability)),
    (S1SP, FileKind::Results, Some(Step::DeviceContact)),
    (S1SP, FileKind::RequiredFileSet, None),
    (S1SP, FileKind::Commissioning, None),
    (PartyRole::CommissioningParty, FileKind::Results, Some(Step::Commissioning)),
];

/// The files of a migration, each following the one before.
fn migration() -> Vec<Vec<u8>> {
    let mut follows = None;
    let each = |(number, (from, kind, step)): (u64, (PartyRole, FileKind, Option<Step>))| {
        let octets = octets(from, number, follows, body(kind, step));
        follows = Some(Digest::of(&octets));
        octets
    };
    (1..).zip(MIGRATION).map(each).collect()
}

#[test]
fn a_migration_is_taken_in_its_order_and_kept_as_text() {
    let mut inbox = Inbox::new(party(CONTROL));
    for octets in migration() {
        take(&mut inbox, &octets).unwrap();
        let lines: Vec<String> = inbox.seen().map(SeenFile::to_string).collect();
        let read = lines.iter().map(|line| line.parse().unwrap());
        inbox = Inbox::with_seen(party(CONTROL), read.collect::<Vec<SeenFile>>());
    }
    assert_eq!(inbox.seen().count(), MIGRATION.len());
}

#[test]
fn a_replay_is_refused_after_a_restart_and_after_its_group_has_ended() {
    let files = migration();
    let mut inbox = Inbox::new(party(CONTROL));
    files.iter().for_each(|octets| assert!(take(&mut inbox, octets).is_ok()));
    let mut restored = Inbox::with_seen(party(CONTROL), inbox.seen().cloned());
    restored.close(&"G1".parse().unwrap());
    assert_eq!(restored.seen().count(), 7, "the last of each writer is kept");
    for octets in &files {
        let refusal = refused(&mut inbox, octets);
        assert_eq!(refusal.code, FileRefusalCode::Replayed);
        assert!(refusal.reason.contains("this very file, number"), "{refusal}");
        let refusal = refused(&mut restored, octets);
        assert!(
            [FileRefusalCode::Replayed, FileRefusalCode::OutOfOrder].contains(&refusal.code),
            "{refusal}"
        );
    }
}

#[test]
fn a_number_rises_over_all_groups_of_a_writer() {
    let mut inbox = Inbox::new(party(S1SP));
    let demand = || body(FileKind::Demand, None);
    take(&mut inbox, &grouped("G1", CONTROL, 5, None, demand())).unwrap();
    take(&mut inbox, &grouped("G2", CONTROL, 9, None, demand())).unwrap();
    let late = refused(&mut inbox, &grouped("G3", CONTROL, 7, None, demand()));
    assert_eq!(late.code, FileRefusalCode::OutOfOrder);
    assert_eq!(
        late.to_string(),
        "LAB-F04 (the file is out of order): DC-G3_90B3D51F30020000_7 from migration-control 90-B3-D5-1F-30-02-00-00: \
         its number 7 comes late; expected more than 9, the last of this writer"
    );
    let used = refused(&mut inbox, &grouped("G3", CONTROL, 9, None, demand()));
    assert_eq!(used.code, FileRefusalCode::Replayed);
    assert!(used.reason.contains("its number 9 was used by another file"), "{used}");
    take(&mut inbox, &grouped("G1", REQUESTING, 1, None, demand())).unwrap();
}

#[test]
fn a_file_for_others_is_not_taken() {
    let mut inbox = Inbox::new(party(PartyRole::Dsp));
    let refusal = refused(&mut inbox, &octets(CONTROL, 1, None, body(FileKind::Demand, None)));
    assert_eq!(refusal.code, FileRefusalCode::NotForUs);
    assert!(
        refusal.reason.ends_with(
            "it is for migration-control 90-B3-D5-1F-30-02-00-00, s1sp 90-B3-D5-1F-30-02-03-00; expected dsp 90-B3-D5-1F-30-02-07-00 among them"
        ),
        "{refusal}"
    );
}

#[test]
fn one_party_does_not_speak_in_anothers_place() {
    let mut inbox = Inbox::new(party(S1SP));
    let smso = PartyRole::Smso;
    let validation =
        refused(&mut inbox, &octets(smso, 1, None, body(FileKind::Results, Some(Step::DataValidation))));
    assert_eq!(validation.code, FileRefusalCode::NotTheirs);
    let said = "it is results of data-validation written by a smso; expected one of commissioning-party, dsp";
    assert!(validation.reason.ends_with(said), "{validation}");
    for kind in [FileKind::Demand, FileKind::Commissioning, FileKind::Rollback, FileKind::Outcome] {
        assert_eq!(
            refused(&mut inbox, &octets(smso, 1, None, body(kind, None))).code,
            FileRefusalCode::NotTheirs
        );
    }
}

#[test]
fn a_file_that_follows_what_is_not_here_is_out_of_order() {
    let mut inbox = Inbox::new(party(CONTROL));
    let demand = take(&mut inbox, &octets(CONTROL, 1, None, body(FileKind::Demand, None))).unwrap();
    let response = || body(FileKind::Response, None);
    let first = refused(&mut inbox, &octets(REQUESTING, 1, None, response()));
    assert!(first.reason.ends_with("it follows no file; expected that it follows one of demand"), "{first}");
    let unknown = refused(&mut inbox, &octets(REQUESTING, 1, Some(Digest::of(b"?")), response()));
    assert!(unknown.reason.contains("which has not come to us in group G1"), "{unknown}");
    let elsewhere = refused(&mut inbox, &grouped("G2", REQUESTING, 1, Some(demand), response()));
    assert!(elsewhere.reason.contains("which has not come to us in group G2"), "{elsewhere}");
    let group = refused(&mut inbox, &octets(REQUESTING, 1, Some(demand), body(FileKind::Group, None)));
    assert!(group.reason.ends_with("it follows demand; expected that it follows one of common"), "{group}");
    for refusal in [first, unknown, elsewhere, group] {
        assert_eq!(refusal.code, FileRefusalCode::OutOfOrder);
    }
    take(&mut inbox, &octets(REQUESTING, 1, Some(demand), response())).unwrap();
}

#[test]
fn a_file_may_follow_what_we_wrote_ourselves() {
    let demand = octets(CONTROL, 1, None, body(FileKind::Demand, None));
    let response = octets(REQUESTING, 1, Some(Digest::of(&demand)), body(FileKind::Response, None));
    let mut inbox = Inbox::new(party(CONTROL));
    assert_eq!(refused(&mut inbox, &response).code, FileRefusalCode::OutOfOrder);
    inbox.sent(&crate::parse(&demand).unwrap(), Digest::of(&demand));
    take(&mut inbox, &response).unwrap();
}

#[test]
fn damage_is_refused_before_anything_else_is_looked_at() {
    let mut inbox = Inbox::new(party(CONTROL));
    let sound = octets(CONTROL, 1, None, body(FileKind::Demand, None));
    assert_eq!(refused(&mut inbox, &sound[..sound.len() / 2]).code, FileRefusalCode::Cut);
    let altered = String::from_utf8(sound).unwrap().replace(">G1<", ">G2<");
    assert_eq!(refused(&mut inbox, altered.as_bytes()).code, FileRefusalCode::Altered);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the order in which the files of a migration come, what is taken is taken in the order of the migration, and
    /// no file twice.
    #[test]
    fn any_order_of_arrival_is_taken_in_order_or_not(order in prop::collection::vec(0..MIGRATION.len(), 1..30)) {
        static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(migration);
        let mut inbox = Inbox::new(party(CONTROL));
        let taken: Vec<usize> = order.into_iter().filter(|at| take(&mut inbox, &FILES[*at]).is_ok()).collect();
        let whole: Vec<usize> = (0..taken.len()).collect();
        prop_assert_eq!(taken, whole);
    }

    #[test]
    fn no_text_breaks_the_reader_of_what_was_seen(text in any::<String>()) {
        let _ = text.parse::<SeenFile>();
    }
}
