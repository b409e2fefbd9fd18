//! Firmware images of simulated devices: made and signed by a simulated maker, and read back.
//!
//! The images of real meters are in the forms of their makers, and a lab passes them on as they are. A simulated device
//! takes images in this form only, so that a script can have one made for any Device Model:
//!
//! ```text
//! "SMFW" 02
//! with a length octet each: manufacturer, model, hardware version, firmware version
//! the length of the program in four octets, the most significant first, and the program
//! SHA-256 of everything before it
//! the maker's signature of everything before it: ECDSA on P-256 with SHA-256, r and s in 32 octets each
//! ```
//!
//! The maker's key follows from the manufacturer's name in the Device Model. It protects nothing and is no secret: it
//! stands for the key of a real maker, so that a device can be shown to refuse what another has signed.

use std::fmt;
use std::str::FromStr;

use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::ModelIdentity;

const MAGIC: &[u8] = b"SMFW\x02";
const DIGEST: usize = 32;
const SIGNATURE: usize = 64;
/// Octets of the program in an image that a script has made: enough for a transfer of several blocks.
const PROGRAM: usize = 1500;

/// What a firmware image says it is for, and its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareImage {
    /// Whose devices it is for.
    pub manufacturer: String,
    /// Which model of theirs.
    pub model: String,
    /// On which hardware.
    pub hardware: String,
    /// The version a device has that runs it.
    pub version: String,
    /// What it would run.
    pub program: Vec<u8>,
}

/// Octets that are no image a device may run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Not in the form of an image, or not to its end.
    #[error("{found} octets are no whole image: expected {expected}")]
    Form {
        /// How many octets there are.
        found: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// The octets are not those the image was made with.
    #[error("the digest does not fit: the image was damaged or cut")]
    Digest,
    /// Somebody else signed it, or nobody.
    #[error("the signature is not that of the maker of {0} devices")]
    Signature(String),
}

impl FirmwareImage {
    /// An image of a version for devices of a model. The same model and version always give the same image.
    pub fn of(identity: &ModelIdentity, version: &str) -> FirmwareImage {
        FirmwareImage {
            manufacturer: identity.manufacturer.to_string(),
            model: identity.model.to_string(),
            hardware: identity.hardware_version.to_string(),
            version: version.to_owned(),
            program: program(version),
        }
    }

    /// The image as its maker gives it out. Texts are cut at 255 octets.
    pub fn made(&self) -> Vec<u8> {
        self.signed_by(&self.manufacturer)
    }

    fn signed_by(&self, maker: &str) -> Vec<u8> {
        let mut octets = MAGIC.to_vec();
        for text in [&self.manufacturer, &self.model, &self.hardware, &self.version] {
            let text: Vec<u8> = text.bytes().take(255).collect();
            octets.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            octets.extend(text);
        }
        octets.extend(u32::try_from(self.program.len()).unwrap_or(u32::MAX).to_be_bytes());
        octets.extend(&self.program);
        let digest = Sha256::digest(&octets);
        octets.extend(digest);
        let signature: Option<Signature> = key(maker).map(|key| key.sign(&octets));
        octets.extend(signature.map_or([0; SIGNATURE], |signature| signature.to_bytes().into()));
        octets
    }

    /// The image with something wrong with it.
    pub fn flawed(&self, flaw: ImageFlaw) -> Vec<u8> {
        let other = |part: &str| format!("{part}X");
        match flaw {
            ImageFlaw::Damaged => {
                let mut octets = self.made();
                let middle = octets.len() / 2;
                octets.iter_mut().skip(middle).take(1).for_each(|octet| *octet ^= 1);
                octets
            }
            ImageFlaw::Cut => {
                let octets = self.made();
                octets[..octets.len() / 2].to_vec()
            }
            ImageFlaw::Forged => self.signed_by(&other(&self.manufacturer)),
            ImageFlaw::OtherModel => FirmwareImage { model: other(&self.model), ..self.clone() }.made(),
            ImageFlaw::OtherHardware => {
                FirmwareImage { hardware: other(&self.hardware), ..self.clone() }.made()
            }
        }
    }

    /// Reads an image and checks its digest and its maker's signature.
    ///
    /// # Errors
    /// [`ImageError`]: the first thing that is wrong with it.
    pub fn open(octets: &[u8]) -> Result<FirmwareImage, ImageError> {
        let image = FirmwareImage::read(octets)?;
        let signed = octets.len().saturating_sub(SIGNATURE);
        let (content, signature) = octets.split_at(signed);
        let (before, digest) = content.split_at(content.len().saturating_sub(DIGEST));
        if Sha256::digest(before)[..] != *digest {
            return Err(ImageError::Digest);
        }
        let holds = key(&image.manufacturer).zip(Signature::from_slice(signature).ok());
        let holds = holds
            .is_some_and(|(key, signature)| VerifyingKey::from(&key).verify(content, &signature).is_ok());
        if holds { Ok(image) } else { Err(ImageError::Signature(image.manufacturer)) }
    }

