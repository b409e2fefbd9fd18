//! Any octets into both ends of a secured association, in clear and sealed with the right keys.
//!
//! Without the keys nothing gets past the tag. So each message goes in three ways: as it is, in an envelope as it is,
//! and sealed with the keys, which is what a far end that has them and is broken would send.

use crate::apdu::{Ciphered, Envelope, KeySet};
use crate::client::{Authentication, Ciphering, ClientSession, ClientSettings, Request, Step, Suite0};
use crate::data::{ActionResult, AttributeRef, Data, DataAccessResult, MethodRef, Selective};
use crate::security::{
    Challenge, CounterState, Counters, InvocationCounter, Key, Keys, Protection, SecurityContext, SystemTitle,
};
use crate::server::{
    AssociationPolicy, Credentials, Denial, ObjectModel, Peer, ServerSession, ServerSettings,
};

const CLIENT: SystemTitle = SystemTitle(*b"NONSENSE");
const METER: SystemTitle = SystemTitle(*b"SENSIBLE");

/// A context that has sent up to `sent`.
fn context(title: SystemTitle, sent: u32) -> SecurityContext {
    let keys = Keys { encryption: Key::new([1; 16]), authentication: Key::new([2; 16]) };
    let state = CounterState { sent: Some(InvocationCounter(sent)), ..CounterState::default() };
    SecurityContext::new(title, keys, Counters::held_in_memory(state))
}

/// A meter that lets anyone in who has the keys and returns whatever it is given.
struct Meter(SecurityContext);

impl AssociationPolicy for Meter {
    fn admit(&mut self, _: Peer, _: Credentials<'_>) -> Result<(), Denial> {
        Ok(())
    }

    fn security(&mut self, _: Peer) -> Option<&mut SecurityContext> {
        Some(&mut self.0)
    }

    fn challenge(&mut self, _: Peer) -> Option<Challenge> {
        Some(Challenge::from([3; 16]))
    }
}

impl ObjectModel for Meter {
    fn get(&mut self, _: Peer, _: AttributeRef, _: Option<&Selective>) -> Result<Data, DataAccessResult> {
        Ok(Data::Octets(vec![0; 200]))
    }

    fn set(
        &mut self,
        _: Peer,
        _: AttributeRef,
        _: Option<&Selective>,
        _: Data,
    ) -> Result<(), DataAccessResult> {
        Ok(())
    }

    fn act(&mut self, _: Peer, _: MethodRef, parameter: Option<Data>) -> Result<Option<Data>, ActionResult> {
        Ok(parameter)
    }
}

/// Octets as messages to both ends of a secured association: the first octet says how far the association has come and
/// how long each message is.
pub fn secured(octets: &[u8]) {
    let Some((first, rest)) = octets.split_first() else { return };
    let (mut client, mut server, mut meter) = ends(first & 0x80 != 0);
    open(&mut client, &mut server, &mut meter, first & 3);
    // Ahead of what the ends themselves have sent.
    let (mut as_client, mut as_meter) = (context(CLIENT, 1000), context(METER, 1000));
    for message in rest.chunks(usize::from(first >> 2 & 0x1F) + 1) {
        for message in forms(&mut as_client, message) {
            let _ = server.receive(&message, &mut meter);
        }
        for message in forms(&mut as_meter, message) {
            let _ = client.start(Request::Get { attribute: super::NAME, selective: None });
            let _ = client.receive(&message);
        }
    }
}

fn ends(dedicated: bool) -> (ClientSession, ServerSession, Meter) {
    let dedicated_key = dedicated.then(|| Key::new([4; 16]));
    let ciphering =
        Ciphering { protection: Protection::AuthenticatedEncrypted, general: false, dedicated_key };
    let authentication = Authentication::Gmac(Challenge::from([5; 16]));
    let suite = Suite0 { context: context(CLIENT, 0), authentication, ciphering: Some(ciphering) };
    let settings = ClientSettings { security: suite.into(), max_pdu: 128, ..ClientSettings::default() };
    let server = ServerSession::new(Peer::new(1, 1), ServerSettings::default());
    (ClientSession::new(settings), server, Meter(context(METER, 0)))
}

/// So many messages of the opening: none, the AARQ, the AARE, the proof.
fn open(client: &mut ClientSession, server: &mut ServerSession, meter: &mut Meter, steps: u8) {
    let Ok(mut apdu) = client.start(Request::Associate) else { return };
    for _ in 0..steps {
        let Some(answer) = server.receive(&apdu, meter) else { return };
        match client.receive(&answer) {
            Ok(Step::Send(next)) => apdu = next,
            _ => return,
        }
    }
}

fn forms(context: &mut SecurityContext, message: &[u8]) -> Vec<Vec<u8>> {
    let envelope = Envelope::General(Some(context.title()));
    let enclose = |contents| Ciphered { keys: KeySet::Global, envelope, contents }.encode();
    let sealed = context.protect(Protection::AuthenticatedEncrypted, message);
    let mut forms = vec![message.to_vec(), enclose(message.to_vec())];
    forms.extend(sealed.ok().map(enclose));
    forms
}
