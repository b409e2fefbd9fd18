//! The device log of a meter or of the gas proxy: the devices it talks to on the home area network.
//!
//! It is the meter's own, and not the hub's: a device the hub lets onto its network is talked to only by those meters that
//! have joined with it.

use std::collections::BTreeMap;

use proto_duis::{DeviceKind, Eui64};

/// Devices a meter joins with.
pub const ROOM: usize = 8;

/// Why a device log is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogRefusal {
    /// The device is in it.
    #[error("the device is in the device log already")]
    Joined,
    /// A device that this one does not talk to.
    #[error("a device of another kind than the meter talks to")]
    Unsuitable,
    /// There is no room.
    #[error("the device log is full")]
    Full,
    /// The device is not in it.
    #[error("the device is not in the device log")]
    NotJoined,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLog {
    of: DeviceKind,
    joined: BTreeMap<Eui64, DeviceKind>,
}

impl DeviceLog {
    /// The empty log of a device of this kind.
    pub const fn new(of: DeviceKind) -> Self {
        Self { of, joined: BTreeMap::new() }
    }

    /// The same with those of these devices that it talks to, as far as there is room.
    #[must_use]
    pub fn with(mut self, devices: impl IntoIterator<Item = (Eui64, DeviceKind)>) -> Self {
        for (eui64, kind) in devices {
            // One it does not talk to is not for it.
            let _ = self.join(eui64, kind);
        }
        self
    }

    /// Talks to a device from now on.
    ///
    /// # Errors
    /// Why not.
    pub fn join(&mut self, eui64: Eui64, kind: DeviceKind) -> Result<(), LogRefusal> {
        if !talks(self.of, kind) {
            return Err(LogRefusal::Unsuitable);
        }
        if self.joined.contains_key(&eui64) {
            return Err(LogRefusal::Joined);
        }
        if self.joined.len() >= ROOM {
            return Err(LogRefusal::Full);
        }
        self.joined.insert(eui64, kind);
        Ok(())
    }

    /// Talks to a device no more.
    ///
    /// # Errors
    /// [`LogRefusal::NotJoined`].
    pub fn unjoin(&mut self, eui64: Eui64) -> Result<(), LogRefusal> {
        self.joined.remove(&eui64).map(drop).ok_or(LogRefusal::NotJoined)
    }

    /// Whether it talks to a device.
    pub fn has(&self, eui64: Eui64) -> bool {
        self.joined.contains_key(&eui64)
    }

    /// The devices, by EUI-64.
    pub fn all(&self) -> impl ExactSizeIterator<Item = (Eui64, DeviceKind)> {
        self.joined.iter().map(|(eui64, kind)| (*eui64, *kind))
    }
}

/// Whether devices of these kinds talk to one another.
fn talks(of: DeviceKind, other: DeviceKind) -> bool {
    use DeviceKind::{Esme, Gpf, Gsme, Ihd, Ppmid};
    match of {
        Esme => matches!(other, Ppmid | Ihd),
        Gsme => matches!(other, Gpf | Ppmid),
        Gpf => matches!(other, Gsme | Ppmid | Ihd),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISPLAY: Eui64 = Eui64::new([5; 8]);

    #[test]
    fn a_device_joins_once_and_leaves_once() {
        let mut log = DeviceLog::new(DeviceKind::Esme);
        assert_eq!(log.unjoin(DISPLAY), Err(LogRefusal::NotJoined));
        assert_eq!(log.join(DISPLAY, DeviceKind::Gsme), Err(LogRefusal::Unsuitable));
        assert_eq!(log.join(DISPLAY, DeviceKind::Ppmid), Ok(()));
        assert_eq!(log.join(DISPLAY, DeviceKind::Ppmid), Err(LogRefusal::Joined));
        assert!(log.has(DISPLAY));
        assert_eq!(log.unjoin(DISPLAY), Ok(()));
        assert!(!log.has(DISPLAY));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let devices = (0..20).map(|number| (Eui64::new([number; 8]), DeviceKind::Ihd));
        let mut log = DeviceLog::new(DeviceKind::Gpf).with(devices);
        assert_eq!(log.all().len(), ROOM);
        assert_eq!(log.join(DISPLAY.max(Eui64::new([99; 8])), DeviceKind::Ppmid), Err(LogRefusal::Full));
    }
}
