//! One step of a script.

use lab_config::cosem::{AttributeRef, ClassId, Obis};
use lab_config::{ClusterAttribute, FileError, Function, Item, Path, Table, nearest};
use proto_duis::{AlertCode, RequestBody, ScheduledRead, Srv};

use super::expectation::{expectations, implied, implied_by_schedule};
use super::migration::{migrate, smso};
use super::operand::{device, duration, operand};
use super::scope::Scope;
use crate::action::{
    Act, Action, Ask, Fields, Observe, ObservedAttribute, Outcome, Request, Scheduled, Select, UserSystem,
};
use crate::{Column, Operand, Reference, Step, ValuePath, deadline};

/// The keys of which a step has exactly one: it says what the step does.
const ACTIONS: [&str; 11] = [
    "request",
    "user-system",
    "scheduled",
    "observe",
    "sense",
    "alert",
    "act",
    "migrate",
    "smso",
    "wait",
    "check",
];

pub(super) fn step(item: &Item<'_>, scope: &mut Scope) -> Result<Step, FileError> {
    item.table("a step", |table| {
        let action_key = the_action(table)?;
        let action = action(table, action_key, scope)?;
        let mut expect = match &action {
            Action::Request(request) => implied(request.srv, request.outcome),
            Action::UserSystem(asked) => implied(asked.srv, asked.outcome),
            Action::Scheduled(answer) => implied_by_schedule(answer.outcome),
            _ => Vec::new(),
        };
        let written = table.read("expect", |item| expectations(item, scope))?;
        expect.extend(written.unwrap_or_default());
        refuse_empty_check(table, &action, expect.is_empty())?;
        Ok(Step {
            words: words(table, &action)?,
            line: item.line(),
            within: within(table, &action)?,
            action,
            expect,
            binds: table.read("bind", |item| binds(item, scope))?.unwrap_or_default(),
        })
    })
}

