//! What a test bench does with an installation, other than on its wires.

use lab_config::cosem::Obis;
use proto_dlms::gateway::Envelope;
use proto_dlms::wrapper::Message;
use proto_duis::DeviceKind;

use super::Home;
use super::hub::address;
use crate::model::core::Core;
use crate::objects::Device;

impl Home {
    /// What was asked of its devices since this was last called: the device, the object, its attribute or method.
    pub(crate) fn take_asked(&mut self) -> Vec<(DeviceKind, Obis, i8)> {
        let of = |core: &mut Core| {
            let kind = core.plate.kind;
            core.bench.take_asked().into_iter().map(move |(obis, number)| (kind, obis, number))
        };
        self.cores_mut().flat_map(of).collect()
    }

    fn cores_mut(&mut self) -> impl Iterator<Item = &mut Core> {
        let hub = self.hub.as_mut().map(|hub| hub.device.core_mut());
        let proxy = self.proxy.as_mut().map(|proxy| proxy.device.core_mut());
        let esme = self.esme.as_mut().map(|esme| esme.device.core_mut());
        let gsme = self.gsme.as_mut().map(|gsme| gsme.device.core_mut());
        [hub, proxy, esme, gsme].into_iter().flatten()
    }

    /// A device restarts: whoever was associated with it is no more. The gas proxy lives in the hub.
    pub(crate) fn restart(&mut self, kind: DeviceKind) {
        match kind {
            DeviceKind::Chf | DeviceKind::Gpf => {
                self.hub.iter_mut().for_each(super::Station::forget_all);
                self.hub.iter_mut().for_each(|hub| hub.device.lose_held("restart"));
                self.proxy.iter_mut().for_each(super::Station::forget_all);
            }
            DeviceKind::Esme => self.esme.iter_mut().for_each(super::Station::forget_all),
            DeviceKind::Gsme => self.gsme.iter_mut().for_each(super::Station::forget_all),
            DeviceKind::Ppmid | DeviceKind::Ihd => {}
        }
    }

    /// The device behind the hub that a message on the wide area network link comes from; none of the hub itself.
    pub(crate) fn sender(&self, message: &Message) -> Option<DeviceKind> {
        if !Envelope::is_present(&message.apdu) {
            return None;
        }
        let envelope = Envelope::decode(&message.apdu).ok()?;
        self.kind_of(address(&envelope)?)
    }
}
