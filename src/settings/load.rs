//! From texts to [`Settings`]: gather, read, check, and say where each value came from.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
};

use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::{
    Settings, Viewer,
    assemble::{Sources, assemble},
    backends::BackendsFile,
    dotenv,
    faults::{Fault, Faults},
    field::UNREADABLE,
    gather::{AllGiven, Given, Source, gather, look_for_misspellings},
    oddities::oddities,
    prompts::{self, Prompt},
    tables::Raw,
    tool_servers::{self, ToolServersFile, ToolSettings},
    variables::{VARIABLES, Variable, of_field},
};
use crate::wire::{SettingNote, SettingRow, SettingValue};

/// Settings that passed every check.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What is odd but harmless, a sentence each, for the log.
    pub warnings: Vec<String>,
    /// Every variable with its value in force, for the operator.
    pub rows: Vec<SettingRow>,
    /// The same for everybody.
    pub public_rows: Vec<SettingRow>,
    /// The texts behind them.
    pub(super) given: AllGiven,
    /// The back ends that stand in the file.
    pub(super) in_file: BTreeSet<String>,
}

/// Reads the file of this name.
pub(super) type ReadFile<'r> = &'r dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// See [`Settings::load`]. Where the file cannot be read, what the environment alone gets wrong is told with that.
pub(super) fn load(
    environment: &HashMap<String, String>,
    dotenv: Result<Option<&str>, Fault>,
    read: ReadFile<'_>,
) -> Result<Loaded, Faults> {
    let mut warnings = Vec::new();
    let unreadable = dotenv.as_ref().err().cloned();
    let (assignments, mut faults) = dotenv.ok().flatten().map(dotenv::parse).unwrap_or_default();
    let whole = unreadable.is_none();
    faults.extend(unreadable);
    let given = gather(environment, &assignments, &mut warnings);
    let (file, faults_of_file) = backends_file(&given, read);
    let (prompts, faults_of_prompts) = prompts_file(&given, read);
    let variable = |name: &str| value(name, environment, &assignments);
    let (tools, faults_of_tools) = tools_file(&given, read, &variable);
    let of_tools = tools.variables.iter().map(String::as_str);
    let key_variables: Vec<_> = file
        .iter()
        .flat_map(BackendsFile::key_variables)
        .chain(of_tools)
        .collect();
    look_for_misspellings(environment, &assignments, &key_variables, &mut warnings, &mut faults);

    for (variable, one) in with_variable(&given) {
        if one.text.contains('\u{fffd}') {
            faults.push(fault(variable, Some(one), "not valid UTF-8"));
        }
    }
    let texts = given
        .iter()
        .map(|(field, one)| (field.to_ascii_uppercase(), one.text.clone()));
    let raw: Raw = match envy::from_iter(texts) {
        Ok(raw) => raw,
        Err(error) => {
            faults.push(Fault::new("settings", "", error.to_string()));
            return Err(Faults { faults, warnings });
        }
    };
    if let Err(errors) = raw.validate() {
        faults.extend(from_validator(&errors, &given));
    }
    let sources = Sources {
        raw: &raw,
        given: &given,
        file: file.as_ref(),
        whole: faults_of_file.is_empty(),
        variable: &variable,
    };
    let (catalog, mut contradictions) = assemble(&sources);
    contradictions.extend(missing_for_nodes(&raw, &given));
    faults.extend(faults_of_file);
    faults.extend(faults_of_prompts);
    faults.extend(faults_of_tools);
    // Where something could not be read, what is missed may stand in it.
    faults.extend(contradictions.into_iter().filter(|_| whole));
    if !faults.is_empty() {
        return Err(Faults { faults, warnings });
    }
    let tools = ToolSettings {
        servers: tools.servers,
        keeper: None,
        most_own: raw.tool_max_own_connections.value(),
    };
    let settings = Settings::new(&raw, catalog, prompts, tools);
    warnings.extend(oddities(&settings, &given, file.as_ref()));
    let names = file
        .iter()
        .flat_map(|file| &file.backends)
        .filter_map(|one| one.name.as_ref());
    Ok(Loaded {
        rows: rows(&given, Viewer::Operator),
        public_rows: rows(&given, Viewer::Everybody),
        settings,
        warnings,
        in_file: names.map(|name| name.value.clone()).collect(),
        given,
    })
}

/// What a process that has other nodes beside it lacks.
fn missing_for_nodes(raw: &Raw, given: &AllGiven) -> Vec<Fault> {
    if raw.node_addr.as_ref().and_then(Option::as_ref).is_none() {
        return Vec::new();
    }
    let missing = [
        (
            "DATABASE_URL",
            raw.database_url.is_unset(),
            "the same on every node: they keep one line in one database",
        ),
        (
            "SECRET_KEY",
            raw.secret_key.is_unset(),
            "the same on every node: they know browsers, and each other, by it",
        ),
    ];
    let variable = of_field("node_addr");
    let faults = missing.into_iter().filter(|(_, is_missing, _)| *is_missing);
    let faults = faults.filter_map(|(name, _, why)| {
        let advice = format!("this needs {name}, {why}");
        Some(fault(variable?, given.get("node_addr"), advice))
    });
    faults.collect()
}

