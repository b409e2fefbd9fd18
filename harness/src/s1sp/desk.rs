//! One device as the S1SP sees it: its Device Model's profile, and a session that is opened when it is first needed and
//! kept.

use jiff::Timestamp;
use lab_config::{DeviceKind, DlmsProfile, Eui64, Function, Object, RigDevice};
use proto_dlms::data::{AttributeRef, Data, DeviationSign, MethodRef, Selective};

use super::refusal::Refusal;
use crate::driver::values::{self, ScalerUnit};
use crate::driver::{
    Client, Own, ReachError, RigLinks, Session, Sleep, Withdrawal, ZclReader, buffer, cosem, read, rig,
    withdraw,
};

/// A device and the way to it.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) device: RigDevice,
    links: RigLinks,
    session: Option<Session>,
    /// How long a device that sleeps is waited for.
    sleep: Sleep,
    /// A request to a device that sleeps was sent and not answered, and may lie at the hub.
    pub(super) left_behind: bool,
    change: Change,
    /// The device log as it was last read, to restore it from.
    kept_log: Option<Data>,
    /// What the user who asked is to be told beside the answer.
    told: Option<String>,
    /// When the device starts over by itself: a session from before is of no use after.
    starts_at: Option<Timestamp>,
    /// Until when the device starts, by its Device Model: it hears nothing before.
    starting: Option<Timestamp>,
}

/// How far the request under way has come in changing the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    /// Nothing that changes it was sent.
    None,
    /// Something was sent.
    Begun,
    /// The device has carried something out.
    Done,
}

impl Desk {
    pub(crate) fn new(device: RigDevice, links: RigLinks) -> Desk {
        let sleep = device.model.wake_interval().map_or(Sleep::Never, |_| Sleep::NotWaitedFor);
        Desk {
            device,
            links,
            session: None,
            sleep,
            left_behind: false,
            change: Change::None,
            kept_log: None,
            told: None,
            starts_at: None,
            starting: None,
        }
    }

    /// Whether the device sleeps, and hears only at its wakes what is for it.
    pub(super) fn sleeps(&self) -> bool {
        self.sleep != Sleep::Never
    }

    /// A request begins: nothing of it is done yet, and the device is not waited for.
    pub(crate) fn begin(&mut self) {
        self.change = Change::None;
        self.told = None;
        if self.sleeps() {
            self.sleep = Sleep::NotWaitedFor;
        }
    }

    /// From now on a device asleep is waited for, for as long as its Device Model says it may sleep.
    pub(crate) fn wait_for_wake(&mut self) {
        if let Some(wake) = self.device.model.wake_interval() {
            self.sleep = Sleep::WaitedFor(wake.duration());
        }
    }

    /// Whether something that changes the device was sent since the request began.
    pub(super) fn has_begun_to_change(&self) -> bool {
        self.change >= Change::Begun
    }

    /// Whether the device has carried out some of the request.
    pub(super) fn has_changed(&self) -> bool {
        self.change == Change::Done
    }

    /// Has the hub, whose desk this is, drop what it holds for a device.
    pub(super) async fn withdraw(&mut self, device: Eui64) -> Result<Withdrawal, Refusal> {
        let model = self.device.model.clone();
        let profile = model.profile.dlms().ok_or_else(|| Refusal::from(not_dlms(&self.device)))?;
        withdraw(self.session().await?, profile, device).await.map_err(reach)
    }

    pub(super) fn profile(&self) -> Result<&DlmsProfile, Refusal> {
        Ok(rig::profile(&self.device)?)
    }

    /// Where a function is found.
    pub(crate) fn object(&self, function: Function) -> Result<Object, Refusal> {
        self.profile()?.object(function).copied().ok_or(Refusal::NotModelled(function))
    }

    pub(super) fn sign(&self) -> DeviationSign {
        self.device.model.profile.dlms().map_or(DeviationSign::Standard, cosem::sign)
    }

    /// The value of a function.
    pub(super) async fn read(&mut self, function: Function) -> Result<Data, Refusal> {
        let object = self.object(function)?;
        self.get(cosem::attribute(&object), None).await
    }

    /// The value of a function as text.
    pub(crate) async fn text(&mut self, function: Function) -> Result<String, Refusal> {
        let data = self.read(function).await?;
        let octets = data.as_octets().ok_or_else(|| Refusal::value(function, &data))?;
        Ok(values::text(octets))
    }

    /// The raw value of a register with its scaler and unit.
    pub(super) async fn register(&mut self, object: &Object) -> Result<(i128, ScalerUnit), Refusal> {
        let attribute = cosem::attribute(object);
        let data = self.get(attribute, None).await?;
        let raw = data.as_i128().ok_or_else(|| Refusal::value(attribute, &data))?;
        Ok((raw, self.scaler(attribute).await?))
    }

