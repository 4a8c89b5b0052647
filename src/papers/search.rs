//! Which passages of a document a question is about, where not all of it fits.
//!
//! SQLite, which is there anyway, ranks them: an index in memory, made for the one question and gone with it.

use std::{collections::BTreeSet, fmt::Write as _};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tracing::warn;

use super::parts::{Part, parts};

/// About how long a passage is, in bytes.
const PASSAGE: usize = 2000;
/// Most words of a question that are looked for.
const MAX_WORDS: usize = 48;
/// Words that are longer may end in other ways: so much of them has to be the same.
const STEM: usize = 6;
/// Most passages that are ranked.
const MAX_HITS: i64 = 2000;
/// What a passage takes beside its text: its mark, or that something is left out before it.
const OVERHEAD: usize = 40;
/// What is said before an excerpt takes at most so much.
const NOTE: usize = 600;
/// Most parts that it names.
const MAX_NAMED: usize = 40;

/// What of a document goes into a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Excerpt {
    /// As a model reads it.
    pub(crate) text: String,
    /// How many parts it is of.
    pub(crate) read: u32,
    /// How many there are.
    pub(crate) of: u32,
    /// Whether it is all.
    pub(crate) whole: bool,
}

/// A passage, and which part it is of.
struct Passage<'a> {
    part: usize,
    text: &'a str,
}

/// Of a kept text, as much as fits into so many bytes: all, or what the question is about, each with the mark of its page.
pub(crate) async fn excerpt(text: &str, question: &str, room: usize) -> Excerpt {
    let parts: Vec<Part<'_>> = parts(text).collect();
    let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    // A mark has two characters more than the label's own.
    if text.len() + 3 * parts.len() <= room {
        let mut whole = String::with_capacity(text.len());
        for part in &parts {
            part.write(&mut whole);
        }
        return Excerpt {
            text: whole,
            read: of,
            of,
            whole: true,
        };
    }
    let passages: Vec<Passage<'_>> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, whole)| cut(whole.text).into_iter().map(move |text| Passage { part, text }))
        .collect();
    let hits = match rank(&passages, &words(question)).await {
        Ok(hits) => hits,
        Err(error) => {
            warn!(%error, "a document cannot be searched; its beginning is read");
            Vec::new()
        }
    };
    let chosen = choose(&passages, &hits, room.saturating_sub(NOTE));
    write(&parts, &passages, &chosen)
}

/// Which passages fit: the first, which says what it is; those that were found, the best first; those beside them; then from the
/// beginning on.
fn choose(passages: &[Passage<'_>], hits: &[usize], mut room: usize) -> BTreeSet<usize> {
    let beside = hits.iter().flat_map(|hit| [hit + 1, hit.wrapping_sub(1)]);
    let all = [0]
        .into_iter()
        .chain(hits.iter().copied())
        .chain(beside)
        .chain(0..passages.len());
    let mut chosen = BTreeSet::new();
    for index in all {
        let Some(passage) = passages.get(index) else { continue };
        let takes = passage.text.len() + OVERHEAD;
        if chosen.contains(&index) || takes > room {
            continue;
        }
        room -= takes;
        chosen.insert(index);
    }
    chosen
}

fn write(parts: &[Part<'_>], passages: &[Passage<'_>], chosen: &BTreeSet<usize>) -> Excerpt {
    let mut body = String::new();
    let mut read = Vec::new();
    let mut last: Option<usize> = None;
    for &index in chosen {
        let passage = &passages[index];
        if last.is_some_and(|last| last + 1 != index) || (last.is_none() && index > 0) {
            body.push_str("[…]\n");
        }
        if read.last() != Some(&passage.part) {
            read.push(passage.part);
            parts[passage.part].mark(&mut body);
        }
        body.push_str(passage.text);
        if !body.ends_with('\n') {
            body.push('\n');
        }
        last = Some(index);
    }
    if last.is_some_and(|last| last + 1 < passages.len()) {
        body.push_str("[…]\n");
    }
    let mut text = String::new();
    let named: Vec<&str> = read
        .iter()
        .map(|part| parts[*part].label)
        .filter(|label| !label.is_empty())
        .collect();
    let mut listed = named.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
    listed.truncate(listed.floor_char_boundary(NOTE / 2));
    let more = if named.len() > MAX_NAMED { " and others" } else { "" };
    // Writing to a string cannot fail.
    let _ = if named.is_empty() {
        writeln!(
            text,
            "(This file is too long to be read whole. These are the passages that fit the question.)"
        )
    } else {
        writeln!(
            text,
            "(This file is too long to be read whole. These are the passages that fit the question, of {listed}{more}; it has {} in all.)",
            parts.len()
        )
    };
    text.push_str(&body);
    Excerpt {
        text,
        read: u32::try_from(read.len()).unwrap_or(u32::MAX),
        of: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        whole: false,
    }
}

/// Cuts a part into passages, where a paragraph, a line, a sentence or a word ends.
fn cut(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let mut rest = text;
    while rest.len() > PASSAGE {
        let most = rest.floor_char_boundary(PASSAGE);
        let least = rest.floor_char_boundary(PASSAGE / 2);
        let later = &rest[least..most];
        let end = ["\n\n", "\n", ". ", " "]
            .iter()
            .find_map(|end| Some(later.rfind(end)? + end.len()));
        let (passage, after) = rest.split_at(end.map_or(most, |end| least + end));
        passages.push(passage);
        rest = after;
    }
    if !rest.is_empty() {
        passages.push(rest);
    }
    passages
}

/// What is looked for, in the index's own language: any of the question's words.
fn words(question: &str) -> String {
    let mut seen = BTreeSet::new();
    let words = question
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && seen.insert(word.to_lowercase()));
    let words = words.take(MAX_WORDS).map(|word| {
        let length = word.chars().count();
        // Numbers, and what is numbered, have no other endings.
        if length <= STEM || word.contains(char::is_numeric) {
            return format!("\"{word}\"");
        }
        let stem: String = word.chars().take(STEM.max(length.saturating_sub(3))).collect();
        format!("\"{stem}\"*")
    });
    words.collect::<Vec<_>>().join(" OR ")
}

