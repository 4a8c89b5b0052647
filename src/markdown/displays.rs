//! Formulas that have lines of their own, told from the Markdown around them before that is read.
//!
//! Of `\[` or `$$` at the beginning of a line Markdown would read what follows as text: a line that begins with `+` or `-` as
//! a list, one of `=` as the underline of a heading. So such a formula becomes a fence, from its first line on, and keeps
//! every line as it is. What a line becomes depends on the lines before it alone, so that it is the same however an answer arrives.

/// What follows the fence of a formula that stood in `\[` and `\]`, and of one in `$$`.
pub(super) const BRACKETS: &str = "math-brackets";
pub(super) const DOLLARS: &str = "math-dollars";

/// Longer than anybody writes one.
const FENCE: &str = "~~~~~~~~~~~~";

/// Where the lines so far have led.
#[derive(Debug, Default)]
pub(super) struct Displays {
    within: Within,
}

#[derive(Debug, Default, PartialEq)]
enum Within {
    #[default]
    Text,
    /// A fence of the answer's own.
    Code { mark: char, length: usize, indent: usize },
    Formula {
        end: &'static str,
        /// What stands before its lines: the space of a list, the marks of a quote.
        before: String,
    },
}

impl Displays {
    /// Adds `line`, which is complete, to the text that will be read.
    pub(super) fn add(&mut self, line: &str, text: &mut String) {
        match &self.within {
            Within::Text => self.begin(line, text),
            Within::Code { mark, length, indent } => {
                let inner = line.trim_start_matches([' ', '\t', '>']).trim_end();
                let closes = inner.len() >= *length && inner.chars().all(|c| c == *mark);
                let left = !inner.is_empty() && space(line) < *indent;
                if closes || left {
                    self.within = Within::Text;
                }
                match left && !closes {
                    true => self.begin(line, text),
                    false => text.push_str(line),
                }
            }
            Within::Formula { end, before } => {
                // Only within a quote is `>` a mark.
                let inner = match before.contains('>') {
                    true => line.trim_start_matches([' ', '\t', '>']),
                    false => line.trim_start(),
                };
                let inner = inner.trim_end();
                let left = !inner.is_empty() && space(line) < space(before);
                if inner.is_empty() || left {
                    // It was never closed.
                    text.push_str(&format!("{before}{FENCE}\n"));
                    self.within = Within::Text;
                    self.begin(line, text);
                    return;
                }
                let closed = inner
                    .strip_suffix(end)
                    .or_else(|| inner.strip_suffix(['.', ',', ';'])?.trim_end().strip_suffix(end));
                let content = closed.unwrap_or(inner);
                if !content.trim().is_empty() && !content.starts_with('~') {
                    text.push_str(&format!("{before}{content}\n"));
                }
                if closed.is_some() {
                    text.push_str(&format!("{before}{FENCE}\n"));
                    self.within = Within::Text;
                }
            }
        }
    }

    fn begin(&mut self, line: &str, text: &mut String) {
        let inner = super::mend::after_marks(line);
        let marks = &line[..line.len() - inner.len()];
        if let Some(mark) = inner.chars().next().filter(|&c| c == '`' || c == '~') {
            let length = inner.chars().take_while(|&c| c == mark).count();
            if length >= 3 && (mark == '~' || !inner[length..].contains('`')) {
                let indent = marks.chars().count();
                self.within = Within::Code { mark, length, indent };
            }
            text.push_str(line);
            return;
        }
        let opened = [("\\[", "\\]", BRACKETS), ("$$", "$$", DOLLARS)]
            .into_iter()
            .find_map(|(begin, end, info)| Some((inner.strip_prefix(begin)?, end, info)));
        // A heading is one line, and four spaces are code.
        let plain = marks.trim_start().is_empty() && space(marks) > 8 || marks.contains('#');
        match opened {
            Some((content, end, info)) if !plain && !content.contains(end) => {
                let before: String = marks.chars().map(|c| if c == '>' { '>' } else { ' ' }).collect();
                text.push_str(&format!("{marks}{FENCE}{info}\n"));
                let content = content.trim();
                if !content.is_empty() && !content.starts_with('~') {
                    text.push_str(&format!("{before}{content}\n"));
                }
                self.within = Within::Formula { end, before };
            }
            _ => text.push_str(line),
        }
    }
}

/// How far in a line begins.
fn space(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t' | '>')).count()
}
