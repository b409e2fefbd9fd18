//! The operations that lead an installation from its SMSO to the DCC.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{Address, Arrived, Body, FileKind, InstallationKind, Step};

use super::{Control, Found, Given, findings, unsaid};
use crate::migration::Finding;
use crate::migration::exchange::{Failure, Wanted};
use crate::migration::party::supplier::authorisation;
use crate::migration::stage::Event;

impl Control {
    /// Asks for every authorisation that is needed, and then the Requesting Party for the installations.
    pub(super) async fn authorise(&mut self, able: &[Eui64], now: Timestamp) -> Result<String, Failure> {
        let given = self.authorisations(able, now).await?;
        let installations: Vec<_> =
            able.iter().map(|id| (*id, given.get(id).cloned().unwrap_or_default())).collect();
        let demand = self.send(Body::Demand { installations }, &[self.roll.requesting], now).await?;
        let response = self.expect(FileKind::Response, self.roll.requesting, Some(&demand)).await?;
        let found = match &response.file.body {
            Body::Response { installations } => findings(installations),
            _ => BTreeMap::new(),
        };
        let events =
            |id: Eui64| Event::Authorised { authorisations: given.get(&id).cloned().unwrap_or_default() };
        let names = |id: Eui64| {
            let names = given.get(&id).into_iter().flatten().map(|id| id.as_str().to_owned());
            format!("authorised by {}", names.collect::<Vec<_>>().join(" and "))
        };
        self.go_on(able, found, self.roll.requesting, |id, _| (events(id), names(id)), now).await
    }

    /// What is dormant the DCC lets migrate, what a supplier operates that supplier.
    async fn authorisations(&mut self, able: &[Eui64], now: Timestamp) -> Result<Given, Failure> {
        let mut given = Given::new();
        let control = self.exchange.control();
        if self.kind() != InstallationKind::Active {
            for id in able {
                let body = authorisation(control.id, *id, self.kind(), now)
                    .map_err(|refused| Failure::refused(control, refused, None))?;
                let readers = [self.roll.requesting, self.roll.commissioning];
                let file = self.send(body, &readers, now).await?;
                note(&mut given, &file);
            }
        }
        let mut asked: BTreeMap<Address, Vec<Eui64>> = BTreeMap::new();
        for (id, suppliers) in self.roll.suppliers.iter().filter(|(id, _)| able.contains(id)) {
            suppliers.iter().for_each(|supplier| asked.entry(*supplier).or_default().push(*id));
        }
        for (supplier, installations) in asked {
            let wanted = installations.len();
            let installations = installations.into_iter().map(|id| (id, Vec::new())).collect();
            self.send(Body::Demand { installations }, &[supplier], now).await?;
            for _ in 0..wanted {
                let file = self.expect(FileKind::Authorisation, supplier, None).await?;
                self.pass(&file, &[self.roll.requesting, self.roll.commissioning], now).await?;
                note(&mut given, &file);
            }
        }
        Ok(given)
    }

    /// Has the SMSO bring the devices to the firmware and configuration of their entry.
    pub(super) async fn prepare(&mut self, able: &[Eui64], now: Timestamp) -> Result<String, Failure> {
        let (smso, patience) = (self.roll.smso, self.for_devices(able));
        let demand = self.send_within(self.demand(able), &[smso], now, patience).await?;
        let (_, found) = self.results(Step::Preparation, smso, &demand, patience).await?;
        self.go_on(able, found, smso, |_, said| (Event::Prepared, said), now).await
    }

    fn demand(&self, able: &[Eui64]) -> Body {
        let under = |id: Eui64| {
            let standing = self.group.member(id).and_then(|member| member.stage().standing());
            standing.map(|standing| standing.authorisations.clone()).unwrap_or_default()
        };
        Body::Demand { installations: able.iter().map(|id| (*id, under(*id))).collect() }
    }

