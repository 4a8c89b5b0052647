//! The agents that the settings ask for.

use std::sync::Arc;

use thiserror::Error;

use super::{AgentContext, AgentFactory, demo::DemoAgents, providers::ProviderAgents};
use crate::settings::Settings;

/// Why the settings make no agents. `Display` tells the operator what to do, and holds no value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FactoryError {
    /// The provider wants a key, and there is none.
    #[error("{variable} is not set: the model of MODEL needs it")]
    MissingKey {
        /// The variable.
        variable: &'static str,
    },
    /// A key with characters that no HTTP header takes.
    #[error("{variable} holds characters that cannot be part of a key: set it anew")]
    BadKey {
        /// The variable.
        variable: &'static str,
    },
    /// Not an HTTP address.
    #[error("{variable} is not an address such as http://127.0.0.1:8000/v1")]
    BadUrl {
        /// The variable.
        variable: &'static str,
    },
    /// The HTTP client cannot be made; for HTTPS, the system's certificates may be missing.
    #[error("the HTTP client cannot be made ({detail}); are the system's CA certificates installed?")]
    Client {
        /// What went wrong.
        detail: String,
    },
}

/// The agents that `MODEL` names. All agents of one factory share its connections to the model server.
///
/// # Errors
/// [`FactoryError`]. Nothing is asked of the model server yet: whether it is there shows with the first question.
pub fn factory(settings: &Settings, context: Arc<dyn AgentContext>) -> Result<Arc<dyn AgentFactory>, FactoryError> {
    let display = settings.catalog.default.to_string();
    Ok(match ProviderAgents::new(settings, display.clone())? {
        Some(agents) => Arc::new(agents),
        None => Arc::new(DemoAgents::new(settings, display, context)),
    })
}
