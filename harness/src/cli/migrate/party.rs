//! `harness migrate party`: one party as a program of its own, until a person stops it.

use super::super::arguments::MigrateParty;
use super::super::run::hinted;
use super::super::say::say;
use super::super::{Exit, Failure, lab, signals};
use crate::dispatch::batch::{PartyOrder, attend};
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
        folder: verb.folder.clone(),
        key: verb.key.clone(),
        opening_key: verb.opening_key.clone(),
        state: state_folder(),
    };
    let json = verb.json;
    if !json {
        say!("{} waits for files in {}", verb.role, verb.folder.join("in").display());
    }
    let told = |attended: &Attended| say(attended, json);
    attend(order, told, &stop).await.map_err(hinted)?;
    Ok(Exit::Done)
}

fn say(attended: &Attended, json: bool) {
    let (name, outcome, words) = match attended {
        Attended::Took { name, answers } => {
            let answers: Vec<&str> = answers.iter().map(|answer| answer.as_str()).collect();
            (name, "taken", answers.join(", "))
        }
        Attended::Refused { name, why } => (name, "refused", why.clone()),
    };
    match (json, words.is_empty()) {
        (true, _) => say!("{}", serde_json::json!({ "file": name, "outcome": outcome, "says": words })),
        (false, true) => say!("{outcome:>8}  {name}"),
        (false, false) => say!("{outcome:>8}  {name}: {words}"),
    }
}
