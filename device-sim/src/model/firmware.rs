//! Transfer of firmware images (COSEM class 18): initiate, blocks in any order, verify, activate.
//!
//! Images are in the form of [`lab_config::FirmwareImage`], signed by the simulated maker of the device. A device
//! holds one image at a time; a transfer outlives restarts and outages, so that whoever sends it may go on where it was.

use std::collections::BTreeMap;

use lab_config::{Downgrade, FirmwareImage, ImageError, ImageTransferTraits};
use sha2::{Digest, Sha256};

use super::plate::Plate;
use super::time::MeterTime;

/// The longest identifier of an image.
pub const IDENTIFIER: usize = 64;

/// How far a transfer is: attribute 6 of class 18.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// 0: none.
    #[default]
    NotInitiated,
    /// 1: blocks are taken.
    Initiated,
    /// 3: the image is whole and right.
    Verified,
    /// 4: the image is wrong.
    VerificationFailed,
    /// 6: the image runs.
    Activated,
}

impl Status {
    /// The number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::NotInitiated => 0,
            Self::Initiated => 1,
            Self::Verified => 3,
            Self::VerificationFailed => 4,
            Self::Activated => 6,
        }
    }
}

/// Why a step of a transfer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefusal {
    /// Transfer is switched off.
    #[error("image transfer is not enabled")]
    Disabled,
    /// Empty, or larger than there is room for.
    #[error("an image has 1 to {room} octets, found {size}")]
    Size {
        /// Its octets.
        size: u32,
        /// The most there is room for.
        room: u32,
    },
    /// The memory is full.
    #[error("there is no room for an image")]
    NoRoom,
    /// No identifier, or one too long.
    #[error("an identifier has 1 to {IDENTIFIER} octets, found {0}")]
    Identifier(usize),
    /// Not now.
    #[error("not in this state of the transfer")]
    State,
    /// No such block, or one of the wrong length.
    #[error("block {number} with {octets} octets does not belong to the image")]
    Block {
        /// Its number.
        number: u32,
        /// Its octets.
        octets: usize,
    },
    /// A block is missing.
    #[error("block {0} is missing")]
    Missing(u32),
    /// The octets are no image, were damaged, or were signed by somebody else.
    #[error("{0}")]
    Image(#[from] ImageError),
    /// A fault of the test bench.
    #[error("the image does not hold")]
    Spoilt,
    /// An image of another maker, model or hardware.
    #[error("the image is for {0}")]
    OtherModel(String),
    /// The device does not go back to an older version.
    #[error("version {found} does not come after {own}")]
    Downgrade {
        /// The version of the image.
        found: String,
        /// The version that runs.
        own: String,
    },
}

/// A transfer. It outlives restarts and outages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageTransfer {
    traits: ImageTransferTraits,
    disabled: bool,
    status: Status,
    identifier: Vec<u8>,
    size: u32,
    blocks: BTreeMap<u32, Vec<u8>>,
    /// Version and digest of a verified image.
    verified: Option<(String, Vec<u8>)>,
    activate_at: Option<MeterTime>,
}

impl ImageTransfer {
    /// No transfer yet, of a device that takes images so.
    pub fn new(traits: ImageTransferTraits) -> Self {
        Self { traits, ..Self::default() }
    }

    /// How the device takes images.
    pub const fn traits(&self) -> ImageTransferTraits {
        self.traits
    }

    /// Octets of a block; the last one may be shorter.
    pub fn block(&self) -> u32 {
        self.traits.block.into()
    }

    /// Whether transfers are taken.
    pub const fn is_enabled(&self) -> bool {
        !self.disabled
    }

    /// Switches transfers on or off.
    pub fn enable(&mut self, enabled: bool) {
        self.disabled = !enabled;
    }

    /// How far it is.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// What the image is called, its size, and its digest once it is verified.
    pub fn image(&self) -> (&[u8], u32, &[u8]) {
        let digest = self.verified.as_ref().map_or(&[][..], |(_, digest)| digest);
        (&self.identifier, self.size, digest)
    }

    /// When it is put to work by itself.
    pub const fn activate_at(&self) -> Option<MeterTime> {
        self.activate_at
    }

    /// Dates the activation, or takes the date away.
    pub fn date(&mut self, at: Option<MeterTime>) {
        self.activate_at = at;
    }