    /// Reads what an image says, whether or not it may be believed.
    ///
    /// # Errors
    /// [`ImageError::Form`].
    pub fn read(octets: &[u8]) -> Result<FirmwareImage, ImageError> {
        let form = |expected| ImageError::Form { found: octets.len(), expected };
        let mut rest = octets.strip_prefix(MAGIC).ok_or(form("\"SMFW\" and the number of the form, 2"))?;
        let mut text = || {
            let (length, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            std::str::from_utf8(text).ok().map(str::to_owned)
        };
        let mut next = || text().ok_or(form("four texts with their lengths"));
        let (manufacturer, model, hardware, version) = (next()?, next()?, next()?, next()?);
        let cut = form("a program of the length it says, a digest and a signature, and nothing after them");
        let (length, rest) = rest.split_first_chunk().ok_or(cut.clone())?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut.clone())?;
        let (program, rest) = rest.split_at_checked(length).ok_or(cut.clone())?;
        if rest.len() != DIGEST + SIGNATURE {
            return Err(cut);
        }
        Ok(FirmwareImage { manufacturer, model, hardware, version, program: program.to_vec() })
    }
}

crate::vocabulary! {
    /// Something wrong with an image that a script has made.
    pub enum ImageFlaw {
        /// One bit of its program is not what it was made with.
        Damaged = "damaged",
        /// Only its first half is there.
        Cut = "cut",
        /// Another key than its maker's signed it.
        Forged = "forged",
        /// It is for another model of the same maker.
        OtherModel = "other-model",
        /// It is for other hardware.
        OtherHardware = "other-hardware",
    }
}

/// An image that a script has made for a device: a version, that of the Device Model where none is said, and a flaw.
///
/// Written `P4X2G05`, `P4X2G05,forged`, or as nothing at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageOrder {
    /// The version.
    pub version: Option<String>,
    /// What is wrong with it.
    pub flaw: Option<ImageFlaw>,
}

impl ImageOrder {
    /// The octets of the image for devices of a model.
    pub fn made_for(&self, identity: &ModelIdentity) -> Vec<u8> {
        let version = self.version.as_deref().unwrap_or(identity.firmware_version.as_str());
        let image = FirmwareImage::of(identity, version);
        self.flaw.map_or_else(|| image.made(), |flaw| image.flawed(flaw))
    }
}

impl fmt::Display for ImageOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.version.as_deref().unwrap_or_default())?;
        self.flaw.map_or(Ok(()), |flaw| write!(f, ",{flaw}"))
    }
}

impl FromStr for ImageOrder {
    type Err = crate::UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (version, flaw) = text.split_once(',').map_or((text, None), |(v, flaw)| (v, Some(flaw)));
        let flaw = flaw.map(str::parse).transpose()?;
        Ok(ImageOrder { version: Some(version.to_owned()).filter(|version| !version.is_empty()), flaw })
    }
}

/// The key of the simulated maker of this name. Practically every digest is a key; none where it is not.
fn key(maker: &str) -> Option<SigningKey> {
    let seed = Sha256::digest(format!("maker of simulated devices: {maker}"));
    SigningKey::from_slice(&seed).ok()
}

/// Octets that differ from version to version.
fn program(version: &str) -> Vec<u8> {
    let block = |number: usize| Sha256::digest(format!("{version} {number}")).to_vec();
    (0..).flat_map(block).take(PROGRAM).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn model() -> ModelIdentity {
        let lab = crate::Lab::embedded().unwrap();
        let esme = lab.rigs[0].device(crate::DeviceKind::Esme).unwrap();
        esme.model.identity.clone()
    }

    #[test]
    fn an_image_says_what_it_is_for_and_is_the_same_each_time() {
        let image = FirmwareImage::of(&model(), "P4X2G05");
        assert_eq!(FirmwareImage::open(&image.made()), Ok(image.clone()));
        assert_eq!(image.made(), FirmwareImage::of(&model(), "P4X2G05").made());
        assert_ne!(image.made(), FirmwareImage::of(&model(), "P4X2G06").made());
    }

    #[test]
    fn each_flaw_is_found() {
        let image = FirmwareImage::of(&model(), "P4X2G05");
        let opened = |flaw| FirmwareImage::open(&image.flawed(flaw));
        assert_eq!(opened(ImageFlaw::Damaged), Err(ImageError::Digest));
        assert!(matches!(opened(ImageFlaw::Cut), Err(ImageError::Form { .. })));
        assert_eq!(opened(ImageFlaw::Forged), Err(ImageError::Signature(image.manufacturer.clone())));
        assert_ne!(opened(ImageFlaw::OtherModel).unwrap().model, image.model);
        assert_ne!(opened(ImageFlaw::OtherHardware).unwrap().hardware, image.hardware);
    }

    #[test]
    fn an_order_reads_as_it_is_written() {
        for text in ["", "P4X2G05", "P4X2G05,forged", ",cut"] {
            assert_eq!(text.parse::<ImageOrder>().unwrap().to_string(), text);
        }
        assert!("P4X2G05,bent".parse::<ImageOrder>().is_err());
        let own = ImageOrder::default().made_for(&model());
        assert_eq!(FirmwareImage::open(&own).unwrap().version, model().firmware_version.as_str());
    }

    proptest! {
        #[test]
        fn one_bit_is_enough_to_fail(bit in 0usize..8 * 700) {
            let own = FirmwareImage::of(&model(), "2");
            let image = FirmwareImage { program: vec![9; 540], ..own };
            let mut octets = image.made();
            let bit = bit % (8 * octets.len());
            octets[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(FirmwareImage::open(&octets).is_err());
        }

        #[test]
        fn any_octets_are_answered(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(FirmwareImage::open(&[MAGIC, &octets].concat()).is_err());
            prop_assert!(FirmwareImage::open(&octets).is_err());
        }
    }
}
