//! One device as the S1SP sees it: its Device Model's profile, and a session that is opened when it is first needed and
//! kept.

use jiff::Timestamp;
use lab_config::{DlmsProfile, Function, Object, Path, RigDevice, Secret};
use proto_dlms::data::{AttributeRef, Data, DeviationSign, MethodRef, Selective};

use super::refusal::Refusal;
use crate::driver::values::{self, ScalerUnit};
use crate::driver::{Client, ReachError, RigLinks, Session, ZclReader, buffer, cosem, read, rig};

/// A device and the way to it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) device: RigDevice,
    links: RigLinks,
    session: Option<Session>,
}

impl Desk {
    pub(super) fn new(device: RigDevice, links: RigLinks) -> Desk {
        Desk { device, links, session: None }
    }

    pub(super) fn profile(&self) -> Result<&DlmsProfile, Refusal> {
        Ok(rig::profile(&self.device)?)
    }

    /// Where a function is found.
    pub(super) fn object(&self, function: Function) -> Result<Object, Refusal> {
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
    pub(super) async fn text(&mut self, function: Function) -> Result<String, Refusal> {
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

    pub(super) async fn set(&mut self, attribute: AttributeRef, value: Data) -> Result<(), Refusal> {
        self.session().await?.set(attribute, value).await.map_err(reach)
    }

    pub(super) async fn act(
        &mut self,
        method: MethodRef,
        parameter: Option<Data>,
    ) -> Result<Option<Data>, Refusal> {
        self.session().await?.act(method, parameter).await.map_err(reach)
    }

    /// A reader of its ZigBee attributes, for a device that speaks no DLMS.
    pub(super) async fn zcl(&self) -> Result<ZclReader, Refusal> {
        Ok(self.links.zcl(&self.device).await?)
    }

    pub(super) fn speaks_zcl(&self) -> bool {
        rig::speaks_zcl(&self.device)
    }

    /// Whether the session it holds was opened with this password.
    pub(super) fn is_in_with(&self, password: &Secret) -> bool {
        self.session.as_ref().and_then(Session::password) == Some(password)
    }

    /// Ends the session: the next request associates anew, with the password then in force.
    pub(super) async fn leave(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    async fn session(&mut self) -> Result<&mut Session, Refusal> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.links.open(&self.device, Path::Wan, Client::Management).await?,
        };
        Ok(self.session.insert(session))
    }
}

fn not_dlms(device: &RigDevice) -> ReachError {
    ReachError::NotDlms(rig::words(device))
}

fn reach(error: crate::driver::DriverError) -> Refusal {
    Refusal::Reach(error.into())
}
