//! From a rig of the lab to an installation.

use std::collections::{BTreeMap, VecDeque};

use lab_config::{DlmsProfile, Particulars, Profile, Quirk, Rig, RigDevice};
use proto_dlms::data::DeviationSign;
use proto_dlms::security::SystemTitle;
use proto_duis::utrn::VendingKey;
use proto_duis::{DeviceKind, Eui64};
use proto_zigbee::metering::CommandIds;

use super::{Display, Home, Station};
use crate::model::account::{PaymentMode, Thresholds};
use crate::model::connection::{Connection, Contract};
use crate::model::core::Core;
use crate::model::curve::mix;
use crate::model::customer::Text;
use crate::model::esme::Esme;
use crate::model::gsme::Gsme;
use crate::model::gsme::battery::OnFlat;
use crate::model::mirror::{Mirror, snapshot_ids};
use crate::model::money::Millipence;
use crate::model::plate::Plate;
use crate::model::ppmid::Ppmid;
use crate::model::store::Store;
use crate::model::tariff::Prices;
use crate::model::time::{HALF_HOUR, Moment};
use crate::objects::{Access, AccessError, Contact, Directory, Hub, Proxy, Shell, StateFolder};

/// What a customer's account is opened with: 25 pounds.
const OPENING_PENCE: u32 = 2_500;
/// The octets of a vending key.
const VENDING_KEY: usize = 32;

/// Why an installation cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A secret cannot be had, or what the device keeps.
    #[error("rig {rig}, {kind}: {error}")]
    Access {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// Why.
        error: AccessError,
    },
    /// A vending key of another length.
    #[error("rig {rig}, {kind}: the vending key has {found} octets; it must have {VENDING_KEY}")]
    VendingKey {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// Octets found.
        found: usize,
    },
    /// A meter whose model does not speak DLMS, or a display whose model does.
    #[error(
        "rig {rig}, {kind}: its Device Model {model} has a {found} profile; simulated devices of this kind speak {expected}"
    )]
    Profile {
        /// The rig.
        rig: String,
        /// The device.
        kind: DeviceKind,
        /// The model.
        model: String,
        /// The profile's protocol.
        found: &'static str,
        /// The protocol it must be.
        expected: &'static str,
    },
}

/// Whether a device is to be simulated: it has a simulated link, or none of its own and a simulated carrier.
pub(crate) fn is_simulated(rig: &Rig, device: &RigDevice) -> bool {
    let carrier = device.via.and_then(|via| rig.device(via));
    device.has_simulated_link()
        || (device.links.is_empty() && carrier.is_some_and(RigDevice::has_simulated_link))
}

impl Home {
    /// The simulated devices of a rig at `now`, meters with a month behind them. The seed fixes their loads. What they
    /// keep dies with them.
    ///
    /// # Errors
    /// [`BuildError`] naming the device.
    pub fn build(rig: &Rig, now: Moment, seed: u64) -> Result<Self, BuildError> {
        Self::build_keeping(rig, now, seed, &StateFolder::none())
    }

    /// The same, keeping in `state` what must outlive the program.
    ///
    /// # Errors
    /// [`BuildError`] naming the device.
    pub fn build_keeping(rig: &Rig, now: Moment, seed: u64, state: &StateFolder) -> Result<Self, BuildError> {
        let plan = Plan { rig, now, seed, state };
        let gsme = plan.of(DeviceKind::Gsme, |device| plan.gsme(device))?;
        let meter_point = gsme
            .as_ref()
            .map(|gsme: &Station<Gsme>| gsme.device.connection.customer.text(Text::MeterPoint).to_owned());
        let display = [DeviceKind::Ppmid, DeviceKind::Ihd].into_iter().find_map(|kind| plan.device(kind));
        let mut home = Self {
            now,
            hub: plan.of(DeviceKind::Chf, |device| plan.hub(device))?,
            proxy: plan.of(DeviceKind::Gpf, |device| {
                let device_core = Core::new(plate(device), now);
                let shell = plan.shell(device)?;
                let mirror = gsme.as_ref().map(|gsme: &Station<Gsme>| {
                    Mirror::following(gsme.device.profile(), gsme.device.logs().days(), snapshots(&shell))
                });
                let mut proxy = Proxy::new(device_core, mirror.unwrap_or_default());
                if let Some(point) = &meter_point {
                    // Of a meter, so it is one.
                    let _ = proxy.customer.set_text(Text::MeterPoint, point);
                }
                proxy.devices = proxy.devices.clone().with(plan.simulated());
                Ok(Station::new(proxy, shell))
            })?,
            esme: plan.of(DeviceKind::Esme, |device| plan.esme(device))?,
            gsme,
            display: display.map(|device| plan.display(device)).transpose()?,
            head_end: plan.head_end(),
            air: VecDeque::new(),
            asked: VecDeque::new(),
            wans: BTreeMap::new(),
            stored: VecDeque::new(),
            for_radio: VecDeque::new(),
            endpoints: rig.devices().filter_map(|device| Some((device.kind, endpoint(device)?))).collect(),
            sequence: 0,
        };
        home.carry();
        Ok(home)
    }
}