    /// Begins a transfer; one that was under way is forgotten.
    ///
    /// # Errors
    /// What is wrong with it; nothing has changed.
    pub fn initiate(&mut self, identifier: &[u8], size: u32) -> Result<(), ImageRefusal> {
        if self.disabled {
            return Err(ImageRefusal::Disabled);
        }
        if !(1..=IDENTIFIER).contains(&identifier.len()) {
            return Err(ImageRefusal::Identifier(identifier.len()));
        }
        let (traits, room) = (self.traits, self.traits.room);
        if !(1..=room).contains(&size) {
            return Err(ImageRefusal::Size { size, room });
        }
        let identifier = identifier.to_vec();
        *self = Self { traits, status: Status::Initiated, identifier, size, ..Self::default() };
        Ok(())
    }

    /// Blocks of the image.
    pub fn count(&self) -> u32 {
        self.size.div_ceil(self.block())
    }

    /// Whether each block is there.
    pub fn blocks(&self) -> impl Iterator<Item = bool> + '_ {
        (0..self.count()).map(|number| self.blocks.contains_key(&number))
    }

    /// The first block that is not there; the count of blocks where all are.
    pub fn first_missing(&self) -> u32 {
        (0..self.count()).find(|number| !self.blocks.contains_key(number)).unwrap_or(self.count())
    }

    /// Takes a block, again if it must be. After a failed verification that begins the repair.
    ///
    /// # Errors
    /// Why not; nothing has changed.
    pub fn take_block(&mut self, number: u32, octets: &[u8]) -> Result<(), ImageRefusal> {
        if !matches!(self.status, Status::Initiated | Status::VerificationFailed) || self.disabled {
            return Err(ImageRefusal::State);
        }
        let wrong = ImageRefusal::Block { number, octets: octets.len() };
        let begins = number.checked_mul(self.block()).filter(|begins| *begins < self.size);
        let due = begins.map(|begins| (self.size - begins).min(self.block()));
        if due.is_none() || u32::try_from(octets.len()).ok() != due {
            return Err(wrong);
        }
        self.blocks.insert(number, octets.to_vec());
        self.status = Status::Initiated;
        Ok(())
    }

    /// Checks that the image is whole, undamaged and for this device.
    ///
    /// # Errors
    /// What is wrong. A missing block leaves the transfer open; anything else fails it.
    pub fn verify(&mut self, plate: &Plate) -> Result<(), ImageRefusal> {
        if !matches!(self.status, Status::Initiated | Status::VerificationFailed | Status::Verified) {
            return Err(ImageRefusal::State);
        }
        let missing = self.first_missing();
        if missing < self.count() {
            return Err(ImageRefusal::Missing(missing));
        }
        let octets: Vec<u8> = self.blocks.values().flatten().copied().collect();
        let opened = open(&octets, plate, self.traits.downgrade);
        self.status = if opened.is_ok() { Status::Verified } else { Status::VerificationFailed };
        self.verified = Some(opened?);
        Ok(())
    }

    /// Fails the verification whatever the image: a fault of the test bench.
    ///
    /// # Errors
    /// Always: there is no transfer, or the image does not hold.
    pub(super) fn fail(&mut self) -> Result<(), ImageRefusal> {
        if self.status == Status::NotInitiated {
            return Err(ImageRefusal::State);
        }
        self.status = Status::VerificationFailed;
        Err(ImageRefusal::Spoilt)
    }

    /// Puts a verified image to work: its version.
    ///
    /// # Errors
    /// No verified image.
    pub(super) fn activate(&mut self) -> Result<String, ImageRefusal> {
        self.activate_at = None;
        if self.status != Status::Verified {
            return Err(ImageRefusal::State);
        }
        let (version, _) = self.verified.take().ok_or(ImageRefusal::State)?;
        self.status = Status::Activated;
        self.blocks.clear();
        Ok(version)
    }
}

/// An image of a version for devices with this plate.
#[cfg(test)]
pub(crate) fn image(plate: &Plate, version: &str, program: &[u8]) -> Vec<u8> {
    FirmwareImage {
        manufacturer: plate.manufacturer.clone(),
        model: plate.model.clone(),
        hardware: plate.hardware.clone(),
        version: version.to_owned(),
        program: program.to_vec(),
    }
    .made()
}

