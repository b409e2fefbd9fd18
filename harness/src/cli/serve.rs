//! `harness serve`: watching runs from another program, read only.

use super::arguments::Serve;
use super::say::say;
use super::{Exit, Failure, print_json};
use crate::server::Server;

pub(super) async fn serve(verb: &Serve) -> Result<Exit, Failure> {
    if !verb.runs.is_dir() {
        return Err(Failure::input(format!("{} is no folder", verb.runs.display()))
            .hint("give the folder of run folders that `harness run` writes to, with --runs"));
    }
    let bound = Server::bind(verb.listen, &verb.runs).await;
    let server = bound.map_err(|e| Failure::lab(e).hint("choose another port with --listen"))?;
    let address = format!("http://{}", server.address());
    match verb.json {
        true => print_json(&serde_json::json!({ "address": address }))?,
        false => say!("{address}"),
    }
    tokio::select! {
        served = server.serve() => served.map(|()| Exit::Done).map_err(Failure::lab),
        _ = tokio::signal::ctrl_c() => Ok(Exit::Done),
    }
}
