//! `harness watch`: a run as its records arrive, read only; from its folder, or from another program that serves it.

mod lost;
mod remote;
mod watched;

use super::arguments::Watch;
use super::screen::Screen;
use super::{Exit, Failure};
use crate::evidence::RunFolder;

pub(super) async fn watch(verb: &Watch) -> Result<Exit, Failure> {
    if let Some(url) = verb.run.to_str().filter(|given| given.contains("://")) {
        return remote::watch(verb, url).await;
    }
    let folder = RunFolder::new(&verb.run);
    if !folder.records().exists() {
        return Err(Failure::input(format!("{} holds no records.jsonl", verb.run.display()))
            .hint("give the folder of one run, such as runs/20261121T210745Z-1f3a"));
    }
    let following = Screen::new(verb.json).follow(folder, || false);
    tokio::select! {
        followed = following => followed.map(|()| Exit::Done),
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}