struct Plan<'a> {
    rig: &'a Rig,
    now: Moment,
    seed: u64,
    state: &'a StateFolder,
}

impl Plan<'_> {
    fn device(&self, kind: DeviceKind) -> Option<&RigDevice> {
        self.rig.device(kind).filter(|device| is_simulated(self.rig, device))
    }

    fn of<T>(
        &self,
        kind: DeviceKind,
        build: impl FnOnce(&RigDevice) -> Result<T, BuildError>,
    ) -> Result<Option<T>, BuildError> {
        self.device(kind).map(build).transpose()
    }

    fn hub(&self, device: &RigDevice) -> Result<Station<Hub>, BuildError> {
        let core = Core::new(plate(device), self.now);
        let joined = self.simulated().filter(|(_, kind)| *kind != DeviceKind::Chf);
        let last = Some(core.shown());
        let contacts = joined.map(|(eui64, kind)| (eui64, Contact { kind, last })).collect();
        let shell = self.shell(device)?;
        let bounds = shell.particulars().map(Particulars::store_and_forward).unwrap_or_default();
        Ok(Station::new(Hub::new(core, contacts, Store::new(bounds)), shell))
    }

    /// The simulated devices of the rig.
    fn simulated(&self) -> impl Iterator<Item = (Eui64, DeviceKind)> {
        let simulated = self.rig.devices().filter(|other| is_simulated(self.rig, other));
        simulated.map(|other| (other.eui64, other.kind))
    }

    /// An installed meter has joined with the devices beside it.
    fn introduce(&self, connection: &mut Connection) {
        connection.devices = connection.devices.clone().with(self.simulated());
    }

    fn esme(&self, device: &RigDevice) -> Result<Station<Esme>, BuildError> {
        let contract = self.contract(device, Prices::default())?;
        let mut esme = Esme::installed(&contract, self.seed_of(device.eui64), self.now);
        self.introduce(&mut esme.connection);
        Ok(Station::new(esme, self.shell(device)?))
    }

    fn gsme(&self, device: &RigDevice) -> Result<Station<Gsme>, BuildError> {
        let contract = self.contract(device, Prices::gas())?;
        let shell = self.shell(device)?;
        let freezes = shell.has(Quirk::ValveFreezesOnFlatBattery);
        let wakes = device.model.wake_interval().unwrap_or_default().duration();
        let wakes = i64::try_from(wakes.as_millis()).unwrap_or(HALF_HOUR);
        let gsme = Gsme::installed(&contract, self.seed_of(device.eui64), wakes, self.now);
        let mut gsme = gsme
            .with_flat_behaviour(if freezes { OnFlat::Freeze } else { OnFlat::Close })
            .with_snapshot_ids(snapshots(&shell));
        self.introduce(&mut gsme.connection);
        Ok(Station::new(gsme, shell))
    }

    fn display(&self, device: &RigDevice) -> Result<Display, BuildError> {
        match device.model.profile {
            Profile::Zcl(_) => {
                let meters = self.simulated().map(|(eui64, _)| eui64).filter(|eui64| *eui64 != device.eui64);
                let display = Ppmid::new(plate(device)).bound_to(meters);
                Ok(Display { device: display, silent: false, has_mains: true })
            }
            Profile::Dlms(_) => Err(self.profile_error(device, "dlms", "zcl")),
        }
    }

    fn contract(&self, device: &RigDevice, prices: Prices) -> Result<Contract, BuildError> {
        let mode = match self.rig.safe_state.payment_mode {
            Some(lab_config::PaymentMode::Credit) => PaymentMode::Credit,
            Some(lab_config::PaymentMode::Prepayment) | None => PaymentMode::Prepayment,
        };
        Ok(Contract {
            plate: plate(device),
            mode,
            opening: Millipence::pence(OPENING_PENCE),
            thresholds: Thresholds::default(),
            prices,
            vending_key: self.vending_key(device)?,
        })
    }

    fn vending_key(&self, device: &RigDevice) -> Result<Option<VendingKey>, BuildError> {
        let Some(source) = &device.credentials.vending_key else { return Ok(None) };
        let secret = source.secret().map_err(|error| self.access_error(device, error.into()))?;
        let octets = secret.expose().try_into().map_err(|_| BuildError::VendingKey {
            rig: self.rig.name.to_string(),
            kind: device.kind,
            found: secret.expose().len(),
        })?;
        Ok(Some(VendingKey::new(octets)))
    }

    fn shell(&self, device: &RigDevice) -> Result<Shell, BuildError> {
        let profile = self.profile(device)?;
        // A device's system title is its EUI-64, as in the GB smart metering installations.
        let title = SystemTitle(device.eui64.octets());
        let access = Access::new(title, profile, &device.credentials, self.state)
            .map_err(|error| self.access_error(device, error))?;
        let inverted =
            profile.deviation.is_some_and(|sign| sign.value == lab_config::DeviationSign::Inverted);
        Ok(Shell {
            directory: Directory::new(device.kind, profile),
            access,
            sign: if inverted { DeviationSign::Inverted } else { DeviationSign::Standard },
            logical: profile.server.value.logical,
            application: profile.application_device.map(|fact| fact.value),
            model: device.model.clone(),
        })
    }

    fn profile<'d>(&self, device: &'d RigDevice) -> Result<&'d DlmsProfile, BuildError> {
        device.model.profile.dlms().ok_or_else(|| self.profile_error(device, "zcl", "dlms"))
    }

    /// The client that alerts go to: the hub's management client.
    fn head_end(&self) -> u16 {
        let hub = self.device(DeviceKind::Chf).and_then(|device| device.model.profile.dlms());
        hub.map_or(1, |profile| profile.management_client.value.get().into())
    }

    fn seed_of(&self, eui64: Eui64) -> u64 {
        mix(self.seed ^ u64::from_be_bytes(eui64.octets()))
    }

    fn access_error(&self, device: &RigDevice, error: AccessError) -> BuildError {
        BuildError::Access { rig: self.rig.name.to_string(), kind: device.kind, error }
    }

    fn profile_error(&self, device: &RigDevice, found: &'static str, expected: &'static str) -> BuildError {
        let model = device.model.id.to_string();
        BuildError::Profile { rig: self.rig.name.to_string(), kind: device.kind, model, found, expected }
    }
}

/// The numbers of the model's stack for snapshots.
pub(super) fn snapshots(shell: &Shell) -> CommandIds {
    let commands = shell.particulars().map(Particulars::snapshot_commands).unwrap_or_default();
    snapshot_ids(commands.get, commands.publish)
}

/// The endpoint its Device Model says it has its clusters on.
fn endpoint(device: &RigDevice) -> Option<u8> {
    let of_profile = match &device.model.profile {
        Profile::Zcl(profile) => Some(profile.endpoint.value),
        Profile::Dlms(_) => None,
    };
    device.model.clusters.as_ref().map(|map| map.endpoint.value).or(of_profile)
}

fn plate(device: &RigDevice) -> Plate {
    let identity = device.identity_as_found();
    Plate {
        kind: device.kind,
        eui64: device.eui64,
        manufacturer: identity.manufacturer.to_string(),
        model: identity.model.to_string(),
        hardware: identity.hardware_version.to_string(),
        firmware: identity.firmware_version.to_string(),
        configuration: identity.configuration_version.to_string(),
        configured: Vec::new(),
    }
}
