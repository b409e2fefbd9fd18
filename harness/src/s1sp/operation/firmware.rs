//! Firmware on a device (class 18): the transfer of an image that 11.1 brought, and 11.3, which puts one to work.
//!
//! The order is that of the Blue Book's image transfer procedure: block size, enable, initiate, blocks, what is missing,
//! verify. A transfer that was broken off goes on with what the device says is missing; nothing is sent twice without
//! need, and nothing is begun anew while the device still holds what it was sent.

use std::time::Duration;

use jiff::Timestamp;
use lab_config::{Function, Object};
use proto_dlms::data::{ActionResult, Data, DataAccessResult, DateTime, MethodRef};
use proto_duis::mmc::build::{self, Activation};
use proto_duis::{ActivateFirmware, FirmwareHash, FirmwareImage, FirmwareVersion, MmcBody};
use tokio::sync::Mutex;

use super::super::desk::Desk;
use super::super::refusal::Refusal;
use super::plate;
use crate::driver::{DriverErrorKind, ReachError, cosem};

/// Blocks that are sent before others may ask the device something.
const AT_A_TIME: usize = 16;
/// How often a device may find blocks missing that it has taken.
const ROUNDS: u32 = 4;
/// How often a device that is still verifying is asked again, and how long after.
const VERIFYING: (u32, Duration) = (60, Duration::from_secs(1));
/// How often a device that did not answer its activation is asked for its version, and how long after.
const STARTING: (u32, Duration) = (60, Duration::from_secs(1));

const INITIATE: i8 = 1;
const TRANSFER_BLOCK: i8 = 2;
const VERIFY: i8 = 3;
const ACTIVATE: i8 = 4;

/// Attribute 6: initiated, and still being verified.
const INITIATED: i128 = 1;
const VERIFICATION_INITIATED: i128 = 2;
const VERIFIED: i128 = 3;

/// How often a transfer that was broken off goes on, and how long after, when somebody waits for the device to run the image.
const GOES_ON: (u32, Duration) = (5, Duration::from_secs(2));

/// Has a device run an image: transfers and verifies it, activates it, and waits until the device says its version.
///
/// # Errors
/// What the device refused, or that it does not answer. What it holds of the image stays there.
pub(crate) async fn install(
    desk: &Mutex<Desk>,
    image: &FirmwareImage,
    version: &FirmwareVersion,
) -> Result<(), Refusal> {
    let mut transfer = Transfer::new(desk, image, version);
    let mut left = GOES_ON.0;
    let verification = loop {
        match transfer.go_on(&mut |_, _| {}).await {
            Ok(verification) => break verification,
            Err(refusal) if left == 0 || refusal.not_served().is_none() => return Err(refusal),
            Err(_) => left -= 1,
        }
        transfer.forget_session().await;
        tokio::time::sleep(GOES_ON.1).await;
    };
    if let Verification::Failed(result) = verification {
        return Err(Refusal::value(Function::ImageTransfer, &result));
    }
    let mut desk = desk.lock().await;
    let object = desk.object(Function::ImageTransfer)?;
    start(&mut desk, &object, Some(version.clone())).await?;
    let unanswered = Refusal::value(Function::FirmwareVersion, &"another version than the image's");
    runs(&mut desk, Some(version), unanswered).await
}

/// An image on its way to a device.
#[derive(Debug)]
pub(in crate::s1sp) struct Transfer<'a> {
    pub(in crate::s1sp) desk: &'a Mutex<Desk>,
    pub(in crate::s1sp) image: &'a FirmwareImage,
    pub(in crate::s1sp) version: &'a FirmwareVersion,
    /// Whether this transfer was begun on the device: then it goes on, and is not begun anew.
    begun: bool,
}

/// How the device found a whole image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::s1sp) enum Verification {
    /// It may be activated.
    Verified,
    /// It may not; the device's result.
    Failed(String),
}

impl<'a> Transfer<'a> {
    pub(in crate::s1sp) fn new(
        desk: &'a Mutex<Desk>,
        image: &'a FirmwareImage,
        version: &'a FirmwareVersion,
    ) -> Self {
        Self { desk, image, version, begun: false }
    }

    /// Sends what is missing and has it verified. `progress` hears how many blocks the device has, of how many.
    pub(in crate::s1sp) async fn go_on(
        &mut self,
        progress: &mut (dyn FnMut(usize, usize) + Send),
    ) -> Result<Verification, Refusal> {
        let object = {
            let mut desk = self.desk.lock().await;
            desk.begin();
            desk.wait_for_wake();
            desk.left_behind |= desk.sleeps();
            desk.object(Function::ImageTransfer)?
        };
        let size = self.block_size(&object).await?;
        let blocks: Vec<&[u8]> = self.image.octets().chunks(size).collect();
        self.begin(&object, blocks.len()).await?;
        for _ in 0..ROUNDS {
            self.send_missing(&object, &blocks, progress).await?;
            if let Some(verification) = self.verify(&object).await? {
                return Ok(verification);
            }
        }
        let words = format!("blocks missing after they were sent {ROUNDS} times");
        Err(Refusal::value(Function::ImageTransfer, &words))
    }

