//! The way back: from every stage to the SMSO, with the keys it had.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{Address, Body, InstallationResult, Step};

use super::{Control, Found, refused, unsaid};
use crate::migration::exchange::Failure;
use crate::migration::party::Refused;
use crate::migration::stage::{Contact, Event, InControl, Installation, Stage};
use crate::migration::{Code, Finding};

impl Control {
    /// Somebody asks for it. Where the SMSO never lost control there is nothing to undo, and that is said.
    pub(super) async fn roll_back_asked(&mut self, able: &[Eui64], now: Timestamp) -> String {
        let asked: Finding = Refused::new(Code::AskedFor, "asked for by the script").into();
        words(self.take_back(able, &asked, now).await)
    }

    /// Takes these of the group back to their SMSO, and leaves the others where they are. What went on is said in words.
    pub async fn bring_back(&mut self, these: &[Eui64], why: &Finding, now: Timestamp) -> String {
        self.exchange.begin();
        words(self.take_back(these, why, now).await)
    }

    async fn take_back(&mut self, able: &[Eui64], why: &Finding, now: Timestamp) -> Vec<Said> {
        let (mut said, mut touched) = (Vec::new(), BTreeMap::new());
        for id in able {
            match self.group.member(*id).map(Installation::stage) {
                Some(Stage::UnderS1spControl(_, Contact::Leaving(finding))) => {
                    touched.insert(*id, finding.clone());
                }
                Some(stage) if stage.in_control() != InControl::Smso => {
                    drop(touched.insert(*id, why.clone()))
                }
                Some(Stage::Excluded(finding)) => {
                    said.push((*id, format!("{id} stays excluded, {finding}")));
                }
                _ => {
                    self.apply(*id, Event::NothingToUndo(why.clone()), now);
                    said.push((*id, format!("rolled back ({}): nothing to undo", why.reason)));
                }
            }
        }
        if !touched.is_empty() {
            said.extend(self.roll_back(touched, now).await);
        }
        self.tell_outcomes(now).await;
        said
    }

    /// Takes these back: out of the inventory, the old keys into the devices, and the SMSO shows that it reaches them.
    ///
    /// What could not be undone leaves the stage where it is stuck: saying "rolled back" then would be a lie, and another
    /// rollback goes on from there.
    pub(super) async fn roll_back(&mut self, leaving: BTreeMap<Eui64, Finding>, now: Timestamp) -> Vec<Said> {
        let (mut installations, mut said) = (Vec::new(), Vec::new());
        for (id, finding) in &leaving {
            match self.about_to(*id, Event::RollbackBegins(finding.clone()), now) {
                Ok(()) => {
                    installations.push(InstallationResult { installation: *id, ruling: refused(finding) });
                }
                Err(stuck) => said.push((*id, stuck_words(*id, finding, &stuck))),
            }
        }
        if installations.is_empty() {
            return said;
        }
        let ids: Vec<Eui64> = installations.iter().map(|left| left.installation).collect();
        let undone = self.undo(installations, &ids, now).await;
        for id in ids {
            let finding = &leaving[&id];
            match undone.get(&id) {
                Some(Ok(done)) => {
                    self.apply(id, Event::RolledBack, now);
                    said.push((id, format!("rolled back ({finding}): {}", done.join("; "))));
                }
                Some(Err(stuck)) => said.push((id, stuck_words(id, finding, stuck))),
                None => said.push((id, stuck_words(id, finding, &unsaid(self.roll.smso)))),
            }
        }
        said
    }

