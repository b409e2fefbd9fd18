//! Who may control a device: SMETS1 meters know no certificates, so the S1SP holds them in their place.
//!
//! For each device it holds the certificates of a supplier and of a network operator, and the counters that each has used.
//! A critical request is done only for a party whose credentials are held; alerts go to the suppliers that are. A device
//! migrated dormant is the DCC's until a supplier takes it over by 6.21, or by 6.23; a supplier renews its own credentials by
//! 6.15.1, and reads whose are held by 6.24.1. New certificates must lead to a root the S1SP knows, be for their purpose and
//! name whoever asks ([`certificates`]).
//!
//! What is held lives as long as the S1SP, which is as long as a run: a lab's installations are migrated anew in each, and
//! its users have new keys in each. It is kept nowhere else. Requests are checked against the party, not against which of
//! its certificates signed: whose key a signature is of is checked before, at the door of the S1SP.

mod certificates;
mod held;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use lab_config::{DeviceKind, Eui64};
use proto_duis::body::{AlertCodes as _, NetworkOperatorEsmeCommon, NetworkOperatorEsmeSinglePhase};
use proto_duis::mmc::build::{self, CertificateUse, Fuel, HeldCredentials, ReplacementMode, Replacing};
use proto_duis::{
    AlertCode, Certificate, MmcBody, Party, PartyKind, RemotePartyRole, Request, RequestBody,
    RetrieveSecurityCredentials, Srv, TrustStore,
};

use proto_migration::Holder;

use super::refusal::Refusal;
use certificates::Asked;
use held::Held;

/// The parties of an installation, by fuel. There are several where a User System outside the harness acts beside the lab's
/// own users.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartiesByFuel {
    /// Of electricity, and of the hub.
    pub electricity: Vec<Eui64>,
    /// Of gas.
    pub gas: Vec<Eui64>,
}

impl PartiesByFuel {
    fn of(&self, fuel: Fuel) -> &[Eui64] {
        match fuel {
            Fuel::Electricity => &self.electricity,
            Fuel::Gas => &self.gas,
        }
    }
}

/// The credentials held for the devices of an installation.
#[derive(Debug)]
pub(super) struct CredentialStore {
    devices: BTreeMap<Eui64, Device>,
    suppliers: PartiesByFuel,
    /// The certificates that the S1SP knows its users by.
    known: BTreeMap<Eui64, Certificate>,
    dcc: Option<Eui64>,
    /// The roots that new certificates must lead to.
    anchors: Vec<Certificate>,
}

#[derive(Debug)]
struct Device {
    fuel: Fuel,
    supplier: Vec<Held>,
    network_operator: Vec<Held>,
}

/// What a request replaces.
struct Change<'a> {
    role: RemotePartyRole,
    mode: Option<ReplacementMode>,
    floors: (Option<u64>, Option<u64>),
    asked: Asked<'a>,
}

impl CredentialStore {
    /// Holds the credentials of these parties for the devices.
    pub(super) fn new(
        devices: impl IntoIterator<Item = (Eui64, DeviceKind)>,
        (suppliers, operators): (PartiesByFuel, &PartiesByFuel),
        trust: &TrustStore,
        anchors: Vec<Certificate>,
    ) -> CredentialStore {
        let certificate = |(party, found): (&Party, &Certificate)| (party.id, found.clone());
        let known: BTreeMap<Eui64, Certificate> = trust.iter().map(certificate).collect();
        let dcc = trust.iter().find(|(party, _)| party.kind == PartyKind::Dsp).map(|(party, _)| party.id);
        let hold = |parties: &[Eui64]| parties.iter().map(|party| Held::of(*party, &known)).collect();
        let device = |(id, kind)| {
            let fuel = Fuel::of(kind);
            let (supplier, network_operator) = (hold(suppliers.of(fuel)), hold(operators.of(fuel)));
            (id, Device { fuel, supplier, network_operator })
        };
        let devices = devices.into_iter().map(device).collect();
        CredentialStore { devices, suppliers, known, dcc, anchors }
    }

    /// The installation was migrated dormant: the DCC's credentials stand where a supplier's would.
    pub(super) fn hold_for_the_dcc(&mut self) {
        for device in self.devices.values_mut() {
            device.supplier = self.dcc.iter().map(|dcc| Held::of(*dcc, &self.known)).collect();
        }
    }

