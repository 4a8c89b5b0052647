//! The one flat struct that envy fills and validator checks.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use validator::{Validate, ValidateLength, ValidateRange, ValidationError};

use super::{
    LogFormat, ModelName, Provider, Secret, UpdateRate,
    values::{BaseUrl, Bytes, ConcurrencyId, LogFilter, Measured, OrNone, Text, Value},
};
use crate::{queue::Order, wire::Event};

/// One variable on its way in. Reading it never fails: envy stops at the first error, and an operator wants them all;
/// what cannot be read is kept as such and fails validation instead.
#[derive(Clone, Debug, Default)]
pub(super) enum Field<T> {
    #[default]
    Unset,
    Set(T),
    Unreadable,
}

impl<T> Field<T> {
    /// The value, where there is one.
    pub(super) fn get(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Unreadable => None,
        }
    }

    const fn as_ref(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Unset | Self::Unreadable => None,
        }
    }

    const fn is_unset(&self) -> bool {
        matches!(self, Self::Unset)
    }
}

impl<'de, T: Value> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(T::parse(text.trim()).map_or(Self::Unreadable, Self::Set))
    }
}

/// Validator puts each field that fails into its error. This gives it what is allowed there, and never the value.
impl<T: Value> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::ALLOWED.serialize(serializer)
    }
}

/// A field that cannot be read lies outside every range.
impl<T: Measured> ValidateRange<f64> for Field<T> {
    fn greater_than(&self, max: f64) -> Option<bool> {
        match self {
            Self::Unset => None,
            Self::Unreadable => Some(true),
            Self::Set(value) => value.measure().map(|size| size > max),
        }
    }

    fn less_than(&self, min: f64) -> Option<bool> {
        match self {
            Self::Unset => None,
            Self::Unreadable => Some(true),
            Self::Set(value) => value.measure().map(|size| size < min),
        }
    }
}

impl ValidateLength<u64> for Field<Secret> {
    fn length(&self) -> Option<u64> {
        self.as_ref().map(|secret| secret.0.chars().count() as u64)
    }
}

impl ValidateLength<u64> for Field<Text> {
    fn length(&self) -> Option<u64> {
        self.as_ref().map(|text| text.0.chars().count() as u64)
    }
}

fn readable<T>(field: &Field<T>) -> Result<(), ValidationError> {
    match field {
        Field::Unreadable => Err(ValidationError::new("unreadable")),
        Field::Unset | Field::Set(_) => Ok(()),
    }
}

/// Longest time that a setting may name: 30 days. It keeps sums of an instant and a setting far from overflow.
const LONGEST: f64 = 30.0 * 24.0 * 3600.0;

/// Every variable; a field is called as its variable is, in lower case. `variables.rs` has their defaults.
#[derive(Debug, Default, Deserialize, Validate)]
#[serde(default)]
#[validate(schema(function = "model_has_its_key", skip_on_field_errors = false))]
pub(super) struct Raw {
    #[validate(custom(function = "readable"))]
    pub(super) model: Field<ModelName>,
    #[validate(custom(function = "readable"))]
    pub(super) openai_api_key: Field<Secret>,
    #[validate(custom(function = "readable"))]
    pub(super) openai_base_url: Field<BaseUrl>,
    #[validate(custom(function = "readable"))]
    pub(super) ollama_url: Field<BaseUrl>,
    #[validate(custom(function = "readable"))]
    pub(super) anthropic_api_key: Field<Secret>,
    #[validate(custom(function = "readable"))]
    pub(super) anthropic_base_url: Field<BaseUrl>,
    #[validate(custom(function = "readable"))]
    pub(super) gemini_api_key: Field<Secret>,
    #[validate(custom(function = "readable"))]
    pub(super) gemini_base_url: Field<BaseUrl>,
    #[validate(length(max = 65536))]
    pub(super) system_prompt: Field<Text>,
    #[validate(range(min = 0.1, max = LONGEST))]
    pub(super) model_stall_timeout: Field<Duration>,
    #[validate(range(min = 0.0, max = 10.0))]
    pub(super) model_retries: Field<u32>,
    #[validate(range(min = 0.0, max = 60.0))]
    pub(super) demo_first_token: Field<Duration>,
    #[validate(range(min = 1.0, max = 100_000.0))]
    pub(super) demo_speed: Field<u32>,

