//! The pages of a listener, mounted and named: a router that knows what it holds.

use std::collections::BTreeSet;
use std::convert::Infallible;

use axum::Router;
use axum::handler::Handler;
use axum::routing::MethodRouter;

/// Pages to be mounted, and the paths they are at. What is mounted without being named here cannot be.
#[derive(Debug, Clone)]
pub struct Pages<S = ()> {
    router: Router<S>,
    paths: BTreeSet<String>,
}

impl<S: Clone + Send + Sync + 'static> Default for Pages<S> {
    fn default() -> Self {
        Self { router: Router::new(), paths: BTreeSet::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Pages<S> {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// These and what is at one more path.
    #[must_use]
    pub fn route(mut self, path: &str, methods: MethodRouter<S, Infallible>) -> Self {
        self.paths.insert(path.to_owned());
        Self { router: self.router.route(path, methods), ..self }
    }

    /// What answers where nothing is mounted.
    #[must_use]
    pub fn fallback<T: 'static>(self, handler: impl Handler<T, S>) -> Self {
        Self { router: self.router.fallback(handler), ..self }
    }

    /// Gives the handlers what they share.
    #[must_use]
    pub fn with_state<T: Clone + Send + Sync + 'static>(self, state: S) -> Pages<T> {
        Pages { router: self.router.with_state(state), paths: self.paths }
    }

    /// These and others.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        Self { router: self.router.merge(other.router), ..self }
    }

    /// Every path, as it is mounted: `/runs/{run}/records`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
}

impl From<Pages> for Router {
    fn from(pages: Pages) -> Self {
        pages.router
    }
}
