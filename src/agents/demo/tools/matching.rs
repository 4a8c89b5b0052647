//! Which tool a message is about.

use super::{
    super::vocabulary::{self, Said, plain},
    arguments,
};
use crate::agents::ToolSpec;

/// Letters that words of a stem have in common at least.
const STEM: usize = 4;
/// What a word of a tool's name counts, and one of its description.
const NAME: usize = 3;
const DESCRIPTION: usize = 1;
/// From when on a message is about a tool: one word of its name, or as many of its description.
const ENOUGH: usize = 3;

/// The tools that a message names, with arguments: JSON behind the name, or what the message says.
pub(super) fn named<'t>(message: &str, tools: &'t [ToolSpec]) -> Vec<(&'t ToolSpec, String)> {
    let text = plain(message);
    let asks = Said::new(&text).has(vocabulary::USE);
    let mut found: Vec<(usize, usize, &ToolSpec)> = Vec::new();
    for tool in tools {
        let full = tool.name.to_lowercase();
        let short = full.rsplit("__").next().unwrap_or(&full).to_owned();
        for name in [&full, &short] {
            // A single word names a tool only where somebody asks for one.
            if name.is_empty() || !asks && !name.contains('_') {
                continue;
            }
            let places = text
                .match_indices(name.as_str())
                .filter(|(at, _)| is_word(&text, *at, name.len()));
            found.extend(places.map(|(at, _)| (at, name.len(), tool)));
        }
    }
    // At each place the longest name; what lies within another is none.
    found.sort_by_key(|(at, length, _)| (*at, usize::MAX - length));
    let mut named = Vec::new();
    let mut end = 0;
    for (at, length, tool) in found {
        if at < end {
            continue;
        }
        end = at + length;
        let behind = behind(message, &text, end);
        let arguments = match json(behind) {
            Some((written, length)) => {
                end += length;
                written
            }
            None => arguments::fill(message, behind, tool),
        };
        named.push((tool, arguments));
    }
    named
}

/// What stands in a message behind a place of its plain text. Before it, letters may have had another length.
fn behind<'m>(message: &'m str, text: &str, at: usize) -> &'m str {
    let length = text.len() - at;
    message.get(message.len().saturating_sub(length)..).unwrap_or_default()
}

/// Whether a name stands by itself.
fn is_word(text: &str, at: usize, length: usize) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let before = text[..at].chars().next_back();
    let after = text[at + length..].chars().next();
    !before.is_some_and(part) && !after.is_some_and(part)
}

/// JSON that stands behind a name, and how far it goes. What begins like an object and is none is taken as it is.
fn json(behind: &str) -> Option<(String, usize)> {
    let at = behind.find('{')?;
    let between = Said::new(&behind[..at]).words.len();
    if between > 2 {
        return None;
    }
    let rest = &behind[at..];
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
    let length = match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => rest.trim_end().len(),
    };
    Some((rest[..length].to_owned(), at + length))
}

/// The tool that most words of a message are about.
pub(super) fn by_words<'t>(message: &str, tools: &'t [ToolSpec]) -> Option<(&'t ToolSpec, String)> {
    let text = plain(message);
    let said = Said::new(&text);
    let mut best: Option<(usize, &ToolSpec, usize)> = None;
    for tool in tools {
        let (points, end) = points(&said, tool);
        if points >= ENOUGH && best.is_none_or(|(most, ..)| points > most) {
            best = Some((points, tool, end));
        }
    }
    let (_, tool, end) = best?;
    Some((tool, arguments::fill(message, behind(message, &text, end), tool)))
}

/// How much a message has to do with a tool, and where the last of its words ends that has.
fn points(said: &Said<'_>, tool: &ToolSpec) -> (usize, usize) {
    let name = plain(tool.name.rsplit("__").next().unwrap_or_default());
    let description = plain(&tool.description);
    let name: Vec<&str> = name.split(['_', '-']).filter(|word| word.len() > 1).collect();
    let description = Said::new(&description);
    let (mut points, mut end) = (0, 0);
    for word in &said.words {
        if vocabulary::is_small(word) {
            continue;
        }
        let means = vocabulary::in_english(word);
        let is =
            |own: &&str| !vocabulary::is_small(own) && (alike(word, own) || means.is_some_and(|word| alike(word, own)));
        let worth = if name.iter().any(is) {
            NAME
        } else if description.words.iter().any(is) {
            DESCRIPTION
        } else {
            continue;
        };
        points += worth;
        if worth == NAME || end == 0 {
            end = said.end_of(word);
        }
    }
    (points, end)
}

/// Whether two words are forms of one.
fn alike(one: &str, other: &str) -> bool {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let (one, other) = (one.chars().count(), other.chars().count());
    same == one && same == other || same >= STEM && same + 2 >= one.max(other)
}
