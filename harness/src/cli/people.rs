//! `harness people`: who may sign in, and whose cosignatures count.

use serde::Serialize;

use super::arguments::{self, PeopleAdd, PeopleKey, PeopleList, PeopleRemove};
use super::say::say;
use super::{Exit, Failure, print_json};
use crate::server::identity::{People, PeopleError, Person};

pub(super) fn people(verb: &arguments::People) -> Result<Exit, Failure> {
    match verb {
        arguments::People::Add(verb) => add(verb),
        arguments::People::Key(verb) => key(verb),
        arguments::People::Remove(verb) => remove(verb),
        arguments::People::List(verb) => list(verb),
    }
}

fn add(verb: &PeopleAdd) -> Result<Exit, Failure> {
    let password = password(verb)?;
    let person = Person::new(verb.name.clone(), verb.role, password.as_deref(), &verb.cosigner_keys);
    let person = person.map_err(failure)?;
    People::change(&verb.at.path, |people| people.add(person)).map_err(failure)?;
    say!("{} ({}) added to {}", verb.name, verb.role, verb.at.path.display());
    Ok(Exit::Done)
}

fn password(verb: &PeopleAdd) -> Result<Option<String>, Failure> {
    if let Some(variable) = &verb.password_env {
        let password = std::env::var(variable).map_err(|e| Failure::input(format!("${variable}: {e}")))?;
        return Ok(Some(password));
    }
    let Some(path) = &verb.password_file else { return Ok(None) };
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|e| Failure::input(format!("cannot read {}: {e}", path.display())))?;
    Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
}

fn key(verb: &PeopleKey) -> Result<Exit, Failure> {
    let is_new = People::change(&verb.at.path, |people| people.add_key(&verb.name, &verb.key));
    let is_new = is_new.map_err(failure)?;
    let told = if is_new { "registered for" } else { "was registered already for" };
    say!("{} {told} {} in {}", verb.key.short(), verb.name, verb.at.path.display());
    Ok(Exit::Done)
}

fn remove(verb: &PeopleRemove) -> Result<Exit, Failure> {
    let removed = People::change(&verb.at.path, |people| people.remove(&verb.name)).map_err(failure)?;
    say!("{} ({}) removed from {}", removed.name, removed.role, verb.at.path.display());
    Ok(Exit::Done)
}

/// Somebody as `--json` prints them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Told {
    name: String,
    role: String,
    signs_in: bool,
    cosigner_keys: Vec<String>,
}

fn list(verb: &PeopleList) -> Result<Exit, Failure> {
    let people = People::read(&verb.at.path).map_err(failure)?;
    if verb.json {
        let told = |person: &Person| Told {
            name: person.name.to_string(),
            role: person.role.to_string(),
            signs_in: person.has_password(),
            cosigner_keys: person.cosigner_keys().iter().map(ToString::to_string).collect(),
        };
        print_json(&people.iter().map(told).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    for person in people.iter() {
        let signs_in = if person.has_password() { "signs in" } else { "does not sign in" };
        let keys: Vec<String> = person.cosigner_keys().iter().map(|key| key.short()).collect();
        let cosigns =
            if keys.is_empty() { String::new() } else { format!(", cosigns by {}", keys.join(", ")) };
        say!("{:9}  {}: {signs_in}{cosigns}", person.role, person.name);
    }
    Ok(Exit::Done)
}

fn failure(error: PeopleError) -> Failure {
    match error {
        PeopleError::File(_) | PeopleError::Hash(_) => Failure::lab(error),
        PeopleError::Nothing(_) | PeopleError::Password { .. } => Failure::input(error)
            .hint("give the password with --password-env or --password-file, never on the command line"),
        _ => Failure::input(error),
    }
}
