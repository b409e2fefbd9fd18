//! The truth at the device: one attribute read by a path that the DCC Systems have no part in.
//!
//! It only reads. Each observation signs on and off anew, so that it sees the device as it is and leaves its port free.

use jiff::Timestamp;
use lab_config::{DlmsProfile, Path, RigDevice};
use proto_dlms::data::{AttributeRef, Selective};
use scenarios::{Bindings, Observe, ObservedAttribute, Operand, Select, Values};

use super::columns;
use crate::driver::cluster::HanError;
use crate::driver::{Client, RigLinks, buffer, cosem, read, rig, values};
use crate::driver::{ReachError, Session};
use crate::execute::Trouble;

/// Reads what a step observes.
///
/// # Errors
/// [`Trouble`]: an error, since a device that is not reached by the second path says nothing about the DCC Systems; a fail
/// when the device refuses to give what it should.
pub(super) async fn read(
    links: &RigLinks,
    device: &RigDevice,
    observe: &Observe,
    bindings: &Bindings,
) -> Result<Values, Trouble> {
    if observe.through == Path::Han {
        return read_han(links, device, observe).await;
    }
    let profile = rig::profile(device).map_err(reach)?;
    let attribute = attribute(profile, observe)?;
    let selected = observe.select.as_ref().map(|select| selected(select, bindings)).transpose()?;
    let mut session = links.open(device, observe.through, Client::Management).await.map_err(reach)?;
    let reading = reading(&mut session, profile, observe, attribute, selected).await;
    session.close().await;
    reading
}

/// Reads what a step observes on the home area network, by the rig's dongle.
async fn read_han(links: &RigLinks, device: &RigDevice, observe: &Observe) -> Result<Values, Trouble> {
    let mut han = links.open_han(device).await.map_err(reach)?;
    let reading = match observe.what {
        ObservedAttribute::Function(function) => han.function(function).await.transpose(),
        ObservedAttribute::Cluster(attribute) => Some(han.attribute(attribute).await),
        ObservedAttribute::Attribute(_) => None,
    };
    let none =
        || Trouble::error(format!("the Device Model's [clusters] do not say where {} is", observe.what));
    let mut seen = Values::new();
    reading.ok_or_else(none)?.map_err(|error| reach(error.into()))?.set(&mut seen);
    Ok(seen)
}

async fn reading(
    session: &mut Session,
    profile: &DlmsProfile,
    observe: &Observe,
    attribute: AttributeRef,
    selected: Option<Selected>,
) -> Result<Values, Trouble> {
    let data = match selected {
        Some(Selected::Between(from, to)) => buffer::between(session, profile, attribute, (from, to)).await,
        Some(Selected::Entries(entries)) => session.get(attribute, Some(entries)).await,
        None => session.get(attribute, None).await,
    };
    let data = data.map_err(|e| reach(e.into()))?;
    let scaler = read::scaler_unit(session, attribute).await.map_err(|e| reach(e.into()))?;
    let mut seen = Values::new();
    values::reading(&data, attribute.class, scaler, cosem::sign(profile)).set(&mut seen);
    if let ObservedAttribute::Function(function) = observe.what {
        let buffer = (function, attribute);
        columns::set(session, profile, buffer, &data, &observe.columns, &mut seen).await?;
    }
    Ok(seen)
}

fn attribute(profile: &DlmsProfile, observe: &Observe) -> Result<AttributeRef, Trouble> {
    match observe.what {
        ObservedAttribute::Attribute(attribute) => Ok(attribute),
        ObservedAttribute::Cluster(attribute) => Err(Trouble::error(format!(
            "{attribute} is a ZigBee attribute, and the {} path has none",
            observe.through
        ))),
        ObservedAttribute::Function(function) => match profile.object(function) {
            Some(object) => Ok(cosem::attribute(object)),
            None => Err(Trouble::error(format!("the Device Model's profile has no object for {function}"))),
        },
    }
}

/// What a script selects of a buffer.
enum Selected {
    /// By entry.
    Entries(Selective),
    /// By time.
    Between(Timestamp, Timestamp),
}

fn selected(select: &Select, bindings: &Bindings) -> Result<Selected, Trouble> {
    Ok(match select {
        Select::Entries { first, last } => {
            Selected::Entries(Selective::Entry { from: *first, to: *last, first_column: 1, last_column: 0 })
        }
        Select::Between { from, to } => Selected::Between(moment(from, bindings)?, moment(to, bindings)?),
    })
}

fn moment(operand: &Operand, bindings: &Bindings) -> Result<Timestamp, Trouble> {
    let value = operand.resolve(bindings).map_err(|e| Trouble::error(e.to_string()))?;
    value.as_time().ok_or_else(|| Trouble::error(format!("found {value} to select by, expected a time")))
}

pub(super) fn reach(error: ReachError) -> Trouble {
    match &error {
        // The device was reached and has not what its Device Model says it has.
        ReachError::Han(HanError::Cluster { .. }) => Trouble::fail(error.to_string()),
        ReachError::Driver(driver) if !driver.breaks_session() => Trouble::fail(error.to_string()),
        ReachError::Driver(driver) => Trouble::error(format!("{error}; {}", driver.hint())),
        _ => Trouble::error(error.to_string()),
    }
}