/// The file that `BACKENDS_FILE` names, and what is wrong with it. `None` where none is named, or it cannot be read.
fn backends_file(given: &AllGiven, read: ReadFile<'_>) -> (Option<BackendsFile>, Vec<Fault>) {
    let Some((variable, one)) = of_field("backends_file").zip(given.get("backends_file")) else {
        return (None, Vec::new());
    };
    let path = Path::new(&one.text);
    match read(path) {
        Ok(bytes) => {
            let (file, faults) = BackendsFile::parse(path, &bytes);
            (Some(file), faults)
        }
        Err(error) => {
            let advice = format!("this file cannot be read: {error}");
            (None, vec![fault(variable, Some(one), advice)])
        }
    }
}

/// What stands in the file that `PROMPTS_FILE` names, and what is wrong with it.
fn prompts_file(given: &AllGiven, read: ReadFile<'_>) -> (Vec<Prompt>, Vec<Fault>) {
    let Some((variable, one)) = of_field("prompts_file").zip(given.get("prompts_file")) else {
        return (Vec::new(), Vec::new());
    };
    let path = Path::new(&one.text);
    match read(path) {
        Ok(bytes) => prompts::parse(path, &bytes),
        Err(error) => {
            let advice = format!("this file cannot be read: {error}");
            (Vec::new(), vec![fault(variable, Some(one), advice)])
        }
    }
}

/// What stands in the file that `MCP_FILE` names, and what is wrong with it.
fn tools_file(
    given: &AllGiven,
    read: ReadFile<'_>,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (ToolServersFile, Vec<Fault>) {
    let Some((row, one)) = of_field("mcp_file").zip(given.get("mcp_file")) else {
        return (ToolServersFile::default(), Vec::new());
    };
    let path = Path::new(&one.text);
    match read(path) {
        Ok(bytes) => tool_servers::parse(path, &bytes, variable),
        Err(error) => {
            let advice = format!("this file cannot be read: {error}");
            (ToolServersFile::default(), vec![fault(row, Some(one), advice)])
        }
    }
}

/// What this variable holds, which may be none of Anteroom's: the environment wins over `.env`, and empty is unset.
pub(super) fn value(
    name: &str,
    environment: &HashMap<String, String>,
    assignments: &[dotenv::Assignment],
) -> Option<String> {
    let in_file = assignments
        .iter()
        .rev()
        .find(|one| one.name == name)
        .map(|one| &one.value);
    let all = environment.get(name).into_iter().chain(in_file);
    all.map(|text| text.trim())
        .find(|text| !text.is_empty())
        .map(str::to_owned)
}

fn with_variable(given: &AllGiven) -> impl Iterator<Item = (&'static Variable, &Given)> {
    VARIABLES
        .iter()
        .filter_map(|variable| given.get(variable.field).map(|one| (variable, one)))
}

pub(super) fn fault(variable: &Variable, given: Option<&Given>, advice: impl Into<String>) -> Fault {
    let (subject, place) = match given {
        Some(one) => (format!("{} = {}", one.name, one.shown(variable)), one.source.place()),
        None => (variable.name.to_owned(), String::new()),
    };
    Fault::new(subject, place, advice).of(variable)
}

/// Validator's errors, in the order of `.env.example`.
fn from_validator(errors: &ValidationErrors, given: &AllGiven) -> Vec<Fault> {
    let of = |field: &str| match errors.errors().get(field) {
        Some(ValidationErrorsKind::Field(errors)) => errors.as_slice(),
        _ => &[],
    };
    let mut faults = Vec::new();
    for variable in &VARIABLES {
        let field = variable.field;
        let one = given.get(field);
        for error in of(field).iter().take(1) {
            let advice = match &error.message {
                Some(message) => message.clone().into_owned(),
                None => variable.advice(error.code != UNREADABLE),
            };
            faults.push(fault(variable, one, advice));
        }
    }
    faults
}

/// Every variable as this viewer may see it.
pub(super) fn rows(given: &AllGiven, viewer: Viewer) -> Vec<SettingRow> {
    let row = |variable: &Variable| {
        let one = given.get(variable.field);
        let value = |one: &Given| match viewer {
            // A default is no secret: it stands in the documentation.
            Viewer::Everybody if variable.private && one.source != Source::Default => SettingValue::Set,
            Viewer::Everybody | Viewer::Operator => one.shown(variable),
        };
        SettingRow {
            name: variable.name.to_owned(),
            value: one.map_or(SettingValue::Unset, value),
            source: one.map_or(Source::Default, |one| one.source).kind(),
            note: one
                .and_then(|one| one.overrides)
                .map(|line| SettingNote::EnvironmentWins { line: line as u64 }),
        }
    };
    VARIABLES.iter().map(row).collect()
}