    /// Has the files of the group put together and checked. What came of it is kept back from those who would act on it.
    pub(super) async fn validate(&mut self, able: &[Eui64], now: Timestamp) -> Result<String, Failure> {
        let roll = self.roll.clone();
        let everybody = [roll.commissioning, roll.s1sp, roll.dco, roll.requesting];
        let demand = self.send(self.demand(able), &everybody, now).await?;
        let asked = self.expect(FileKind::Demand, roll.requesting, None).await?;
        self.pass(&asked, &[roll.smso], now).await?;
        let estate = self.expect(FileKind::Estate, roll.smso, Some(&asked)).await?;
        self.pass(&estate, &[roll.requesting], now).await?;
        // It follows the demand of this attempt: one that comes late, of an attempt before, is nobody's answer any more.
        let common = self.expect(FileKind::Common, roll.requesting, Some(&demand)).await?;
        let group = self.expect(FileKind::Group, roll.requesting, Some(&common)).await?;
        self.pass(&common, &[roll.s1sp, roll.dco], now).await?;
        self.pass(&group, &[roll.s1sp, roll.dco], now).await?;
        self.pass(&common, &[roll.commissioning], now).await?;
        let (validation, found) =
            self.results(Step::DataValidation, roll.commissioning, &common, self.patience.file).await?;
        self.validations.retain(|earlier| !names_any(earlier, able));
        self.validations.push(validation);
        self.go_on(able, found, roll.commissioning, |_, said| (Event::Validated, said), now).await
    }

    /// Releases the validation: both halves of dual control look whether they have what they need, and the S1SP then talks
    /// to every device and changes its keys.
    pub(super) async fn contact(&mut self, able: &[Eui64], now: Timestamp) -> Result<String, Failure> {
        let mut said = Vec::new();
        let mut validations = std::mem::take(&mut self.validations);
        validations.retain(|validation| names_any(validation, able));
        for validation in validations {
            said.push(self.contact_under(&validation, able, now).await?);
        }
        Ok(said.join("; "))
    }

    async fn contact_under(
        &mut self,
        validation: &Arrived,
        able: &[Eui64],
        now: Timestamp,
    ) -> Result<String, Failure> {
        let Body::Results { installations, .. } = &validation.file.body else { return Ok(String::new()) };
        let these: Vec<Eui64> =
            installations.iter().map(|result| result.installation).filter(|id| able.contains(id)).collect();
        let (dco, s1sp) = (self.roll.dco, self.roll.s1sp);
        self.pass(validation, &[dco, s1sp], now).await?;
        let (released, by_dco) = self.results(Step::Viability, dco, validation, self.patience.file).await?;
        let (_, by_s1sp) = self.results(Step::Viability, s1sp, validation, self.patience.file).await?;
        let (mut viable, mut said) = (Vec::new(), Vec::new());
        let mut refused = BTreeMap::new();
        for id in these {
            match both(by_s1sp.get(&id), s1sp).and_then(|()| both(by_dco.get(&id), dco)) {
                Ok(()) => viable.push(id),
                Err(finding) => drop(refused.insert(id, finding)),
            }
        }
        // Before it begins: whoever stops waiting half way leaves some devices with new keys, and a rollback must know.
        // What cannot be written down stops all of them: the S1SP would contact it with the others.
        for id in &viable {
            let control = self.exchange.control();
            let begun = self.about_to(*id, Event::ContactBegins, now);
            begun.map_err(|finding| Failure { by: control, finding, file: None })?;
        }
        if !refused.is_empty() {
            said.push(self.end(refused, now).await);
        }
        if !viable.is_empty() {
            said.push(self.contacted(&released, &viable, now).await?);
        }
        Ok(said.join("; "))
    }

    async fn contacted(
        &mut self,
        released: &Arrived,
        viable: &[Eui64],
        now: Timestamp,
    ) -> Result<String, Failure> {
        // A gas meter that sleeps may be waited for.
        let patience = self.for_devices(viable).saturating_add(self.patience.sleepers);
        let s1sp = self.roll.s1sp;
        self.pass(released, &[self.roll.commissioning], now).await?;
        self.exchange.hand(released, s1sp, now, patience).await?;
        self.wrapped(released, now, patience).await?;
        let (contact, mut found) = self.results(Step::DeviceContact, s1sp, released, patience).await?;
        self.pass(&contact, &[self.roll.commissioning], now).await?;
        let without: BTreeMap<Eui64, Vec<Eui64>> = found
            .iter_mut()
            .filter_map(|(id, found)| Some((*id, std::mem::take(&mut found.as_mut().ok()?.1))))
            .collect();
        let event = |id: Eui64| Event::Contacted { without: without.get(&id).cloned().unwrap_or_default() };
        self.go_on(viable, found, s1sp, |id, said| (event(id), said), now).await
    }