/// Version and digest of an image for this device.
fn open(octets: &[u8], plate: &Plate, downgrade: Downgrade) -> Result<(String, Vec<u8>), ImageRefusal> {
    let image = FirmwareImage::open(octets)?;
    let of = [&image.manufacturer, &image.model, &image.hardware];
    if of != [&plate.manufacturer, &plate.model, &plate.hardware] {
        let [manufacturer, model, hardware] = of;
        return Err(ImageRefusal::OtherModel(format!("{manufacturer} {model}, hardware {hardware}")));
    }
    if downgrade == Downgrade::Refused && image.version <= plate.firmware {
        let (found, own) = (image.version, plate.firmware.clone());
        return Err(ImageRefusal::Downgrade { found, own });
    }
    Ok((image.version, Sha256::digest(octets).to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto_duis::DeviceKind;

    use super::super::tests::plate;
    use super::*;

    fn esme() -> Plate {
        plate(DeviceKind::Esme)
    }

    fn sent(octets: &[u8]) -> ImageTransfer {
        let mut transfer = ImageTransfer::default();
        transfer.initiate(b"P4X2G05", u32::try_from(octets.len()).unwrap()).unwrap();
        for (number, block) in octets.chunks(256).enumerate() {
            transfer.take_block(u32::try_from(number).unwrap(), block).unwrap();
        }
        transfer
    }

    #[test]
    fn a_whole_image_for_this_device_is_verified_and_runs_once() {
        let mut transfer = sent(&image(&esme(), "P4X2G05", &[7; 1000]));
        assert_eq!(transfer.activate(), Err(ImageRefusal::State));
        assert_eq!(transfer.verify(&esme()), Ok(()));
        assert_eq!(transfer.activate(), Ok("P4X2G05".to_owned()));
        assert_eq!((transfer.activate(), transfer.status()), (Err(ImageRefusal::State), Status::Activated));
    }

    #[test]
    fn an_image_that_is_damaged_foreign_or_not_whole_is_not_verified() {
        let mut damaged = image(&esme(), "2", &[7; 600]);
        damaged[300] ^= 1;
        let mut transfer = sent(&damaged);
        assert_eq!(transfer.verify(&esme()), Err(ImageRefusal::Image(ImageError::Digest)));
        assert_eq!(transfer.status(), Status::VerificationFailed);
        damaged[300] ^= 1;
        transfer.take_block(1, &damaged[256..512]).unwrap();
        assert_eq!(transfer.verify(&esme()), Ok(()), "the block sent again mends it");
        let other = Plate { model: "M2".into(), ..esme() };
        let foreign = sent(&image(&other, "2", &[])).verify(&esme());
        assert!(matches!(foreign, Err(ImageRefusal::OtherModel(words)) if words.contains("M2")));
        let mut gap = ImageTransfer::default();
        gap.initiate(b"x", 700).unwrap();
        gap.take_block(0, &[0; 256]).unwrap();
        gap.take_block(2, &[0; 188]).unwrap();
        assert_eq!(gap.blocks().collect::<Vec<_>>(), [true, false, true]);
        assert_eq!((gap.first_missing(), gap.verify(&esme())), (1, Err(ImageRefusal::Missing(1))));
        assert_eq!(gap.status(), Status::Initiated);
    }

    #[test]
    fn what_does_not_belong_to_the_image_is_refused() {
        let mut transfer = ImageTransfer::default();
        assert_eq!(transfer.take_block(0, &[0; 256]), Err(ImageRefusal::State));
        assert_eq!(transfer.initiate(b"", 9), Err(ImageRefusal::Identifier(0)));
        let room = ImageTransferTraits::default().room;
        let large = ImageRefusal::Size { size: room + 1, room };
        assert_eq!(transfer.initiate(b"x", room + 1), Err(large));
        transfer.initiate(b"x", 300).unwrap();
        for (number, octets) in [(0, 255), (1, 256), (2, 1), (u32::MAX, 0)] {
            let refused = ImageRefusal::Block { number, octets };
            assert_eq!(transfer.take_block(number, &vec![0; octets]), Err(refused));
        }
        transfer.enable(false);
        assert_eq!(transfer.initiate(b"x", 300), Err(ImageRefusal::Disabled));
    }

    #[test]
    fn a_device_goes_back_to_an_older_version_only_where_its_model_does() {
        let own = esme().firmware;
        for (downgrade, version, taken) in [
            (Downgrade::Refused, own.clone(), false),
            (Downgrade::Refused, "0".to_owned(), false),
            (Downgrade::Refused, format!("{own}1"), true),
            (Downgrade::Allowed, "0".to_owned(), true),
        ] {
            let traits = ImageTransferTraits { block: 100, downgrade, ..Default::default() };
            let mut transfer = ImageTransfer::new(traits);
            let octets = image(&esme(), &version, &[7; 50]);
            transfer.initiate(b"x", u32::try_from(octets.len()).unwrap()).unwrap();
            for (number, block) in octets.chunks(100).enumerate() {
                transfer.take_block(u32::try_from(number).unwrap(), block).unwrap();
            }
            assert_eq!(transfer.verify(&esme()).is_ok(), taken, "{downgrade} {version}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_are_verified_unless_made_for_this_device(octets in proptest::collection::vec(any::<u8>(), 1..600)) {
            prop_assert!(sent(&octets).verify(&esme()).is_err());
        }
    }
}
