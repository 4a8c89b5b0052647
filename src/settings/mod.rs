//! Settings: the environment and `.env`, typed and checked before anything listens.
//!
//! `tables/` says what there is, one table a concern, and makes of it the struct that envy fills and validator checks, and
//! [`Settings`]. `gather` finds the texts, `load` takes them through. Every fault is reported at once.

use std::{
    collections::HashMap,
    env, fmt, io,
    path::{Path, PathBuf},
    time::Duration,
};

mod allowed;
mod assemble;
mod backends;
mod catalog;
#[cfg(test)]
mod documents;
mod dotenv;
mod faults;
mod field;
pub(crate) mod file;
mod gather;
mod kinds;
mod load;
mod oddities;
mod prompts;
mod provider;
mod reload;
mod suggest;
mod tables;
#[cfg(test)]
mod tests;
mod tool_servers;
mod variables;
pub mod watch;

pub(crate) use tables::name_of;
pub(crate) use variables::{Group, groups};
pub use {
    catalog::{BackendLimit, BackendSettings, Catalog, ModelName, ModelSettings},
    faults::{Fault, Faults},
    load::Loaded,
    prompts::Prompt,
    provider::{Provider, ServerVariables},
    reload::Change,
    tables::Settings,
    tool_servers::{
        LONGEST_OWN_VALUE, Leave, LeaveRules, OwnInput, OwnValues, ToolServer, ToolSettings, ToolTransport,
    },
};

use crate::accounts::Role;

/// How often a waiting browser is told its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateRate {
    /// At once near the head, less often far back.
    Auto,
    /// At most once in this time.
    Every(Duration),
}

/// Who sees a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever opens the page.
    Everyone,
    /// Browsers that have opened the operator's link.
    Operators,
    /// Nobody: it is not there.
    Off,
}

impl Audience {
    /// Whether somebody of this role is among them.
    #[must_use]
    pub const fn includes(self, role: Role) -> bool {
        match self {
            Self::Everyone => true,
            Self::Operators => matches!(role, Role::Operator),
            Self::Off => false,
        }
    }
}

/// What conversations are called, until their owners say otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Titles {
    /// By the first words of their first message.
    FirstWords,
    /// As their model says once it has answered, while a slot of it is free.
    Model,
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
    /// The operator. Keys are hidden from them, too.
    Operator,
}

/// Names the file that is read in place of `.env`. Read from the environment alone.
pub const ENV_FILE: &str = "ANTEROOM_ENV_FILE";

/// Most bytes of `.env` and of the file of back ends: far more than every setting at its longest, and comments.
const LONGEST_FILE: u64 = 1 << 20;

impl Settings {
    /// Whether answers are kept to questions of this temperature.
    #[must_use]
    pub fn keeps_answers(&self, temperature: Option<f32>) -> bool {
        let certain = temperature.is_some_and(|temperature| temperature <= 0.0);
        self.answer_cache_size.is_some() && (certain || self.answer_cache_any_temperature)
    }

    /// The settings that `environment` and the text of `.env` give, with the file that `BACKENDS_FILE` names. The environment wins over
    /// `.env`, a name over its aliases, and an empty value is no value. Reads nothing else, but that a `$NAME` within a value of `.env`
    /// stands for a variable of the process.
    ///
    /// # Errors
    /// Every fault there is, at once.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
    ) -> Result<Loaded, Faults> {
        Self::load_with(environment, dotenv, &read_file)
    }

    /// As [`Settings::load`], with another way to read the file of back ends.
    ///
    /// # Errors
    /// Every fault there is, at once.
    pub fn load_with(
        environment: impl IntoIterator<Item = (String, String)>,
        dotenv: Option<&str>,
        read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    ) -> Result<Loaded, Faults> {
        load::load(&environment.into_iter().collect(), Ok(dotenv), read)
    }

    /// The settings of this process: its environment, and `.env` of the working directory, or the file that
    /// [`ENV_FILE`] names. May be called again after an edit.
    ///
    /// # Errors
    /// As [`Settings::load`]; also where the file is there and cannot be read, or is no regular file.
    pub fn from_process() -> Result<Loaded, Faults> {
        let (path, named) = Self::file();
        let dotenv = read(&path, named);
        load::load(
            &environment(),
            dotenv.as_ref().map(Option::as_deref).map_err(Clone::clone),
            &read_file,
        )
    }

    /// The files that [`Settings::from_process`] reads as they are now, there or not: the one of [`Settings::file`], and those that
    /// `BACKENDS_FILE`, `PROMPTS_FILE` and `MCP_FILE` name.
    #[must_use]
    pub fn files() -> Vec<PathBuf> {
        let (path, named) = Self::file();
        let dotenv = read(&path, named).ok().flatten().unwrap_or_default();
        let named = ["BACKENDS_FILE", "PROMPTS_FILE", "MCP_FILE"];
        let named = named
            .into_iter()
            .filter_map(|name| file_named(name, &environment(), &dotenv));
        std::iter::once(path).chain(named).collect()
    }

    /// The file that [`Settings::from_process`] reads, and whether [`ENV_FILE`] names it.
    #[must_use]
    pub fn file() -> (PathBuf, bool) {
        match env::var_os(ENV_FILE).filter(|name| !name.is_empty()) {
            Some(path) => (path.into(), true),
            None => (".env".into(), false),
        }
    }
}

/// The text of `.env`; `None` where it is not there and nobody `named` it.
fn read(path: &Path, named: bool) -> Result<Option<String>, Fault> {
    match file::read(path, LONGEST_FILE) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !named => Ok(None),
        Err(error) => {
            let place = if named {
                format!("named by {ENV_FILE}")
            } else {
                String::new()
            };
            let advice = format!("this file cannot be read: {error}");
            Err(Fault {
                in_public: Some("the file of settings".to_owned()),
                ..Fault::new(path.display().to_string(), place, advice)
            })
        }
    }
}

/// The file that this variable names.
fn file_named(variable: &str, environment: &HashMap<String, String>, dotenv: &str) -> Option<PathBuf> {
    load::value(variable, environment, &dotenv::parse(dotenv).0).map(PathBuf::from)
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    file::read(path, LONGEST_FILE)
}

/// The variables of this process. Lossy: what is not UTF-8 is reported like any other fault, and matters in Anteroom's own variables
/// only.
fn environment() -> HashMap<String, String> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    env::vars_os()
        .map(|(name, value)| (lossy(name), lossy(value)))
        .collect()
}
