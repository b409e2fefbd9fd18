//! Who takes part in the migrations of a batch, by which keys, and what each is given.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use lab_config::{Dcc, EpclEntry, Eui64, InstallationType, Lab, Rig};
use proto_duis::pki::Authority;
use proto_duis::{PartyKind, Signer, TrustStore};
use proto_lab::record::{Body, Prepared};
use proto_migration::{Address, OpeningKey, PartyRole, SealingKey, Trust};

use super::super::estate::{eligible, installation, operated, operating};
use super::super::keys::{Keys, StubSigners, part, pem, signer};
use super::super::migrating::{DCO, FileRecord, REQUESTING, SMSO};
use super::super::{Book, RunError};
use super::fleet::{self, Fleet};
use super::inventory::KeptInventory;
use super::outsiders::Outsiders;
use super::{Ground, PartyOrder, Planned, note, outsiders, plan};
use crate::execute::Ledger as _;
use crate::migration::checks;
use crate::migration::exchange::{Exchange, Loss, Member, Outside, Seat, Spoiler, Writer};
use crate::migration::party::Party;
use crate::migration::party::commissioning::CommissioningParty;
use crate::migration::party::dco::Dco;
use crate::migration::party::requesting::{Correspondents, RequestingParty};
use crate::migration::party::s1sp::S1spParty;
use crate::migration::party::smso::{Misdeclared, SealedTo, SmsoParty};
use crate::migration::party::supplier::ResponsibleSupplier;
use crate::migration::{Control, Group, Journal, Patience, Roll, text};
use crate::service_user::CounterStore;

/// The address of the party in a role, by the identity the lab file has for it, else the lab's own.
///
/// # Errors
/// [`RunError::Part`]: a supplier without an identity.
pub(super) fn address(lab: &Lab, role: PartyRole, written: Option<Eui64>) -> Result<Address, RunError> {
    let own = match role {
        PartyRole::MigrationControl | PartyRole::CommissioningParty | PartyRole::Dsp => {
            Some(lab.environment.access_control_broker)
        }
        PartyRole::RequestingParty => Some(REQUESTING),
        PartyRole::Smso => Some(SMSO),
        PartyRole::S1sp => Some(lab.environment.s1sp),
        PartyRole::Dco => Some(DCO),
        PartyRole::ResponsibleSupplier => None,
    };
    let missing =
        || part("migration", format!("[migration.party.{role}] has no id: say which supplier it is"));
    Ok(Address { role, id: written.or(own).ok_or_else(missing)? })
}

/// The addresses of everybody who is one of his role.
struct Addresses {
    control: Address,
    requesting: Address,
    smso: Address,
    s1sp: Address,
    dco: Address,
    commissioning: Address,
}

impl Addresses {
    fn of(lab: &Lab) -> Result<Self, RunError> {
        let at = |role| address(lab, role, lab.migration.party(role).and_then(|party| party.id));
        Ok(Self {
            control: at(PartyRole::MigrationControl)?,
            requesting: at(PartyRole::RequestingParty)?,
            smso: at(PartyRole::Smso)?,
            s1sp: at(PartyRole::S1sp)?,
            dco: at(PartyRole::Dco)?,
            commissioning: at(PartyRole::CommissioningParty)?,
        })
    }

    /// Whoever knows better who he is.
    fn put(&mut self, me: Address) {
        let of_role = [
            &mut self.control,
            &mut self.requesting,
            &mut self.smso,
            &mut self.s1sp,
            &mut self.dco,
            &mut self.commissioning,
        ];
        of_role.into_iter().filter(|address| address.role == me.role).for_each(|address| *address = me);
    }

    const fn all(&self) -> [Address; 6] {
        [self.control, self.requesting, self.smso, self.s1sp, self.dco, self.commissioning]
    }
}

/// A party that gets secrets: how they are sealed to it, and opened where it is inside.
struct Recipient {
    seal_to: SealingKey,
    opening: Option<OpeningKey>,
}

/// The keys of a batch's parties, made once for all its groups, save those the lab file names.
pub(super) struct Seals {
    at: Addresses,
    signers: BTreeMap<Address, Signer>,
    trust: Arc<Trust>,
    stranger: Signer,
    s1sp: Recipient,
    dco: Recipient,
    /// What the S1SP signs answers and alerts with.
    pub(super) s1sp_signer: Signer,
    /// Whose requests it would serve.
    pub(super) users: TrustStore,
    certificates: String,
}

