//! The engineers' buttons: `POST /control/ACT` with a small JSON object, for pages at the control listener.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::post;
use lab_config::Eui64;
use proto_lab::record::book::EntryId;
use proto_lab::record::{Case, RunId};
use serde::Deserialize;

use super::Acts;
use crate::dispatch::controller::{Action, Asked, Lease, RefusalKind};
use crate::server::Pages;
use crate::server::guard::{RECORDED, Why};
use crate::server::identity::By;

/// The longest message, in octets.
const LIMIT: usize = 64 << 10;

/// What a button sends; each act has some of these.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct Pressed {
    run: Option<String>,
    case: Option<String>,
    rig: Option<String>,
    device: Option<String>,
    reason: Option<String>,
    lease_seconds: Option<i64>,
    entry: Option<u64>,
    packs: Vec<String>,
    scripts: Vec<String>,
    data_sets: Vec<String>,
    witnessed: Vec<String>,
}

/// How what was pressed becomes an act.
type Read = fn(Pressed) -> Result<Action, String>;

/// Every button: the act after `/control/`, and how what is sent with it is read. The router has these and no others.
const BUTTONS: [(&str, Read); 12] = [
    ("pause", |pressed| Ok(Action::Pause(pressed.run()?))),
    ("resume", |pressed| Ok(Action::Resume(pressed.run()?))),
    ("abort", |pressed| Ok(Action::Abort { run: pressed.run()?, reason: pressed.reason() })),
    ("rerun", |pressed| {
        let case = case(pressed.case.as_deref().unwrap_or_default())?;
        Ok(Action::Rerun { run: pressed.run()?, case })
    }),
    ("stop-everything", |pressed| Ok(Action::StopEverything { reason: pressed.reason() })),
    ("lift-stop", |_| Ok(Action::LiftStop)),
    ("hold", |pressed| {
        let lease = lease(pressed.lease_seconds)?;
        Ok(Action::Hold { rig: pressed.rig()?, reason: pressed.reason(), lease })
    }),
    ("give-back", |pressed| Ok(Action::GiveBack { rig: pressed.rig()? })),
    ("quarantine", |pressed| Ok(Action::Quarantine { device: pressed.device()?, reason: pressed.reason() })),
    ("lift-quarantine", |pressed| Ok(Action::LiftQuarantine { device: pressed.device()? })),
    ("leave", |pressed| Ok(Action::Leave(EntryId(pressed.entry.ok_or("`entry` is missing")?)))),
    ("join", |pressed| {
        let rig = pressed.rig()?;
        let Pressed { packs, scripts, data_sets, witnessed, .. } = pressed;
        Ok(Action::Join(Asked { rig, packs, scripts, data_sets, witnessed }))
    }),
];

/// The paths of the buttons, to which a page posts.
pub fn paths() -> impl Iterator<Item = String> {
    BUTTONS.iter().map(|(act, _)| path(act))
}

fn path(act: &str) -> String {
    format!("/control/{act}")
}

/// The routes of the buttons.
pub(super) fn routes(acts: Acts) -> Pages {
    let route = |pages: Pages<Acts>, (act, read): (&str, Read)| {
        let pressed = async move |state, by, request| pressed(read, state, by, request).await;
        pages.route(&path(act), post(pressed))
    };
    BUTTONS.into_iter().fold(Pages::new(), route).with_state(acts)
}

async fn pressed(action: Read, State(acts): State<Acts>, By(by): By, request: Request) -> Response<Body> {
    let action = match read(request).await.and_then(action) {
        Ok(action) => action,
        Err(reason) => return Why::refused(StatusCode::BAD_REQUEST, reason),
    };
    match acts.controller.act(&by, action).await {
        Ok(acted) => {
            let records: Vec<String> = acted.records.iter().map(ToString::to_string).collect();
            answer(StatusCode::OK, format!("recorded in the lab book as {}", records.join(", ")))
        }
        Err(refusal) => {
            let status = match refusal.kind() {
                RefusalKind::NotAllowed => StatusCode::FORBIDDEN,
                RefusalKind::NotFound => StatusCode::NOT_FOUND,
                RefusalKind::Conflict => StatusCode::CONFLICT,
                RefusalKind::BadInput => StatusCode::BAD_REQUEST,
                RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            };
            answer(status, refusal.to_string())
        }
    }
}

