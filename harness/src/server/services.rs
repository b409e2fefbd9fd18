//! The gRPC services of a listener, mounted and named.

use std::convert::Infallible;

use axum::http::Request;
use axum::response::IntoResponse;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::service::Routes;

use super::ServeError;

/// Services to be mounted, and their names for whoever asks what there is.
#[derive(Debug)]
pub struct Services {
    routes: Routes,
    names: Vec<&'static str>,
}

impl Default for Services {
    fn default() -> Self {
        Self { routes: Routes::from(axum::Router::new()), names: Vec::new() }
    }
}

impl Services {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// These and one more.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<tonic::body::Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// The router of them all, with health, and with a reflection that names what is here and no more.
    pub(super) async fn into_router(mut self) -> Result<axum::Router, ServeError> {
        let (health, service) = tonic_health::server::health_reporter();
        for name in &self.names {
            health.set_service_status(*name, tonic_health::ServingStatus::Serving).await;
        }
        self = self.with(service);
        let wrong = |e: tonic_reflection::server::Error| ServeError::Reflection(e.to_string());
        let v1 = reflection(&self.names).build_v1().map_err(wrong)?;
        // Older programs ask in the words of the version before.
        let v1alpha = reflection(&self.names).build_v1alpha().map_err(wrong)?;
        Ok(self.routes.add_service(v1).add_service(v1alpha).prepare().into_axum_router())
    }
}

fn reflection(names: &[&'static str]) -> tonic_reflection::server::Builder<'static> {
    let described = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto_lab::rpc::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    names.iter().fold(described, |described, name| described.with_service_name(*name))
}
