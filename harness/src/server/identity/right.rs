//! Who may call what, at which listener. Pure.

use axum::http::Method;
use proto_lab::record::{Credential, Role};

use super::Who;

/// One of the two listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// Witnesses and boards watch, witnesses cosign; its router holds nothing else.
    Watch,
    /// Engineers, schedulers and stations.
    Control,
}

impl std::fmt::Display for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Watch => "watch",
            Self::Control => "control",
        })
    }
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::server) enum NoRight {
    /// Nobody is known.
    #[error("nobody is known by this call: show a certificate of the lab's authority, or sign in")]
    Unknown,
    /// Somebody is, and may not.
    #[error("this is not for {who}: {needs}")]
    Role {
        /// Who called.
        who: String,
        /// Who may.
        needs: &'static str,
    },
}

/// Paths that are for everybody, for without them nobody could sign in.
const PUBLIC: [(&Method, &str); 5] = [
    (&Method::GET, "/sign-in"),
    (&Method::GET, "/sign-in.js"),
    (&Method::POST, "/sign-in"),
    (&Method::POST, "/sign-out"),
    (&Method::GET, "/favicon.ico"),
];
/// What pages are made of: no more than is in the program itself.
const ASSETS: &str = "/assets/";
const PACKAGE: &str = "/smets1.lab.v1.";

/// Whether a caller may make this call.
pub(in crate::server) fn permit(door: Door, who: &Who, method: &Method, path: &str) -> Result<(), NoRight> {
    if is_public(method, path) {
        return Ok(());
    }
    let refuse = |needs| Err(NoRight::Role { who: name(who), needs });
    let role = match who {
        Who::Nobody => return Err(NoRight::Unknown),
        Who::Station(_) if door == Door::Control && is_for_stations(path) => return Ok(()),
        Who::Station(_) => {
            return refuse("a station attaches at the control listener, and does nothing else");
        }
        // Where nobody on this machine is asked who they are, neither are its stations.
        Who::Actor(actor)
            if door == Door::Control && actor.credential == Credential::Loopback && is_for_stations(path) =>
        {
            return Ok(());
        }
        Who::Actor(actor) => actor.role,
    };
    if door == Door::Control && matches!(role, Role::Witness | Role::Board) {
        return refuse("witnesses and boards have no right at the control listener: use the watch listener");
    }
    match needed(method, path) {
        Some((roles, needs)) if !roles.contains(&role) => refuse(needs),
        _ => Ok(()),
    }
}

fn is_public(method: &Method, path: &str) -> bool {
    PUBLIC.iter().any(|(m, p)| *m == method && *p == path)
        || (method == Method::GET && path.starts_with(ASSETS))
}

fn is_for_stations(path: &str) -> bool {
    path.strip_prefix(PACKAGE).is_some_and(|rest| rest.starts_with("Station/"))
        || path.starts_with("/grpc.health.v1.")
        || path.starts_with("/grpc.reflection.")
}

/// The roles that a call is for, where it is not for every role.
fn needed(method: &Method, path: &str) -> Option<(&'static [Role], &'static str)> {
    let engineers: (&'static [Role], _) = (&[Role::Engineer], "it is for engineers");
    let witnesses: (&'static [Role], _) = (&[Role::Witness], "it is for witnesses");
    let schedulers: (&'static [Role], _) =
        (&[Role::Engineer, Role::Scheduler], "it is for engineers and schedulers");
    let Some((service, call)) = path.strip_prefix(PACKAGE).and_then(|rest| rest.split_once('/')) else {
        return needed_for_page(method, path, [schedulers, witnesses]);
    };
    match (service, call) {
        ("Watch", _) | ("Cosign", "ListCosignatures") => None,
        ("Cosign", _) => Some(witnesses),
        ("Queue", _) => Some(schedulers),
        ("Control", _) => Some(engineers),
        _ => Some((&[], "it is for stations")),
    }
}

/// What a page posts is an act: under `/control/` one that the controller judges further, under `/cosign` a witness's.
fn needed_for_page(
    method: &Method,
    path: &str,
    [schedulers, witnesses]: [(&'static [Role], &'static str); 2],
) -> Option<(&'static [Role], &'static str)> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match path {
        _ if path.starts_with("/control/") => Some(schedulers),
        _ if path.starts_with("/grpc.") || reads => None,
        "/cosign" => Some(witnesses),
        _ => Some((&[], "nobody posts there")),
    }
}

fn name(who: &Who) -> String {
    match who {
        Who::Actor(actor) => actor.to_string(),
        Who::Station(name) => format!("station {name}"),
        Who::Nobody => "nobody".to_owned(),
    }
}