    #[validate(custom(function = "readable"))]
    pub(super) enable_concurrent_processing: Field<bool>,
    #[validate(custom(function = "readable"))]
    pub(super) enable_queue: Field<bool>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) default_concurrency_limit: Field<OrNone<u32>>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) chat_concurrency_limit: Field<OrNone<u32>>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) file_concurrency_limit: Field<OrNone<u32>>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) stats_concurrency_limit: Field<OrNone<u32>>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) logs_concurrency_limit: Field<OrNone<u32>>,
    #[validate(custom(function = "chat_id"))]
    pub(super) chat_concurrency_id: Field<ConcurrencyId>,
    #[validate(custom(function = "file_id"))]
    pub(super) file_concurrency_id: Field<ConcurrencyId>,
    #[validate(custom(function = "stats_id"))]
    pub(super) stats_concurrency_id: Field<ConcurrencyId>,
    #[validate(custom(function = "logs_id"))]
    pub(super) logs_concurrency_id: Field<ConcurrencyId>,
    #[validate(range(min = 1.0, max = 1000.0))]
    pub(super) max_running: Field<OrNone<u32>>,
    #[validate(custom(function = "readable"))]
    pub(super) queue_order: Field<Order>,
    #[validate(range(min = 0.05, max = 60.0))]
    pub(super) queue_status_update_rate: Field<UpdateRate>,
    #[validate(range(min = 1.0, max = 1_000_000.0))]
    pub(super) queue_max_size: Field<OrNone<u32>>,
    #[validate(range(min = 1.0, max = 10_000.0))]
    pub(super) queue_max_waiting_per_session: Field<OrNone<u32>>,
    #[validate(range(min = 0.1, max = LONGEST))]
    pub(super) queue_max_wait: Field<OrNone<Duration>>,
    #[validate(range(min = 0.1, max = LONGEST))]
    pub(super) queue_abandon_after: Field<OrNone<Duration>>,
    #[validate(range(min = 0.1, max = LONGEST))]
    pub(super) chat_timeout: Field<OrNone<Duration>>,

    #[validate(range(min = 1.0, max = 1_000_000_000.0))]
    pub(super) max_upload_size: Field<Bytes>,
    #[validate(range(min = 1.0, max = 36_500.0))]
    pub(super) retention_days: Field<OrNone<u32>>,
    #[validate(range(min = 0.1, max = LONGEST))]
    pub(super) session_idle_timeout: Field<Duration>,
    #[validate(range(min = 1.0, max = 1_000_000.0))]
    pub(super) max_sessions: Field<u32>,

    #[validate(custom(function = "readable"))]
    pub(super) site_addr: Field<SocketAddr>,
    #[validate(range(min = 1.0, max = 1_000_000.0))]
    pub(super) max_connections_per_address: Field<OrNone<u32>>,
    #[validate(custom(function = "readable"))]
    pub(super) data_dir: Field<PathBuf>,
    #[validate(custom(function = "readable"), length(min = 32, max = 4096))]
    pub(super) secret_key: Field<Secret>,
    #[validate(custom(function = "readable"))]
    pub(super) secure_cookies: Field<bool>,
    #[validate(custom(function = "readable"), length(min = 16, max = 4096))]
    pub(super) operator_key: Field<Secret>,
    #[validate(range(min = 0.0, max = 3600.0))]
    pub(super) shutdown_grace: Field<Duration>,
    #[validate(custom(function = "readable"))]
    pub(super) rust_log: Field<LogFilter>,
    #[validate(custom(function = "readable"))]
    pub(super) log_format: Field<LogFormat>,
}

/// Code of an error between fields; its message stands at `MODEL`.
pub(super) const AT_MODEL: &str = "model";

/// A server of one's own behind the base URL may ask for no key.
fn model_has_its_key(raw: &Raw) -> Result<(), ValidationError> {
    let Some(model) = raw.model.as_ref() else { return Ok(()) };
    let (key, url, names) = match model.provider {
        Provider::Builtin | Provider::Ollama => return Ok(()),
        Provider::OpenAi => (
            &raw.openai_api_key,
            &raw.openai_base_url,
            "OPENAI_API_KEY (or OPENAI_BASE_URL",
        ),
        Provider::Anthropic => (
            &raw.anthropic_api_key,
            &raw.anthropic_base_url,
            "ANTHROPIC_API_KEY (or ANTHROPIC_BASE_URL",
        ),
        Provider::Gemini => (
            &raw.gemini_api_key,
            &raw.gemini_base_url,
            "GEMINI_API_KEY (or GEMINI_BASE_URL",
        ),
    };
    if key.is_unset() && url.is_unset() {
        let message = format!("this model needs {names}, for a server of your own that asks for no key)");
        return Err(ValidationError::new(AT_MODEL).with_message(message.into()));
    }
    Ok(())
}

/// A shared limit that is called like an event of which it is not the limit would be two limits of one name.
fn concurrency_id(own: Event, field: &Field<ConcurrencyId>) -> Result<(), ValidationError> {
    readable(field)?;
    let Some(id) = field.as_ref() else { return Ok(()) };
    let other = Event::ALL
        .into_iter()
        .find(|event| *event != own && event.name() == id.0);
    other.map_or(Ok(()), |event| {
        let message = format!("{event} is the name of another event; to share a limit, give both events one new name");
        Err(ValidationError::new("contradiction").with_message(message.into()))
    })
}

fn chat_id(field: &Field<ConcurrencyId>) -> Result<(), ValidationError> {
    concurrency_id(Event::Chat, field)
}

fn file_id(field: &Field<ConcurrencyId>) -> Result<(), ValidationError> {
    concurrency_id(Event::FileUpload, field)
}

fn stats_id(field: &Field<ConcurrencyId>) -> Result<(), ValidationError> {
    concurrency_id(Event::StatsRefresh, field)
}

fn logs_id(field: &Field<ConcurrencyId>) -> Result<(), ValidationError> {
    concurrency_id(Event::LogsRefresh, field)
}
