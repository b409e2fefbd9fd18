//! What lies in a run's folder and what is made of it: files as they are, reports, the page of records.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use proto_lab::Digest;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::answer::{Refused, document, json, of_page};
use super::live::TAKEN_WITHIN;
use super::{Page, aside};
use crate::evidence::Standing;
use crate::report::{
    Places, STYLE, WitnessReport, report_html as dmct_html, witness_html as witness_report_html,
};
use crate::watch::Reported;

/// Octets of a file sent at a time.
const PART: u64 = 256 << 10;
/// Octets of a blob looked at to say whether it is text.
const LOOKED_AT: u64 = 4 << 10;

/// A file of at most so many octets.
pub(super) fn contents(path: &FilePath, limit: u64) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let mut file = File::open(path)?.take(limit + 1);
    file.read_to_end(&mut octets)?;
    match octets.len() as u64 > limit {
        true => Err(io::Error::other(format!("longer than {limit} octets"))),
        false => Ok(octets),
    }
}

/// `/runs/RUN/records.jsonl`, `checkpoints`, `cosignatures` and `key.pub`: as they are at this moment.
pub(super) async fn file(
    State(page): State<Page>,
    Path((run, file)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let folder = page.folder(&run).await?;
    let (path, kind) = match file.as_str() {
        "records.jsonl" => (folder.records(), "application/jsonl; charset=utf-8"),
        "checkpoints" => (folder.checkpoints(), "text/plain; charset=utf-8"),
        "cosignatures" => (folder.cosignatures(), "text/plain; charset=utf-8"),
        "key.pub" => (folder.key(), "text/plain; charset=utf-8"),
        _ => return Err(Refused::NotThere(format!("run {run} has no {file}"))),
    };
    send(&page, path, kind).await
}

/// `/runs/RUN/blobs/SHA256`
pub(super) async fn blob(
    State(page): State<Page>,
    Path((run, digest)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let folder = page.folder(&run).await?;
    let digest: Digest = digest.parse().map_err(|e| Refused::Wrong(format!("{e}")))?;
    let path = folder.blob(&digest);
    let begins = path.clone();
    let is_text = aside(move || {
        let mut octets = Vec::new();
        File::open(begins).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut octets)).is_ok()
            && std::str::from_utf8(&octets).map_or_else(|e| e.error_len().is_none(), |_| true)
    });
    let kind = if is_text.await? { "text/plain; charset=utf-8" } else { "application/octet-stream" };
    send(&page, path, kind).await
}

/// `/runs/RUN/captures/FILE`
pub(super) async fn capture(
    State(page): State<Page>,
    Path((run, file)): Path<(String, String)>,
) -> Result<Response, Refused> {
    let folder = page.folder(&run).await?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if file.starts_with('.') || !file.bytes().all(fits) {
        return Err(Refused::Wrong(format!("{file} is not a name of a capture")));
    }
    send(&page, folder.captures().join(file), "application/x-pcapng").await
}

/// Sends a file as long as it is now, part by part.
async fn send(page: &Page, path: PathBuf, kind: &'static str) -> Result<Response, Refused> {
    let place = Arc::clone(&page.watching).try_acquire_owned().map_err(|_| Refused::Busy)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let opened = aside(move || {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok::<_, io::Error>((file, length))
    });
    let (mut file, mut left) = opened.await?.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Refused::NotThere(format!("{name} is not there")),
        _ => Refused::Broken(format!("{name}: {error}")),
    })?;
    let (to, parts) = mpsc::channel::<Result<Bytes, io::Error>>(2);
    tokio::spawn(async move {
        let _place = place;
        while left > 0 {
            let read = aside(move || {
                let mut octets = Vec::new();
                let read = (&file).take(PART.min(left)).read_to_end(&mut octets);
                (file, read.map(|_| octets))
            });
            let Ok((back, read)) = read.await else { return };
            file = back;
            let part = read.and_then(|octets| match octets.is_empty() {
                true => Err(io::Error::other("the file became shorter while it was sent")),
                false => Ok(Bytes::from(octets)),
            });
            let (is_broken, length) = (part.is_err(), part.as_ref().map_or(0, Bytes::len) as u64);
            if to.send_timeout(part, TAKEN_WITHIN).await.is_err() || is_broken {
                return;
            }
            left = left.saturating_sub(length);
        }
    });
    Ok(of_page(kind, Body::from_stream(ReceiverStream::new(parts))))
}

/// `/runs/RUN/report.html`
pub(super) async fn report_html(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Response, Refused> {
    let standard = page.shown.standard.clone();
    let html = finished(&page, &run, move |reported| {
        let report = reported.dmct_report(standard, Timestamp::now());
        dmct_html(&report, &Places::beside()).map_err(|e| Refused::Broken(e.to_string()))
    });
    Ok(document(html.await?, &style_digest()))
}

/// `/runs/RUN/report.json`
pub(super) async fn report_json(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Response, Refused> {
    let standard = page.shown.standard.clone();
    let made = finished(&page, &run, |reported| Ok(reported.dmct_report(standard, Timestamp::now())));
    json(&made.await?)
}

/// `/runs/RUN/witness.html`
pub(super) async fn witness_html(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Response, Refused> {
    let made = finished(&page, &run, |reported| {
        witness_report_html(&witnessed(reported)?).map_err(|e| Refused::Broken(e.to_string()))
    });
    Ok(document(made.await?, &style_digest()))
}

/// `/runs/RUN/witness.json`
pub(super) async fn witness_json(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Response, Refused> {
    json(&finished(&page, &run, witnessed).await?)
}

fn witnessed(reported: &Reported) -> Result<WitnessReport, Refused> {
    let none =
        || Refused::NotThere("no script was chosen to be witnessed before this run (13.15)".to_owned());
    reported.witness_report(Timestamp::now()).ok_or_else(none)
}

/// `/runs/RUN/records.html`
pub(super) async fn records_html(
    State(page): State<Page>,
    Path(run): Path<String>,
) -> Result<Response, Refused> {
    let made =
        read(&page, &run, |reported| reported.records_html().map_err(|e| Refused::Broken(e.to_string())));
    Ok(document(made.await?, &style_digest()))
}

/// Makes something of a run that has ended.
async fn finished<T: Send + 'static>(
    page: &Page,
    run: &str,
    make: impl FnOnce(&Reported) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    read(page, run, |reported| match reported.verification().standing {
        Standing::Open => Err(Refused::NotThere(
            "the run has no final checkpoint: it is reported of once it has ended".to_owned(),
        )),
        _ => make(reported),
    })
    .await
}

/// Makes something of a run.
async fn read<T: Send + 'static>(
    page: &Page,
    run: &str,
    make: impl FnOnce(&Reported) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let folder = page.folder(run).await?;
    let keys = page.shown.keys.clone();
    let made = page.heavily(move || {
        let reported = Reported::read(&folder, &keys).map_err(|e| Refused::Broken(e.to_string()))?;
        make(&reported)
    });
    made.await?
}

fn style_digest() -> String {
    STANDARD.encode(Digest::of(STYLE.as_bytes()).as_bytes())
}
