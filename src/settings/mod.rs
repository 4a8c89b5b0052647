//! Settings: the environment and `.env`, typed and checked before anything listens.
//!
//! `variables` lists what there is, `gather` finds the texts, `raw` is the struct that envy fills and validator checks,
//! `typed` makes [`Settings`] of it. Every fault is reported at once.

use std::{
    collections::HashMap,
    env, fmt, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

mod dotenv;
mod faults;
pub(crate) mod file;
mod gather;
mod load;
mod raw;
mod reload;
mod suggest;
#[cfg(test)]
mod tests;
mod typed;
mod values;
mod variables;
pub mod watch;

pub use faults::{Fault, Faults};
pub use load::Loaded;
pub use reload::Change;

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

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// For whom settings are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Viewer {
    /// Any visitor: of an address or a path they see only that it is set.
    Everybody,
    /// Whoever runs the site. Keys are hidden from them, too.
    Operator,
}

/// Who answers: `name@provider`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelName {
    /// The provider's name for the model.
    pub name: String,
    /// `builtin`, `openai`, `ollama`, `anthropic`, `gemini`.
    pub provider: Provider,
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.provider.name())
    }
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

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 5] = [Self::Builtin, Self::OpenAi, Self::Ollama, Self::Anthropic, Self::Gemini];

    /// Its name in `MODEL`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::OpenAi => "openai",
            Self::Ollama => "ollama",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }
}

/// Names the file that is read in place of `.env`. Read from the environment alone.
pub const ENV_FILE: &str = "ANTEROOM_ENV_FILE";

/// Most bytes of `.env`: far more than every setting at its longest, and comments.
const LONGEST_FILE: u64 = 1 << 20;

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
    /// `RETENTION_DAYS`: what was last used longer ago is removed; `None` keeps everything.
    pub retention_days: Option<u32>,
    /// `SESSION_IDLE_TIMEOUT`.
    pub session_idle_timeout: Duration,
    /// `MAX_SESSIONS`.
    pub max_sessions: usize,
    /// `SHUTDOWN_GRACE`: how long running turns may go on after SIGTERM.
    pub shutdown_grace: Duration,
    /// `SITE_ADDR`.
    pub site_addr: SocketAddr,
    /// `MAX_CONNECTIONS_PER_ADDRESS`: most connections that one address may have open; `None` is no bound.
    pub max_connections_per_address: Option<usize>,
    /// `DATA_DIR`.
    pub data_dir: PathBuf,
    /// `SECRET_KEY`: signs the cookies; made on the first start and kept in `DATA_DIR` where unset.
    pub secret_key: Option<Secret>,
    /// `SECURE_COOKIES`: mark the cookie `Secure`, for a site behind HTTPS.
    pub secure_cookies: bool,
    /// `OPERATOR_KEY`: who opens the operator's link with it sees addresses and paths; made at each start where unset.
    pub operator_key: Option<Secret>,
    /// `RUST_LOG`.
    pub log_filter: String,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
}

impl Settings {
    /// The settings that `environment` and the text of `.env` give. The environment wins over `.env`, a name over its
    /// aliases, and an empty value is no value. Reads nothing else, but that a `$NAME` within a value of `.env` stands
    /// for a variable of the process.
    ///
    /// # Errors
    /// Every fault there is, at once.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
    ) -> Result<Loaded, Faults> {
        load::load(&environment.into_iter().collect(), Ok(dotenv))
    }

    /// The settings of this process: its environment, and `.env` of the working directory, or the file that
    /// [`ENV_FILE`] names. May be called again after an edit.
    ///
    /// # Errors
    /// As [`Settings::load`]; also where the file is there and cannot be read, or is no regular file.
    pub fn from_process() -> Result<Loaded, Faults> {
        let (path, named) = Self::file();
        // Lossy: what is not UTF-8 is reported like any other fault, and matters in Anteroom's own variables only.
        let environment: HashMap<_, _> = env::vars_os()
            .map(|(name, value)| {
                (
                    name.to_string_lossy().into_owned(),
                    value.to_string_lossy().into_owned(),
                )
            })
            .collect();
        let dotenv = read(&path, named);
        load::load(
            &environment,
            dotenv.as_ref().map(Option::as_deref).map_err(Clone::clone),
        )
    }

    /// The file that [`Settings::from_process`] reads, and whether [`ENV_FILE`] names it.
    #[must_use]
    pub fn file() -> (PathBuf, bool) {
        match env::var_os(ENV_FILE).filter(|name| !name.is_empty()) {
            Some(path) => (path.into(), true),
            None => (".env".into(), false),
        }
    }

    /// The order of every line, for those who only want that.
    #[must_use]
    pub const fn order(&self) -> Order {
        self.policy.order
    }
}

/// The text of `.env`; `None` where it is not there and nobody `named` it.
fn read(path: &Path, named: bool) -> Result<Option<String>, Fault> {
    match file::read(path, LONGEST_FILE) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(None),
        Err(error) => Err(Fault {
            subject: path.display().to_string(),
            place: if named {
                format!("named by {ENV_FILE}")
            } else {
                String::new()
            },
            advice: format!("this file cannot be read: {error}"),
        }),
    }
}
