//! The embedded lab many times over: as many of its rig as a test wants, each with EUI-64s of its own.

use std::fmt::Write as _;

use device_sim::SimEndpoint;
use lab_config::Path;

/// The text of a lab file in pieces: what stands before its rig, the rig without its station, and what follows the broker.
#[derive(Debug, Clone)]
pub struct Town {
    /// What stands before the first rig.
    pub head: String,
    /// The rig, without its heading.
    pub rig: String,
    /// What follows the broker: stations, and so brokers, are left out.
    pub tail: String,
}

impl Town {
    /// The embedded lab, or a text made from it, in pieces.
    ///
    /// # Errors
    /// What of the embedded lab is no longer where it was.
    pub fn of(text: &str) -> Result<Self, String> {
        let gone = |what: &str| format!("the embedded lab no longer says {what}");
        let (head, rest) = text.split_once("[[rig]]").ok_or_else(|| gone("[[rig]]"))?;
        let (rig, rest) = rest.split_once("# What presses keys").ok_or_else(|| gone("what presses keys"))?;
        let (_, tail) = rest.split_once("url = \"embedded\"").ok_or_else(|| gone("url = \"embedded\""))?;
        Ok(Self { head: head.to_owned(), rig: rig.to_owned(), tail: tail.to_owned() })
    }

    /// A lab of so many rigs, `rig-0` and on, each changed by `each`. There are 65,536 at most, with EUI-64s that differ.
    pub fn text(&self, rigs: u16, each: impl Fn(u16, String) -> String) -> String {
        let mut many = self.head.clone();
        for n in 0..rigs {
            let [high, low] = n.to_be_bytes();
            let id = format!("00-DB-12-34-{:02X}-{low:02X}-90", high.wrapping_add(0x56));
            let copy =
                self.rig.replace("\"rig-1\"", &format!("\"rig-{n}\"")).replace("00-DB-12-34-56-78-90", &id);
            // Writing to a text does not fail.
            let _ = write!(many, "[[rig]]{}", each(n, copy));
        }
        many + &self.tail
    }

    /// The same lab for a harness whose devices are those of another process: its links are where they answer.
    pub fn leading_to(&self, rigs: u16, endpoints: &[SimEndpoint]) -> String {
        self.text(rigs, |n, rig| {
            let name = format!("rig-{n}");
            let of_rig = endpoints.iter().filter(|endpoint| endpoint.rig == name);
            of_rig.fold(rig, |rig, endpoint| rig.replace(&declared(endpoint), &found(endpoint)))
        })
    }
}

fn declared(endpoint: &SimEndpoint) -> String {
    let simulated = match endpoint.path {
        Path::Optical => "sim:?sign-on=e",
        Path::Local => "sim:?baud=9600",
        _ => "sim:",
    };
    format!("links.{} = \"{simulated}\"", endpoint.path)
}

fn found(endpoint: &SimEndpoint) -> String {
    format!("links.{} = \"{}\"", endpoint.path, endpoint.link)
}
