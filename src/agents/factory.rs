//! The agents that the settings ask for.

use std::sync::Arc;

use thiserror::Error;

use super::{AgentContext, AgentFactory, asking::BackendAgents, demo::DemoAgent};
use crate::settings::Settings;

/// Why the settings make no back ends. `Display` tells the operator what to do, and holds no value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FactoryError {
    /// The provider wants a key, and there is none.
    #[error("{origin}: this back end needs a key, or the address of a server that asks for none")]
    MissingKey {
        /// Where the back end is set.
        origin: String,
    },
    /// A key with characters that no HTTP header takes.
    #[error("{origin}: the key of this back end holds characters that cannot be part of one: set it anew")]
    BadKey {
        /// Where the back end is set.
        origin: String,
    },
    /// Not an HTTP address.
    #[error("{origin}: the address of this back end is none such as http://127.0.0.1:8000/v1")]
    BadUrl {
        /// Where the back end is set.
        origin: String,
    },
    /// The HTTP client cannot be made; for HTTPS, the system's certificates may be missing.
    #[error("the HTTP client cannot be made ({detail}); are the system's CA certificates installed?")]
    Client {
        /// What went wrong.
        detail: String,
    },
}

/// Agents that have the back ends of `context` answer.
///
/// # Errors
/// None: what can be wrong with the settings shows when the back ends are made of them, by [`Backends::new`](super::Backends::new).
pub fn factory(settings: &Settings, context: Arc<dyn AgentContext>) -> Result<Arc<dyn AgentFactory>, FactoryError> {
    let backends = context.backends();
    Ok(Arc::new(BackendAgents::new(
        backends,
        DemoAgent::new(settings, context),
    )))
}