impl Seals {
    /// Makes them.
    ///
    /// # Errors
    /// [`RunError::Part`].
    pub(super) fn make(lab: &Lab, groups: &[Planned], outsiders: &Outsiders) -> Result<Self, RunError> {
        let Dcc::Stub(interface) = &lab.dcc else {
            let reason =
                "the DCC of this lab is somebody else's: the harness migrates no installation into it";
            return Err(part("migration", reason));
        };
        let (keys, StubSigners { s1sp: s1sp_signer, .. }, authority) = Keys::with_stub(lab, interface)?;
        let at = Addresses::of(lab)?;
        let everybody = at.all().into_iter().chain(suppliers(lab, groups)?);
        let (mut signers, mut trust, mut certificates) = (BTreeMap::new(), Trust::new(), String::new());
        let mut believe = |party: Address, certificate: &proto_duis::Certificate| {
            certificates.push_str(&format!("{party}\n{}", certificate.pem()));
            trust.add(party, certificate.clone());
        };
        for (party, outsider) in outsiders.iter() {
            believe(party, &outsider.certificate);
        }
        for party in everybody.filter(|party| outsiders.get(*party).is_none()) {
            let signer = own_signer(lab, party, &authority)?;
            believe(party, signer.certificate());
            signers.insert(party, signer);
        }
        let recipient = |party| recipient(lab, party, outsiders);
        Ok(Self {
            s1sp: recipient(at.s1sp)?,
            dco: recipient(at.dco)?,
            at,
            signers,
            trust: Arc::new(trust),
            stranger: authority.issue("a stranger to migrations").map_err(unmade)?,
            s1sp_signer,
            users: keys.trust(&[PartyKind::User, PartyKind::Dsp]),
            certificates,
        })
    }

    /// Keeps the certificates in the evidence, and says where the doors are.
    ///
    /// # Errors
    /// [`RunError::Ledger`].
    pub(super) fn write_down(&self, book: &mut Book, outsiders: &Outsiders) -> Result<(), RunError> {
        let blob = Some(book.keep(self.certificates.as_bytes())?);
        let what = "the certificate of each party that signs migration files".to_owned();
        book.write(Body::Prepared(Prepared { what, blob }))?;
        for what in outsiders.told() {
            note(book, what.as_str())?;
        }
        Ok(())
    }

    fn pen(&self, party: Address, store: &CounterStore) -> Result<(Writer, Spoiler), RunError> {
        let signer = self.signers.get(&party).cloned();
        let signer = signer.ok_or_else(|| unmade(format!("there is no key of the {party}")))?;
        let spoiler = Spoiler::new(self.stranger.clone());
        let (writer, _) = Writer::new(party, signer, store, spoiler.clone()).map_err(unmade)?;
        Ok((writer, spoiler))
    }
}

fn unmade(error: impl std::fmt::Display) -> RunError {
    part("migration", error)
}

/// What a party inside signs with: what the lab file names, or a key made for this run.
fn own_signer(lab: &Lab, party: Address, authority: &Authority) -> Result<Signer, RunError> {
    let files = lab.migration.party(party.role).map(|party| &party.files);
    match files.and_then(|files| files.certificate.clone().zip(files.key.clone())) {
        Some((certificate, key)) => signer(&lab_config::ClientIdentity { certificate, key }),
        None => authority.issue(&party.to_string()).map_err(unmade),
    }
}

fn recipient(lab: &Lab, party: Address, outsiders: &Outsiders) -> Result<Recipient, RunError> {
    if let Some(outsider) = outsiders.get(party) {
        let missing = || {
            unmade(format!(
                "[migration.party.{}] has no seal-to: secrets for it cannot be sealed",
                party.role
            ))
        };
        return Ok(Recipient { seal_to: outsider.seal_to.clone().ok_or_else(missing)?, opening: None });
    }
    let kept = lab.migration.party(party.role).and_then(|party| party.files.opening_key.as_ref());
    let opening = match kept {
        Some(source) => OpeningKey::from_pem(&pem(source)?).map_err(unmade)?,
        None => OpeningKey::generate().map_err(unmade)?,
    };
    Ok(Recipient { seal_to: opening.sealing_key(), opening: Some(opening) })
}

/// The suppliers that operate a meter of an installation of these groups.
fn suppliers(lab: &Lab, groups: &[Planned]) -> Result<BTreeSet<Address>, RunError> {
    let mut all = BTreeSet::new();
    for group in groups {
        for (rig, entry) in rigs(lab, group)? {
            all.extend(operating(lab, (rig, entry)));
        }
    }
    Ok(all)
}

/// The rigs of a group, each with the entry it is migrated under.
///
/// # Errors
/// [`RunError::NoRig`], [`RunError::NoEntry`].
pub(super) fn rigs<'l>(lab: &'l Lab, group: &Planned) -> Result<Vec<(&'l Rig, &'l EpclEntry)>, RunError> {
    let one = |name: &String| {
        let rig = lab.rig(name).ok_or_else(|| RunError::NoRig(name.clone()))?;
        Ok((rig, plan::entry(lab, rig, Some(group.kind))?))
    };
    group.rigs.iter().map(one).collect()
}