    /// The desk of whoever failed in the middle of an exchange opens a session anew.
    pub(in crate::s1sp) async fn forget_session(&self) {
        self.desk.lock().await.forget();
    }

    async fn block_size(&self, object: &Object) -> Result<usize, Refusal> {
        let data = self.desk.lock().await.get(cosem::numbered(object, 2), None).await?;
        let size = data.as_i128().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
        size.ok_or_else(|| Refusal::value("the block size of images", &data))
    }

    /// Begins the transfer, unless it was begun and the device still holds it.
    async fn begin(&mut self, object: &Object, blocks: usize) -> Result<(), Refusal> {
        let mut desk = self.desk.lock().await;
        if self.begun && status(&mut desk, object).await? == INITIATED {
            let missing = missing(&mut desk, object, blocks).await?;
            if missing.is_some() {
                return Ok(());
            }
        }
        if desk.get(cosem::numbered(object, 5), None).await? != Data::Boolean(true) {
            desk.set(cosem::numbered(object, 5), Data::Boolean(true)).await?;
        }
        let size = u32::try_from(self.image.octets().len()).unwrap_or(u32::MAX);
        let identifier = Data::Octets(self.version.as_str().as_bytes().to_vec());
        let parameter = Data::Structure(vec![identifier, Data::U32(size)]);
        desk.act(method(object, INITIATE), Some(parameter)).await?;
        self.begun = true;
        Ok(())
    }

    async fn send_missing(
        &self,
        object: &Object,
        blocks: &[&[u8]],
        progress: &mut (dyn FnMut(usize, usize) + Send),
    ) -> Result<(), Refusal> {
        let mut desk = self.desk.lock().await;
        let Some(numbers) = missing(&mut desk, object, blocks.len()).await? else {
            return Err(Refusal::value(Function::ImageTransfer, &"another count of blocks"));
        };
        drop(desk);
        let mut there = blocks.len() - numbers.len();
        progress(there, blocks.len());
        for some in numbers.chunks(AT_A_TIME) {
            let mut desk = self.desk.lock().await;
            for number in some {
                let octets = blocks.get(*number).copied().unwrap_or_default();
                let number = Data::U32(u32::try_from(*number).unwrap_or(u32::MAX));
                let parameter = Data::Structure(vec![number, Data::Octets(octets.to_vec())]);
                desk.act(method(object, TRANSFER_BLOCK), Some(parameter)).await?;
            }
            there += some.len();
            progress(there, blocks.len());
        }
        Ok(())
    }

    /// Has the image verified; none where the device finds blocks missing.
    async fn verify(&self, object: &Object) -> Result<Option<Verification>, Refusal> {
        let mut desk = self.desk.lock().await;
        let refused = match desk.act(method(object, VERIFY), Some(Data::I8(0))).await {
            Ok(_) => return Ok(Some(Verification::Verified)),
            Err(refusal) => refusal,
        };
        match action_result(&refused) {
            Some(ActionResult::TemporaryFailure) => {}
            Some(result) => return Ok(Some(Verification::Failed(result.to_string()))),
            None => return Err(refused),
        }
        for _ in 0..VERIFYING.0 {
            match status(&mut desk, object).await? {
                VERIFICATION_INITIATED => tokio::time::sleep(VERIFYING.1).await,
                INITIATED => return Ok(None),
                VERIFIED => return Ok(Some(Verification::Verified)),
                other => return Ok(Some(Verification::Failed(format!("image transfer status {other}")))),
            }
        }
        Err(Refusal::value(Function::ImageTransfer, &"an image that is being verified and never is"))
    }
}

fn method(object: &Object, method: i8) -> MethodRef {
    MethodRef { method, ..cosem::method(object) }
}

fn action_result(refusal: &Refusal) -> Option<ActionResult> {
    match refusal {
        Refusal::Reach(ReachError::Driver(error)) => match error.kind {
            DriverErrorKind::Action(result) => Some(result),
            _ => None,
        },
        _ => None,
    }
}

async fn status(desk: &mut Desk, object: &Object) -> Result<i128, Refusal> {
    let data = desk.get(cosem::numbered(object, 6), None).await?;
    data.as_i128().ok_or_else(|| Refusal::value("the status of the image transfer", &data))
}

/// The numbers of the blocks that are not there; none where the device counts other blocks than `blocks`. A device that
/// does not say which blocks it has (attribute 3) is sent everything from the first that it has not (attribute 4).
async fn missing(desk: &mut Desk, object: &Object, blocks: usize) -> Result<Option<Vec<usize>>, Refusal> {
    match desk.get(cosem::numbered(object, 3), None).await {
        Ok(Data::BitString(bits)) => Ok(absent(bits.bits(), blocks)),
        Ok(other) => Err(Refusal::value("the blocks that were transferred", &other)),
        Err(refusal) if is_refused(&refusal) => {
            let data = desk.get(cosem::numbered(object, 4), None).await?;
            let first = data.as_i128().and_then(|first| usize::try_from(first).ok());
            let first = first.ok_or_else(|| Refusal::value("the first block not transferred", &data))?;
            Ok((first <= blocks).then(|| (first..blocks).collect()))
        }
        Err(refusal) => Err(refusal),
    }
}

