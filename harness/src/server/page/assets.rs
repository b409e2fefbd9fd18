//! The page's own files, inside the program.

use axum::response::Response;

use super::answer::{Refused, of_page};

/// Name, kind and contents of every file.
const ASSETS: &[(&str, &str, &str)] = &[
    ("page.css", "text/css; charset=utf-8", include_str!("assets/page.css")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ("tree.js", SCRIPT, include_str!("assets/tree.js")),
    ("note.js", SCRIPT, include_str!("assets/note.js")),
    ("stream.js", SCRIPT, include_str!("assets/stream.js")),
    ("witness.js", SCRIPT, include_str!("assets/witness.js")),
    ("fold.js", SCRIPT, include_str!("assets/fold.js")),
    ("parts.js", SCRIPT, include_str!("assets/parts.js")),
    ("evidence.js", SCRIPT, include_str!("assets/evidence.js")),
    ("run.js", SCRIPT, include_str!("assets/run.js")),
    ("lab.js", SCRIPT, include_str!("assets/lab.js")),
    ("session.js", SCRIPT, include_str!("assets/session.js")),
    ("control.js", SCRIPT, include_str!("assets/control.js")),
    ("cosign.js", SCRIPT, include_str!("assets/cosign.js")),
];

const PAGES: &[(&str, &str)] =
    &[("lab.html", include_str!("assets/lab.html")), ("run.html", include_str!("assets/run.html"))];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// A page by the name of its file.
pub(super) fn page(name: &str) -> Result<Response, Refused> {
    let found = PAGES.iter().find(|(known, _)| *known == name);
    let (_, text) = found.ok_or_else(|| Refused::NotThere(format!("no page {name}")))?;
    Ok(of_page("text/html; charset=utf-8", *text))
}

/// A file that a page asks for.
pub(super) fn asset(name: &str) -> Result<Response, Refused> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| Refused::NotThere(format!("no file {name}")))?;
    Ok(of_page(kind, *text))
}
