//! Who holds which rig, as a station knows it. Pure: time is an argument.
//!
//! A lease has a number, and each is greater than those before it. The station takes nothing under a number that is not in
//! force: a controller that was cut off and comes back does not disturb who holds the rig since.

use std::collections::BTreeMap;
use std::time::Duration;

use proto_lab::attach::{Fault, FaultKind, LeaseAsked, PartName, Token};
use tokio::time::Instant;

/// The leases of a station's rigs.
#[derive(Debug)]
pub(super) struct Leases {
    /// The longest term granted.
    term: Duration,
    held: BTreeMap<PartName, Held>,
    /// The greatest number that was ever in force for a rig.
    floors: BTreeMap<PartName, Token>,
}

#[derive(Debug)]
struct Held {
    token: Token,
    until: Instant,
    holder: String,
}

/// What became of a lease asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    /// For how long from now.
    pub(super) term: Duration,
    /// Whether it was not in force before.
    pub(super) is_new: bool,
    /// The lease it takes the place of.
    pub(super) before: Option<Token>,
}

fn refused(reason: String) -> Fault {
    Fault::new(FaultKind::Lease, reason)
}

impl Leases {
    /// No leases yet; `floors` are the numbers that were in force before the station's program was started.
    pub(super) fn new(term: Duration, floors: BTreeMap<PartName, Token>) -> Self {
        Self { term, held: BTreeMap::new(), floors }
    }

    /// The greatest numbers that were ever in force.
    pub(super) fn floors(&self) -> &BTreeMap<PartName, Token> {
        &self.floors
    }

    /// Takes a lease or renews it. A greater number takes the place of a smaller one.
    ///
    /// # Errors
    /// A [`Fault`]: the number is older than the one in force, or has been in force and is no more.
    pub(super) fn take(&mut self, asked: &LeaseAsked, now: Instant) -> Result<Granted, Fault> {
        let LeaseAsked { rig, token, holder, term } = asked;
        let term = (*term).min(self.term);
        let before = self.held.get(rig).map(|held| held.token);
        if before != Some(*token) {
            self.refuse_old(rig, *token)?;
            self.floors.insert(rig.clone(), *token);
        }
        let held = Held { token: *token, until: now + term, holder: holder.clone() };
        self.held.insert(rig.clone(), held);
        let is_new = before != Some(*token);
        Ok(Granted { term, is_new, before: before.filter(|_| is_new) })
    }

