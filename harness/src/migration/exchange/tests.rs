use proto_duis::pki::Authority;
use proto_migration::{InstallationResult, Note, PartyRole, Ruling};

use super::*;
use crate::migration::party::Party;
use crate::service_user::CounterStore;
use proto_duis::Eui64;

fn address(role: PartyRole) -> Address {
    Address { role, id: Eui64::new([role as u8 + 1; 8]) }
}

const SMSO: PartyRole = PartyRole::Smso;

/// An SMSO that answers a demand as it is told to.
struct Told {
    answers: Vec<Address>,
    hangs: bool,
}

impl Party for Told {
    fn address(&self) -> Address {
        address(SMSO)
    }

    fn take<'a>(
        &'a mut self,
        file: &'a Arrived,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Outgoing>, Refused>> {
        let ruling = Ruling::Accepted { said: Note::default(), without: Vec::new() };
        let installations = vec![InstallationResult { installation: Eui64::new([7; 8]), ruling }];
        let body = Body::Results { step: Step::Preparation, installations };
        let (follows, group) = (Some(file.digest), file.file.header.group.clone());
        let answer =
            |to: &Address| Outgoing { to: vec![*to], follows, group: group.clone(), body: body.clone() };
        let answers = self.answers.iter().map(answer).collect();
        let hangs = self.hangs;
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok(answers)
        })
    }
}

fn exchange(party: Told) -> Exchange {
    let authority = Authority::new("Test authority").expect("an authority");
    let mut trust = Trust::new();
    let mut pen = |party: Address| {
        let signer = authority.issue(&party.to_string()).expect("a signer");
        trust.add(party, signer.certificate().clone());
        Writer::new(party, signer, &CounterStore::passing(1), Spoiler::default()).expect("a pen").0
    };
    let (own, smsos) = (pen(address(PartyRole::MigrationControl)), pen(address(SMSO)));
    let mut exchange = Exchange::new(own, Arc::new(trust), Arc::new(NoFileTap));
    exchange.seat(address(SMSO), Box::new(Member::new(Box::new(party), smsos)));
    exchange
}

fn demand(exchange: &mut Exchange) -> Arrived {
    let installations = vec![(Eui64::new([7; 8]), vec!["MA_1".parse().expect("a name")])];
    let group = "G1".parse().expect("a group");
    let body = Body::Demand { installations };
    let outgoing = Outgoing { to: vec![address(SMSO)], follows: None, group, body };
    exchange.write(&outgoing, Timestamp::UNIX_EPOCH).expect("written").remove(0)
}

fn wanted() -> Wanted {
    Wanted { from: address(SMSO), kind: FileKind::Results, step: Some(Step::Preparation), follows: None }
}

const PATIENCE: Duration = Duration::from_secs(5);

#[tokio::test]
async fn what_is_answered_is_there_when_it_is_asked_for_and_only_once() {
    let mut exchange = exchange(Told { answers: vec![address(PartyRole::MigrationControl)], hangs: false });
    let file = demand(&mut exchange);
    exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await.expect("handed");
    let answer = exchange.expect(wanted(), PATIENCE).await.expect("answered");
    assert_eq!(answer.file.header.follows, Some(file.digest));
    let again = exchange.expect(wanted(), PATIENCE).await.expect_err("only once");
    assert_eq!(again.finding.check(), Some(Code::NoAnswer));
    assert!(again.finding.reason.contains("results of preparation from the smso"), "{again}");
}

#[tokio::test]
async fn a_file_handed_twice_is_a_replay_and_one_for_nobody_here_is_said_so() {
    let mut exchange = exchange(Told { answers: Vec::new(), hangs: false });
    let file = demand(&mut exchange);
    exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await.expect("handed");
    let twice = exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await;
    let twice = twice.expect_err("a replay");
    assert_eq!((twice.by.role, twice.file), (SMSO, Some(FileKind::Demand)));
    let nobody = exchange.hand(&file, address(PartyRole::Dco), Timestamp::UNIX_EPOCH, PATIENCE).await;
    assert_eq!(nobody.expect_err("nobody").finding.check(), Some(Code::NoAnswer));
}

#[tokio::test]
async fn an_answer_for_somebody_else_is_not_taken() {
    let mut exchange = exchange(Told { answers: vec![address(PartyRole::Dco)], hangs: false });
    let file = demand(&mut exchange);
    let handed = exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await;
    let failure = handed.expect_err("it is not for control");
    assert_eq!(failure.file, Some(FileKind::Results), "{failure}");
    assert_eq!(failure.by.role, PartyRole::MigrationControl);
}

#[tokio::test(start_paused = true)]
async fn a_party_that_does_not_come_to_an_end_is_not_waited_for_for_ever() {
    let mut exchange = exchange(Told { answers: Vec::new(), hangs: true });
    let file = demand(&mut exchange);
    let handed = exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await;
    assert_eq!(handed.expect_err("it hangs").finding.check(), Some(Code::NoAnswer));
}

/// A party that goes wrong and answers without end is stopped.
#[tokio::test]
async fn a_party_that_answers_without_end_is_refused() {
    let answers = vec![address(PartyRole::MigrationControl); 300];
    let mut exchange = exchange(Told { answers, hangs: false });
    let file = demand(&mut exchange);
    let handed = exchange.hand(&file, address(SMSO), Timestamp::UNIX_EPOCH, PATIENCE).await;
    assert_eq!(handed.expect_err("too many").finding.check(), Some(Code::Lab));
}