fn the_action(table: &Table<'_>) -> Result<&'static str, FileError> {
    let found: Vec<&'static str> = ACTIONS.into_iter().filter(|action| table.has(action)).collect();
    match &found[..] {
        [one] => Ok(one),
        [] => {
            let advice = match table.misspelling(&ACTIONS) {
                Some((found, meant)) => format!("did you mean `{meant}` where `{found}` stands?"),
                None => "say what the step does".to_owned(),
            };
            Err(table.error("a step that does nothing", one_of_the_actions(), advice))
        }
        several => Err(table.error(
            several.join(" and "),
            one_of_the_actions(),
            "a step does one thing: make it two",
        )),
    }
}

fn one_of_the_actions() -> String {
    format!("exactly one of {}", ACTIONS.join(", "))
}

fn refuse_empty_check(table: &Table<'_>, action: &Action, empty: bool) -> Result<(), FileError> {
    if *action == Action::Check && empty {
        return Err(table.error("a check that expects nothing", "`expect`", "say what is expected"));
    }
    Ok(())
}

fn action(table: &mut Table<'_>, key: &'static str, scope: &Scope) -> Result<Action, FileError> {
    let item = table.required(key, "what the step does")?;
    match key {
        "request" => request(table, &item, scope).map(Action::Request),
        "user-system" => Ok(Action::UserSystem(UserSystem {
            srv: item.parse("a Service Reference Variant, such as 4.1.1")?,
            device: table.read("device", device)?,
            outcome: outcome(table)?,
        })),
        "scheduled" => scheduled(table, &item).map(Action::Scheduled),
        "observe" => observe(table, &item, scope).map(Action::Observe),
        "sense" => Ok(Action::Sense {
            sensor: item.parse("a sensor: supply-voltage, current or temperature")?,
            device: table.read("device", device)?,
        }),
        "alert" => Ok(Action::Alert {
            code: item.parse::<AlertCode>("the code of a device alert, such as 8F32")?,
            device: table.read("device", device)?,
        }),
        "act" => ask(table, &item).map(Action::Ask),
        "migrate" => migrate(table, &item, scope).map(Action::Migrate),
        "smso" => smso(table, &item).map(Action::Smso),
        "wait" => duration(&item).map(Action::Wait),
        _ => {
            item.text("what is compared, in words")?;
            Ok(Action::Check)
        }
    }
}

fn scheduled(table: &mut Table<'_>, item: &Item<'_>) -> Result<Scheduled, FileError> {
    let srv: Srv = item.parse("a Service Reference Variant that a schedule reads, such as 4.8.1")?;
    if !ScheduledRead::variants().any(|scheduled| scheduled == srv) {
        let known = ScheduledRead::variants().map(Srv::as_str).collect::<Vec<_>>().join(", ");
        return Err(item.refuse("a variant that a schedule reads", format!("it reads {known}")));
    }
    let outcome = outcome(table)?;
    if outcome == Outcome::Refused {
        return Err(item.refuse("an answer", "nobody is asked whether a schedule may read: use 5.1 for that"));
    }
    Ok(Scheduled { srv, device: table.read("device", device)?, outcome })
}

fn request(table: &mut Table<'_>, item: &Item<'_>, scope: &Scope) -> Result<Request, FileError> {
    let srv: Srv = item.parse("a Service Reference Variant, such as 4.1.1")?;
    let role = "the user role it is sent in, such as IS";
    Ok(Request {
        srv,
        role: table.required("as", role)?.parse(role)?,
        device: table.read("device", device)?,
        fields: match table.optional("fields") {
            Some(item) => fields(&item, srv, scope)?,
            None => no_fields(item, srv)?,
        },
        misuse: table.read("misuse", |item| item.parse("what is wrong with the request on purpose"))?,
        outcome: outcome(table)?,
    })
}

fn outcome(table: &mut Table<'_>) -> Result<Outcome, FileError> {
    Ok(table.read("outcome", |item| item.parse("how the request must end"))?.unwrap_or(Outcome::Success))
}

fn fields(item: &Item<'_>, srv: Srv, scope: &Scope) -> Result<Fields, FileError> {
    let mut fields = Fields::new();
    for (name, value) in item.open("the fields of the request by name")?.entries() {
        refuse_unknown_field(&name, srv)?;
        fields.insert(name.text("the name of a field")?.to_owned(), operand(&value, scope)?);
    }
    refuse_unsound_body(item, srv, &fields)?;
    Ok(fields)
}

fn no_fields(request: &Item<'_>, srv: Srv) -> Result<Fields, FileError> {
    refuse_unsound_body(request, srv, &Fields::new())?;
    Ok(Fields::new())
}

/// A field the variant does not have. `TOUPrice[1]` is in the list of fields as `TOUPrice[n]`.
fn refuse_unknown_field(item: &Item<'_>, srv: Srv) -> Result<(), FileError> {
    let name = item.text("the name of a field")?;
    let fields = RequestBody::fields(srv);
    let known = || fields.iter().map(|field| field.name.as_str());
    if known().any(|known| without_indices(known) == without_indices(name)) {
        return Ok(());
    }
    let list = known().collect::<Vec<_>>().join(", ");
    let advice = match (nearest(name, known()), list.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => "remove it: the variant takes no fields".to_owned(),
        (None, false) => format!("it takes {list}"),
    };
    Err(item.refuse(format!("a field of Service Reference Variant {srv}"), advice))
}

/// `TOUPrice[12]` and `TOUPrice[n]` are both `TOUPrice[]`.
fn without_indices(name: &str) -> String {
    let mut inside = false;
    let mut kept = String::new();
    for letter in name.chars() {
        inside &= letter != ']';
        if !inside {
            kept.push(letter);
        }
        inside |= letter == '[';
    }
    kept
}

/// A body without references can be made now, so what is wrong with it is found now.
fn refuse_unsound_body(item: &Item<'_>, srv: Srv, fields: &Fields) -> Result<(), FileError> {
    let literal = |(name, operand): (&String, &Operand)| match operand {
        Operand::Literal(value) => Some((name.clone(), value.to_string())),
        _ => None,
    };
    let Some(fields) = fields.iter().map(literal).collect::<Option<_>>() else { return Ok(()) };
    match RequestBody::from_fields(srv, &fields) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(item.refuse(format!("the fields of Service Reference Variant {srv}"), error.to_string()))
        }
    }
}

fn observe(table: &mut Table<'_>, item: &Item<'_>, scope: &Scope) -> Result<Observe, FileError> {
    let meaning = "the path it is read by: wan, optical, local or han";
    let what = match item.toml().is_some_and(|value| value.is_table()) {
        true => item.table("an attribute", attribute)?,
        false => {
            ObservedAttribute::Function(item.parse::<Function>("a function, or an attribute as a table")?)
        }
    };
    let path = table.required("through", meaning)?;
    let through = path.parse::<Path>(meaning)?;
    refuse_other_network(&path, through, what)?;
    if let Some(item) = table.optional("select").filter(|_| through == Path::Han) {
        return Err(item.refuse("nothing to select by", "a ZigBee attribute is read whole: remove it"));
    }
    Ok(Observe {
        device: table.read("device", device)?,
        through,
        what,
        select: table.read("select", |item| select(item, scope))?,
        columns: table.read("columns", |item| columns(item, through, what))?.unwrap_or_default(),
    })
}