/// Where the numbers of files are kept.
pub(super) fn numbers(state: Option<&Path>, party: Address) -> CounterStore {
    let first = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or(1);
    let folder = state.map(|state| state.join("migration").join("numbers"));
    match folder.filter(|folder| std::fs::create_dir_all(folder).is_ok()) {
        Some(folder) => CounterStore::kept(folder, format!("the {} in migrations", party.role), first),
        None => CounterStore::passing(first),
    }
}

/// Control of the migration of a group whose devices have been met.
///
/// # Errors
/// [`RunError::Part`] naming what could not be brought together.
pub(super) fn control(ground: &Ground, planned: &Planned, fleet: &Arc<Fleet>) -> Result<Control, RunError> {
    let (order, seals) = (&ground.order, &ground.seals);
    let state = order.state.as_deref();
    let met: BTreeSet<Eui64> = fleet.installations().collect();
    let all = rigs(&order.lab, planned)?;
    let here: Vec<_> = all.into_iter().filter(|(rig, _)| met.contains(&installation(rig))).collect();
    let operated = operated(&order.lab, &here);
    let (pen, _) = seals.pen(seals.at.control, &numbers(state, seals.at.control))?;
    let tap = FileRecord::new(ground.book.clone(), seals.at.control);
    let mut exchange = Exchange::new(pen, Arc::clone(&seals.trust), tap);
    let cast = Cast {
        lab: &order.lab,
        at: &seals.at,
        smso_name: &planned.smso,
        kind: planned.kind,
        rigs: &here,
        operated: &operated,
        fleet,
        inventory: &ground.inventory,
    };
    for party in cast.inside(seals, &ground.outsiders) {
        let (writer, _) = seals.pen(party.address(), &numbers(state, party.address()))?;
        let address = party.address();
        exchange.seat(address, mortal(order.lose, address, Box::new(Member::new(party, writer))));
    }
    for (address, outsider) in ground.outsiders.iter() {
        let seat = Outside::new(address, Arc::clone(&outsider.door));
        exchange.seat(address, mortal(order.lose, address, Box::new(seat)));
    }
    let group = Group::new(text::group(&planned.id), checks::kind(planned.kind), met).map_err(unmade)?;
    let journal = Journal::new(state.map(|state| state.join("migration").join("journal")));
    let Addresses { requesting, smso, s1sp, dco, commissioning, .. } = seals.at;
    let roll = Roll { requesting, smso, s1sp, dco, commissioning, suppliers: operated };
    let sleepers = fleet::sleepers(here.iter().map(|(rig, _)| *rig));
    let patience =
        Patience { file: order.lab.migration.limits.answer_within, sleepers, ..Patience::default() };
    Control::new(group, roll, exchange, journal, patience).map_err(unmade)
}

/// A seat at the exchange, of a party that is lost where the order says so.
fn mortal(lose: Option<Loss>, address: Address, seat: Box<dyn Seat>) -> Box<dyn Seat> {
    match lose {
        Some(loss) => loss.seat(address, seat),
        None => seat,
    }
}

/// What the parties of a group are made from.
struct Cast<'a> {
    lab: &'a Lab,
    at: &'a Addresses,
    smso_name: &'a str,
    kind: InstallationType,
    rigs: &'a [(&'a Rig, &'a EpclEntry)],
    operated: &'a BTreeMap<Eui64, Vec<Address>>,
    fleet: &'a Arc<Fleet>,
    inventory: &'a Arc<KeptInventory>,
}