async fn read(request: Request) -> Result<Pressed, String> {
    let is_json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !request.headers().get(CONTENT_TYPE).is_some_and(is_json) {
        return Err("expected application/json".to_owned());
    }
    let body = crate::http::body(request.into_body(), LIMIT).await.map_err(|e| e.to_string())?;
    serde_json::from_slice(&body).map_err(|e| e.to_string())
}

impl Pressed {
    fn run(&self) -> Result<RunId, String> {
        given("run", self.run.as_deref())
    }

    fn rig(&self) -> Result<String, String> {
        given("rig", self.rig.as_deref())
    }

    fn device(&self) -> Result<Eui64, String> {
        given("device", self.device.as_deref())
    }

    fn reason(&self) -> String {
        self.reason.clone().unwrap_or_default()
    }
}

fn given<T: std::str::FromStr<Err: std::fmt::Display>>(what: &str, text: Option<&str>) -> Result<T, String> {
    let text = text.ok_or_else(|| format!("`{what}` is missing"))?;
    text.parse().map_err(|e: T::Err| e.to_string())
}

fn lease(seconds: Option<i64>) -> Result<Lease, String> {
    seconds.map_or(Ok(Lease::default()), Lease::of_seconds).map_err(|e| e.to_string())
}

/// Reads what [`Case`] is displayed as: `PACK/SCRIPT`, `PACK/SCRIPT[ROW]`, with `@DEVICE` behind it where there is one.
fn case(text: &str) -> Result<Case, String> {
    let wrong =
        || format!("`{text}` names no script: expected PACK/SCRIPT, PACK/SCRIPT[ROW] or either with @DEVICE");
    let (pack, rest) = text.split_once('/').ok_or_else(wrong)?;
    let (rest, device) = match rest.rsplit_once('@') {
        Some((rest, device)) if !device.contains(']') => (rest, Some(device.to_owned())),
        _ => (rest, None),
    };
    let (script, row) = match rest.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((script, row)) => (script, Some(row.to_owned())),
        None => (rest, None),
    };
    match pack.is_empty() || script.is_empty() {
        true => Err(wrong()),
        false => Ok(Case { pack: pack.to_owned(), script: script.to_owned(), row, device }),
    }
}

/// What the controller said, which is in the lab book.
fn answer(status: StatusCode, words: String) -> Response<Body> {
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(RECORDED, HeaderValue::from_static("yes"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_read_as_it_is_shown() {
        for (row, device) in
            [(None, None), (Some("a@b"), None), (None, Some("ESME")), (Some("1"), Some("ESME"))]
        {
            let told = Case {
                pack: "p".into(),
                script: "s".into(),
                row: row.map(str::to_owned),
                device: device.map(str::to_owned),
            };
            assert_eq!(case(&told.to_string()), Ok(told));
        }
        for wrong in ["", "p", "/s", "p/", "p/[r]"] {
            assert!(case(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_button_is_an_act_with_what_it_needs_and_nothing_else() {
        let act = |act: &str, body: &str| {
            let (_, read) = BUTTONS.into_iter().find(|(name, _)| *name == act).unwrap();
            serde_json::from_str(body).map_err(|e| e.to_string()).and_then(read)
        };
        assert_eq!(act("pause", r#"{"run":"r1"}"#), Ok(Action::Pause("r1".parse().unwrap())));
        assert_eq!(act("lift-stop", "{}"), Ok(Action::LiftStop));
        let held = Action::Hold { rig: "a".into(), reason: "x".into(), lease: Lease::default() };
        assert_eq!(act("hold", r#"{"rig":"a","reason":"x"}"#), Ok(held));
        for (name, body, said) in [
            ("pause", "{}", "`run` is missing"),
            ("pause", r#"{"run":"../x"}"#, "cannot name a run"),
            ("pause", r#"{"run":"r1","force":true}"#, "unknown field"),
            ("quarantine", r#"{"device":"a"}"#, "a"),
            ("hold", r#"{"rig":"a","lease-seconds":5}"#, "5 s"),
        ] {
            let error = act(name, body).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
