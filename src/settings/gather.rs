//! Where values come from: the environment, `.env`, the defaults.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use super::{
    dotenv::Assignment,
    faults::Fault,
    suggest,
    variables::{VARIABLES, Variable},
};
use crate::wire::{SettingSource, SettingValue};

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Environment,
    DotEnv { line: usize },
    Default,
}

impl Source {
    /// The same without the line.
    pub(super) const fn kind(self) -> SettingSource {
        match self {
            Self::Environment => SettingSource::Environment,
            Self::DotEnv { .. } => SettingSource::DotEnv,
            Self::Default => SettingSource::Default,
        }
    }

    pub(super) fn place(self) -> String {
        match self {
            Self::DotEnv { line } => format!(".env line {line}"),
            Self::Environment | Self::Default => self.kind().name().to_owned(),
        }
    }
}

/// One variable's text.
#[derive(Clone)]
pub(super) struct Given {
    /// The name or the alias that it was given under.
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) source: Source,
    /// The line of `.env` with another value, which the environment wins over.
    pub(super) overrides: Option<usize>,
}

/// Without the text, which may be a key.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.source.place())
    }
}

impl Given {
    /// The text as people may see it.
    pub(super) fn shown(&self, variable: &Variable) -> SettingValue {
        shown(variable, &self.text)
    }
}

/// This variable's text as people may see it.
pub(super) fn shown(variable: &Variable, text: &str) -> SettingValue {
    // A key that was put into an address by mistake is still a key.
    let is_address = variable.name.to_ascii_lowercase().ends_with("url");
    if variable.secret || is_address && text.contains(['@', '?']) {
        SettingValue::Hidden
    } else {
        SettingValue::Text(printable(text))
    }
}

/// One short line that can be shown in any terminal.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    if short.contains(char::is_control) {
        short.escape_debug().collect()
    } else {
        short
    }
}

/// The variables that have a value, with the text that is in force, by field.
pub(super) type AllGiven = BTreeMap<&'static str, Given>;

/// The environment before `.env` before the default; in each, the name before its aliases. Empty is unset.
pub(super) fn gather(
    environment: &HashMap<String, String>,
    assignments: &[Assignment],
    warnings: &mut Vec<String>,
) -> AllGiven {
    let mut in_file: HashMap<&str, (&str, usize)> = HashMap::new();
    for Assignment { name, value, line } in assignments {
        let earlier = in_file.insert(name, (value, *line));
        if let Some((_, earlier)) = earlier.filter(|_| VARIABLES.iter().any(|variable| variable.is_called(name))) {
            warnings.push(format!(
                "{name} stands twice in .env: line {line} is used, line {earlier} is not."
            ));
        }
    }
    let mut given = AllGiven::new();
    for variable in &VARIABLES {
        let from_environment = variable.all_names().filter_map(|name| {
            let text = environment.get(name)?;
            Some(Given {
                name,
                text: text.trim().to_owned(),
                source: Source::Environment,
                overrides: None,
            })
        });
        let from_file = variable.all_names().filter_map(|name| {
            let (text, line) = in_file.get(name)?;
            Some(Given {
                name,
                text: text.trim().to_owned(),
                source: Source::DotEnv { line: *line },
                overrides: None,
            })
        });
        let mut all = from_environment.chain(from_file).filter(|one| !one.text.is_empty());
        let mut first = all.next();
        if let Some(first) = &mut first {
            for other in all.filter(|other| other.text != first.text) {
                if let (Source::Environment, Source::DotEnv { line }) = (first.source, other.source) {
                    first.overrides.get_or_insert(line);
                }
                if other.name == first.name {
                    continue;
                }
                warnings.push(format!(
                    "{} ({}) and {} ({}) mean the same and differ: {} is used.",
                    first.name,
                    first.source.place(),
                    other.name,
                    other.source.place(),
                    first.name,
                ));
            }
        }
        let default = variable.default.map(|text| Given {
            name: variable.name,
            text: text.to_owned(),
            source: Source::Default,
            overrides: None,
        });
        if let Some(one) = first.or(default) {
            given.insert(variable.field, one);
        }
    }
    given
}

/// Names that are nearly a setting's. Those `of_the_file` are what the file of back ends says they are.
pub(super) fn look_for_misspellings(
    environment: &HashMap<String, String>,
    assignments: &[Assignment],
    of_the_file: &[&str],
    warnings: &mut Vec<String>,
    faults: &mut Vec<Fault>,
) {
    let known = |name: &str| VARIABLES.iter().any(|variable| variable.is_called(name)) || of_the_file.contains(&name);
    for Assignment { name, line, .. } in assignments.iter().filter(|one| !known(&one.name)) {
        match suggest::misspelt(name) {
            Some(meant) => faults.push(Fault::new(
                name,
                format!(".env line {line}"),
                format!("there is no such setting; did you mean {meant}?"),
            )),
            None => warnings.push(format!(
                "{name} (.env line {line}) is not a setting of Anteroom and is ignored."
            )),
        }
    }
    let mut near: Vec<_> = environment
        .keys()
        .filter(|name| !known(name))
        .filter_map(|name| suggest::misspelt_in_environment(name).map(|meant| (name, meant)))
        .collect();
    near.sort_unstable();
    warnings.extend(near.into_iter().map(|(name, meant)| {
        format!("{name} (environment) is not a setting of Anteroom and is ignored; did you mean {meant}?")
    }));
}
