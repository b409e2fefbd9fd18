//! Settings of a configuration version, written as one block (the form is in `lab_config`'s Device Models).
//!
//! A device takes all of a block or none: each setting goes the way it would go alone, with every check of that, and what
//! was set before one that is refused is set back.

use lab_config::MOST_SETTINGS;
use proto_dlms::data::{ClassId, Data, DataAccessResult, Obis};
use proto_dlms::server::Peer;

use super::directory::Spec;
use super::encode::text;
use super::role::Role;
use super::{Device, Face};

const WRONG: DataAccessResult = DataAccessResult::TypeUnmatched;
/// Characters of a configuration version.
const LONGEST_VERSION: usize = 30;

/// One setting of a block, of an object the device has.
struct Setting<'a> {
    spec: Spec,
    attribute: i8,
    value: &'a Data,
}

impl<D: Device> Face<'_, D> {
    /// The version, and the settings of the block it came with as they are now.
    pub(super) fn configuration(&self, peer: Peer) -> Result<Data, DataAccessResult> {
        let plate = &self.device.core().plate;
        let one = |(obis, attribute): &(Obis, i8)| {
            let spec = *self.find(peer, *obis).ok_or(DataAccessResult::ObjectUndefined)?;
            let value = self.read(peer, &spec, *attribute)?;
            Ok(Data::Structure(vec![Data::Octets(obis.0.to_vec()), Data::I8(*attribute), value]))
        };
        let settings = plate.configured.iter().map(one).collect::<Result<_, DataAccessResult>>()?;
        Ok(Data::Structure(vec![text(&plate.configuration), Data::Array(settings)]))
    }

    /// Takes a block.
    pub(super) fn configure(&mut self, peer: Peer, value: &Data) -> Result<(), DataAccessResult> {
        let Some([version, settings]) = value.elements() else { return Err(WRONG) };
        let version = version.as_octets().and_then(|octets| std::str::from_utf8(octets).ok()).ok_or(WRONG)?;
        let printable = version.bytes().all(|octet| (0x20..0x7f).contains(&octet));
        if !(1..=LONGEST_VERSION).contains(&version.len()) || !printable {
            return Err(DataAccessResult::ScopeOfAccessViolated);
        }
        let settings = self.settings(peer, settings.elements().ok_or(WRONG)?)?;
        let configured = settings.iter().map(|setting| (setting.spec.obis, setting.attribute)).collect();
        self.set_all(peer, &settings)?;
        let plate = &mut self.device.core_mut().plate;
        (plate.configuration, plate.configured) = (version.to_owned(), configured);
        Ok(())
    }

    fn settings<'a>(&self, peer: Peer, settings: &'a [Data]) -> Result<Vec<Setting<'a>>, DataAccessResult> {
        if settings.len() > MOST_SETTINGS {
            return Err(DataAccessResult::ScopeOfAccessViolated);
        }
        settings.iter().map(|setting| self.setting(peer, setting)).collect()
    }

    fn setting<'a>(&self, peer: Peer, setting: &'a Data) -> Result<Setting<'a>, DataAccessResult> {
        let Some([name, attribute, value]) = setting.elements() else { return Err(WRONG) };
        let name: [u8; 6] = name.as_octets().and_then(|octets| octets.try_into().ok()).ok_or(WRONG)?;
        let attribute = attribute.as_i128().and_then(|number| i8::try_from(number).ok()).ok_or(WRONG)?;
        let spec = *self.find(peer, Obis(name)).ok_or(DataAccessResult::ObjectUndefined)?;
        // Who may associate, the time and the block itself are no configuration; a buffer is none either.
        let apart = matches!(spec.role, Role::Association | Role::Clock | Role::ConfigurationBlock);
        let set = spec.writable.contains(&attribute) && spec.readable.contains(&attribute);
        if apart || !set || spec.class == ClassId(7) {
            return Err(DataAccessResult::ReadWriteDenied);
        }
        Ok(Setting { spec, attribute, value })
    }

    fn set_all(&mut self, peer: Peer, settings: &[Setting<'_>]) -> Result<(), DataAccessResult> {
        let mut before = Vec::new();
        for setting in settings {
            let was = self.read(peer, &setting.spec, setting.attribute)?;
            if let Err(refused) = self.write(peer, &setting.spec, setting.attribute, setting.value) {
                for (setting, was) in before.iter().rev() {
                    let setting: &&Setting<'_> = setting;
                    // It had this value a moment ago.
                    let _ = self.write(peer, &setting.spec, setting.attribute, was);
                }
                return Err(refused);
            }
            before.push((setting, was));
        }
        Ok(())
    }
}