    /// Party after party; what one cannot undo stops that installation, and the next party is not asked for it.
    async fn undo(
        &mut self,
        installations: Vec<InstallationResult>,
        ids: &[Eui64],
        now: Timestamp,
    ) -> BTreeMap<Eui64, Result<Vec<String>, Finding>> {
        let mut undone: BTreeMap<Eui64, Result<Vec<String>, Finding>> =
            ids.iter().map(|id| (*id, Ok(Vec::new()))).collect();
        let parties = [self.roll.commissioning, self.roll.s1sp, self.roll.smso];
        for party in parties {
            let these: Vec<InstallationResult> = installations
                .iter()
                .filter(|left| undone.get(&left.installation).is_some_and(Result::is_ok))
                .cloned()
                .collect();
            if these.is_empty() {
                break;
            }
            let found = self.undo_at(party, these, now).await;
            for (id, so_far) in &mut undone {
                let Ok(done) = so_far else { continue };
                match said_by(&found, *id, party, party == self.roll.smso) {
                    Ok(words) => done.push(words),
                    Err(stuck) => *so_far = Err(stuck),
                }
            }
        }
        undone
    }

    async fn undo_at(
        &mut self,
        party: Address,
        installations: Vec<InstallationResult>,
        now: Timestamp,
    ) -> Result<BTreeMap<Eui64, Found>, Failure> {
        let ids: Vec<Eui64> = installations.iter().map(|left| left.installation).collect();
        // Devices wake while others are waited for.
        let patience = self.for_devices(&ids).saturating_add(self.patience.sleepers);
        let file = self.send_within(Body::Rollback { installations }, &[party], now, patience).await?;
        let (_, found) = self.results(Step::Rollback, party, &file, patience).await?;
        Ok(found)
    }

    /// What was under way when another process, or this one earlier, ended is taken back; what was migrated stays so. Says
    /// for each installation that was not at rest what was found and done.
    pub async fn recover(&mut self, now: Timestamp) -> Vec<(Eui64, String)> {
        let why: Finding = Refused::new(Code::Interrupted, "migration control ended on the way").into();
        let found: Vec<(Eui64, Stage)> =
            self.group.members().map(|(id, member)| (id, member.stage().clone())).collect();
        let (mut said, mut on_the_way) = (Vec::new(), BTreeMap::new());
        for (id, stage) in found {
            let name = stage.name();
            match stage {
                Stage::Migrated(_) => said.push((id, "found migrated: the DCC has it".to_owned())),
                stage if stage.class().is_some() || stage == Stage::WithSmso => {}
                _ => drop(on_the_way.insert(id, name)),
            }
        }
        if on_the_way.is_empty() {
            return said;
        }
        self.exchange.begin();
        // At once, so that one that has to be waited for keeps nobody else waiting.
        let ids: Vec<Eui64> = on_the_way.keys().copied().collect();
        let done = self.take_back(&ids, &why, now).await;
        for (id, name) in on_the_way {
            let of_it = words(done.iter().filter(|(of, _)| *of == id).cloned().collect());
            said.push((id, format!("found {name}, {}: {of_it}", why.reason)));
        }
        said
    }
}

/// What went on with an installation.
type Said = (Eui64, String);

/// The same of all of them, in one.
pub(super) fn words(said: Vec<Said>) -> String {
    said.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; ")
}

/// What a party has undone of one installation. A device that is silent to its SMSO has the SMSO's keys all the same: the S1SP
/// has shown that before; so only a device that answers and refuses is stuck.
fn said_by(
    found: &Result<BTreeMap<Eui64, Found>, Failure>,
    id: Eui64,
    party: Address,
    is_smso: bool,
) -> Result<String, Finding> {
    match found {
        Err(failure) => Err(failure.finding.clone()),
        Ok(found) => match found.get(&id) {
            Some(Ok((words, _))) => Ok(words.clone()),
            Some(Err(finding)) if is_smso && finding.check().is_some_and(Code::is_retried) => {
                Ok(format!("its SMSO has the keys, and no answer now: {finding}"))
            }
            Some(Err(finding)) => Err(finding.clone()),
            None => Err(unsaid(party)),
        },
    }
}

fn stuck_words(id: Eui64, finding: &Finding, stuck: &Finding) -> String {
    format!("could not roll back {id} ({finding}): {stuck}")
}
