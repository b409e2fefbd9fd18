//! The client's end of security: from what the lab knows of a client to what the state machine wants.

use proto_dlms::Password;
use proto_dlms::apdu::Conformance;
use proto_dlms::client::{Authentication, Ciphering, ClientSettings, Security, Suite0};
use proto_dlms::security::{Challenge, CounterState, Counters, InvocationCounter, Key, SecurityContext};

use crate::driver::access::{Access, Keyset};
use crate::driver::error::DriverErrorKind;

/// Numbers a step takes at most: a proof in an envelope takes two.
const STEP: u32 = 2;

/// How this client associates; challenges are made now.
pub(super) fn settings(access: &Access) -> ClientSettings {
    let password = access.password.as_ref().map(|secret| Password::new(secret.expose()));
    let security = match &access.keys {
        Some(keys) => suite(keys, password).into(),
        None => Security::from(password),
    };
    let usual = ClientSettings { security, ..ClientSettings::default() };
    match access.general_blocks {
        Some(window) => ClientSettings {
            conformance: usual.conformance | Conformance::GENERAL_BLOCK_TRANSFER,
            window,
            ..usual
        },
        None => usual,
    }
}

fn suite(keys: &Keyset, password: Option<Password>) -> Suite0 {
    // Nothing is reserved here: every number comes from the book, when it is wanted.
    let counters = Counters::restore(CounterState::default());
    let context = SecurityContext::new(keys.title, keys.keys.clone(), counters);
    let protection = keys.asked.policy.protection();
    let dedicated_key = keys.dedicated.then(|| Key::new(rand::random()));
    Suite0 {
        context: match protection {
            Some(required) => context.requiring(required),
            None => context,
        },
        authentication: match password {
            Some(password) => Authentication::Low(password),
            None => Authentication::Gmac(Challenge::from(rand::random::<[u8; 16]>())),
        },
        ciphering: protection.map(|protection| Ciphering { protection, general: false, dedicated_key }),
    }
}

/// Gives the context the numbers for its next step, out of the book that all sessions under these keys share.
pub(super) fn allot(keys: &Keyset, context: &mut SecurityContext) -> Result<(), DriverErrorKind> {
    let first = keys.counters.take(STEP)?;
    let moved = context.counters.resynchronise(InvocationCounter(first));
    moved.map_err(|error| DriverErrorKind::WrongKeys(error.to_string()))?;
    // What is reserved is written down already: the book has done that.
    let _written = context.counters.reserve(STEP);
    Ok(())
}
