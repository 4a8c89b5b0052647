//! The file of back ends, which `BACKENDS_FILE` names: what does not fit one line a value.
//!
//! `entries.rs` says what may stand in it, once for the reader and for the documents; `reader.rs` reads it. The parser keeps where
//! everything stands. It is walked by hand rather than deserialized: serde ends at the first fault and repeats values in
//! its messages, and an operator wants all faults and none of the keys.

mod entries;
mod reader;
#[cfg(test)]
mod tests;

use std::path::Path;

use toml::de::{DeTable, DeValue};

pub(super) use self::entries::{Backend, Model};
pub(super) use self::reader::Reader;
#[cfg(test)]
use super::variables::Variable;
use super::{ModelName, faults::Fault};

/// Most faults that are told of a text that is no TOML: it may be another file altogether.
const MOST_ERRORS: usize = 10;

/// A value, and the line it stands on, counted from 1.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// What stands in the file, each value checked by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct BackendsFile {
    /// Its name, without the folders.
    pub(super) name: String,
    pub(super) backends: Vec<Backend>,
    pub(super) models: Vec<Model>,
}

impl BackendsFile {
    /// Reads the whole text. What cannot be read is left out and becomes a fault, in the order of the lines; no fault repeats what
    /// may be a key.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> (Self, Vec<Fault>) {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let mut file = Self::default();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let line = 1 + bytes[..error.valid_up_to()]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                let fault = Fault::new(format!("{name} line {line}"), "", "not valid UTF-8");
                return (Self { name, ..file }, vec![fault]);
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reader = Reader::new(&name, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            file.read(table.get_ref(), &mut reader);
        }
        // What was understood of a text with such errors would be told of with more faults than it has.
        for error in errors.iter().take(MOST_ERRORS) {
            reader.unreadable(error);
        }
        let faults = reader.faults();
        (Self { name, ..file }, faults)
    }

    fn read(&mut self, table: &DeTable<'_>, reader: &mut Reader<'_>) {
        for (key, value) in table {
            let line = reader.line(key.span());
            let entries = match value.get_ref() {
                DeValue::Array(entries) => entries.iter().collect(),
                _ => vec![value],
            };
            for entry in entries {
                match (key.get_ref().as_ref(), entry.get_ref()) {
                    (Backend::HEADER, DeValue::Table(table)) if is_list(value) => {
                        let line = reader.line(entry.span());
                        self.backends.push(Backend::read(line, table, reader));
                    }
                    (Model::HEADER, DeValue::Table(table)) if is_list(value) => {
                        let line = reader.line(entry.span());
                        self.models.push(Model::read(line, table, reader));
                    }
                    (known @ (Backend::HEADER | Model::HEADER), _) => {
                        reader.fault(
                            line,
                            known,
                            format!("write [[{known}]], in two brackets, above the keys of each"),
                        );
                        break;
                    }
                    (other, _) => {
                        reader.unknown(line, "", other, [Backend::HEADER, Model::HEADER].into_iter());
                        break;
                    }
                }
            }
        }
    }

    /// The models that are described.
    pub(super) fn names(&self) -> impl Iterator<Item = &At<ModelName>> {
        self.models.iter().filter_map(|model| model.name.as_ref())
    }

    /// The variables that hold keys.
    pub(super) fn key_variables(&self) -> impl Iterator<Item = &str> {
        let variables = self.backends.iter().filter_map(|one| one.key_variable.as_ref());
        variables.map(|variable| variable.value.as_str())
    }

    /// Where a line of it is, for a fault.
    pub(super) fn place(&self, line: usize) -> String {
        format!("{} line {line}", self.name)
    }
}

fn is_list(value: &toml::Spanned<DeValue<'_>>) -> bool {
    matches!(value.get_ref(), DeValue::Array(_))
}

/// The keys of each kind of entry, under the header that begins it.
#[cfg(test)]
pub(super) fn sections() -> [(&'static str, &'static [Variable]); 2] {
    [(Backend::HEADER, Backend::KEYS), (Model::HEADER, Model::KEYS)]
}