impl Cast<'_> {
    fn dco(&self, opening: &OpeningKey, s1sp: SealingKey) -> Dco {
        let with = (self.at.control, self.at.commissioning);
        Dco::new(self.at.dco.id, with, (self.at.s1sp, s1sp), opening.clone())
    }

    fn s1sp(&self, opening: &OpeningKey, dco: SealingKey) -> S1spParty {
        let with = (self.at.control, self.at.commissioning);
        let contacts = Arc::<Fleet>::clone(self.fleet);
        S1spParty::new(self.at.s1sp.id, with, opening.clone(), contacts, (self.at.dco, dco))
    }

    fn smso(&self, s1sp: SealingKey, dco: SealingKey) -> SmsoParty {
        let to = SealedTo { s1sp: (self.at.s1sp, s1sp), dco: (self.at.dco, dco) };
        let with = (self.at.control, self.at.requesting);
        let devices = Arc::<Fleet>::clone(self.fleet);
        SmsoParty::new(self.at.smso.id, with, to, devices, Misdeclared::default())
    }

    fn requesting(&self) -> RequestingParty {
        let Addresses { control, requesting, smso, s1sp, dco, commissioning } = *self.at;
        let with = Correspondents { control, smso, commissioning, s1sp, dco };
        RequestingParty::new(requesting.id, text::shortened(self.smso_name), with)
    }

    fn commissioning(&self) -> CommissioningParty {
        let Addresses { control, requesting, s1sp, dco, commissioning, .. } = *self.at;
        let dsp = Arc::<KeptInventory>::clone(self.inventory);
        let (readers, epcl) = (vec![requesting, s1sp, dco], eligible(self.lab, self.rigs));
        CommissioningParty::new(commissioning.id, (control, s1sp), readers, epcl, dsp)
    }

    fn supplier(&self, supplier: Address) -> ResponsibleSupplier {
        let Addresses { control, requesting, commissioning, .. } = *self.at;
        let kind = checks::kind(self.kind);
        let by = self.operated.iter().filter(|(_, by)| by.contains(&supplier));
        let operates = by.map(|(id, _)| (*id, kind)).collect();
        ResponsibleSupplier::new(supplier.id, vec![control, requesting, commissioning], operates)
    }

    /// Everybody who is inside.
    fn inside(&self, seals: &Seals, outsiders: &Outsiders) -> Vec<Box<dyn Party>> {
        let mut all: Vec<Box<dyn Party>> = vec![
            Box::new(self.requesting()),
            Box::new(self.smso(seals.s1sp.seal_to.clone(), seals.dco.seal_to.clone())),
            Box::new(self.commissioning()),
        ];
        if let Some(opening) = &seals.dco.opening {
            all.push(Box::new(self.dco(opening, seals.s1sp.seal_to.clone())));
        }
        if let Some(opening) = &seals.s1sp.opening {
            all.push(Box::new(self.s1sp(opening, seals.dco.seal_to.clone())));
        }
        let suppliers: BTreeSet<Address> = self.operated.values().flatten().copied().collect();
        all.extend(suppliers.into_iter().map(|id| Box::new(self.supplier(id)) as Box<dyn Party>));
        all.retain(|party| outsiders.get(party.address()).is_none());
        all
    }
}

/// One party by itself, for all the rigs of the lab, and whatever must be kept as long as it lives.
///
/// # Errors
/// [`RunError`]: what it needs of the lab, or of the devices, cannot be had.
pub(super) async fn alone(order: &PartyOrder, me: Address, state: &Path) -> Result<Box<dyn Party>, RunError> {
    let (lab, mut at) = (&order.lab, Addresses::of(&order.lab)?);
    at.put(me);
    let entry = |rig| Ok::<_, RunError>((rig, plan::entry(lab, rig, order.kind)?));
    let rigs = lab.rigs.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let (_, first) = *rigs.first().ok_or_else(|| unmade("the lab file describes no rig"))?;
    let operated = operated(lab, &rigs);
    let fleet = match me.role {
        PartyRole::Smso | PartyRole::S1sp => Fleet::for_party(order, state, &rigs).await?,
        _ => Fleet::default(),
    };
    let inventory = KeptInventory::open(lab, Some(state)).map_err(unmade)?;
    let (kind, smso_name) = (first.installation_type, first.smso.as_str());
    let (fleet, inventory) = (Arc::new(fleet), Arc::new(inventory));
    let cast = Cast {
        lab,
        at: &at,
        smso_name,
        kind,
        rigs: &rigs,
        operated: &operated,
        fleet: &fleet,
        inventory: &inventory,
    };
    Ok(match me.role {
        PartyRole::RequestingParty => Box::new(cast.requesting()),
        PartyRole::CommissioningParty => Box::new(cast.commissioning()),
        PartyRole::ResponsibleSupplier => Box::new(cast.supplier(me)),
        PartyRole::Dco => Box::new(cast.dco(&order.opening()?, sealed_to(lab, at.s1sp)?)),
        PartyRole::S1sp => Box::new(cast.s1sp(&order.opening()?, sealed_to(lab, at.dco)?)),
        PartyRole::Smso => Box::new(cast.smso(sealed_to(lab, at.s1sp)?, sealed_to(lab, at.dco)?)),
        role @ (PartyRole::MigrationControl | PartyRole::Dsp) => {
            return Err(unmade(format!("the {role} is no party that runs by itself")));
        }
    })
}

/// What secrets for this party are sealed to, as the lab file has it: its public key, or that of its opening key.
fn sealed_to(lab: &Lab, party: Address) -> Result<SealingKey, RunError> {
    let files = lab.migration.party(party.role).map(|party| &party.files);
    let missing =
        || unmade(format!("the lab file says not what secrets for the {} are sealed to", party.role));
    let files = files.ok_or_else(missing)?;
    match (&files.seal_to, &files.opening_key) {
        (Some(file), _) => outsiders::sealing_key(file),
        (None, Some(source)) => Ok(OpeningKey::from_pem(&pem(source)?).map_err(unmade)?.sealing_key()),
        (None, None) => Err(missing()),
    }
}
