//! The hand at a rig while its installation is migrated: it wakes gas meters.
//!
//! A gas meter sleeps half an hour from wake to wake, and neither a credential can be changed in it nor the one before given
//! back until it is awake. A person at its local port wakes it at once; so does a lab whose rig has a link to that port, by
//! the association of the public client, in which nobody is told anything and nothing is changed. The S1SP and the SMSO
//! know nothing of it: they talk to the meter by the wide area network, as they always do, and find it awake.

use lab_config::{Path, RigDevice};
use tokio::time::{Duration, timeout};

use crate::driver::{Client, RigLinks};

/// How long it may take to wake one meter.
const PER_DEVICE: Duration = Duration::from_secs(20);

/// Wakes every device of the rig that sleeps and has a local port with a link; says which, and which could not be woken and
/// why. None where there is nothing to wake.
pub(crate) async fn wake(links: &RigLinks) -> Option<String> {
    let mut said = Vec::new();
    for device in links.rig().devices().filter(|device| can_be_woken(device)) {
        said.push(match woken(links, device).await {
            Ok(()) => format!("the {} is woken at its local port", device.kind),
            Err(why) => format!("the {} is not woken at its local port: {why}", device.kind),
        });
    }
    (!said.is_empty()).then(|| said.join("; "))
}

fn can_be_woken(device: &RigDevice) -> bool {
    device.model.wake_interval().is_some() && device.links.contains_key(&Path::Local)
}

async fn woken(links: &RigLinks, device: &RigDevice) -> Result<(), String> {
    let opening = links.open(device, Path::Local, Client::Public);
    let session = timeout(PER_DEVICE, opening).await.map_err(|_| "no answer there".to_owned())?;
    session.map_err(|error| error.to_string())?.close().await;
    Ok(())
}
