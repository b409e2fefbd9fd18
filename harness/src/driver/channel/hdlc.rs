//! stub
use super::{ChannelError, Waits};
use crate::driver::access::{Access, Deadlines};
use crate::driver::error::DriverErrorKind;
use crate::link::Link;
use tokio::time::Instant;
#[derive(Debug)]
pub(in crate::driver) struct HdlcChannel {
    pub(super) link: Link,
}
impl HdlcChannel {
    pub(in crate::driver) async fn connect(
        link: Link,
        _a: &Access,
        _d: &Deadlines,
        _w: &Waits,
    ) -> Result<HdlcChannel, ChannelError> {
        let _ = link;
        Err(DriverErrorKind::Hdlc("not yet".into()).into())
    }
    pub(super) async fn send(&mut self, _apdu: &[u8], _waits: &Waits) -> Result<(), ChannelError> {
        Ok(())
    }
    pub(super) async fn receive(&mut self, _waits: &Waits) -> Result<Vec<u8>, ChannelError> {
        Ok(vec![])
    }
    pub(super) async fn disconnect(self, _limit: Instant) {}
}
