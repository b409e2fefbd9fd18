//! What the DCC answers itself: the inventory, firmware, schedules, and what it keeps until later.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use proto_duis::{
    CreateSchedule, DccContent, DecommissionDevice, Request, RequestBody, Response, ResponseCode,
    UpdateFirmware,
};

use super::agenda;
use super::firmware::{self, Distribution};
use super::forward::{Job, S1spPort, Task};
use super::held::Outcome;
use super::inventory::Inventory;
use super::judge::{self, Refusal};
use super::line::{self, NoPlace};
use super::server::{Shared, locked};
use super::users::User;

/// The answer to a request for the DCC that this one does not carry out: it cannot be reached for that.
const NOT_CARRIED_OUT: ResponseCode = ResponseCode::CANNOT_COMMUNICATE;

const fn nothing((): ()) -> DccContent {
    DccContent::Nothing
}

impl<P: S1spPort> Shared<P> {
    /// The answer of the DCC itself to a request that was judged to be its user's to send.
    pub(super) fn own(
        self: &Arc<Self>,
        octets: &Bytes,
        request: &Request,
        inventory: &mut Inventory,
    ) -> Result<Response, NoPlace> {
        let (id, srv, now) = (request.id, request.srv(), self.now());
        let said = match &request.body {
            RequestBody::ReadInventory(query) => {
                return Ok(Response::inventory(id, inventory.find(query), now));
            }
            RequestBody::UpdateFirmware(update) => match self.distribution(request, update, inventory) {
                Ok(distribution) => return self.distribute(octets, request, distribution),
                Err(refusal) => Err(refusal),
            },
            RequestBody::CreateSchedule(schedule) => self.create(octets, request, schedule, inventory),
            RequestBody::ReadSchedule(selection) => {
                let read = locked(&self.agenda).schedules.read(id.originator, selection);
                read.map(DccContent::Schedules)
            }
            RequestBody::DeleteSchedule(selection) => {
                let deleted = locked(&self.agenda).schedules.delete(id.originator, selection);
                deleted.map(nothing)
            }
            RequestBody::DevicePrenotification(notice) => {
                self.user(id.originator).and_then(|user| inventory.prenotify(notice, user)).map(nothing)
            }
            RequestBody::UpdateInventory(update) => {
                self.user(id.originator).and_then(|user| inventory.update(update, user)).map(nothing)
            }
            RequestBody::DecommissionDevice(device) => {
                self.user(id.originator).and_then(|user| self.decommission(device, user, inventory))
            }
            _ => {
                let reason = format!("this DCC does not carry out {srv} {}", srv.name());
                Err(Refusal { code: NOT_CARRIED_OUT, reason })
            }
        };
        Ok(match said {
            Ok(content) => Response::own(id, srv, content, now),
            Err(refusal) => self.refused(request, &refusal),
        })
    }

    fn refused(&self, request: &Request, Refusal { code, reason }: &Refusal) -> Response {
        tracing::info!(request = %request.id, %code, reason, "request refused");
        Response::acknowledgement(request.id, request.srv(), *code, self.now())
    }

    /// Keeps a future-dated request until its time.
    pub(super) fn hold(&self, octets: &Bytes, request: &Request, at: Timestamp) -> Result<Response, NoPlace> {
        let now = self.now();
        let held = locked(&self.agenda).held.hold(octets, request, at, now);
        agenda::changed(&self.agenda_changed);
        let code = match held {
            Ok(Outcome::Held) => ResponseCode::ACKNOWLEDGED,
            Ok(Outcome::TakenBack) => ResponseCode::SUCCESS,
            Ok(Outcome::Full) => return Err(NoPlace::TooManyHeld),
            Err(refusal) => return Ok(self.refused(request, &refusal)),
        };
        Ok(Response::acknowledgement(request.id, request.srv(), code, now))
    }

    /// 8.3: what was to be read of the device by schedules is read no more.
    fn decommission(
        &self,
        device: &DecommissionDevice,
        user: &User,
        inventory: &mut Inventory,
    ) -> Result<DccContent, Refusal> {
        inventory.decommission(device, user)?;
        locked(&self.agenda).schedules.withdraw_device(device.device);
        Ok(DccContent::Nothing)
    }

    /// 5.1: the user must be one that may make the read itself.
    fn create(
        &self,
        octets: &Bytes,
        request: &Request,
        schedule: &CreateSchedule,
        inventory: &Inventory,
    ) -> Result<DccContent, Refusal> {
        let user = self.user(request.id.originator)?;
        let (srv, device) = (schedule.request.read.srv(), schedule.request.device);
        judge::role(srv, user)?;
        judge::applies(srv, &self.doubtful)?;
        judge::may_ask(srv, device, user, inventory)?;
        let created = locked(&self.agenda).schedules.create((octets, request), schedule, self.now());
        agenda::changed(&self.agenda_changed);
        created.map(DccContent::ScheduleId)
    }

    fn distribution(
        &self,
        request: &Request,
        update: &UpdateFirmware,
        inventory: &Inventory,
    ) -> Result<Distribution, Refusal> {
        let user = self.user(request.id.originator)?;
        firmware::check(request, update, (user, inventory, &self.products))
    }

    /// Puts an image into the line of every installation it goes to.
    fn distribute(
        self: &Arc<Self>,
        octets: &Bytes,
        request: &Request,
        distribution: Distribution,
    ) -> Result<Response, NoPlace> {
        for (installation, devices) in distribution.devices {
            let task = Task::Distribute(devices);
            let (octets, request, deadline) = (octets.clone(), request.clone(), self.s1sp_deadline);
            let job = Job { octets, request, deadline, task, not_after: None };
            line::join(self, installation, job)?;
        }
        let (id, srv, now) = (request.id, request.srv(), self.now());
        Ok(match distribution.warning {
            None => Response::acknowledgement(id, srv, ResponseCode::SUCCESS, now),
            Some(warning) => Response::firmware_warning(id, ResponseCode::FIRMWARE_WARNING, warning, now),
        })
    }
}