fn absent(there: &[bool], blocks: usize) -> Option<Vec<usize>> {
    let absent = there.iter().enumerate().filter(|(_, there)| !**there).map(|(number, _)| number);
    (there.len() == blocks).then(|| absent.collect())
}

fn is_refused(refusal: &Refusal) -> bool {
    let Refusal::Reach(ReachError::Driver(error)) = refusal else { return false };
    matches!(
        error.kind,
        DriverErrorKind::Access(DataAccessResult::ReadWriteDenied | DataAccessResult::ObjectUndefined)
    )
}

/// 11.3. A device that holds no image, or another than the one named, says so in its answer; a later time is the device's
/// to keep.
pub(in crate::s1sp) async fn activate(
    desk: &mut Desk,
    activate: &ActivateFirmware,
    now: Timestamp,
) -> Result<MmcBody, Refusal> {
    let object = desk.object(Function::ImageTransfer)?;
    let outcome = match held(desk, &object).await? {
        None => Activation::NoImageHeld,
        Some(held) if held.hash != activate.hash => Activation::HashMismatch,
        Some(held) => match activate.execution.filter(|at| *at > now) {
            Some(at) => {
                date(desk, at).await?;
                desk.starts_over(at);
                return Ok(build::activate_firmware(None, None)?);
            }
            None => return start(desk, &object, held.version).await,
        },
    };
    Ok(build::activate_firmware(Some(outcome), None)?)
}

/// A verified image as the device tells of it (attribute 7).
struct Held {
    version: Option<FirmwareVersion>,
    hash: FirmwareHash,
}

async fn held(desk: &mut Desk, object: &Object) -> Result<Option<Held>, Refusal> {
    if status(desk, object).await? != VERIFIED {
        return Ok(None);
    }
    let data = desk.get(cosem::numbered(object, 7), None).await?;
    let images = data.elements().ok_or_else(|| Refusal::value("the images to activate", &data))?;
    let Some(image) = images.first() else { return Ok(None) };
    let parts = match image.elements() {
        Some([_, identifier, signature]) => identifier.as_octets().zip(signature.as_octets()),
        _ => None,
    };
    let read = parts.and_then(|(identifier, signature)| {
        let hash = <[u8; 32]>::try_from(signature).ok()?.into();
        Some(Held { version: std::str::from_utf8(identifier).ok()?.parse().ok(), hash })
    });
    read.map(Some).ok_or_else(|| Refusal::value("the image to activate", image))
}

/// Dates the activation in the device (class 22): time and date apart, in UTC.
async fn date(desk: &mut Desk, at: Timestamp) -> Result<(), Refusal> {
    let object = desk.object(Function::ImageActivation)?;
    let octets = DateTime::from_unix(at.as_second(), 0).to_octets();
    let (date, rest) = octets.split_at(5);
    let time = rest.get(..4).unwrap_or_default();
    let entry = Data::Structure(vec![Data::Octets(time.to_vec()), Data::Octets(date.to_vec())]);
    desk.set(cosem::attribute(&object), Data::Array(vec![entry])).await
}

/// Activates now. The device starts over: whatever it answered, its session is gone.
async fn start(
    desk: &mut Desk,
    object: &Object,
    version: Option<FirmwareVersion>,
) -> Result<MmcBody, Refusal> {
    let done = desk.act(method(object, ACTIVATE), Some(Data::I8(0))).await;
    desk.forget();
    if let Err(refusal) = done {
        if action_result(&refusal).is_some() {
            return Ok(build::activate_firmware(Some(Activation::ActivationFailure), None)?);
        }
        runs(desk, version.as_ref(), refusal).await?;
    } else {
        desk.is_starting(Timestamp::now());
    }
    let version = version.as_ref().map(FirmwareVersion::as_str);
    Ok(build::activate_firmware(Some(Activation::Success), version)?)
}

/// Whether a device that started without an answer runs the image: it is asked until it is up again.
async fn runs(
    desk: &mut Desk,
    version: Option<&FirmwareVersion>,
    unanswered: Refusal,
) -> Result<(), Refusal> {
    let Some(version) = version else { return Err(unanswered) };
    for _ in 0..STARTING.0 {
        tokio::time::sleep(STARTING.1).await;
        match plate::version(desk).await {
            Ok(found) if found == version.as_str() => return Ok(()),
            Ok(_) => return Err(unanswered),
            Err(_) => desk.forget(),
        }
    }
    Err(unanswered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn exactly_the_blocks_that_are_not_there_are_missing(there in proptest::collection::vec(any::<bool>(), 0..80)) {
            let missing = absent(&there, there.len()).unwrap();
            prop_assert!(missing.iter().all(|number| !there[*number]));
            prop_assert_eq!(missing.len(), there.iter().filter(|there| !**there).count());
            prop_assert_eq!(absent(&there, there.len() + 1), None);
        }
    }
}