/// Only a buffer that the Device Model names has columns it names.
fn columns(item: &Item<'_>, through: Path, what: ObservedAttribute) -> Result<Vec<Column>, FileError> {
    let meaning = "the columns to see by name, such as [\"interval\"] or [\"active-import\"]";
    if through == Path::Han || !matches!(what, ObservedAttribute::Function(_)) {
        return Err(item.refuse("no columns, since no function is observed through COSEM", "remove them"));
    }
    item.list(meaning)?.iter().map(|item| item.parse("a column of the profile, or a function")).collect()
}

/// Clusters are on the home area network, COSEM attributes on every other path.
fn refuse_other_network(path: &Item<'_>, through: Path, what: ObservedAttribute) -> Result<(), FileError> {
    match (through, what) {
        (Path::Han, ObservedAttribute::Attribute(_)) => {
            let advice = "name a function, or a cluster and an attribute: { cluster = \"0702\", attribute = \"0000\" }";
            Err(path.refuse("wan, optical or local, since a COSEM attribute is observed", advice))
        }
        (Path::Han, _) | (_, ObservedAttribute::Function(_) | ObservedAttribute::Attribute(_)) => Ok(()),
        (_, ObservedAttribute::Cluster(_)) => {
            Err(path.refuse("han, since a ZigBee attribute is observed", "write through = \"han\""))
        }
    }
}

fn attribute(table: &mut Table<'_>) -> Result<ObservedAttribute, FileError> {
    if table.has("cluster") {
        return ClusterAttribute::read(table).map(ObservedAttribute::Cluster);
    }
    let class = table.required("class", "the interface class")?;
    let number = table.required("attribute", "the attribute")?;
    Ok(ObservedAttribute::Attribute(AttributeRef {
        class: ClassId(class.integer(1..=i64::from(u16::MAX), "an interface class")?),
        obis: table.required("obis", "the logical name")?.parse::<Obis>("an OBIS code")?,
        attribute: number.integer(1..=127, "an attribute")?,
    }))
}

fn select(item: &Item<'_>, scope: &Scope) -> Result<Select, FileError> {
    item.table("`entries`, or `from` and `to`", |table| {
        if let Some(entries) = table.optional("entries") {
            let expected = "the first and last entry, from 1; 0 as last means the end";
            let [first, last] = &entries.list(expected)?[..] else {
                return Err(entries.refuse(expected, "write two numbers"));
            };
            let number = |item: &Item<'_>, low| item.integer::<u32>(low..=i64::from(u32::MAX), "an entry");
            return Ok(Select::Entries { first: number(first, 1)?, last: number(last, 0)? });
        }
        let from = table.required("from", "the time entries begin at")?;
        let to = table.required("to", "the time entries end at")?;
        Ok(Select::Between { from: no_token(&from, scope)?, to: no_token(&to, scope)? })
    })
}

/// A value anywhere but in the fields of a request, where no token can be made.
pub(super) fn no_token(item: &Item<'_>, scope: &Scope) -> Result<Operand, FileError> {
    let operand = operand(item, scope)?;
    let makes_token = operand.references().any(|reference| matches!(reference, Reference::Utrn(_)));
    match makes_token {
        false => Ok(operand),
        true => Err(item.refuse(
            "a value without ${utrn:...}",
            "make the token in the fields of a request, and bind it there from `request.UTRN`",
        )),
    }
}

fn ask(table: &mut Table<'_>, item: &Item<'_>) -> Result<Ask, FileError> {
    let known = "`press-keys`, `mains-off`, `mains-on`, `confirm`, `fault` or `clear-faults`";
    let device = table.read("device", device)?;
    let act = match item.text(known)? {
        "press-keys" => Act::PressKeys(keys(table)?),
        "mains-off" => Act::SwitchMains { on: false },
        "mains-on" => Act::SwitchMains { on: true },
        "confirm" => Act::Confirm,
        "fault" => Act::Fault(table.text("fault", "the fault, such as \"ESME/optical: silence\"")?),
        "clear-faults" => Act::ClearFaults,
        _ => return Err(item.refuse(known, "say what the person or the actuator does")),
    };
    let show = match (&act, table.has("show")) {
        // A fault says by itself what is to be done.
        (Act::Fault(fault), false) => format!("bring about {fault}"),
        (Act::ClearFaults, false) => "undo every fault brought about".to_owned(),
        _ => table.text("show", "the text shown to the person")?,
    };
    Ok(Ask { device, act, show })
}

