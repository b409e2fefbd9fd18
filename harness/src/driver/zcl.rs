//! ZigBee cluster attributes and bindings of a device behind a hub, for devices that speak no DLMS (the PPMID).

use proto_duis::Eui64;
use proto_zigbee::zcl::{AttributeId, ReadRecord};
use proto_zigbee::zdo::{self, Binding};
use proto_zigbee::{ZigbeeError, basic, metering};

use super::access::{Access, Deadlines};
use super::channel::hub::Hub;
use super::channel::{ChannelError, HubPort, Waits};
use super::error::{Context, DriverError, DriverErrorKind};
use lab_config::ClientSap;
use tokio::time::Instant;

/// Reads attributes of one device's clusters through its hub, and binds it to other devices.
#[derive(Debug)]
pub struct ZclReader {
    port: HubPort,
    hub: Hub,
    device: Eui64,
    deadlines: Deadlines,
    sequence: u8,
}

impl ZclReader {
    /// A reader of `device` behind `hub`. Nothing is sent yet: ZigBee clusters have no association.
    ///
    /// # Errors
    /// The connection to the hub is closed.
    pub async fn new(hub: &Hub, device: Eui64, deadlines: Deadlines) -> Result<ZclReader, DriverError> {
        let access = Access::open(ClientSap::MANAGEMENT);
        let port = hub.port(Some(device), &access, deadlines.sleep).await;
        let port = port.map_err(|error| failure(hub, device, String::new(), error))?;
        Ok(ZclReader { port, hub: hub.clone(), device, deadlines, sequence: 0 })
    }

    /// Reads attributes of the Basic cluster: what the device says it is.
    ///
    /// # Errors
    /// No answer, or an answer that is none to this question.
    pub async fn read_basic(&mut self, ids: &[AttributeId]) -> Result<Vec<ReadRecord>, DriverError> {
        self.sequence = self.sequence.wrapping_add(1);
        let waits = Waits::starting_now(&self.deadlines);
        let answer = self.ask(ids, &waits).await;
        answer.map_err(|error| failure(&self.hub, self.device, "ZCL read of Basic attributes".into(), error))
    }

    /// Has the device talk to another one's Metering cluster from now on, or no longer: the status it answers (ZigBee
    /// specification, 2.4.4.3).
    ///
    /// # Errors
    /// No answer, or an answer that is none to this question.
    pub async fn bind(&mut self, other: Eui64, bind: bool) -> Result<u8, DriverError> {
        self.sequence = self.sequence.wrapping_add(1);
        let waits = Waits::starting_now(&self.deadlines);
        let status = self.ask_to_bind(other, bind, &waits).await;
        let request = if bind { "ZDO bind" } else { "ZDO unbind" };
        status.map_err(|error| failure(&self.hub, self.device, request.into(), error))
    }

    async fn ask_to_bind(&mut self, other: Eui64, bind: bool, waits: &Waits) -> Result<u8, ChannelError> {
        let eui64 = |device: Eui64| proto_zigbee::Eui64(device.octets());
        let binding = Binding::of(self.sequence, eui64(self.device), eui64(other), metering::CLUSTER);
        let _turn = self.port.turn(waits.until).await?;
        self.port.send(&binding.request(bind), waits).await?;
        let mut octets = self.port.receive(waits).await?;
        let mut status = zdo::binding_status(bind, self.sequence, &octets);
        while matches!(status, Err(ZigbeeError::Mismatch { .. })) && Instant::now() < waits.until {
            octets = self.port.receive(waits).await?;
            status = zdo::binding_status(bind, self.sequence, &octets);
        }
        status.map_err(|error| malformed(&error, &octets))
    }

    async fn ask(&mut self, ids: &[AttributeId], waits: &Waits) -> Result<Vec<ReadRecord>, ChannelError> {
        let _turn = self.port.turn(waits.until).await?;
        self.port.send(&basic::read_request(self.sequence, ids), waits).await?;
        let mut octets = self.port.receive(waits).await?;
        let mut records = basic::read_response(self.sequence, &octets);
        // The late answer to an earlier question, of which there are as many as there were questions.
        while matches!(records, Err(ZigbeeError::Mismatch { .. })) && Instant::now() < waits.until {
            octets = self.port.receive(waits).await?;
            records = basic::read_response(self.sequence, &octets);
        }
        records.map_err(|error| malformed(&error, &octets))
    }
}

fn malformed(error: &ZigbeeError, octets: &[u8]) -> ChannelError {
    ChannelError { kind: DriverErrorKind::Malformed(error.to_string()), frame: Some(octets.to_vec()) }
}

fn failure(hub: &Hub, device: Eui64, request: String, error: ChannelError) -> DriverError {
    let context = Context {
        link: hub.name().to_owned(),
        url: hub.url().to_owned(),
        peer: device.to_string(),
        request,
        frame: error.frame,
        ..Context::default()
    };
    DriverError::new(error.kind, context)
}
