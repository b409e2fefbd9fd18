//! `harness station`: this computer's ports and actuators, lent to the lab's controller.

use lab_config::{ClientIdentity, Offer, PrivateKeySource};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::arguments::Station;
use super::say::say;
use super::{Exit, Failure, print_json};
use crate::dial::Way;
use crate::station::attach::{Program, ProgramError};

pub(super) async fn station(verb: &Station) -> Result<Exit, Failure> {
    let offer = Offer::load(&verb.offer).map_err(Failure::input)?;
    if verb.check {
        return check(verb, &offer);
    }
    let identity = verb
        .certificate
        .clone()
        .zip(verb.key.clone())
        .map(|(certificate, key)| ClientIdentity { certificate, key: PrivateKeySource::File(key) });
    let way = Way::to(verb.controller.clone(), verb.ca.as_deref(), identity.as_ref());
    let json = verb.json;
    let tells = move |words: &str| tell(words, json);
    let program = Program::new(offer, way.map_err(Failure::input)?, verb.state.clone(), tells);
    let program = program.map_err(|error| match error {
        ProgramError::State { .. } => Failure::lab(error).hint("give a folder of this user's with --state"),
        other => Failure::input(other),
    })?;
    let stop = CancellationToken::new();
    listen(&stop)?;
    program.run(stop).await;
    Ok(Exit::Done)
}

fn check(verb: &Station, offer: &Offer) -> Result<Exit, Failure> {
    let ports: Vec<String> =
        offer.ports.iter().map(|(name, port)| format!("{name} of {}: {}", port.rig, port.link)).collect();
    let actuators: Vec<String> =
        offer.actuators.iter().map(|(name, actuator)| format!("{name} of {}", actuator.rig)).collect();
    if verb.json {
        let told =
            serde_json::json!({ "station": offer.name.as_str(), "ports": ports, "actuators": actuators });
        return print_json(&told).map(|()| Exit::Done);
    }
    say!("station {}", offer.name);
    ports.iter().for_each(|port| say!("  port {port}"));
    actuators.iter().for_each(|actuator| say!("  actuator {actuator}"));
    Ok(Exit::Done)
}

fn tell(words: &str, json: bool) {
    match json {
        true => drop(print_json(&serde_json::json!({ "told": words }))),
        false => say!("{words}"),
    }
}

/// Ctrl-C and a termination request end the station, when its part of each rig is safe.
fn listen(stop: &CancellationToken) -> Result<(), Failure> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut received = signal(kind).map_err(Failure::lab)?;
        let stop = stop.clone();
        tokio::spawn(async move {
            received.recv().await;
            stop.cancel();
        });
    }
    Ok(())
}
