//! Installations, their devices, meter points and sealed secrets, in XML.

use proto_duis::SchemaError;
use proto_duis::foreign::{Cursor, Element};

use super::{
    Limits, Part, any, every, every_part, every_text, get, inside, leaf, leaves, octets, once, part, parts,
    read_octets, some, take, text, word, worded,
};
use crate::limits::{
    ENCAPSULATED, MAX_AUTHORISATIONS, MAX_CIPHERTEXT, MAX_DEVICES, MAX_METER_POINTS, MAX_SEALED, TAG,
};
use crate::names::{Term, space};
use crate::{Commissioned, CommonInstallation, Device, Estate, Holder, MeterPoint, Sealed};

impl Part for CommonInstallation {
    fn write(&self) -> Vec<Element> {
        let mut all =
            vec![leaf(Term::InstallationId, self.installation), word(Term::InstallationKind, self.kind)];
        all.extend(leaves(Term::AuthorisationId, &self.authorisations));
        all.extend(parts(Term::Device, &self.devices));
        all.extend(parts(Term::MeterPoint, &self.meter_points));
        all
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let installation = text(children, Term::InstallationId)?;
        let kind = worded(children, Term::InstallationKind)?;
        let authorisations = every_text(children, Term::AuthorisationId, any(MAX_AUTHORISATIONS))?;
        let devices = devices(children)?;
        let meter_points = every_part(children, Term::MeterPoint, any(MAX_METER_POINTS))?;
        Ok(Self { installation, kind, authorisations, devices, meter_points })
    }
}

/// Devices of one installation, each once.
fn devices(children: &mut Cursor<'_>) -> Result<Vec<Device>, SchemaError> {
    let devices: Vec<Device> = every_part(children, Term::Device, some(MAX_DEVICES))?;
    once(children, &devices, |device| device.id)?;
    Ok(devices)
}

impl Part for Device {
    fn write(&self) -> Vec<Element> {
        vec![
            leaf(Term::DeviceType, self.kind),
            leaf(Term::DeviceId, self.id),
            leaf(Term::Manufacturer, &self.manufacturer),
            leaf(Term::Model, &self.model),
            leaf(Term::HardwareVersion, &self.hardware),
            leaf(Term::FirmwareVersion, &self.firmware),
            leaf(Term::ConfigurationVersion, &self.configuration),
        ]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            kind: text(children, Term::DeviceType)?,
            id: text(children, Term::DeviceId)?,
            manufacturer: text(children, Term::Manufacturer)?,
            model: text(children, Term::Model)?,
            hardware: text(children, Term::HardwareVersion)?,
            firmware: text(children, Term::FirmwareVersion)?,
            configuration: text(children, Term::ConfigurationVersion)?,
        })
    }
}

impl Part for MeterPoint {
    fn write(&self) -> Vec<Element> {
        vec![
            leaf(Term::DeviceId, self.device),
            leaf(Term::MeterPointNumber, &self.number),
            leaf(Term::SupplierId, self.supplier),
            leaf(Term::Active, self.active),
        ]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        Ok(Self {
            device: text(children, Term::DeviceId)?,
            number: text(children, Term::MeterPointNumber)?,
            supplier: text(children, Term::SupplierId)?,
            active: text(children, Term::Active)?,
        })
    }
}

impl Part for Estate {
    fn write(&self) -> Vec<Element> {
        std::iter::once(part(Term::Installation, &self.common))
            .chain(parts(Term::Sealed, &self.sealed))
            .collect()
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let common = get(children, Term::Installation)?;
        Ok(Self { common, sealed: every_part(children, Term::Sealed, any(MAX_SEALED))? })
    }
}

impl Part for Sealed {
    fn write(&self) -> Vec<Element> {
        vec![
            leaf(Term::InstallationId, self.installation),
            part(Term::Recipient, &self.recipient),
            octets(Term::EncapsulatedKey, &self.encapsulated),
            octets(Term::Ciphertext, &self.ciphertext),
        ]
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let key = Limits { least: ENCAPSULATED, most: ENCAPSULATED };
        let ciphertext = Limits { least: TAG, most: MAX_CIPHERTEXT };
        Ok(Self {
            installation: text(children, Term::InstallationId)?,
            recipient: get(children, Term::Recipient)?,
            encapsulated: read_octets(children, Term::EncapsulatedKey, key)?,
            ciphertext: read_octets(children, Term::Ciphertext, ciphertext)?,
        })
    }
}

impl Part for Commissioned {
    fn write(&self) -> Vec<Element> {
        let mut all = vec![leaf(Term::InstallationId, self.installation)];
        all.extend(parts(Term::Device, &self.devices));
        all.extend(self.holders.iter().map(|(device, holder)| {
            let held = match holder {
                Holder::Dcc => Element::new(space(), Term::HolderDcc.name()),
                Holder::Supplier(supplier) => leaf(Term::SupplierId, supplier),
            };
            Element::new(space(), Term::Holder.name()).with(leaf(Term::DeviceId, device)).with(held)
        }));
        all
    }

    fn read(children: &mut Cursor<'_>) -> Result<Self, SchemaError> {
        let installation = text(children, Term::InstallationId)?;
        let devices = devices(children)?;
        let holders = every(children, Term::Holder, any(MAX_DEVICES), |reading| inside(reading, holder))?;
        once(children, &holders, |(device, _)| *device)?;
        Ok(Self { installation, devices, holders })
    }
}

/// A device and who holds its credentials.
fn holder(children: &mut Cursor<'_>) -> Result<(proto_duis::Eui64, Holder), SchemaError> {
    let device = text(children, Term::DeviceId)?;
    if children.peek(space(), Term::HolderDcc.name()) {
        take(children, Term::HolderDcc, |reading| reading.children(&[])?.finish())?;
        return Ok((device, Holder::Dcc));
    }
    Ok((device, Holder::Supplier(text(children, Term::SupplierId)?)))
}
