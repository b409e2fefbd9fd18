//! stub
use super::{ChannelError, Waits};
use crate::driver::access::Deadlines;
use crate::link::Link;
pub(in crate::driver) async fn sign_on(
    _l: &mut Link,
    _d: &Deadlines,
    _w: &Waits,
) -> Result<String, ChannelError> {
    Ok(String::new())
}
