//! A test data set in the devices of an installation: in all of them, or in none.

use std::collections::BTreeSet;

use lab_config::contents::{Contents, Load};
use lab_config::{Particulars, ProfileColumn};
use proto_duis::DeviceKind;

use super::{Home, Station};
use crate::model::esme::Esme;
use crate::model::gsme::Gsme;
use crate::model::loading::{self, LoadRefusal};
use crate::model::mirror::Mirror;
use crate::model::ppmid::Ppmid;
use crate::objects::{Contact, Hub, Proxy, Shell};

/// Copies of the devices, loaded; they take the place of the devices once all of them are.
#[derive(Default)]
struct Loaded {
    esme: Option<Esme>,
    gsme: Option<Gsme>,
    hub: Option<Hub>,
    proxy: Option<Proxy>,
    display: Option<Ppmid>,
}

impl Home {
    /// Loads the devices: all of them, or none.
    ///
    /// # Errors
    /// The device that is refused something, and why; every device is as it was.
    pub(crate) fn load(&mut self, loads: &[Load]) -> Result<(), (DeviceKind, LoadRefusal)> {
        let mut loaded = Loaded::default();
        for load in loads {
            self.load_one(load, &mut loaded).map_err(|refusal| (load.device(), refusal))?;
        }
        self.take(loaded);
        self.carry();
        Ok(())
    }

    fn load_one(&self, load: &Load, loaded: &mut Loaded) -> Result<(), LoadRefusal> {
        match &load.contents {
            Contents::Electricity(contents) => {
                let (mut esme, has_status) = copy(&self.esme, DeviceKind::Esme)?;
                esme.load(load, contents, has_status)?;
                loaded.esme = Some(esme);
            }
            Contents::Gas(contents) => {
                let (mut gsme, has_status) = copy(&self.gsme, DeviceKind::Gsme)?;
                gsme.load(load, contents, has_status)?;
                loaded.gsme = Some(gsme);
            }
            Contents::Network(joined) => {
                let (mut hub, _) = copy(&self.hub, DeviceKind::Chf)?;
                loading::core(&mut hub.core, load)?;
                if let Some(joined) = joined {
                    loaded.display = self.network(&mut hub, joined)?;
                }
                loaded.hub = Some(hub);
            }
            Contents::Mirror => {
                let (mut proxy, _) = copy(&self.proxy, DeviceKind::Gpf)?;
                loading::core(&mut proxy.core, load)?;
                loaded.proxy = Some(proxy);
            }
        }
        Ok(())
    }

    /// Puts these devices on the network, and no others; the display as it is then.
    fn network(&self, hub: &mut Hub, joined: &BTreeSet<DeviceKind>) -> Result<Option<Ppmid>, LoadRefusal> {
        let here = |kind: DeviceKind| self.plates().find(|(of, _)| *of == kind).map(|(_, eui64)| eui64);
        let last = Some(hub.core.shown());
        let mut contacts = std::collections::BTreeMap::new();
        for kind in joined {
            let eui64 = here(*kind).ok_or(LoadRefusal::NoDevice(*kind))?;
            contacts.insert(eui64, Contact { kind: *kind, last });
        }
        hub.contacts = contacts;
        Ok(self.display.as_ref().map(|display| {
            let mut device = display.device.clone();
            device.set_joined(hub.has_joined(device.plate().eui64));
            device
        }))
    }

    /// The copies take the places of the devices; the mirror follows a gas meter with another past.
    fn take(&mut self, loaded: Loaded) {
        put(&mut self.esme, loaded.esme);
        put(&mut self.hub, loaded.hub);
        put(&mut self.proxy, loaded.proxy);
        if let (Some(display), Some(device)) = (&mut self.display, loaded.display) {
            display.device = device;
        }
        if let (Some(proxy), Some(gsme)) = (&mut self.proxy, &loaded.gsme) {
            follow(&mut proxy.device.mirror, gsme);
        }
        put(&mut self.gsme, loaded.gsme);
    }
}

fn follow(mirror: &mut Mirror, gsme: &Gsme) {
    mirror.follow(gsme.profile(), gsme.logs().days());
}

/// A copy of a device, and whether its profile has a column for the status of half hours.
fn copy<D: Clone>(station: &Option<Station<D>>, kind: DeviceKind) -> Result<(D, bool), LoadRefusal> {
    let station = station.as_ref().ok_or(LoadRefusal::NoDevice(kind))?;
    Ok((station.device.clone(), has_status(&station.shell)))
}

fn has_status(shell: &Shell) -> bool {
    let columns = shell.particulars().map_or(&[][..], Particulars::profile_columns);
    columns.contains(&ProfileColumn::Status)
}

fn put<D>(station: &mut Option<Station<D>>, loaded: Option<D>) {
    if let (Some(station), Some(device)) = (station, loaded) {
        station.device = device;
    }
}
