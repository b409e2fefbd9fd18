//! Migration control: writes files and hands them on, waits for what answers them, and holds every installation's place.

mod back;
mod forward;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use proto_duis::Eui64;
use proto_migration::{
    Address, Arrived, AuthorisationId, Body, FileKind, InstallationKind, InstallationResult, Note,
    OutcomeClass, Ruling, Step,
};

use super::exchange::{Exchange, Failure, Wanted};
use super::journal::{Journal, JournalError};
use super::party::{Outgoing, Refused};
use super::stage::{Event, InControl, Installation, Operation, OutOfOrder, Stage};
use super::{Code, Finding, Group};

/// How long parties may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a file that needs no device.
    pub file: Duration,
    /// For one installation, where devices are talked to.
    pub devices: Duration,
    /// So much more where whoever is asked waits for devices that sleep: device contact, and a rollback.
    pub sleepers: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { file: Duration::from_secs(30), devices: Duration::from_secs(110), sleepers: Duration::ZERO }
    }
}

/// The parties of a migration besides control.
#[derive(Debug, Clone)]
pub struct Roll {
    /// Who brings the installations.
    pub requesting: Address,
    /// Who operates them before.
    pub smso: Address,
    /// Who operates them after.
    pub s1sp: Address,
    /// The other half of dual control.
    pub dco: Address,
    /// Who checks and commissions.
    pub commissioning: Address,
    /// The suppliers that operate a meter of an installation, for those that have any; each authorises.
    pub suppliers: BTreeMap<Eui64, Vec<Address>>,
}

impl Roll {
    /// Everybody, each once.
    fn all(&self) -> Vec<Address> {
        let Self { requesting, smso, s1sp, dco, commissioning, suppliers } = self;
        let mut all = vec![*requesting, *smso, *s1sp, *dco, *commissioning];
        for supplier in suppliers.values().flatten() {
            if !all.contains(supplier) {
                all.push(*supplier);
            }
        }
        all
    }
}

/// The migration of a group of installations.
#[derive(Debug)]
pub struct Control {
    group: Group,
    roll: Roll,
    exchange: Exchange,
    journal: Journal,
    patience: Patience,
    /// Validations that contact will release to the S1SP and the DCO.
    validations: Vec<Arrived>,
    /// The file that was refused in the last operation, where one was.
    refused_file: Option<FileKind>,
    told: Vec<String>,
}

/// What came of one installation at a step: the words, and the devices left out.
type Found = Result<(String, Vec<Eui64>), Finding>;

