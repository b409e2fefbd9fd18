//! Attaching at the controller: the station says hello, and frames go both ways from then on.

use std::time::Duration;

use proto_lab::attach::{Frame, Hello, LONGEST_FRAME, Says, StationClient, StationFrame};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::dial::{Way, chain};

/// How long the controller may take to let the station in.
const DIAL: Duration = Duration::from_secs(10);
/// Frames that may wait for gRPC to take them.
const OUTBOUND: usize = 8;

type Dialled = (mpsc::Sender<StationFrame>, Streaming<StationFrame>);

/// Attaches by this way with this hello.
///
/// # Errors
/// Why the controller is not reached or does not let the station in, in words.
pub(super) async fn dial(way: &Way, hello: Hello) -> Result<Dialled, String> {
    let late = |_| format!("{way} did not answer within {DIAL:?}");
    timeout(DIAL, attach(way, hello)).await.map_err(late)?
}

async fn attach(way: &Way, hello: Hello) -> Result<Dialled, String> {
    let (channel, broke) = way.connect().await.map_err(|error| format!("{way}: {}", chain(&error)))?;
    let mut client = StationClient::new(channel).max_decoding_message_size(LONGEST_FRAME);
    let (outbound, frames) = mpsc::channel(OUTBOUND);
    let hello = Frame::session(Says::Hello(hello)).into();
    outbound.send(hello).await.map_err(|_| "the hello was not taken".to_owned())?;
    let attached = client.attach(ReceiverStream::new(frames)).await;
    let refused = |status: Status| match broke.take() {
        // Of a connection that was cut gRPC says no more than that.
        Some(broken) => format!("{way} ended the connection: {}", broken.words),
        None => format!("{way} refuses: {}", status.message()),
    };
    let attached = attached.map_err(refused)?;
    Ok((outbound, attached.into_inner()))
}
