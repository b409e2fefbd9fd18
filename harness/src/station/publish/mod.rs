//! What the lab publishes over MQTT: run events, states of rigs and stations, for dashboards.
//!
//! It is a watcher like any other: it follows record files, folds what is in them ([`proto_lab::publish`]) and sends the
//! messages on. Nothing waits for it. What a slow or absent broker does not take is kept as far as there is room, states by
//! their last value and events by their latest, and what there was no room for is counted and said.

mod follow;
mod outbox;

use std::path::PathBuf;
use std::sync::Arc;

use lab_config::Broker;
use proto_lab::publish::Topics;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::StationError;
use super::session::RumqttBroker;
use crate::link::NoTap;
use outbox::Outbox;

/// Publication, under way until this is dropped.
#[derive(Debug)]
pub struct Publisher {
    _stop: DropGuard,
}

impl Publisher {
    /// Begins to publish what is in the record files below `runs` for the lab of this name.
    ///
    /// # Errors
    /// [`StationError`] when the broker's password or certificates cannot be had.
    pub fn start(lab: &str, broker: &Broker, runs: PathBuf) -> Result<Self, StationError> {
        let topics = Topics::of(lab);
        let name = format!("harness-{lab}-{:016x}", rand::random::<u64>());
        let will = topics.online(false);
        let session = RumqttBroker::new("publication", broker, name, Arc::new(NoTap))?;
        let session = session.with_will(&will.topic, will.payload);
        let stop = CancellationToken::new();
        let (outbox, taken) = Outbox::new(topics.clone(), broker.url.to_string());
        let (following, sending) = (stop.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = follow::follow(runs, topics, taken) => {}
                () = following.cancelled() => {}
            }
        });
        tokio::spawn(async move {
            tokio::select! {
                () = outbox.run(session) => {}
                () = sending.cancelled() => {}
            }
        });
        Ok(Self { _stop: stop.drop_guard() })
    }
}