    /// The installation is migrated, and these hold its meters and what goes with each: the other devices of its fuel.
    pub(super) fn hold(&mut self, holders: &[(Eui64, Holder)]) {
        for (meter, holder) in holders {
            let Some(fuel) = self.devices.get(meter).map(|device| device.fuel) else { continue };
            let party = match holder {
                Holder::Dcc => self.dcc,
                Holder::Supplier(supplier) => Some(*supplier),
            };
            for device in self.devices.values_mut().filter(|device| device.fuel == fuel) {
                device.supplier = party.iter().map(|party| Held::of(*party, &self.known)).collect();
            }
        }
    }

    /// The suppliers registered for each device have it, as after a handover.
    pub(super) fn suppliers_take_over(&mut self) {
        for device in self.devices.values_mut() {
            let suppliers = self.suppliers.of(device.fuel).iter();
            device.supplier = suppliers.map(|party| Held::of(*party, &self.known)).collect();
        }
    }

    /// To whom a device's alert of this code goes: to the operator of the electricity network what 6.22 lets it set, where
    /// there is one; to the supplier everything else.
    pub(super) fn addressees(&self, device: Eui64, code: AlertCode) -> Vec<Eui64> {
        let Some(device) = self.devices.get(&device) else { return Vec::new() };
        let networks = [NetworkOperatorEsmeCommon::CODES, NetworkOperatorEsmeSinglePhase::CODES];
        let to_network = device.fuel == Fuel::Electricity
            && !device.network_operator.is_empty()
            && networks.iter().any(|codes| codes.contains(&code));
        let holders = if to_network { &device.network_operator } else { &device.supplier };
        holders.iter().map(|held| held.party).collect()
    }

    /// Whether the party is a supplier here: registered, or one that took a device over.
    pub(super) fn is_supplier(&self, party: Eui64) -> bool {
        let mut registered = self.suppliers.electricity.iter().chain(&self.suppliers.gas);
        let mut holders = self.devices.values().flat_map(|device| &device.supplier);
        registered.any(|supplier| *supplier == party) || holders.any(|held| held.party == party)
    }

    /// Lets a request through, or not: a critical one is for the party whose credentials are held, with a counter it has not
    /// used.
    pub(super) fn admit(&mut self, request: &Request) -> Result<(), Refusal> {
        if !request.srv().is_critical() {
            return Ok(());
        }
        let role = match &request.body {
            RequestBody::UpdateSecurityCredentialsKRP(update) => update.role,
            _ => RemotePartyRole::Supplier,
        };
        let (device, user) = (request.id.target, request.id.originator);
        let holders = self.holders(device, role)?;
        let names = names(holders);
        let held = holders.iter_mut().find(|held| held.party == user);
        let held = held.ok_or_else(|| {
            let whose = format!("the {role} credentials held for {device} are those of {names}");
            Refusal::NotHeld(format!("{whose}, not of {user}"))
        })?;
        held.use_counter(request.id.counter).map_err(Refusal::NotHeld)
    }

    fn holders(&mut self, device: Eui64, role: RemotePartyRole) -> Result<&mut Vec<Held>, Refusal> {
        let unknown = || Refusal::NotHeld(format!("no credentials are held for {device}"));
        let held = self.devices.get_mut(&device).ok_or_else(unknown)?;
        match role {
            RemotePartyRole::Supplier => Ok(&mut held.supplier),
            RemotePartyRole::NetworkOperator => Ok(&mut held.network_operator),
            other => {
                let words =
                    format!("the S1SP holds credentials of Supplier and NetworkOperator, not of {other}");
                Err(Refusal::NotExpressible(words))
            }
        }
    }

