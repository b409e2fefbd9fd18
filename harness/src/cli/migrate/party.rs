//! `harness migrate party`: one party as a program of its own, until a person stops it.

use lab_config::{ClientIdentity, PrivateKeySource, TlsFiles};

use super::super::arguments::MigrateParty;
use super::super::run::hinted;
use super::super::say::say;
use super::super::{Exit, Failure, lab, signals};
use crate::dispatch::batch::{PartyOrder, Stand, attend};
use crate::driver::state_folder;
use crate::execute::Stop;
use crate::migration::exchange::attend::Attended;

pub(super) async fn party(verb: &MigrateParty) -> Result<Exit, Failure> {
    let stop = Stop::new();
    signals::listen(&stop)?;
    let lab = lab::open(Some(&verb.lab))?;
    let order = PartyOrder {
        lab,
        role: verb.role,
        id: verb.id,
        kind: verb.kind,
        stand: Stand { folder: verb.folder.clone(), listen: verb.listen, tls: tls(verb) },
        key: verb.key.clone(),
        opening_key: verb.opening_key.clone(),
        state: state_folder(),
    };
    let json = verb.json;
    let began = |place: &str| match json {
        true => say!("{}", serde_json::json!({ "party": verb.role.word(), "place": place })),
        false => say!("the {} {place}", verb.role),
    };
    let told = |attended: &Attended| say(attended, json);
    attend(order, began, told, &stop).await.map_err(hinted)?;
    Ok(Exit::Done)
}

fn tls(verb: &MigrateParty) -> Option<TlsFiles> {
    let (certificate, key) = verb.tls_certificate.clone().zip(verb.tls_key.clone())?;
    let identity = ClientIdentity { certificate, key: PrivateKeySource::File(key) };
    Some(TlsFiles { authority: verb.tls_ca.clone()?, identity })
}

fn say(attended: &Attended, json: bool) {
    let (name, outcome, words) = match attended {
        Attended::Took { name, answers } => {
            let answers: Vec<&str> = answers.iter().map(|answer| answer.as_str()).collect();
            (name.as_str(), "taken", answers.join(", "))
        }
        Attended::Refused { name, why } => (name.as_str(), "refused", why.clone()),
        Attended::IsRefused { name, why } => (name.as_str(), "is refused", why.clone()),
    };
    match (json, words.is_empty()) {
        (true, _) => say!("{}", serde_json::json!({ "file": name, "outcome": outcome, "says": words })),
        (false, true) => say!("{outcome:>10}  {name}"),
        (false, false) => say!("{outcome:>10}  {name}: {words}"),
    }
}
