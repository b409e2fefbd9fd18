//! The cipher itself: AES-128 in Galois/counter mode as suite 0 uses it. Nothing here remembers anything.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::consts::U12;
use aes_gcm::{AeadInOut, AesGcm, KeyInit};

use super::{HEADER, InvocationCounter, Keys, Protection, SecurityError, SystemTitle, TAG};

type Gcm = AesGcm<Aes128, U12, U12>;

/// Security control, invocation counter, and the message as protected.
pub(super) fn seal(
    keys: &Keys,
    title: SystemTitle,
    counter: InvocationCounter,
    protection: Protection,
    message: &[u8],
) -> Vec<u8> {
    let mut out = Vec::with_capacity(protection.overhead() + message.len());
    out.push(protection.control());
    out.extend(counter.0.to_be_bytes());
    let mut text = message.to_vec();
    let tag = match protection {
        Protection::Authenticated => tag(keys, title, counter, message).to_vec(),
        Protection::Encrypted => {
            run(keys, title, counter, &[], &mut text);
            Vec::new()
        }
        Protection::AuthenticatedEncrypted => {
            run(keys, title, counter, &additional(keys, protection, &[]), &mut text).to_vec()
        }
    };
    out.extend(text);
    out.extend(tag);
    out
}

/// What came out of an envelope, before anybody has looked at its counter.
pub(super) struct Unsealed {
    pub(super) protection: Protection,
    pub(super) counter: InvocationCounter,
    pub(super) message: Vec<u8>,
}

/// The reverse of [`seal`]; checks the tag where there is one.
pub(super) fn open(keys: &Keys, from: SystemTitle, sealed: &[u8]) -> Result<Unsealed, SecurityError> {
    let (protection, counter, body) = header(sealed)?;
    let too_short = SecurityError::TooShort { found: sealed.len(), needed: protection.overhead() };
    let split = body.len().checked_sub(protection.overhead() - HEADER).ok_or(too_short)?;
    let (text, found) = body.split_at(split);
    let mut message = text.to_vec();
    let right = match protection {
        Protection::Authenticated => same(&tag(keys, from, counter, text), found),
        Protection::Encrypted => {
            // Counter mode is its own reverse.
            run(keys, from, counter, &[], &mut message);
            true
        }
        Protection::AuthenticatedEncrypted => {
            decrypt(keys, from, counter, &additional(keys, protection, &[]), &mut message, found)
        }
    };
    if right { Ok(Unsealed { protection, counter, message }) } else { Err(SecurityError::WrongTag { from }) }
}

/// Security control and invocation counter, and what follows them.
fn header(sealed: &[u8]) -> Result<(Protection, InvocationCounter, &[u8]), SecurityError> {
    let Some(([control, counter @ ..], body)) = sealed.split_first_chunk::<HEADER>() else {
        return Err(SecurityError::TooShort { found: sealed.len(), needed: HEADER });
    };
    Ok((Protection::from_control(*control)?, InvocationCounter(u32::from_be_bytes(*counter)), body))
}

/// The tag over a message that goes in clear: GMAC.
pub(super) fn tag(keys: &Keys, title: SystemTitle, counter: InvocationCounter, message: &[u8]) -> [u8; TAG] {
    run(keys, title, counter, &additional(keys, Protection::Authenticated, message), &mut [])
}

/// Additional authenticated data: security control, authentication key, and the message where it goes in clear.
fn additional(keys: &Keys, protection: Protection, message: &[u8]) -> Vec<u8> {
    [&[protection.control()], keys.authentication.expose().as_slice(), message].concat()
}

fn vector(title: SystemTitle, counter: InvocationCounter) -> [u8; 12] {
    let mut vector = [0; 12];
    vector[..8].copy_from_slice(&title.0);
    vector[8..].copy_from_slice(&counter.0.to_be_bytes());
    vector
}

/// Enciphers `text` where it stands and gives the tag.
fn run(
    keys: &Keys,
    title: SystemTitle,
    counter: InvocationCounter,
    additional: &[u8],
    text: &mut [u8],
) -> [u8; TAG] {
    let gcm = Gcm::new(keys.encryption.expose().into());
    let vector = vector(title, counter);
    // Refused only for messages of 64 GiB; such a message goes out with a tag no receiver accepts.
    let made = gcm.encrypt_inout_detached((&vector).into(), additional, InOutBuf::from(text));
    made.map(Into::into).unwrap_or([0; TAG])
}

/// Deciphers `text` where it stands; whether the tag is right. If not, `text` is left as it was.
fn decrypt(
    keys: &Keys,
    from: SystemTitle,
    counter: InvocationCounter,
    additional: &[u8],
    text: &mut [u8],
    tag: &[u8],
) -> bool {
    let gcm = Gcm::new(keys.encryption.expose().into());
    let vector = vector(from, counter);
    let Ok(tag) = <[u8; TAG]>::try_from(tag) else { return false };
    gcm.decrypt_inout_detached((&vector).into(), additional, InOutBuf::from(text), (&tag).into()).is_ok()
}

/// Compares in a time that does not tell where two tags differ.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
}
