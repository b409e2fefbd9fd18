//! 6.11 and 8.1.1: setting a device's clock.

use jiff::{SignedDuration, Timestamp};
use lab_config::Function;
use proto_dlms::data::{Data, DateTime};
use proto_duis::mmc::build::{self, Fuel};
use proto_duis::{ClockStatus, MmcBody, SynchroniseClock};

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use crate::driver::{cosem, values};

/// Sets the clock to the S1SP's own time, provided that the time in the request is not further from it than the request
/// tolerates: a request that was long on the way must not turn a clock back.
pub(super) async fn synchronise(
    desk: &mut Desk,
    request: &SynchroniseClock,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    let (time, status) = set(desk, request, now).await?;
    Ok(build::synchronise_clock(true, Some(time), status)?)
}

/// 8.1.1: the device is in service with its clock set; that it is, is the DCC's to note.
pub(super) async fn commission(
    desk: &mut Desk,
    request: &SynchroniseClock,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    let (time, status) = set(desk, request, now).await?;
    Ok(build::commissioned(true, Some(time), status)?)
}

async fn set(
    desk: &mut Desk,
    request: &SynchroniseClock,
    now: Timestamp,
) -> Result<(Timestamp, Option<ClockStatus>), Refusal> {
    let off = now.duration_since(request.current).abs();
    if off > SignedDuration::from_secs(request.tolerance.seconds().into()) {
        let words = format!(
            "CurrentDateTime {} is {:.0} s from the time, the tolerance is {} s; the clock was left as it is",
            request.current,
            off.as_secs_f64(),
            request.tolerance.seconds()
        );
        return Err(Refusal::NotExpressible(words));
    }
    let object = desk.object(Function::Clock)?;
    let time = DateTime::from_unix(now.as_second(), 0).to_octets();
    desk.set(cosem::attribute(&object), Data::Octets(time.to_vec())).await?;
    let (time, status) = shown(desk).await?;
    Ok((time, (Fuel::of(desk.device.kind) == Fuel::Electricity).then_some(status)))
}

/// What the device's clock shows, and what the device thinks of it.
pub(in crate::s1sp) async fn shown(desk: &mut Desk) -> Result<(Timestamp, ClockStatus), Refusal> {
    let data = desk.read(Function::Clock).await?;
    let wrong = || Refusal::value(Function::Clock, &data);
    let shown = data.as_date_time().ok_or_else(wrong)?;
    let time = values::utc(shown, desk.sign()).ok_or_else(wrong)?;
    Ok((time, status(shown)))
}

fn status(shown: DateTime) -> ClockStatus {
    const DOUBTFUL: u8 = 0x02;
    match shown.status {
        0xFF => ClockStatus::Unreliable,
        status if status & DateTime::INVALID != 0 => ClockStatus::Invalid,
        status if status & DOUBTFUL != 0 => ClockStatus::Unreliable,
        _ => ClockStatus::Reliable,
    }
}
