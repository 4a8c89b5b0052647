//! Settings: the environment and `.env`, typed and checked before anything listens.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crate::queue::{Order, Policy};

/// How often a waiting browser is told its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRate {
    /// At once near the head, less often far back.
    Auto,
    /// At most once in this time.
    Every(Duration),
}

/// How log records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// A value that no log, page or message may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Who answers: `name@provider`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// The provider's name for the model.
    pub name: String,
    /// `builtin`, `openai`, `ollama`, `anthropic`, `gemini`.
    pub provider: Provider,
}

/// Where a model is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The demo model inside Anteroom.
    Builtin,
    /// OpenAI, or anything that speaks its API at `OPENAI_BASE_URL`.
    OpenAi,
    /// Ollama at `OLLAMA_URL`.
    Ollama,
    /// Anthropic.
    Anthropic,
    /// Google Gemini.
    Gemini,
}

/// Every setting, typed and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Rules 1, 2, 4 and 7: limits, order, master switches, sizes and the longest wait.
    pub policy: Policy,
    /// `QUEUE_STATUS_UPDATE_RATE`.
    pub status_update_rate: UpdateRate,
    /// `QUEUE_ABANDON_AFTER`: how long a waiting ticket outlives its browser's last connection; `None` is for ever.
    pub abandon_after: Option<Duration>,
    /// `CHAT_TIMEOUT`: longest time a turn may run; `None` is unlimited.
    pub chat_timeout: Option<Duration>,
    /// `MODEL`.
    pub model: ModelName,
    /// `OPENAI_API_KEY`.
    pub openai_api_key: Option<Secret>,
    /// `OPENAI_BASE_URL`.
    pub openai_base_url: Option<String>,
    /// `ANTHROPIC_API_KEY`.
    pub anthropic_api_key: Option<Secret>,
    /// `ANTHROPIC_BASE_URL`.
    pub anthropic_base_url: Option<String>,
    /// `GEMINI_API_KEY`.
    pub gemini_api_key: Option<Secret>,
    /// `GEMINI_BASE_URL`.
    pub gemini_base_url: Option<String>,
    /// `OLLAMA_URL`.
    pub ollama_url: Option<String>,
    /// `SYSTEM_PROMPT`: said to the model before every conversation.
    pub system_prompt: Option<String>,
    /// `MODEL_STALL_TIMEOUT`: longest silence of the model server, before and between pieces.
    pub model_stall_timeout: Duration,
    /// `MODEL_RETRIES`: how often a request that failed before its first piece is made again.
    pub model_retries: u32,
    /// `DEMO_FIRST_TOKEN`: the demo model's time to its first token.
    pub demo_first_token: Duration,
    /// `DEMO_SPEED`: the demo model's tokens a second.
    pub demo_speed: u32,
    /// `MAX_UPLOAD_SIZE`, in bytes.
    pub max_upload_bytes: u64,
    /// `SESSION_IDLE_TIMEOUT`.
    pub session_idle_timeout: Duration,
    /// `MAX_SESSIONS`.
    pub max_sessions: usize,
    /// `SHUTDOWN_GRACE`: how long running turns may go on after SIGTERM.
    pub shutdown_grace: Duration,
    /// `SITE_ADDR`.
    pub site_addr: SocketAddr,
    /// `DATA_DIR`.
    pub data_dir: PathBuf,
    /// `SECRET_KEY`: signs the cookies; made on the first start and kept in `DATA_DIR` where unset.
    pub secret_key: Option<Secret>,
    /// `SECURE_COOKIES`: mark the cookie `Secure`, for a site behind HTTPS.
    pub secure_cookies: bool,
    /// `RUST_LOG`.
    pub log_filter: String,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
}

impl Settings {
    /// The order of every line, for those who only want that.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.policy.order
    }
}
