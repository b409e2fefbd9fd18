//! `harness serve`: watching runs from another program, read only.

use super::arguments::Serve;
use super::say::say;
use super::verify::key_folder;
use super::{Exit, Failure, print_json, report};
use crate::server::Server;
use crate::server::page::{self, Face, Listening, Shown};

pub(super) async fn serve(verb: &Serve) -> Result<Exit, Failure> {
    if !verb.runs.is_dir() {
        return Err(Failure::input(format!("{} is no folder", verb.runs.display()))
            .hint("give the folder of run folders that `harness run` writes to, with --runs"));
    }
    let bound = Server::bind(verb.listen, &verb.runs).await;
    let server = bound.map_err(|e| Failure::lab(e).hint("choose another port with --listen"))?;
    let page = page(verb).await?;
    let address = format!("http://{}", server.address());
    let page_address = page.as_ref().map(|page| format!("http://{}/", page.address()));
    match verb.json {
        true => print_json(&serde_json::json!({ "address": address, "page": page_address }))?,
        false => [Some(address), page_address].iter().flatten().for_each(|address| say!("{address}")),
    }
    tokio::select! {
        served = server.serve() => served.map(|()| Exit::Done).map_err(Failure::lab),
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}

/// The page for people, where it was asked for.
async fn page(verb: &Serve) -> Result<Option<Listening>, Failure> {
    let Some(address) = verb.page else { return Ok(None) };
    let keys = key_folder(&verb.runs, &verb.keys);
    let shown = Shown { runs: verb.runs.clone(), keys, standard: report::standard()? };
    let listening = Listening::start(address, page::router(shown, Face::Watch)).await;
    listening.map(Some).map_err(|e| Failure::lab(e).hint("choose another port with --page"))
}