    fn refuse_old(&self, rig: &PartName, token: Token) -> Result<(), Fault> {
        match (self.floors.get(rig), self.held.get(rig)) {
            (Some(floor), Some(held)) if token <= *floor => Err(refused(format!(
                "lease {token} of {rig} is older than {}, under which {} holds it",
                held.token, held.holder
            ))),
            (Some(floor), None) if token <= *floor => Err(refused(format!(
                "lease {token} of {rig} has ended here: it ran out, was given back, or the controller was lost"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether something may be done to a part of this rig under this lease, or without one.
    ///
    /// # Errors
    /// A [`Fault`]: another lease is in force, or this one is not any more.
    pub(super) fn may(&self, rig: &PartName, token: Option<Token>) -> Result<(), Fault> {
        match (self.held.get(rig), token) {
            (None, None) => Ok(()),
            (Some(held), Some(token)) if held.token == token => Ok(()),
            (Some(held), _) => {
                Err(refused(format!("{} holds {rig} under lease {}", held.holder, held.token)))
            }
            (None, Some(token)) => Err(refused(format!("lease {token} of {rig} is not in force here"))),
        }
    }

    /// Ends a lease that is in force; whether it was.
    pub(super) fn end(&mut self, rig: &PartName, token: Token) -> bool {
        let in_force = self.held.get(rig).is_some_and(|held| held.token == token);
        if in_force {
            self.held.remove(rig);
        }
        in_force
    }

    /// Ends all of them, as when the controller is lost.
    pub(super) fn end_all(&mut self) -> Vec<(PartName, Token)> {
        std::mem::take(&mut self.held).into_iter().map(|(rig, held)| (rig, held.token)).collect()
    }

    /// Ends those that have run out.
    pub(super) fn run_out(&mut self, now: Instant) -> Vec<(PartName, Token)> {
        let over = |held: &Held| held.until <= now;
        let ended: Vec<(PartName, Token)> = self
            .held
            .iter()
            .filter(|(_, held)| over(held))
            .map(|(rig, held)| (rig.clone(), held.token))
            .collect();
        self.held.retain(|_, held| !over(held));
        ended
    }

    /// When the next one runs out.
    pub(super) fn next(&self) -> Option<Instant> {
        self.held.values().map(|held| held.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERM: Duration = Duration::from_secs(20);

    fn rig() -> PartName {
        "rig-1".parse().unwrap()
    }

    fn asked(token: u64) -> LeaseAsked {
        LeaseAsked { rig: rig(), token: Token(token), holder: format!("run {token}"), term: 2 * TERM }
    }

    fn leases() -> Leases {
        Leases::new(TERM, BTreeMap::new())
    }

    #[test]
    fn a_lease_is_granted_for_no_longer_than_the_station_grants_and_renewed_by_its_holder() {
        let (mut leases, now) = (leases(), Instant::now());
        let granted = leases.take(&asked(5), now).unwrap();
        assert_eq!(granted, Granted { term: TERM, is_new: true, before: None });
        assert_eq!(leases.next(), Some(now + TERM));
        let later = now + TERM / 2;
        assert!(!leases.take(&asked(5), later).unwrap().is_new);
        assert!(leases.run_out(now + TERM).is_empty(), "it was renewed meanwhile");
        assert_eq!(leases.run_out(later + TERM), [(rig(), Token(5))]);
    }

    #[test]
    fn what_has_ended_stays_ended_and_an_older_lease_is_refused() {
        let (mut leases, now) = (leases(), Instant::now());
        leases.take(&asked(5), now).unwrap();
        leases.run_out(now + TERM);
        let words = leases.take(&asked(5), now + TERM).unwrap_err().to_string();
        assert!(words.contains("lease 5 of rig-1 has ended here"), "{words}");
        assert!(leases.may(&rig(), Some(Token(5))).is_err());
        assert_eq!(leases.may(&rig(), None), Ok(()), "nobody holds it");
        leases.take(&asked(7), now + TERM).unwrap();
        let words = leases.take(&asked(6), now + TERM).unwrap_err().to_string();
        assert!(words.contains("lease 6 of rig-1 is older than 7, under which run 7 holds it"), "{words}");
        assert!(leases.may(&rig(), None).is_err(), "run 7 holds it");
        assert_eq!(leases.take(&asked(8), now + TERM).unwrap().before, Some(Token(7)));
        let again = Leases::new(TERM, leases.floors().clone()).take(&asked(8), now);
        assert!(again.is_err(), "a station that was started again remembers");
    }

    proptest! {
        /// Whatever is asked in whatever order, what is in force never goes back to a smaller number.
        #[test]
        fn what_is_in_force_only_grows(steps in proptest::collection::vec((0u64..20, 0u8..4), 0..100)) {
            let (mut leases, mut now, mut greatest) = (leases(), Instant::now(), 0);
            for (token, step) in steps {
                now += Duration::from_secs(3);
                match step {
                    0 | 1 => if let Ok(granted) = leases.take(&asked(token + 1), now) {
                        prop_assert!(!granted.is_new || token + 1 > greatest);
                        greatest = greatest.max(token + 1);
                    },
                    2 => { leases.end(&rig(), Token(token + 1)); }
                    _ => { leases.run_out(now); }
                }
                for older in 1..greatest {
                    prop_assert!(leases.may(&rig(), Some(Token(older))).is_err());
                }
            }
        }
    }
}
