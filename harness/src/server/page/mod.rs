//! The web page for witnesses and engineers: a run as its records say it goes, checked in the browser.
//!
//! ```text
//!  run folders ──> one feed a run ──> server-sent events: record lines and checkpoints, octet for octet
//!                                      └> the browser hashes each line (RFC 6962), checks each signature,
//!                                         holds the signed head, and shows what the lines say
//! ```
//!
//! What the page shows of a run it computes from lines it has hashed itself, so the witness need not trust this program.
//! This module reads files and does nothing else; it reaches for nothing by which a run is driven (13.16(b)). Buttons that
//! drive a run exist on the listener of engineers only, and lead to what is mounted there.
//!
//! Nothing comes from another host: page, style and program are inside this one, and the Content-Security-Policy of every
//! answer forbids anything else.

mod answer;
mod assets;
mod decoded;
mod documents;
mod lab;
mod live;
mod place;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use proto_lab::record::{ActorName, Credential, Role, RunId};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::Pages;
use super::identity::Caller;
use super::watch::Runs;
use crate::evidence::RunFolder;
use crate::gate::StandardPack;
use crate::watch::feed::{Feed, Feeds};
use answer::{Refused, json};
use decoded::Told;
pub use place::{Listening, PAGE_CONNECTIONS};

/// Runs followed live at a time, by all browsers together.
const WATCHING: usize = 512;
/// Answers that read and compute much, made at a time.
const HEAVY: usize = 2;

/// For whom a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// Witnesses and the board: nothing on it changes anything.
    Watch,
    /// Engineers: with buttons.
    Control,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The folder of the run folders.
    pub runs: PathBuf,
    /// The folder of the lab's public key, by which reports are checked.
    pub keys: PathBuf,
    /// The standard packs as this program ships them, agreed by their locks (20.16).
    pub standard: Vec<StandardPack>,
    /// The feeds of the runs that are watched.
    pub feeds: Feeds,
}

/// What stands behind every answer.
#[derive(Clone)]
struct Page {
    runs: Runs,
    shown: Arc<Shown>,
    face: Face,
    watching: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
    told: Arc<Told>,
    lab: Arc<lab::Fold>,
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("shown", &self.shown).field("face", &self.face).finish_non_exhaustive()
    }
}

/// The page, for a listener of this face. It asks for no credentials: whoever mounts it does.
pub fn router(shown: Shown, face: Face) -> Pages {
    let page = Page {
        runs: Runs::new(shown.runs.clone()),
        shown: Arc::new(shown),
        face,
        watching: Arc::new(Semaphore::new(WATCHING)),
        heavy: Arc::new(Semaphore::new(HEAVY)),
        told: Arc::new(Told::default()),
        lab: Arc::default(),
    };
    Pages::new()
        .route("/", get(async || assets::page("lab.html")))
        .route("/assets/{name}", get(async |Path(name): Path<String>| assets::asset(&name)))
        .route("/session", get(session))
        .route("/packs", get(packs))
        .route("/lab", get(lab::lab))
        .route("/runs", get(list))
        .route("/runs/{run}/", get(run_page))
        .route("/runs/{run}/records", get(live::records))
        .route("/runs/{run}/decoded/{sequence}", get(decoded::decoded))
        .route("/runs/{run}/report.html", get(documents::report_html))
        .route("/runs/{run}/report.json", get(documents::report_json))
        .route("/runs/{run}/witness.html", get(documents::witness_html))
        .route("/runs/{run}/witness.json", get(documents::witness_json))
        .route("/runs/{run}/records.html", get(documents::records_html))
        .route("/runs/{run}/blobs/{digest}", get(documents::blob))
        .route("/runs/{run}/captures/{file}", get(documents::capture))
        .route("/runs/{run}/{file}", get(documents::file))
        .fallback(async |uri: Uri| {
            Err::<Response, _>(Refused::NotThere(format!("nothing at {}", uri.path())))
        })
        .with_state(page)
}

impl Page {
    /// The folder of a run that is there.
    async fn folder(&self, run: &str) -> Result<RunFolder, Refused> {
        let run: RunId = run.parse().map_err(|e| Refused::Wrong(format!("{e}")))?;
        let runs = self.runs.clone();
        let unknown = Refused::NotThere(format!("there is no run {run} here"));
        aside(move || runs.folder(&run)).await?.ok_or(unknown)
    }

    fn feed(&self, folder: &RunFolder) -> Result<Arc<Feed>, Refused> {
        self.shown.feeds.of(folder).map_err(Refused::from)
    }

    /// Does what reads and computes much, so many at a time.
    async fn heavily<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        let _place = self.heavy.acquire().await.map_err(|_| Refused::Busy)?;
        aside(work).await
    }
}

/// Does what may wait for a disk without holding up other answers.
async fn aside<T: Send + 'static>(read: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    tokio::task::spawn_blocking(read)
        .await
        .map_err(|e| Refused::Broken(format!("reading was broken off: {e}")))
}

/// Who looks at the page, as whoever mounted it has found out.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Session {
    face: Face,
    harness: &'static str,
    /// Absent where nobody is asked who they are, and nobody is known by being on this machine either.
    who: Option<Looking>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Looking {
    name: ActorName,
    role: Role,
    /// Whether they signed in, and so can sign out.
    signed_in: bool,
    until: Option<Timestamp>,
}

async fn session(State(page): State<Page>, caller: Option<Extension<Caller>>) -> Result<Response, Refused> {
    let who = caller.and_then(|Extension(caller)| {
        let actor = caller.who.actor()?;
        let signed_in = actor.credential == Credential::SignIn;
        Some(Looking { name: actor.name.clone(), role: actor.role, signed_in, until: caller.until })
    });
    json(&Session { face: page.face, harness: env!("CARGO_PKG_VERSION"), who })
}

async fn packs(State(page): State<Page>) -> Result<Response, Refused> {
    let told = page.shown.standard.iter().map(
        |pack| serde_json::json!({ "purpose": pack.purpose, "release": pack.release, "lock": pack.lock }),
    );
    json(&told.collect::<Vec<_>>())
}

/// A run in the list.
#[derive(Debug, Serialize)]
struct Listed {
    run: String,
    rig: String,
    dmc: String,
    began: String,
    records: u64,
    finished: bool,
    verdict: String,
}

async fn list(State(page): State<Page>, uri: Uri) -> Result<Response, Refused> {
    let limit = answer::asked(&uri, "limit")?.unwrap_or(0).min(u64::from(u32::MAX)) as u32;
    let runs = page.runs.clone();
    let listed = aside(move || runs.latest(limit)).await?.map_err(Refused::evidence)?;
    let listed = listed.into_iter().map(|run| Listed {
        run: run.run,
        rig: run.rig,
        dmc: run.dmc,
        began: run.began,
        records: run.records,
        finished: run.finished,
        verdict: run.verdict,
    });
    json(&listed.collect::<Vec<_>>())
}

async fn run_page(State(page): State<Page>, Path(run): Path<String>) -> Result<Response, Refused> {
    page.folder(&run).await?;
    assets::page("run.html")
}