/// The passages that have any of the words, the best first.
async fn rank(passages: &[Passage<'_>], words: &str) -> sqlx::Result<Vec<usize>> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let mut index = SqliteConnection::connect_with(&SqliteConnectOptions::new().in_memory(true)).await?;
    sqlx::raw_sql("CREATE VIRTUAL TABLE passages USING fts5(body, tokenize = 'unicode61 remove_diacritics 2')")
        .execute(&mut index)
        .await?;
    let bodies: Vec<&str> = passages.iter().map(|passage| passage.text).collect();
    let bodies = serde_json::to_string(&bodies).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("INSERT INTO passages (rowid, body) SELECT key + 1, value FROM json_each(?1)")
        .bind(bodies)
        .execute(&mut index)
        .await?;
    let found: Vec<i64> =
        sqlx::query_scalar("SELECT rowid FROM passages WHERE passages MATCH ?1 ORDER BY rank LIMIT ?2")
            .bind(words)
            .bind(MAX_HITS)
            .fetch_all(&mut index)
            .await?;
    index.close().await?;
    Ok(found
        .into_iter()
        .filter_map(|row| usize::try_from(row - 1).ok())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document of so many pages, of which each says its number in words of its own.
    fn pages(count: usize) -> String {
        let mut text = String::new();
        for page in 1..=count {
            let filler = "The committee met and nothing of note was said by anybody present. ".repeat(20);
            text.push_str(&format!(
                "\u{0C}page {page}\n{filler}\nThe code of this page is zebra{page}.\n"
            ));
        }
        text
    }

    #[tokio::test]
    async fn what_fits_is_whole() {
        let text = pages(3);
        let excerpt = excerpt(&text, "anything", 1_000_000).await;
        assert!(excerpt.whole && (excerpt.read, excerpt.of) == (3, 3));
        assert!(excerpt.text.starts_with("[page 1]\nThe committee") && excerpt.text.contains("\n[page 3]\n"));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_searched() {
        let text = pages(200);
        for page in [7, 120, 200] {
            let excerpt = excerpt(&text, &format!("What about \"zebra{page}\"?"), 12_000).await;
            assert!(!excerpt.whole && excerpt.of == 200 && excerpt.read < 20, "{excerpt:?}");
            assert!(excerpt.text.len() <= 12_000);
            assert!(excerpt.text.contains(&format!("[page {page}]\n")), "{}", excerpt.text);
            assert!(excerpt.text.contains(&format!("zebra{page}.")));
            assert!(excerpt.text.contains("[page 1]\n"), "what it is");
            assert!(excerpt.text.contains("it has 200 in all"));
        }
        let none = excerpt(&text, "Summarize! AND NOT (x*", 12_000).await;
        assert!(
            none.text.contains("[page 2]\n") && none.text.len() <= 12_000,
            "its beginning"
        );
    }

    #[tokio::test]
    async fn other_endings_of_a_word_are_found() {
        let mut text = pages(50);
        text.push_str("\u{0C}page 51\nСтороны заключили договоры о поставке.\n");
        let excerpt = excerpt(&text, "Что сказано в договорах?", 8_000).await;
        assert!(excerpt.text.contains("[page 51]\nСтороны"), "{}", excerpt.text);
    }

    #[tokio::test]
    async fn no_room_is_no_fault() {
        let excerpt = excerpt(&pages(10), "zebra3", 100).await;
        assert!((excerpt.read, excerpt.of) == (0, 10) && excerpt.text.len() < NOTE);
    }

    #[test]
    fn passages_are_all_of_a_text() {
        let text = "Ärger und Öl. ".repeat(1000);
        let passages = cut(&text);
        assert_eq!(passages.concat(), text);
        assert!(passages.iter().all(|passage| passage.len() <= PASSAGE));
        let long = "ж".repeat(5000);
        assert_eq!(cut(&long).concat(), long);
    }
}
