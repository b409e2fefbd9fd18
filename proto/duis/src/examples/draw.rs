//! Bodies drawn from octets: the same octets give the same body, so that a property test shrinks them and a fuzzer
//! steers them.

/// Octets that decide what a sample is.
#[derive(Debug)]
pub struct Draw<'a> {
    octets: &'a [u8],
    then: Then,
}

/// What is decided once the octets are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Least,
    Most,
}

impl<'a> Draw<'a> {
    /// Decisions from these octets, and the smallest once they are used up.
    pub fn new(octets: &'a [u8]) -> Draw<'a> {
        Draw { octets, then: Then::Least }
    }

    /// As little as there can be.
    pub fn least() -> Draw<'a> {
        Draw::new(&[])
    }

    /// As much as there can be.
    pub fn most() -> Draw<'a> {
        Draw { octets: &[], then: Then::Most }
    }

    fn octet(&mut self) -> Result<u8, Then> {
        let Some((first, rest)) = self.octets.split_first() else { return Err(self.then) };
        self.octets = rest;
        Ok(*first)
    }

    /// Yes or no.
    pub fn flag(&mut self) -> bool {
        self.octet().map_or_else(|then| then == Then::Most, |octet| octet & 1 == 1)
    }

    /// One of these; there must be one.
    pub fn one_of<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        match self.octet() {
            Ok(octet) => &from[usize::from(octet) % from.len()],
            Err(Then::Least) => &from[0],
            Err(Then::Most) => &from[from.len() - 1],
        }
    }

    /// A number from `min` to `max`, the bounds themselves often.
    pub fn between(&mut self, min: i128, max: i128) -> i128 {
        match self.octet().map(|octet| octet % 4) {
            Ok(0) | Err(Then::Least) => min,
            Ok(1) | Err(Then::Most) => max,
            Ok(_) => {
                let wide = (0..8).fold(0, |wide: i128, _| wide << 8 | i128::from(self.octet().unwrap_or(0)));
                min + wide % (max - min + 1)
            }
        }
    }

    /// A count from `min` to `max`, mostly small.
    pub fn count(&mut self, min: usize, max: usize) -> usize {
        let more = |draw: &mut Self| usize::from(draw.octet().unwrap_or(0));
        match self.octet() {
            Err(Then::Least) => min,
            Ok(201..=230) | Err(Then::Most) => max,
            Ok(0..=200) => min + (more(self) % 4).min(max - min),
            Ok(_) => min + more(self) % (max - min + 1),
        }
    }
}
