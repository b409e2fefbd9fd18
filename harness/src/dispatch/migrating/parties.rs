//! Who takes part in a run's migration, by which keys, and what each is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use lab_config::{EpclEntry, Eui64, Lab, Rig};
use proto_duis::pki::Authority;
use proto_lab::record::{Body, Note, Prepared};
use proto_migration::{Address, InstallationKind, OpeningKey, PartyRole, Trust};

use super::super::devices::AtDevices;
use super::super::estate::{eligible, installation, operating};
use super::super::keys::part;
use super::super::stub::Stub;
use super::super::{Book, RunError};
use super::ports::{AloneSmso, StubDsp};
use super::{FileRecord, Migrating};
use crate::driver::{RigLinks, state_folder};
use crate::execute::Ledger as _;
use crate::migration::checks;
use crate::migration::exchange::{Exchange, Member, Spoiler, Writer};
use crate::migration::party::Party;
use crate::migration::party::commissioning::CommissioningParty;
use crate::migration::party::dco::Dco;
use crate::migration::party::requesting::{Correspondents, RequestingParty};
use crate::migration::party::s1sp::S1spParty;
use crate::migration::party::smso::{Misdeclared, SealedTo, SmsoParty};
use crate::migration::party::supplier::ResponsibleSupplier;
use crate::migration::{Control, Group, Journal, Patience, Roll, text};
use crate::s1sp::Asleep;
use crate::service_user::CounterStore;

/// What the parties stand on.
pub(in crate::dispatch) struct Ground<'a> {
    pub(in crate::dispatch) lab: &'a Lab,
    pub(in crate::dispatch) rig: &'a Arc<Rig>,
    pub(in crate::dispatch) entry: &'a EpclEntry,
    pub(in crate::dispatch) stub: &'a Stub,
    pub(in crate::dispatch) links: &'a RigLinks,
    pub(in crate::dispatch) book: &'a Book,
}

/// The lab's own identities of parties for whom a lab file has none.
pub(in crate::dispatch) const REQUESTING: Eui64 =
    Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x03, 0x00, 0x01]);
pub(in crate::dispatch) const SMSO: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x03, 0x00, 0x02]);
pub(in crate::dispatch) const DCO: Eui64 = Eui64::new([0x90, 0xB3, 0xD5, 0x1F, 0x30, 0x03, 0x00, 0x03]);

/// The addresses of everybody.
struct Addresses {
    control: Address,
    requesting: Address,
    smso: Address,
    s1sp: Address,
    dco: Address,
    commissioning: Address,
    /// The suppliers that operate a meter of the installation.
    suppliers: Vec<Address>,
}

impl Addresses {
    fn of(ground: &Ground<'_>) -> Self {
        let environment = &ground.lab.environment;
        let dcc = environment.access_control_broker;
        let at = |role, id| Address { role, id };
        let suppliers = operating(ground.lab, (ground.rig, ground.entry));
        Self {
            control: at(PartyRole::MigrationControl, dcc),
            requesting: at(PartyRole::RequestingParty, REQUESTING),
            smso: at(PartyRole::Smso, SMSO),
            s1sp: at(PartyRole::S1sp, environment.s1sp),
            dco: at(PartyRole::Dco, DCO),
            commissioning: at(PartyRole::CommissioningParty, dcc),
            suppliers,
        }
    }

    fn roll(&self, installation: Eui64) -> Roll {
        let Self { requesting, smso, s1sp, dco, commissioning, suppliers, .. } = self;
        let suppliers = match suppliers.is_empty() {
            true => BTreeMap::new(),
            false => BTreeMap::from([(installation, suppliers.clone())]),
        };
        let (requesting, smso, s1sp) = (*requesting, *smso, *s1sp);
        Roll { requesting, smso, s1sp, dco: *dco, commissioning: *commissioning, suppliers }
    }
}

/// Makes keys for the parties, each signed by the run's authority, and their pens.
struct Pens<'a> {
    authority: &'a Authority,
    store: Option<std::path::PathBuf>,
    spoiler: Spoiler,
    trust: Trust,
    certificates: String,
    told: Vec<String>,
}

impl Pens<'_> {
    fn of(&mut self, party: Address) -> Result<Writer, RunError> {
        let signer = self.authority.issue(&party.to_string()).map_err(unmade)?;
        let certificate = signer.certificate();
        self.trust.add(party, certificate.clone());
        self.certificates.push_str(&format!("{party}\n{}", certificate.pem()));
        let first = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1);
        let store = match &self.store {
            Some(folder) => {
                CounterStore::kept(folder.clone(), format!("the {} in migrations", party.role), first)
            }
            None => CounterStore::passing(first),
        };
        let (writer, told) = Writer::new(party, signer, &store, self.spoiler.clone()).map_err(unmade)?;
        self.told.extend(told);
        Ok(writer)
    }
}