    /// Where the S1SP asks the DCO for wrapped keys before it contacts any device, has them wrapped.
    async fn wrapped(
        &mut self,
        released: &Arrived,
        now: Timestamp,
        patience: Duration,
    ) -> Result<(), Failure> {
        let (s1sp, dco, follows) = (self.roll.s1sp, self.roll.dco, Some(released.digest));
        let request = Wanted { from: s1sp, kind: FileKind::KeyWrapRequest, step: None, follows };
        let contact = Wanted { kind: FileKind::Results, step: Some(Step::DeviceContact), ..request };
        let first = self.exchange.come(&[request, contact], patience).await?;
        if first != 0 {
            return Ok(());
        }
        let request = self.exchange.expect(request, patience).await?;
        self.pass(&request, &[dco], now).await?;
        let wrapped = self.expect(FileKind::WrappedKeys, dco, Some(&request)).await?;
        self.exchange.hand(&wrapped, s1sp, now, patience).await
    }

    /// Has what the S1SP has put into the inventory.
    pub(super) async fn commission(&mut self, able: &[Eui64], now: Timestamp) -> Result<String, Failure> {
        let (s1sp, commissioning) = (self.roll.s1sp, self.roll.commissioning);
        let (mut ready, mut refused) = (Vec::new(), BTreeMap::new());
        for id in able {
            match self.about_to(*id, Event::CommissioningBegins, now) {
                Ok(()) => ready.push(*id),
                Err(finding) => drop(refused.insert(*id, finding)),
            }
        }
        let mut said = Vec::new();
        if !refused.is_empty() {
            said.push(self.end(refused, now).await);
        }
        self.send(self.demand(&ready), &[s1sp], now).await?;
        let set = self.expect(FileKind::RequiredFileSet, s1sp, None).await?;
        let joining = self.expect(FileKind::Commissioning, s1sp, Some(&set)).await?;
        self.pass(&set, &[commissioning], now).await?;
        self.pass(&joining, &[commissioning], now).await?;
        let (results, found) =
            self.results(Step::Commissioning, commissioning, &joining, self.patience.file).await?;
        said.push(
            self.go_on(&ready, found, commissioning, |_, said| (Event::Commissioned, said), now).await?,
        );
        self.pass(&results, &[s1sp], now).await?;
        self.tell_outcomes(now).await;
        Ok(said.join("; "))
    }

    /// Moves every installation on that may go on, and ends the attempts of the others.
    async fn go_on(
        &mut self,
        able: &[Eui64],
        mut found: BTreeMap<Eui64, Found>,
        by: Address,
        event: impl Fn(Eui64, String) -> (Event, String),
        now: Timestamp,
    ) -> Result<String, Failure> {
        let (mut said, mut ended) = (Vec::new(), BTreeMap::new());
        for id in able {
            match found.remove(id).unwrap_or_else(|| Err(unsaid(by))) {
                Ok((words, _)) => {
                    let (event, words) = event(*id, words);
                    self.apply(*id, event, now);
                    said.push(words);
                }
                Err(finding) => drop(ended.insert(*id, finding)),
            }
        }
        if !ended.is_empty() {
            said.push(self.end(ended, now).await);
        }
        Ok(said.join("; "))
    }
}

/// Whether results are of any of these.
fn names_any(results: &Arrived, able: &[Eui64]) -> bool {
    match &results.file.body {
        Body::Results { installations, .. } => installations.iter().any(|r| able.contains(&r.installation)),
        _ => false,
    }
}

fn note(given: &mut Given, file: &Arrived) {
    if let Body::Authorisation { authorisation, installation, .. } = &file.file.body {
        given.entry(*installation).or_default().push(authorisation.clone());
    }
}

/// One half of dual control agrees.
fn both(found: Option<&Found>, by: Address) -> Result<(), Finding> {
    match found {
        Some(Ok(_)) => Ok(()),
        Some(Err(finding)) => Err(finding.clone()),
        None => Err(unsaid(by)),
    }
}
