//! The lab's doors for programs and people: two listeners, one to watch by and one to act by.
//!
//! ```text
//!  witness, board ──> watch listener ───> Watch, Cosign                                 read records, sign for them
//!  engineer, scheduler, station ──> control listener ──> Watch, Cosign, and what is mounted there: Control, Queue, Station
//! ```
//!
//! Programs show a certificate of the lab's own authority ([`pki`]), people sign in ([`identity`]); both are asked who they
//! are before anything else (`guard`), and a call that is refused is told to the [`callbook`] and changes nothing. gRPC and
//! pages share a port. Without credentials both listen on loopback addresses only, and only when that was asked for.
//!
//! What the watch listener holds reads evidence and reaches nothing by which a run is driven (13.16(b)); a test of the
//! modules' imports holds that.

mod address;
mod callbook;
pub mod control;
mod cosign;
mod door;
mod guard;
pub mod identity;
mod lapse;
pub mod page;
mod pages;
pub mod pki;
mod services;
mod tls;
mod traffic;
mod under_way;
mod watch;

pub use address::{ListenAddressError, LoopbackAddress, NotLoopback};
pub use callbook::{Callbook, Calls, callbook};
pub use identity::right::Door;
pub use pages::Pages;
pub use services::Services;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use proto_lab::cosign::CosignServer;
use proto_lab::record::ActorName;
use proto_lab::rpc::MAX_REQUEST;
use proto_lab::watch::WatchServer;
use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;

use crate::evidence::CosignerKey;
use crate::watch::feed::Feeds;
use cosign::{CosignRuns, Witnesses};
use door::{Listening, Tls};
use guard::{Believed, Guard};
use identity::SignIn;
use lapse::TakenBack;
use pki::{Pki, PkiError};
use watch::{Runs, WatchRuns};

/// Whose callers are believed.
#[derive(Debug)]
pub enum Access {
    /// Those with a certificate of this authority, and the people of this file.
    Credentials {
        /// The authority.
        pki: Pki,
        /// The file of the people.
        people: PathBuf,
    },
    /// Whoever is on this machine: at the watch listener as a witness, at the control listener as an engineer.
    LoopbackWithoutCredentials {
        /// What they are called in records.
        name: ActorName,
        /// Keys whose cosignatures count.
        witnesses: Vec<CosignerKey>,
    },
}

/// Where to listen, and what for.
#[derive(Debug)]
pub struct Settings {
    /// The watch listener; port 0 is any free one.
    pub watch: SocketAddr,
    /// The control listener.
    pub control: SocketAddr,
    /// Whose callers are believed.
    pub access: Access,
    /// The folder of the run folders.
    pub runs: PathBuf,
    /// The feeds of the runs that are watched: one for both listeners and the pages.
    pub feeds: Feeds,
}

/// The lab does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not of this machine.
    #[error("the {door} listener cannot listen on {address}: {source}")]
    Bind {
        /// Which listener.
        door: Door,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Others could reach a listener without credentials.
    #[error("the {door} listener: {source}")]
    NotLoopback {
        /// Which listener.
        door: Door,
        /// Which address.
        source: NotLoopback,
    },
    /// The authority's files cannot be used.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The services cannot be described.
    #[error("reflection: {0}")]
    Reflection(String),
}

/// Both listeners, bound, answering nobody yet.
#[derive(Debug)]
pub struct Server {
    watch: TcpListener,
    control: TcpListener,
    tls: Option<(Arc<ServerConfig>, Pki)>,
    believed: Believed,
    witnesses: Witnesses,
    runs: Runs,
    feeds: Feeds,
    callbook: Callbook,
}

impl Server {
    /// Takes the addresses.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn bind(settings: Settings, callbook: Callbook) -> Result<Self, ServeError> {
        let Settings { watch, control, access, runs, feeds } = settings;
        let doors = [(Door::Watch, watch), (Door::Control, control)];
        let (tls, believed, witnesses) = match access {
            Access::Credentials { pki, people } => {
                let people = Arc::new(SignIn::new(people, callbook.clone()));
                let believed = Believed::Credentials(Arc::clone(&people));
                (Some((tls::config(&pki)?, pki)), believed, Witnesses::OfPeople(people))
            }
            Access::LoopbackWithoutCredentials { name, witnesses } => {
                for (door, address) in doors {
                    LoopbackAddress::try_from(address)
                        .map_err(|source| ServeError::NotLoopback { door, source })?;
                }
                (None, Believed::Loopback(name), Witnesses::OnLoopback(witnesses.into()))
            }
        };
        let (watch, control) = (bind(doors[0]).await?, bind(doors[1]).await?);
        Ok(Self { watch, control, tls, believed, witnesses, runs: Runs::new(runs), feeds, callbook })
    }

    /// Where a listener is, as a URL.
    ///
    /// # Errors
    /// The system does not say.
    pub fn url(&self, door: Door) -> std::io::Result<String> {
        let listener = match door {
            Door::Watch => &self.watch,
            Door::Control => &self.control,
        };
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        Ok(format!("{scheme}://{}", listener.local_addr()?))
    }

    /// Answers until it is stopped. `watch` and `control` are the pages of each listener, and `acts` the services of the
    /// control listener; those of the watch listener are at both.
    ///
    /// # Errors
    /// [`ServeError::Reflection`].
    pub async fn serve(
        self,
        watch: Pages,
        control: Pages,
        acts: Services,
        stop: CancellationToken,
    ) -> Result<(), ServeError> {
        let watch = self.router(Door::Watch, watch, Services::new()).await?;
        let control = self.router(Door::Control, control, acts).await?;
        let tls =
            self.tls.map(|(config, pki)| Tls { config, taken_back: TakenBack::follow(pki, stop.clone()) });
        let listening =
            |door| Listening { door, tls: tls.clone(), callbook: self.callbook.clone(), stop: stop.clone() };
        tokio::join!(
            listening(Door::Watch).serve(self.watch, watch),
            listening(Door::Control).serve(self.control, control),
        );
        Ok(())
    }

    async fn router(&self, door: Door, mut pages: Pages, services: Services) -> Result<Router, ServeError> {
        let watch = WatchServer::new(WatchRuns::new(self.runs.clone(), self.feeds.clone()));
        let cosign = CosignRuns::new(self.runs.clone(), self.witnesses.clone(), self.callbook.clone());
        if door == Door::Watch {
            pages = pages.merge(cosign.clone().routes());
        }
        let services = services
            .with(watch.max_decoding_message_size(MAX_REQUEST))
            .with(CosignServer::new(cosign).max_decoding_message_size(MAX_REQUEST));
        if let Believed::Credentials(sign_in) = &self.believed {
            pages = pages.merge(identity::routes(door, Arc::clone(sign_in)));
        }
        let paths: Vec<&str> = pages.paths().collect();
        tracing::debug!("pages at the {door} listener: {}", paths.join(" "));
        let router = Router::from(pages).merge(services.into_router().await?);
        let guard = Guard::new(door, self.believed.clone(), self.callbook.clone());
        // Around everything that is mounted, and around what answers where nothing is.
        Ok(router.layer(from_fn_with_state(guard, guard::guard)))
    }
}

async fn bind((door, address): (Door, SocketAddr)) -> Result<TcpListener, ServeError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| ServeError::Bind { door, address, source })
}
