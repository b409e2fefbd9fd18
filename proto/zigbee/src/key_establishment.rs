//! Key Establishment cluster (0800): how two devices agree on a link key from their certificates (Smart Energy
//! 1.4, annex C).
//!
//! The frames are complete. The arithmetic (elliptic curve sect163k1 with implicit certificates, AES-MMO) is not
//! here, on purpose: it proves something only with a certificate that a test authority of the ZigBee world has
//! issued, and a lab has none. So **a lab without certificates cannot join a real home area network**; the simulated
//! one needs no such keys. A device of the lab that is asked says so in the words of the standard: [`Responder`]
//! ends every handshake with `terminate`, and the status says why.

use crate::field::{commands, octet, record};
use crate::zcl::{Direction, Frame};

/// Cluster identifier.
pub const CLUSTER: u16 = 0x0800;
/// Attribute: suites supported, bitmap of two octets.
pub const SUITES: crate::zcl::AttributeId = crate::zcl::AttributeId(0x0000);
/// Suite 1: certificate-based key exchange on sect163k1.
pub const SUITE_1: u16 = 0x0001;
/// Suite 2: certificate-based key exchange on sect283k1.
pub const SUITE_2: u16 = 0x0002;

octet! {
    /// Why a handshake ended.
    Termination {
        /// The certificate's issuer is not one the device trusts.
        0x01 UnknownIssuer,
        /// The keys that were made do not agree.
        0x02 BadKeyConfirm,
        /// A message came that had no place there.
        0x03 BadMessage,
        /// The device has no room for a handshake now.
        0x04 NoResources,
        /// The device does not have the suite.
        0x05 UnsupportedSuite,
        /// The certificate may not be used for this.
        0x06 InvalidCertificate,
    }
}

record! {
    /// An implicit certificate of suite 1: 48 octets.
    ImplicitCertificate {
        /// From which the public key is computed with the issuer's.
        reconstruction: [u8; 22],
        /// EUI-64 of the device, most significant octet first.
        subject: [u8; 8],
        /// The authority.
        issuer: [u8; 8],
        /// What the issuer says of the device.
        profile: [u8; 10],
    }
}

commands! {
    /// Commands of the device that begins.
    ToServer: ToServer of CLUSTER;
    /// Let us agree on a key.
    0x00 InitiateKeyEstablishment {
        /// Which suites, one bit each.
        suites: u16,
        /// Seconds it takes to make ephemeral data.
        ephemeral_seconds: u8,
        /// Seconds it takes to make the confirmation.
        confirm_seconds: u8,
        /// Its certificate.
        certificate: ImplicitCertificate,
    }
    /// Its ephemeral public key.
    0x01 EphemeralData {
        /// A compressed point.
        point: [u8; 22],
    }
    /// Its proof that it has made the key.
    0x02 ConfirmKey {
        /// A message authentication code.
        code: [u8; 16],
    }
    /// It ends the handshake.
    0x03 TerminateByInitiator {
        /// Why.
        status: Termination,
        /// Seconds to wait before another.
        wait_seconds: u8,
        /// The suites it has.
        suites: u16,
    }
}

commands! {
    /// Commands of the device that answers.
    ToClient: ToClient of CLUSTER;
    /// Yes; this is my certificate.
    0x00 InitiateKeyEstablishmentResponse {
        /// Which suites, one bit each.
        suites: u16,
        /// Seconds it takes to make ephemeral data.
        ephemeral_seconds: u8,
        /// Seconds it takes to make the confirmation.
        confirm_seconds: u8,
        /// Its certificate.
        certificate: ImplicitCertificate,
    }
    /// Its ephemeral public key.
    0x01 EphemeralDataResponse {
        /// A compressed point.
        point: [u8; 22],
    }
    /// Its proof that it has made the key.
    0x02 ConfirmKeyResponse {
        /// A message authentication code.
        code: [u8; 16],
    }
    /// It ends the handshake.
    0x03 TerminateByResponder {
        /// Why.
        status: Termination,
        /// Seconds to wait before another.
        wait_seconds: u8,
        /// The suites it has.
        suites: u16,
    }
}

/// A device that has no certificate and is asked for a key.
#[derive(Debug, Clone, Copy, Default)]
pub struct Responder;

impl Responder {
    /// Seconds after which asking again would make no difference either.
    const WAIT: u8 = 0xff;

    /// The frame that ends the handshake; none where the frame is not one that wants an answer.
    pub fn answer(self, frame: &Frame) -> Option<Frame> {
        let status = match ToServer::of(frame) {
            Ok(ToServer::InitiateKeyEstablishment(asked)) if asked.suites & SUITE_1 == 0 => {
                Termination::UnsupportedSuite
            }
            // Without a certificate authority there is no issuer this device could know.
            Ok(ToServer::InitiateKeyEstablishment(_)) => Termination::UnknownIssuer,
            Ok(ToServer::TerminateByInitiator(_)) => return None,
            Ok(_) => Termination::BadMessage,
            Err(_)
                if frame.direction == Direction::ToServer
                    && frame.expect_cluster_command(Direction::ToServer).is_ok() =>
            {
                Termination::BadMessage
            }
            Err(_) => return None,
        };
        let end = TerminateByResponder { status, wait_seconds: Self::WAIT, suites: SUITE_1 };
        let mut answer = ToClient::from(end).frame(frame.sequence);
        answer.disable_default_response = true;
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initiate(suites: u16) -> Frame {
        let certificate = ImplicitCertificate {
            reconstruction: [2; 22],
            subject: [3; 8],
            issuer: [4; 8],
            profile: [5; 10],
        };
        let asked =
            InitiateKeyEstablishment { suites, ephemeral_seconds: 5, confirm_seconds: 5, certificate };
        ToServer::from(asked).frame(7)
    }

    fn ended(frame: &Frame) -> Termination {
        let answer = Responder.answer(frame).unwrap();
        assert_eq!(answer.sequence, frame.sequence);
        match ToClient::of(&answer).unwrap() {
            ToClient::TerminateByResponder(end) => end.status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_handshake_is_refused_and_the_status_says_why() {
        assert_eq!(ended(&initiate(SUITE_1)), Termination::UnknownIssuer);
        assert_eq!(ended(&initiate(SUITE_2)), Termination::UnsupportedSuite);
        let mut cut = initiate(SUITE_1);
        cut.payload.truncate(9);
        assert_eq!(ended(&cut), Termination::BadMessage);
        let confirm = ToServer::from(ConfirmKey { code: [0; 16] }).frame(7);
        assert_eq!(ended(&confirm), Termination::BadMessage);
        let end = TerminateByInitiator { status: Termination::NoResources, wait_seconds: 1, suites: 1 };
        assert_eq!(Responder.answer(&ToServer::from(end).frame(1)), None);
        assert_eq!(initiate(SUITE_1).payload.len(), 52);
    }
}
