//! 6.2.7, 6.20.1 and 6.20.2: the meter points a device knows.

use lab_config::Function;
use proto_dlms::data::Data;
use proto_duis::body::{MeterPoint, SetExportMpan, SetImportMpxn};
use proto_duis::mmc::build::{self, Fuel, MeterPoints};
use proto_duis::{MmcBody, Srv};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::cosem;

pub(super) async fn read(desk: &mut Desk, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let import = held(desk, Function::MeterPoint).await?;
    let points = match fuel {
        Fuel::Gas => MeterPoints::Gas(import),
        Fuel::Electricity => {
            let export = match desk.object(Function::ExportMeterPoint) {
                Ok(_) => held(desk, Function::ExportMeterPoint).await?,
                Err(_) => None,
            };
            MeterPoints::Electricity { import, secondary_import: None, export }
        }
    };
    Ok(build::meter_points(&points)?)
}

/// The meter point the device holds; none where it holds none.
async fn held(desk: &mut Desk, function: Function) -> Result<Option<String>, Refusal> {
    Ok(Some(desk.text(function).await?).filter(|point| !point.is_empty()))
}

pub(super) async fn set_import(desk: &mut Desk, set: &SetImportMpxn, fuel: Fuel) -> Result<MmcBody, Refusal> {
    let point = match (&set.meter_point, fuel) {
        (MeterPoint::Electricity(points), Fuel::Electricity) if points.secondary.is_none() => {
            points.primary.as_str()
        }
        (MeterPoint::Electricity(_), Fuel::Electricity) => {
            return Err(refuse("the Device Model has no secondary element: leave SecondaryImportMPAN out"));
        }
        (MeterPoint::Gas(mprn), Fuel::Gas) => mprn.as_str(),
        (MeterPoint::Gas(_), Fuel::Electricity) => return Err(refuse("ImportMPRN is for gas meters")),
        (MeterPoint::Electricity(_), Fuel::Gas) => {
            return Err(refuse("ImportMPANs are for electricity meters"));
        }
    };
    put(desk, Function::MeterPoint, point).await?;
    Ok(build::done(Srv::SetDeviceConfigurationImportMPxN)?)
}

pub(super) async fn set_export(desk: &mut Desk, set: &SetExportMpan) -> Result<MmcBody, Refusal> {
    put(desk, Function::ExportMeterPoint, set.mpan.as_str()).await?;
    Ok(build::done(Srv::SetDeviceConfigurationExportMPAN)?)
}

fn refuse(words: &str) -> Refusal {
    Refusal::NotExpressible(words.to_owned())
}

async fn put(desk: &mut Desk, function: Function, point: &str) -> Result<(), Refusal> {
    let object = desk.object(function)?;
    desk.set(cosem::attribute(&object), Data::Octets(point.as_bytes().to_vec())).await
}
