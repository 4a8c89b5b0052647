//! The file of prompts, which `PROMPTS_FILE` names: what stands on the start page, and what people may put into the composer.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{backends::Reader, faults::Fault};

/// Most prompts.
const MOST: usize = 200;
/// Most that stand on the start page.
const MOST_STARTERS: usize = 6;
/// Longest name and longest text, in characters.
const LONGEST_NAME: usize = 80;
const LONGEST_TEXT: usize = 20_000;
/// What an entry is called.
const HEADER: &str = "prompt";
/// The keys of an entry.
const KEYS: [&str; 3] = ["name", "text", "starter"];

/// One prompt of the operator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What it is called.
    pub name: String,
    /// What it puts into the composer.
    pub text: String,
    /// Whether it stands on the start page, where a press sends it.
    pub starter: bool,
}

/// Reads the whole text. What cannot be read becomes a fault, in the order of the lines.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> (Vec<Prompt>, Vec<Fault>) {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            let fault = Fault::new(format!("{name} line {line}"), "", "not valid UTF-8");
            return (Vec::new(), vec![fault]);
        }
    };
    let mut reader = Reader::new(&name, text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut prompts = Vec::new();
    if errors.is_empty() {
        read(table.get_ref(), &mut reader, &mut prompts);
    }
    for error in errors.iter().take(10) {
        reader.unreadable(error);
    }
    (prompts, reader.faults())
}

fn read(table: &DeTable<'_>, reader: &mut Reader<'_>, prompts: &mut Vec<Prompt>) {
    for (key, value) in table {
        let line = reader.line(key.span());
        let name = key.get_ref().as_ref();
        if name != HEADER {
            reader.unknown(line, "", name, [HEADER].into_iter());
            continue;
        }
        let DeValue::Array(entries) = value.get_ref() else {
            reader.fault(
                line,
                HEADER,
                "write [[prompt]], in two brackets, above the keys of each",
            );
            continue;
        };
        for entry in entries.iter() {
            let line = reader.line(entry.span());
            match entry.get_ref() {
                DeValue::Table(table) => prompts.extend(one(line, table, reader)),
                _ => reader.fault(
                    line,
                    HEADER,
                    "write [[prompt]], in two brackets, above the keys of each",
                ),
            }
        }
        if prompts.len() > MOST {
            reader.fault(line, HEADER, format!("there are {}, and may be {MOST}", prompts.len()));
        }
        if prompts.iter().filter(|prompt| prompt.starter).count() > MOST_STARTERS {
            reader.fault(
                line,
                "starter",
                format!("at most {MOST_STARTERS} may stand on the start page"),
            );
        }
    }
}

fn one(line: usize, table: &DeTable<'_>, reader: &mut Reader<'_>) -> Option<Prompt> {
    let (mut name, mut text, mut starter) = (None, None, false);
    for (key, value) in table {
        let line = reader.line(key.span());
        let key = key.get_ref().as_ref();
        let written = value.get_ref().as_str().map(str::trim).filter(|text| !text.is_empty());
        let mut words = |most: usize| match written {
            Some(text) if text.chars().count() <= most => Some(text.to_owned()),
            _ => {
                reader.fault(line, key, format!("a text is needed, of at most {most} characters"));
                None
            }
        };
        match key {
            "name" => name = words(LONGEST_NAME),
            "text" => text = words(LONGEST_TEXT),
            "starter" => match value.get_ref() {
                DeValue::Boolean(value) => starter = *value,
                _ => reader.fault(line, key, "true or false is needed"),
            },
            other => reader.unknown(line, "[[prompt]]", other, KEYS.into_iter()),
        }
    }
    if table.get("text").is_none() {
        reader.fault(line, "[[prompt]]", "this needs a text");
    }
    let text = text?;
    let first = text
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(LONGEST_NAME)
        .collect();
    Some(Prompt {
        name: name.unwrap_or(first),
        text,
        starter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn read(text: &str) -> (Vec<Prompt>, Vec<String>) {
        let (prompts, faults) = parse(Path::new("conf/prompts.toml"), text.as_bytes());
        (prompts, faults.iter().map(|fault| format!("{fault:?}")).collect())
    }

    #[test]
    fn prompts_are_read_with_their_names() {
        let (prompts, faults) = read(
            "[[prompt]]\nname = \"Review\"\ntext = \"\"\"\nReview this:\n\"\"\"\n\n[[prompt]]\ntext = \"What is new?\"\nstarter = true\n",
        );
        assert_eq!(faults, [""; 0]);
        let prompt = |name: &str, text: &str, starter| Prompt {
            name: name.to_owned(),
            text: text.to_owned(),
            starter,
        };
        assert_eq!(
            prompts,
            [
                prompt("Review", "Review this:", false),
                prompt("What is new?", "What is new?", true)
            ]
        );
        assert_eq!(read(""), (Vec::new(), Vec::new()));
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let (_, faults) = read(
            "[[prompt]]\nnmae = \"x\"\ntext = 5\nstarter = \"yes\"\n[[prompts]]\ntext = \"x\"\n[[prompt]]\nname = \"x\"\n",
        );
        for (line, what) in [
            (2, "did you mean name?"),
            (3, "a text is needed"),
            (4, "true or false"),
            (5, "did you mean prompt?"),
            (7, "this needs a text"),
        ] {
            let place = format!("prompts.toml line {line}");
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.contains(&place) && fault.contains(what)),
                "{place}: {what}: {faults:?}"
            );
        }
        assert!(read("[[prompt]\n").1[0].contains("this is not TOML"));
        let many = "[[prompt]]\ntext = \"x\"\nstarter = true\n".repeat(MOST_STARTERS + 1);
        assert!(read(&many).1[0].contains("at most 6"));
    }

    #[test]
    fn an_edit_of_the_file_is_a_change_and_a_bad_one_is_a_fault() {
        let load = |text: Option<&'static str>| {
            let read = move |_: &Path| match text {
                Some(text) => Ok(text.as_bytes().to_vec()),
                None => Err(std::io::ErrorKind::NotFound.into()),
            };
            Settings::load_with([("PROMPTS_FILE".to_owned(), "p.toml".to_owned())], None, &read)
        };
        let before = load(Some("[[prompt]]\ntext = \"a\"\n")).expect("right");
        assert_eq!(before.settings.prompts.len(), 1);
        let (active, changes) = before.reload(load(Some("")).expect("right"));
        assert!(active.settings.prompts.is_empty());
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(active.reload(load(Some("")).expect("right")).1, []);
        let told = load(Some("[[prompt]]\n"))
            .expect_err("a prompt without a text")
            .to_string();
        assert!(told.contains("p.toml line 1"), "{told}");
        let told = load(None).expect_err("no such file").to_string();
        assert!(
            told.contains("PROMPTS_FILE") && told.contains("cannot be read"),
            "{told}"
        );
    }
}
