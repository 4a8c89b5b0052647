//! The file of tool servers, which `MCP_FILE` names: servers that speak the Model Context Protocol, in the JSON that other clients of it
//! read, too.
//!
//! `json.rs` keeps where everything stands, `entry.rs` reads one server, `command.rs` looks for its program, `own.rs` says what each person
//! gives of their own. As with the file of back ends,
//! every fault is told at once, and none repeats a value that may be a key.

mod command;
mod entry;
mod json;
mod own;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use self::json::Json;
pub use self::own::{LONGEST_OWN_VALUE, OwnInput, OwnValues};
use super::{Secret, backends::Reader, faults::Fault};

/// Most servers.
const MOST: usize = 100;
/// What the file begins with.
const HEAD: &str = "mcpServers";
/// What each person is asked for.
const INPUTS: &str = "inputs";
/// How many connections there may be that are one person's each, where nothing is said.
const MOST_OWN: usize = 100;

/// The servers whose tools models may use.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSettings {
    /// In the order of their names.
    pub servers: Vec<Arc<ToolServer>>,
    /// The program that starts servers and ends them; `None`: this one. A test, which is another program, names Anteroom's here.
    pub keeper: Option<PathBuf>,
    /// How many connections there may be that are one person's each.
    pub most_own: usize,
}

impl Default for ToolSettings {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            keeper: None,
            most_own: MOST_OWN,
        }
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolServer {
    /// What the operator calls it.
    pub name: String,
    /// Where it is.
    pub transport: ToolTransport,
    /// How many of its tools may be called at once, by everybody together; `None`: as many as there are calls.
    pub limit: Option<usize>,
    /// How long a call may take.
    pub timeout: Duration,
    /// How long it may take to start, and to tell its tools.
    pub connect_timeout: Duration,
    /// How long a connection is kept that nobody uses.
    pub idle: Duration,
    /// Whether its tools may be called.
    pub leave: LeaveRules,
    /// The tools that are offered; `None`: all that it has.
    pub only: Option<BTreeSet<String>>,
    /// What each person gives of their own.
    pub own: OwnValues,
    /// Whether people may attach its resources to messages.
    pub resources: bool,
    /// Whether people are offered its prompts.
    pub prompts: bool,
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolTransport {
    /// A program that is started here, and spoken to over its standard input and output.
    Program {
        /// The program.
        command: String,
        /// Its arguments, which may hold a key.
        args: Vec<Secret>,
        /// Its environment, beside the few variables that each has.
        env: Vec<(String, Secret)>,
        /// Its folder; `None`: Anteroom's.
        cwd: Option<PathBuf>,
    },
    /// A server elsewhere, over HTTP.
    Http {
        /// Its address, which may hold a key.
        url: Secret,
        /// Sent with each request.
        headers: Vec<(String, Secret)>,
    },
}

impl ToolTransport {
    /// Its name in the file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Program { .. } => "stdio",
            Self::Http { .. } => "http",
        }
    }
}

/// Whether a tool may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leave {
    /// After a person has said so.
    Ask,
    /// At once.
    Allow,
    /// Never: no model is told of it.
    Deny,
}

impl Leave {
    const ALL: [(&'static str, Self); 3] = [("ask", Self::Ask), ("allow", Self::Allow), ("deny", Self::Deny)];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, leave)| *leave)
    }
}

/// What the operator says of a server's tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaveRules {
    by_tool: BTreeMap<String, Leave>,
    otherwise: Option<Leave>,
}

impl LeaveRules {
    /// Of this tool; `None`: nothing is said, and what its server says of it counts.
    #[must_use]
    pub fn of(&self, tool: &str) -> Option<Leave> {
        self.by_tool.get(tool).copied().or(self.otherwise)
    }
}

/// What stands in the file.
#[derive(Debug, Default)]
pub(super) struct ToolServersFile {
    pub(super) servers: Vec<Arc<ToolServer>>,
    /// The variables that it takes values from.
    pub(super) variables: Vec<String>,
}

/// Reads the whole text. What cannot be read becomes a fault, in the order of the lines. `variable` is what a name stands for in `${NAME}`.
pub(super) fn parse(
    path: &Path,
    bytes: &[u8],
    variable: &dyn Fn(&str) -> Option<String>,
) -> (ToolServersFile, Vec<Fault>) {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut file = ToolServersFile::default();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            let fault = Fault::new(format!("{name} line {line}"), "", "not valid UTF-8");
            return (file, vec![fault]);
        }
    };
    let mut reader = Reader::new(&name, text);
    match Json::whole(text) {
        Ok(json) => read(json, text, &mut reader, variable, &mut file),
        Err(error) => {
            let subject = format!("{name} line {}", error.line());
            // The parser's own words, which repeat nothing of the text.
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            return (file, vec![Fault::new(subject, "", format!("this is not JSON: {said}"))]);
        }
    }
    (file, reader.faults())
}

fn read(
    json: Json<'_>,
    text: &str,
    reader: &mut Reader<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
    file: &mut ToolServersFile,
) {
    let line = |reader: &Reader<'_>, json: Json<'_>| reader.line(json.span(text));
    let Some(head) = json.object() else {
        let at = line(reader, json);
        reader.fault(at, HEAD, format!("write {{\"{HEAD}\": {{\"name\": {{…}}}}}}"));
        return;
    };
    // Servers name them, wherever they stand.
    let inputs = head.iter().find(|(key, _)| key == INPUTS);
    let inputs = inputs.map_or_else(Vec::new, |(_, value)| own::inputs(*value, text, reader));
    let mut servers = BTreeMap::new();
    for (key, value) in head.iter() {
        let at = line(reader, *value);
        match key.as_str() {
            HEAD => {}
            INPUTS => continue,
            // An editor's, which says nothing of servers.
            "$schema" => continue,
            other => {
                reader.unknown(at, "", other, [HEAD, INPUTS].into_iter());
                continue;
            }
        }
        let Some(entries) = value.object() else {
            reader.fault(at, HEAD, "an object is needed, with a server under each name");
            continue;
        };
        for (name, value) in entries.iter() {
            let at = line(reader, *value);
            let mut entry = entry::Entry {
                name,
                text,
                reader,
                variable,
                variables: &mut file.variables,
                inputs: &inputs,
            };
            let server = entry.read(*value);
            if servers.contains_key(name) {
                reader.fault(at, name, "there is a server of this name above");
            } else {
                servers.insert(name.clone(), server);
            }
        }
        if servers.len() > MOST {
            reader.fault(at, HEAD, format!("there are {}, and may be {MOST}", servers.len()));
        }
    }
    file.servers = servers.into_values().flatten().map(Arc::new).collect();
}