    /// What 6.15.1, 6.21, 6.23 and 6.24.1 ask; none if the request is another.
    pub(super) fn carry_out(
        &mut self,
        request: &Request,
        now: Timestamp,
    ) -> Option<Result<MmcBody, Refusal>> {
        let change = match &request.body {
            RequestBody::UpdateSecurityCredentialsKRP(update) => Change {
                role: update.role,
                mode: Some(match update.role {
                    RemotePartyRole::NetworkOperator => ReplacementMode::NetworkOperatorByNetworkOperator,
                    _ => ReplacementMode::SupplierBySupplier,
                }),
                floors: (update.floor.map(|floor| floor.get()), update.top_up_floor.map(|floor| floor.get())),
                asked: Asked::renewed(&update.replacements.certificates, &update.path, update.check_times),
            },
            RequestBody::RequestHandoverOfDCCControlledDevice(handover) => Change {
                role: handover.role,
                mode: None,
                floors: (
                    handover.floor.map(|floor| floor.get()),
                    handover.top_up_floor.map(|floor| floor.get()),
                ),
                asked: Asked::new(&handover.replacements, &handover.path, handover.check_times),
            },
            RequestBody::UpdateSecurityCredentialsCoS(change) => Change {
                role: RemotePartyRole::Supplier,
                mode: Some(ReplacementMode::SupplierByTransCos),
                floors: (Some(change.floor.get()), change.top_up_floor.map(|floor| floor.get())),
                asked: Asked::new(&change.replacements, &change.path, change.check_times),
            },
            RequestBody::RetrieveDeviceSecurityCredentialsKRP(read) => return Some(self.read(request, read)),
            _ => return None,
        };
        Some(self.replace(request, &change, now))
    }

    fn replace(
        &mut self,
        request: &Request,
        change: &Change<'_>,
        now: Timestamp,
    ) -> Result<MmcBody, Refusal> {
        let (srv, id) = (request.srv(), request.id);
        let dcc = self.dcc;
        let checked = change.asked.checked(id.originator, &self.anchors, now)?;
        let known = Held::of(id.originator, &self.known);
        let holders = self.holders(id.target, change.role)?;
        if srv == Srv::RequestHandoverOfDCCControlledDevice {
            controlled_by_the_dcc(holders, dcc, id.target)?;
        }
        let before = holders.iter().position(|held| held.party == id.originator);
        let replaced = before.or_else(|| (!holders.is_empty()).then_some(0));
        let existing = replaced.and_then(|at| holders.get(at)).cloned();
        // Who renews its own keeps what it does not replace; who takes a device over begins anew.
        let mut held = match before {
            Some(_) => existing.clone().unwrap_or(known),
            None => Held::new(id.originator),
        };
        let outcomes = held.replace(change.role, existing.as_ref(), checked);
        held.set_floors(change.floors);
        match (before, srv) {
            // Others beside it keep theirs.
            (Some(at), Srv::UpdateSecurityCredentialsKRP) => {
                holders.get_mut(at).into_iter().for_each(|place| *place = held.clone());
            }
            _ => *holders = vec![held],
        }
        let Change { role, mode, floors, .. } = *change;
        let how = Replacing { counter: id.counter, mode, role, floors };
        Ok(build::credentials_replaced(srv, how, &outcomes)?)
    }

    /// 6.24.1: of each party that is asked for, every certificate held, or that none is.
    fn read(&mut self, request: &Request, read: &RetrieveSecurityCredentials) -> Result<MmcBody, Refusal> {
        let mut all = Vec::new();
        for role in read.roles.as_slice() {
            let found: Vec<HeldCredentials> = match role {
                RemotePartyRole::Acb => {
                    let dcc = self.dcc.map(|dcc| Held::of(dcc, &self.known));
                    dcc.iter().flat_map(|held| held.shown(*role)).collect()
                }
                _ => match self.holders(request.id.target, *role) {
                    Ok(holders) => holders.iter().flat_map(|held| held.shown(*role)).collect(),
                    Err(Refusal::NotExpressible(_)) => Vec::new(),
                    Err(refusal) => return Err(refusal),
                },
            };
            match found.is_empty() {
                true => all.push(HeldCredentials { role: *role, held: None }),
                false => all.extend(found),
            }
        }
        Ok(build::credentials(&all)?)
    }
}

fn names(holders: &[Held]) -> String {
    match holders {
        [] => "nobody".to_owned(),
        _ => holders.iter().map(|held| held.party.to_string()).collect::<Vec<_>>().join(", "),
    }
}

fn controlled_by_the_dcc(holders: &[Held], dcc: Option<Eui64>, device: Eui64) -> Result<(), Refusal> {
    if dcc.is_some() && holders.iter().all(|held| Some(held.party) == dcc) && !holders.is_empty() {
        return Ok(());
    }
    let words = format!("{device} is not controlled by the DCC: {} has it", names(holders));
    Err(Refusal::NotHeld(words))
}

/// The uses a supplier's or network operator's certificates have.
const USES: [CertificateUse; 3] =
    [CertificateUse::DigitalSigning, CertificateUse::KeyAgreement, CertificateUse::KeyAgreementTopUp];