impl Control {
    /// Control of this group's migration, as far as its journals say it has come.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn new(
        mut group: Group,
        roll: Roll,
        exchange: Exchange,
        mut journal: Journal,
        patience: Patience,
    ) -> Result<Self, JournalError> {
        let mut told = Vec::new();
        let members: Vec<Eui64> = group.members().map(|(id, _)| id).collect();
        for id in members {
            let found = journal.open(id)?;
            told.extend(found.told);
            group.restore(id, found.installation);
        }
        let (validations, refused_file) = (Vec::new(), None);
        Ok(Self { group, roll, exchange, journal, patience, validations, refused_file, told })
    }

    /// The group, each installation at its stage.
    pub const fn group(&self) -> &Group {
        &self.group
    }

    /// One installation's stage and attempts.
    pub fn member(&self, installation: Eui64) -> Option<&Installation> {
        self.group.member(installation)
    }

    /// The kind of the file that was refused in the last operation.
    pub const fn refused_file(&self) -> Option<FileKind> {
        self.refused_file
    }

    /// What is to be said of journals and the like, once.
    pub fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Whether the journal outlives the process.
    pub fn is_durable(&self) -> bool {
        self.journal.is_durable()
    }

    /// Tries one operation on those of the group for whom it comes next. What went on is said in words; where each stands
    /// then, its stage says.
    ///
    /// Dropping the future stops everything where it is: a rollback finds its way back from there, and so does
    /// [`Control::recover`] in another process.
    ///
    /// # Errors
    /// [`OutOfOrder`] when the operation comes next for none; everything is then as it was.
    pub async fn operate(&mut self, operation: Operation, now: Timestamp) -> Result<String, OutOfOrder> {
        let able = self.group.able(operation)?;
        self.refused_file = None;
        self.exchange.begin();
        let done = match operation {
            Operation::Authorise => self.authorise(&able, now).await,
            Operation::Prepare => self.prepare(&able, now).await,
            Operation::Validate => self.validate(&able, now).await,
            Operation::Contact => self.contact(&able, now).await,
            Operation::Commission => self.commission(&able, now).await,
            Operation::Rollback => Ok(self.roll_back_asked(&able, now).await),
        };
        Ok(match done {
            Ok(said) => said,
            Err(failure) => self.failed(operation, &able, failure, now).await,
        })
    }

    /// An operation came to nothing for all it was for: those that were not touched are refused, the others go back.
    async fn failed(
        &mut self,
        operation: Operation,
        able: &[Eui64],
        failure: Failure,
        now: Timestamp,
    ) -> String {
        self.refused_file = failure.file;
        let Finding { code, reason } = failure.finding;
        let kind = failure.file.map_or(String::new(), |kind| format!("{kind} file, "));
        let finding = Finding { code, reason: format!("{kind}{}: {reason}", failure.by.role) };
        let under_way = |id: &&Eui64| {
            // Whoever ended in this very operation has its finding already.
            let class = self.group.member(**id).and_then(|member| member.stage().class());
            class.is_none() || operation == Operation::Authorise
        };
        let findings = able.iter().filter(under_way).map(|id| (*id, finding.clone())).collect();
        self.end(findings, now).await
    }

    /// Ends the attempts of these: refused where the SMSO never lost control, rolled back where it did.
    async fn end(&mut self, findings: BTreeMap<Eui64, Finding>, now: Timestamp) -> String {
        let (mut said, mut touched) = (Vec::new(), BTreeMap::new());
        for (id, finding) in findings {
            let stage = self.group.member(id).map(Installation::stage);
            if stage.is_some_and(|stage| stage.in_control() != InControl::Smso) {
                touched.insert(id, finding);
                continue;
            }
            said.push(format!("{id} refused, {finding}"));
            self.apply(id, Event::Refused(finding), now);
        }
        if !touched.is_empty() {
            said.push(back::words(self.roll_back(touched, now).await));
        }
        self.tell_outcomes(now).await;
        said.join("; ")
    }

    /// Takes note of what happened; what cannot be written down is told, and changes nothing of where things stand.
    fn apply(&mut self, id: Eui64, event: Event, now: Timestamp) {
        if let Err(error) = self.journal.note(id, now, &event) {
            self.told.push(error.to_string());
        }
        if let Err(impossible) = self.group.apply(id, event) {
            tracing::error!("migration of {id}: {impossible}");
        }
    }

    /// Takes note of what is about to be done, safe on disk, or refuses that it be done.
    fn about_to(&mut self, id: Eui64, event: Event, now: Timestamp) -> Result<(), Finding> {
        let finding = |reason: String| Finding { code: Code::Lab.published().to_owned(), reason };
        self.journal.note(id, now, &event).map_err(|error| finding(error.to_string()))?;
        self.group.apply(id, event).map_err(|impossible| finding(impossible.to_string()))
    }

    /// Writes a file and hands it to these, in this order.
    async fn send(&mut self, body: Body, to: &[Address], now: Timestamp) -> Result<Arrived, Failure> {
        let patience = self.patience.file;
        self.send_within(body, to, now, patience).await
    }

    async fn send_within(
        &mut self,
        body: Body,
        to: &[Address],
        now: Timestamp,
        patience: Duration,
    ) -> Result<Arrived, Failure> {
        let group = self.group.id().clone();
        let outgoing = Outgoing { to: to.to_vec(), follows: None, group, body };
        let written = self.exchange.write(&outgoing, now)?;
        for file in &written {
            for party in to {
                self.exchange.hand(file, *party, now, patience).await?;
            }
        }
        written.into_iter().next().ok_or_else(|| {
            let refused = Refused::new(Code::Lab, "a file was not written");
            Failure::refused(self.exchange.control(), refused, None)
        })
    }

    async fn pass(&mut self, file: &Arrived, to: &[Address], now: Timestamp) -> Result<(), Failure> {
        for party in to {
            self.exchange.hand(file, *party, now, self.patience.file).await?;
        }
        Ok(())
    }

    async fn expect(
        &mut self,
        kind: FileKind,
        from: Address,
        after: Option<&Arrived>,
    ) -> Result<Arrived, Failure> {
        let wanted = Wanted { from, kind, step: None, follows: after.map(|file| file.digest) };
        self.exchange.expect(wanted, self.patience.file).await
    }

    async fn results(
        &mut self,
        step: Step,
        from: Address,
        after: &Arrived,
        patience: Duration,
    ) -> Result<(Arrived, BTreeMap<Eui64, Found>), Failure> {
        let wanted = Wanted { from, kind: FileKind::Results, step: Some(step), follows: Some(after.digest) };
        let file = self.exchange.expect(wanted, patience).await?;
        let found = match &file.file.body {
            Body::Results { installations, .. } => findings(installations),
            _ => BTreeMap::new(),
        };
        Ok((file, found))
    }

    /// How long devices of so many installations may take.
    fn for_devices(&self, installations: &[Eui64]) -> Duration {
        self.patience.devices.saturating_mul(u32::try_from(installations.len()).unwrap_or(u32::MAX).max(1))
    }

    /// Tells everybody of the installations whose attempt has ended, so that nobody keeps anything of them. Who does not hear
    /// it changes nothing: it is told of the next attempt.
    async fn tell_outcomes(&mut self, now: Timestamp) {
        let ended: Vec<(InstallationResult, OutcomeClass)> =
            self.group.members().filter_map(|(id, member)| outcome(id, member.stage())).collect();
        if ended.is_empty() {
            return;
        }
        let body = Body::Outcome { installations: ended };
        let to = self.roll.all();
        let group = self.group.id().clone();
        let written = self.exchange.write(&Outgoing { to: to.clone(), follows: None, group, body }, now);
        let written = match written {
            Ok(written) => written,
            Err(failure) => return self.told.push(format!("an outcome was not told: {failure}")),
        };
        for file in &written {
            for party in &to {
                if let Err(failure) = self.exchange.hand(file, *party, now, self.patience.file).await {
                    self.told.push(format!("an outcome was not heard: {failure}"));
                }
            }
        }
        if self.group.is_over() {
            self.exchange.close(self.group.id());
        }
    }

    /// Lets an excluded installation be tried again, and forgets how often it failed. Says whether it was excluded.
    pub fn lift(&mut self, installation: Eui64, by: &str, now: Timestamp) -> bool {
        let Some(member) = self.group.member(installation) else { return false };
        let excluded = matches!(member.stage(), Stage::Excluded(_));
        if excluded || member.failed() > 0 {
            self.apply(installation, Event::Lifted { by: by.to_owned() }, now);
        }
        excluded
    }

    /// What the group's installations are.
    const fn kind(&self) -> InstallationKind {
        self.group.kind()
    }
}

