//! How watching over a wire ends before the run does: what may be tried again, and what to do about the rest.

use tonic::{Code, Status};

use super::super::Failure;
use super::watched::ADVICE;
use crate::dial::{Broke, Distrust, Way, chain};

/// Why a run is followed no further.
#[derive(Debug)]
pub(super) enum Lost {
    /// The connection was cut, or the server has no room or no time: asking again may help.
    Cut(Failure),
    /// Asking again would not.
    Over(Failure),
}

impl From<Failure> for Lost {
    fn from(failure: Failure) -> Self {
        Self::Over(failure)
    }
}

impl Lost {
    /// The controller is not reached.
    pub(super) fn unreached(way: &Way, error: &tonic::transport::Error) -> Self {
        let failure = Failure::lab(format!("{way} does not answer: {}", chain(error)));
        match Distrust::of(error) {
            Some(distrust) => Self::Over(advised(failure, distrust)),
            None => Self::Cut(failure.hint("harness serve prints the address it listens at")),
        }
    }

    /// The server ended a call.
    pub(super) fn told(way: &Way, broke: &Broke, status: &Status) -> Self {
        let failure = Failure::lab(format!("{way}: {}", status.message()));
        match status.code() {
            Code::DataLoss => {
                Self::Over(Failure::lab(format!("ALARM: {way}: {}", status.message())).hint(ADVICE))
            }
            Code::Unauthenticated => Self::Over(
                failure
                    .hint("show who you are: --certificate FILE --key-file FILE")
                    .hint("the lab issues both with `harness pki issue NAME --role witness`"),
            ),
            Code::PermissionDenied => Self::Over(
                failure
                    .hint("a witness watches at the watch listener, which `harness serve` prints first")
                    .hint("the lab issues a certificate for it with `harness pki issue NAME --role witness`"),
            ),
            Code::Unimplemented => Self::Over(
                failure.hint("is that the watch listener of a lab? harness serve prints its address"),
            ),
            Code::NotFound | Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition => {
                Self::Over(failure)
            }
            // Of a connection that was cut gRPC says no more than that.
            _ => match broke.take() {
                Some(broken) => {
                    let failure = Failure::lab(format!("{way} ended the connection: {}", broken.words));
                    match broken.distrust {
                        Some(distrust) => Self::Over(advised(failure, distrust)),
                        None => Self::Cut(failure),
                    }
                }
                None => Self::Cut(failure),
            },
        }
    }
}

/// What to do about a certificate that is not believed.
fn advised(failure: Failure, distrust: Distrust) -> Failure {
    failure.hint(match distrust {
        Distrust::OtherAuthority => {
            "the controller's certificate is not of the authority given with --ca: ask the lab for `authority.pem` of its pki \
             folder; if that is the one, somebody else answers there"
        }
        Distrust::ServerExpired => {
            "the controller's certificate has expired: the lab renews it with `harness pki issue NAME --role server`"
        }
        Distrust::OtherName => {
            "the controller's certificate is for another name: use the one it has, or have the lab issue one for this with \
             `harness pki issue NAME --role server --host HOST`"
        }
        Distrust::Server => "the controller's certificate is not as it must be: tell the lab",
        Distrust::Expired => {
            "your certificate has expired: the lab issues another with `harness pki issue NAME --role witness`"
        }
        Distrust::Revoked => {
            "your certificate was taken back: the lab issues another with `harness pki issue NAME --role witness`"
        }
        Distrust::Own => {
            "your certificate is not of that lab's authority: use the one it issued with `harness pki issue NAME --role witness`"
        }
    })
}
