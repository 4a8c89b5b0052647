//! Reading the values of the file of back ends, and collecting what is wrong with them.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    super::{
        ModelName,
        faults::Fault,
        gather::{printable, shown},
        kinds::{Kind, PlainWord},
        suggest,
        variables::Variable,
    },
    At,
};

/// Reads values, and keeps the faults.
pub(in crate::settings) struct Reader<'t> {
    /// The file's name, without the folders.
    file: &'t str,
    /// Where each line ends.
    ends: Vec<usize>,
    /// Each with its line.
    faults: Vec<(usize, Fault)>,
}

impl<'t> Reader<'t> {
    pub(in crate::settings) fn new(file: &'t str, text: &str) -> Self {
        Self {
            file,
            ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            faults: Vec::new(),
        }
    }

    /// In the order of the lines.
    pub(in crate::settings) fn faults(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|(line, _)| *line);
        self.faults.into_iter().map(|(_, fault)| fault).collect()
    }

    /// The line that this part of the text begins on.
    pub(in crate::settings) fn line(&self, span: Range<usize>) -> usize {
        1 + self.ends.partition_point(|end| *end < span.start)
    }

    pub(in crate::settings) fn fault(&mut self, line: usize, subject: &str, advice: impl Into<String>) {
        self.push(line, Fault::new(subject, "", advice));
    }

    /// The same where the advice names a path, which `in_public` says without it.
    pub(in crate::settings) fn fault_at_path(&mut self, line: usize, subject: &str, advice: String, in_public: &str) {
        let fault = Fault {
            advice_in_public: Some(in_public.to_owned()),
            ..Fault::new(subject, "", advice)
        };
        self.push(line, fault);
    }

    fn push(&mut self, line: usize, fault: Fault) {
        let place = format!("{} line {line}", self.file);
        self.faults.push((line, Fault { place, ..fault }));
    }

    /// A text that is no TOML. What the parser says of it are its own words alone.
    pub(in crate::settings) fn unreadable(&mut self, error: &toml::de::Error) {
        let line = error.span().map_or(1, |span| self.line(span));
        let subject = format!("{} line {line}", self.file);
        let advice = format!("this is not TOML: {}", error.message());
        self.faults.push((line, Fault::new(subject, "", advice)));
    }

    /// A key that there is not. Its value is not shown: it may be meant for `key`.
    pub(in crate::settings) fn unknown(
        &mut self,
        line: usize,
        title: &str,
        key: &str,
        known: impl Iterator<Item = &'static str> + Clone,
    ) {
        let advice = match suggest::among(key, known.clone()) {
            Some(meant) => format!("there is no such key; did you mean {meant}?"),
            None => format!(
                "there is no such key; there are {}",
                known.collect::<Vec<_>>().join(", ")
            ),
        };
        self.fault(line, &subject(title, key, None), advice);
    }

    /// How faults call this entry: by its name, if it has one that can be read.
    pub(super) fn title(&self, header: &str, table: &DeTable<'_>) -> String {
        let name = table.get("name").and_then(|name| name.get_ref().as_str());
        let whole = name.filter(|name| {
            let name = name.trim();
            !name.is_empty() && (PlainWord::parse(name).is_some() || ModelName::parse(name).is_some())
        });
        whole.map_or_else(|| format!("[[{header}]]"), |name| printable(name.trim()))
    }

    /// The value of this key. `None` where nothing is written, or nothing that can be read, which is a fault.
    pub(super) fn value<K: Kind>(
        &mut self,
        line: usize,
        title: &str,
        key: &Variable,
        value: &DeValue<'_>,
    ) -> Option<At<K::Value>> {
        let header = format!("[[{}]]", key.group);
        // A fault of the name itself is not told under it.
        let title = if key.name == "name" { &header } else { title };
        let text = text(value, K::LIST);
        let text = text.as_deref().map(str::trim);
        if text == Some("") {
            return None;
        }
        let read = text.and_then(K::parse);
        let outside = read.as_ref().and_then(K::measure).zip(key.range);
        match read {
            Some(value) if outside.is_none_or(|(size, (min, max))| (min..=max).contains(&size)) => {
                Some(At { value, line })
            }
            read => {
                let shown = text.map(|text| shown(key, text).to_string());
                let fault = Fault::new(
                    subject(title, key.name, shown.as_deref()),
                    "",
                    key.advice(read.is_some()),
                );
                self.push(line, fault.of(key));
                None
            }
        }
    }
}

/// `gpu1: limit = 0`.
fn subject(title: &str, key: &str, shown: Option<&str>) -> String {
    let title = if title.is_empty() {
        String::new()
    } else {
        format!("{title}: ")
    };
    let value = shown.map(|shown| format!(" = {shown}")).unwrap_or_default();
    format!("{title}{}{value}", printable(key))
}

/// The value as it would stand in `.env`: one of each list item, with commas between. `None` for what no variable may hold.
fn text(value: &DeValue<'_>, list: bool) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.as_ref().to_owned(),
        // Written in any base, and read in one.
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix()).ok()?.to_string(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(switch) => switch.to_string(),
        DeValue::Array(items) if list && !items.is_empty() => {
            let items = items.iter().map(|item| text(item.get_ref(), false));
            items.collect::<Option<Vec<_>>>()?.join(",")
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => return None,
    })
}
