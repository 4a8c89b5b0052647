//! `.env`: its variables, each with its line.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use super::faults::Fault;

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
    /// The line it ends on, counted from 1.
    pub(super) line: usize,
}

/// Reads the whole text; lines that cannot be read become faults, which never repeat a line's text: it may hold a key.
pub(super) fn parse(text: &str) -> (Vec<Assignment>, Vec<Fault>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let read = Rc::new(Cell::new(0));
    // dotenvy takes a last line that ends in a blank instead of a line break for cut off.
    let reader = LineReader {
        text: format!("{text}\n"),
        at: 0,
        read: Rc::clone(&read),
    };
    let mut entries = dotenvy::from_read_iter(reader);
    let (mut assignments, mut faults) = (Vec::new(), Vec::new());
    loop {
        let before = read.get();
        let Some(entry) = entries.next() else { break };
        let last = read.get().min(lines.len());
        let skipped = lines[before..last].iter().take_while(|line| is_blank(line)).count();
        let first = (before + skipped + 1).min(last);
        match entry {
            // dotenvy takes a quote in a comment for an opening one at times, and then swallows the lines after it.
            Ok((_, value)) if value.matches('\n').count() < last - first => {
                faults.push(unreadable(
                    first,
                    last,
                    &lines,
                    "a quote is opened and not closed on this line",
                ));
            }
            Ok((name, value)) => assignments.push(Assignment {
                name,
                value,
                line: last,
            }),
            Err(dotenvy::Error::LineParse(..)) => {
                faults.push(unreadable(first, last, &lines, "not of the form NAME=value"));
            }
            Err(error) => faults.push(unreadable(first, last, &lines, &error.to_string())),
        }
    }
    (assignments, faults)
}

fn unreadable(first: usize, last: usize, lines: &[&str], what: &str) -> Fault {
    let line = lines.get(first - 1).copied().unwrap_or_default();
    let name = line
        .split_once('=')
        .map_or("", |(name, _)| name.trim().trim_start_matches("export ").trim());
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let place = if last > first {
        format!(".env lines {first}–{last}")
    } else {
        format!(".env line {first}")
    };
    let advice =
        format!("{what}: put a value that holds spaces, quotes, # or $ in 'single quotes', and a comment behind #");
    if is_name {
        Fault::new(name, place, advice)
    } else {
        Fault::new(place, "", advice)
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Hands out one line a read, so that the number of reads tells which line dotenvy has come to.
struct LineReader {
    text: String,
    at: usize,
    read: Rc<Cell<usize>>,
}

impl Read for LineReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let line = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(rest.len(), |end| end + 1);
        let length = line.min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        if buffer[..length].ends_with(b"\n") {
            self.read.set(self.read.get() + 1);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignments(text: &str) -> Vec<(String, String, usize)> {
        let (assignments, faults) = parse(text);
        assert_eq!(faults, [], "{text}");
        assignments
            .into_iter()
            .map(|one| (one.name, one.value, one.line))
            .collect()
    }

    #[test]
    fn every_assignment_knows_its_line() {
        let text = "\u{feff}# a comment\n\nA=1\r\nexport B='two words' # why\n\n  # more\nC=\"x\ny\"\nD=\nE=last ";
        let expected = [
            ("A", "1", 3),
            ("B", "two words", 4),
            ("C", "x\ny", 8),
            ("D", "", 9),
            ("E", "last", 10),
        ];
        assert_eq!(
            assignments(text),
            expected.map(|(name, value, line)| (name.to_owned(), value.to_owned(), line))
        );
    }

    #[test]
    fn every_unreadable_line_is_reported_without_its_text() {
        let (read, faults) = parse("A=1\njust words\nB=2\nKEY=sk-secret with blanks\nC=3\n\nD='open\nE=5\n");
        assert_eq!(
            read.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
            ["A", "B", "C"]
        );
        let said: Vec<_> = faults
            .iter()
            .map(|fault| format!("{} {}", fault.subject, fault.place))
            .collect();
        assert_eq!(said, [".env line 2 ", "KEY .env line 4", "D .env lines 7–8"]);
        assert!(!format!("{faults:?}").contains("secret"));
    }

    #[test]
    fn a_quote_in_a_comment_hides_no_lines() {
        let (_, faults) = parse("A=1  # it's\nB=2\nC=3  # isn't\nD=4\n");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].place, ".env lines 1–3");
    }

    #[test]
    fn a_very_long_line_is_one_line() {
        let long = "x".repeat(100_000);
        assert_eq!(
            assignments(&format!("A={long}\nB=2")),
            [("A".to_owned(), long, 1), ("B".to_owned(), "2".to_owned(), 2)]
        );
    }
}