fn keys(table: &mut Table<'_>) -> Result<Vec<String>, FileError> {
    let meaning = "the keys pressed together, such as [\"A\", \"B\"]";
    let item = table.required("keys", meaning)?;
    let keys = item.list(meaning)?;
    match keys.len() {
        1..=8 => keys.iter().map(|key| Ok(key.text("a key")?.to_owned())).collect(),
        _ => Err(item.refuse("one to eight keys", "name the keys")),
    }
}

fn within(table: &mut Table<'_>, action: &Action) -> Result<std::time::Duration, FileError> {
    let usual = match action {
        Action::Request(_) => deadline::REQUEST,
        Action::UserSystem(_) => deadline::USER_SYSTEM,
        Action::Scheduled(_) => deadline::SCHEDULED,
        Action::Observe(_) | Action::Sense { .. } | Action::Smso(_) => deadline::OBSERVE,
        Action::Alert { .. } => deadline::ALERT,
        Action::Ask(_) => deadline::ASK,
        Action::Migrate(_) => deadline::MIGRATE,
        // A wait ends by itself: its own length is its deadline.
        Action::Wait(length) => return Ok(*length),
        Action::Check => return Ok(deadline::CHECK),
    };
    Ok(table.read("within", duration)?.unwrap_or(usual))
}

fn binds(item: &Item<'_>, scope: &mut Scope) -> Result<Vec<(Box<str>, ValuePath)>, FileError> {
    item.open("names and the paths of the values they stand for")?
        .entries()
        .into_iter()
        .map(|(name, path)| Ok((scope.bind(&name)?, one_value(&path)?)))
        .collect()
}

/// A name stands for one value, so its path has no wildcard.
fn one_value(item: &Item<'_>) -> Result<ValuePath, FileError> {
    let path: ValuePath = item.parse("a path")?;
    match path.is_wildcard() {
        false => Ok(path),
        true => Err(item.refuse("the path of one value", "write an index in place of *")),
    }
}

/// What the step does, in words: the script's own, and what is made from what it does.
fn words(table: &mut Table<'_>, action: &Action) -> Result<String, FileError> {
    let own = table.optional("say").map(|own| own.text("what the step does, in words")).transpose()?;
    let done = done(table, action)?;
    // What the script calls it and what is done both belong into the record.
    Ok(own.map_or(done.clone(), |own| format!("{own} ({done})")))
}

/// What an action does, in words made from it.
fn done(table: &mut Table<'_>, action: &Action) -> Result<String, FileError> {
    let of =
        |device: Option<lab_config::DeviceKind>| device.map(|kind| format!(" of {kind}")).unwrap_or_default();
    Ok(match action {
        Action::Request(request) => {
            let misuse = request.misuse.map(|misuse| format!(", misused: {misuse}")).unwrap_or_default();
            format!(
                "request {} {} as {}{}{misuse}",
                request.srv,
                request.srv.name(),
                request.role,
                of(request.device)
            )
        }
        Action::UserSystem(asked) => {
            format!(
                "wait for request {} {}{} of a User System",
                asked.srv,
                asked.srv.name(),
                of(asked.device)
            )
        }
        Action::Scheduled(answer) => {
            format!(
                "wait for the schedule's answer to {} {}{}",
                answer.srv,
                answer.srv.name(),
                of(answer.device)
            )
        }
        Action::Observe(observe) => {
            format!("observe {}{} by the {} path", observe.what, of(observe.device), observe.through)
        }
        Action::Sense { sensor, device } => format!("sense {sensor}{}", of(*device)),
        Action::Alert { code, device } => format!("wait for alert {code}{}", of(*device)),
        Action::Ask(ask) => format!("ask: {}", ask.show),
        Action::Migrate(migrate) => migrate.to_string(),
        Action::Smso(attempt) => format!("the SMSO tries to reach a device{}", of(attempt.device)),
        Action::Wait(length) => format!("wait {length:?}"),
        Action::Check => table.text("check", "what is compared, in words")?,
    })
}