pub(super) fn begin(ground: &Ground<'_>, authority: &Authority) -> Result<Migrating, RunError> {
    let stranger = authority.issue("a stranger to migrations").map_err(unmade)?;
    let spoiler = Spoiler::new(stranger);
    let folder = state_folder().map(|folder| folder.join("migration"));
    let numbers = folder.as_ref().map(|folder| folder.join("numbers"));
    let store = numbers.filter(|folder| std::fs::create_dir_all(folder).is_ok());
    let (trust, certificates, told) = (Trust::new(), String::new(), Vec::new());
    let mut pens = Pens { authority, store, spoiler: spoiler.clone(), trust, certificates, told };
    let addresses = Addresses::of(ground);
    let misdeclared = Misdeclared::default();
    let members = members(ground, &addresses, &misdeclared, &mut pens)?;
    let control = pens.of(addresses.control)?;
    let Pens { trust, certificates, told, .. } = pens;
    let tap = FileRecord::new(ground.book.clone(), addresses.control);
    let mut exchange = Exchange::new(control, Arc::new(trust), tap);
    for member in members {
        exchange.seat(member.address(), Box::new(member));
    }
    let installation = installation(ground.rig);
    let group = group(ground, installation)?;
    let journal = Journal::new(folder.map(|folder| folder.join("journal")));
    let roll = addresses.roll(installation);
    let patience = Patience { file: ground.lab.migration.limits.answer_within, ..Patience::default() };
    let control = Control::new(group, roll, exchange, journal, patience).map_err(unmade)?;
    let mut migrating = Migrating { control, installation, misdeclared, spoiler, book: ground.book.clone() };
    write_down(&mut migrating, &certificates, told)?;
    Ok(migrating)
}

fn unmade(error: impl std::fmt::Display) -> RunError {
    part("migration", error)
}

fn group(ground: &Ground<'_>, installation: Eui64) -> Result<Group, RunError> {
    let hub = installation.to_string().replace('-', "");
    let id = text::group(&format!("G-{hub}"));
    Group::new(id, kind(ground), [installation]).map_err(unmade)
}

fn kind(ground: &Ground<'_>) -> InstallationKind {
    checks::kind(ground.entry.installation_type)
}

fn members(
    ground: &Ground<'_>,
    at: &Addresses,
    misdeclared: &Misdeclared,
    pens: &mut Pens<'_>,
) -> Result<Vec<Member>, RunError> {
    let opening = || OpeningKey::generate().map_err(unmade);
    let (for_s1sp, for_dco) = (opening()?, opening()?);
    let to = SealedTo { s1sp: (at.s1sp, for_s1sp.sealing_key()), dco: (at.dco, for_dco.sealing_key()) };
    let (control, commissioning) = (at.control, at.commissioning);
    let dco_seal = (at.dco, for_dco.sealing_key());
    let dco = Dco::new(at.dco.id, (control, commissioning), (at.s1sp, for_s1sp.sealing_key()), for_dco);
    let s1sp = Arc::clone(&ground.stub.s1sp);
    let (links, book, asleep) = (ground.links.clone(), Some(ground.book.clone()), Asleep::LeftAlone);
    let contacts = Arc::new(AtDevices { s1sp, links, book, asleep });
    let smso = Arc::new(AloneSmso::new(ground));
    let s1sp = S1spParty::new(at.s1sp.id, (control, commissioning), for_s1sp, contacts, dco_seal);
    let correspondents = Correspondents { control, smso: at.smso, commissioning, s1sp: at.s1sp, dco: at.dco };
    let smso_name = text::shortened(&ground.entry.smso);
    let epcl = eligible(ground.lab, &[(ground.rig, ground.entry)]);
    let dsp = Arc::new(StubDsp::new(ground));
    let readers = vec![at.requesting, at.s1sp, at.dco];
    let mut parties: Vec<Box<dyn Party>> = vec![
        Box::new(RequestingParty::new(at.requesting.id, smso_name, correspondents)),
        Box::new(SmsoParty::new(at.smso.id, (control, at.requesting), to, smso, misdeclared.clone())),
        Box::new(s1sp),
        Box::new(dco),
        Box::new(CommissioningParty::new(commissioning.id, (control, at.s1sp), readers, epcl, dsp)),
    ];
    let operates = BTreeMap::from([(installation(ground.rig), kind(ground))]);
    for supplier in &at.suppliers {
        let readers = vec![control, at.requesting, commissioning];
        parties.push(Box::new(ResponsibleSupplier::new(supplier.id, readers, operates.clone())));
    }
    let mut members = Vec::new();
    for party in parties {
        let writer = pens.of(party.address())?;
        members.push(Member::new(party, writer));
    }
    Ok(members)
}

/// The certificates by which files can be checked, and what a reader of the run must know of the journal.
fn write_down(migrating: &mut Migrating, certificates: &str, told: Vec<String>) -> Result<(), RunError> {
    let book = &mut migrating.book;
    let blob = Some(book.keep(certificates.as_bytes())?);
    let what =
        "a key and a certificate for each party that signs migration files, made for this run".to_owned();
    book.write(Body::Prepared(Prepared { what, blob }))?;
    let mut told = told;
    if !migrating.control.is_durable() {
        told.push("the journal of migrations is kept in memory only: what this run leaves on the way is not found again".to_owned());
    }
    for what in told {
        migrating.book.write(Body::Note(Note { who: "migration control".to_owned(), what }))?;
    }
    migrating.tell()?;
    Ok(())
}