    /// The scaler and unit of the register with this value attribute; a plain count where it has none.
    pub(super) async fn scaler(&mut self, attribute: AttributeRef) -> Result<ScalerUnit, Refusal> {
        let session = self.session().await?;
        let scaler = read::scaler_unit(session, attribute).await.map_err(reach)?;
        Ok(scaler.unwrap_or(ScalerUnit { scaler: 0, unit: 255 }))
    }

    pub(super) async fn get(
        &mut self,
        attribute: AttributeRef,
        selective: Option<Selective>,
    ) -> Result<Data, Refusal> {
        self.session().await?.get(attribute, selective).await.map_err(reach)
    }

    /// The rows of a profile or log that lie within a period.
    pub(super) async fn between(
        &mut self,
        buffer: AttributeRef,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Data, Refusal> {
        let model = self.device.model.clone();
        let profile = model.profile.dlms().ok_or_else(|| Refusal::from(not_dlms(&self.device)))?;
        buffer::between(self.session().await?, profile, buffer, (from, to)).await.map_err(reach)
    }

    pub(crate) async fn set(&mut self, attribute: AttributeRef, value: Data) -> Result<(), Refusal> {
        self.session().await?;
        self.change = self.change.max(Change::Begun);
        self.session().await?.set(attribute, value).await.map_err(reach)?;
        self.change = Change::Done;
        Ok(())
    }

    pub(super) async fn act(
        &mut self,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, Refusal> {
        self.session().await?;
        self.change = self.change.max(Change::Begun);
        let returned = self.session().await?.act(method, parameter).await.map_err(reach)?;
        self.change = Change::Done;
        Ok(returned)
    }

    /// What another device of the installation is.
    pub(super) fn kind_of(&self, other: Eui64) -> Option<DeviceKind> {
        self.links.rig().by_eui64(other).map(|device| device.kind)
    }

    /// Keeps the device log as it was read.
    pub(super) fn keep_log(&mut self, log: Data) {
        self.kept_log = Some(log);
    }

    /// The device log as it was last read.
    pub(super) fn kept_log(&self) -> Option<&Data> {
        self.kept_log.as_ref()
    }

    /// Has the user who asked told something for which the answer has no place.
    pub(super) fn tell_user(&mut self, words: String) {
        self.told = Some(words);
    }

    /// What the user who asked is to be told beside the answer.
    pub(super) fn take_told(&mut self) -> Option<String> {
        self.told.take()
    }

    /// Has a device that speaks no DLMS talk to another one, or no longer: the status it answers.
    pub(super) async fn bind(&mut self, other: Eui64, bind: bool) -> Result<u8, Refusal> {
        let mut reader = self.zcl().await?;
        self.change = self.change.max(Change::Begun);
        let status = reader.bind(other, bind).await.map_err(reach)?;
        self.change = Change::Done;
        Ok(status)
    }

    /// A reader of its ZigBee attributes, for a device that speaks no DLMS.
    pub(super) async fn zcl(&self) -> Result<ZclReader, Refusal> {
        Ok(self.links.zcl(&self.device).await?)
    }

    pub(crate) fn speaks_zcl(&self) -> bool {
        rig::speaks_zcl(&self.device)
    }

    /// Whether the session it holds was opened with this credential.
    pub(super) fn is_in_with(&self, own: &Own) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_in_with(own))
    }

    /// Ends the session: the next request associates anew, with the password then in force.
    pub(crate) async fn leave(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    /// Drops the session without a word to the device, which has none of it any more.
    pub(super) fn forget(&mut self) {
        self.session = None;
    }

    /// The device will start over with new firmware at this time.
    pub(super) fn starts_over(&mut self, at: Timestamp) {
        self.starts_at = Some(at);
    }

    /// The device has begun to start over with new firmware: who asks for it next waits as long as its Device Model says that
    /// takes.
    pub(super) fn is_starting(&mut self, since: Timestamp) {
        self.forget();
        let takes =
            self.device.model.profile.dlms().map(|profile| profile.particulars.image_transfer().start);
        self.starting = takes.and_then(|takes| since.checked_add(takes).ok());
    }

    async fn session(&mut self) -> Result<&mut Session, Refusal> {
        if let Some(at) = self.starts_at.take_if(|at| *at <= Timestamp::now()) {
            self.is_starting(at);
        }
        if let Some(up) = self.starting.take() {
            let left = Timestamp::now().duration_until(up);
            tokio::time::sleep(left.try_into().unwrap_or_default()).await;
        }
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.links.open_asleep(&self.device, self.sleep, Client::Management).await?,
        };
        session.set_sleep(self.sleep);
        Ok(self.session.insert(session))
    }
}

fn not_dlms(device: &RigDevice) -> ReachError {
    ReachError::NotDlms(rig::words(device))
}

fn reach(error: crate::driver::DriverError) -> Refusal {
    Refusal::Reach(error.into())
}