/// Installation by installation, as their results say.
fn findings(results: &[InstallationResult]) -> BTreeMap<Eui64, Found> {
    let one = |result: &InstallationResult| {
        let found = match &result.ruling {
            Ruling::Accepted { said, without } => Ok((said.to_string(), without.clone())),
            Ruling::Refused { code, reason } => {
                Err(Finding { code: code.to_string(), reason: reason.to_string() })
            }
        };
        (result.installation, found)
    };
    results.iter().map(one).collect()
}

fn outcome(id: Eui64, stage: &Stage) -> Option<(InstallationResult, OutcomeClass)> {
    let class = stage.class()?;
    let ruling = match (stage, stage.finding()) {
        (Stage::Migrated(standing), _) => {
            Ruling::Accepted { said: Note::default(), without: standing.without.clone() }
        }
        (_, Some(finding)) => refused(finding),
        (_, None) => Ruling::Accepted { said: Note::default(), without: Vec::new() },
    };
    Some((InstallationResult { installation: id, ruling }, class))
}

fn refused(finding: &Finding) -> Ruling {
    Ruling::Refused { code: super::text::shortened(&finding.code), reason: Note::new(&finding.reason) }
}

/// What an installation of which a party says nothing comes to.
fn unsaid(party: Address) -> Finding {
    let reason = format!("the {} says nothing of it", party.role);
    Refused::new(Code::NotBrought, reason).into()
}

/// The authorisations that were given, by installation.
type Given = BTreeMap<Eui64, Vec<AuthorisationId>>;
