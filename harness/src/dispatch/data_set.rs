//! Test data sets: loaded into the devices before the first record, and looked at there (SVTAD 8.1(g), 9.1(b)).

mod wire;

use std::sync::Arc;
use std::time::Duration;

use lab_config::contents::Load;
use scenarios::{Action, Bindings, DataSet, Facts, Step, Write, evaluate};

use super::{Hands, RunError, second_path};
use crate::driver::{Client, RigLinks};

/// How long one write or one look may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Loads data sets, one after the other, and looks at each in the devices.
///
/// # Errors
/// [`RunError::DataSet`], with what cannot be loaded or what differs: nothing is run then.
pub(super) async fn load(
    sets: &[DataSet],
    links: &RigLinks,
    hands: &mut dyn Hands,
    facts: &Arc<Facts>,
) -> Result<(), RunError> {
    for set in sets {
        let wrong = |reason: String| RunError::DataSet { set: set.name.to_string(), reason };
        put(set, links, hands).await.map_err(wrong)?;
        for write in &set.writes {
            written(links, write).await.map_err(wrong)?;
        }
        for check in &set.checks {
            seen(links, check, facts).await.map_err(wrong)?;
        }
    }
    Ok(())
}

/// Loads what has a bench's hand in it. A real device is written what can be written; the rest it must hold already, which
/// whoever prepares it is told, and which the checks find out.
async fn put(set: &DataSet, links: &RigLinks, hands: &mut dyn Hands) -> Result<(), String> {
    let rig = links.rig();
    for load in &set.loads {
        rig.device(load.device()).ok_or_else(|| format!("rig {} has no {}", rig.name, load.device()))?;
    }
    for load in hands.load(&set.loads)? {
        let device =
            rig.device(load.device()).ok_or_else(|| format!("rig {} has no such device", rig.name))?;
        let by_wire = wire::put(links, device, &load).await?;
        hands.tell(&told(set, &load, &by_wire));
    }
    Ok(())
}

/// What was written to a device, and what is to be prepared by hand.
fn told(set: &DataSet, load: &Load, by_wire: &[&'static str]) -> String {
    let mut lines = vec![format!("test data set {}, the {}:", set.name, load.device())];
    lines.extend(by_wire.iter().map(|what| format!("  written over the wire: {what}")));
    lines.extend(load.words().into_iter().map(|what| format!("  it must hold: {what}")));
    lines.join("\n")
}

async fn written(links: &RigLinks, write: &Write) -> Result<(), String> {
    let rig = links.rig();
    let device =
        rig.device(write.device).ok_or_else(|| format!("rig {} has no {}", rig.name, write.device))?;
    let writing = async {
        let session = links.open(device, write.through, Client::Management).await;
        let mut session = session.map_err(|error| error.to_string())?;
        let set = session.set(write.attribute, write.value.clone()).await.map_err(|error| error.to_string());
        session.close().await;
        set
    };
    let late = |_| format!("{} of the {} was not written in {PATIENCE:?}", write.attribute, write.device);
    tokio::time::timeout(PATIENCE, writing).await.map_err(late)?
}

/// Holds one look at a device against what the data set says of it.
async fn seen(links: &RigLinks, check: &Step, facts: &Arc<Facts>) -> Result<(), String> {
    let Action::Observe(observe) = &check.action else { return Ok(()) };
    let kind = observe.device.ok_or_else(|| format!("{}: it names no device", check.words))?;
    let rig = links.rig();
    let device = rig.device(kind).ok_or_else(|| format!("rig {} has no {kind}", rig.name))?;
    let mut bindings = Bindings::new(Arc::clone(facts), kind);
    bindings.set_now(jiff::Timestamp::now());
    let looking = second_path::read(links, device, observe, &bindings);
    let found = tokio::time::timeout(PATIENCE, looking).await;
    let found = found.map_err(|_| format!("{}: not seen in {PATIENCE:?}", check.words))?;
    let values = found.map_err(|trouble| format!("{}: {trouble}", check.words))?;
    check.expect.iter().try_for_each(|expectation| {
        evaluate(expectation, &values, &bindings).map_err(|mismatch| {
            let scenarios::Mismatch { path, expected, found } = mismatch;
            format!("{}: {path}: expected {expected}, found {found}", check.words)
        })
    })
}
