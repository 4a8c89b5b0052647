//! Half-written Markdown, made to look like what it is about to become.
//!
//! Only for what is shown while an answer is being written: emphasis and code are closed, brackets of a link without
//! its address and marks without their text are held back, a table's first row gets its second. A wrong guess lasts
//! until the next piece.

use std::borrow::Cow;

/// Longest part, from the end, that is searched for what is half-written.
const MAX_PART_BYTES: usize = 4096;

/// Longest half-written link text whose bracket is held back: what is longer is hardly one.
const MAX_LINK_TEXT_BYTES: usize = 200;

/// `text` with its end mended. `in_fence`: its last complete line is code.
pub(super) fn mend(text: &str, in_fence: bool) -> Cow<'_, str> {
    let (complete, last) = text.split_at(text.rfind('\n').map_or(0, |at| at + 1));
    if in_fence {
        let is_closing = !last.trim().is_empty() && last.trim().chars().all(|c| c == '`' || c == '~');
        return Cow::Borrowed(if is_closing { complete } else { text });
    }
    let text = if is_only_marks(last) || is_fence(last) {
        complete
    } else {
        text
    };
    let start = part_start(text);
    let mut mended = text[..start].to_owned();
    close_inlines(&text[start..], &mut mended);
    if let Some(row) = table_head(&mended) {
        let columns = cells(row);
        if !mended.ends_with('\n') {
            mended.push('\n');
        }
        mended.push('|');
        mended.push_str(&"-|".repeat(columns));
    }
    Cow::Owned(mended)
}

/// Whether a line holds nothing but what may be the beginning of a mark: a list's, a heading's, an underline.
fn is_only_marks(line: &str) -> bool {
    let line = line.trim();
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    !line.is_empty()
        && (line.chars().all(|c| "-=*_+#>`~|: ".contains(c))
            || (number.len() < line.len() && matches!(number, "." | ")")))
}

/// Whether a line opens a fence; what follows it may still be growing.
fn is_fence(line: &str) -> bool {
    let line = after_marks(line);
    line.strip_prefix("```").is_some_and(|info| !info.contains('`')) || line.starts_with("~~~")
}

/// A line without the marks of the lists and quotes that it is in, without that of a heading.
pub(super) fn after_marks(line: &str) -> &str {
    let mut rest = line.trim_start();
    loop {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let after = if let Some(after) = rest.strip_prefix('>') {
            after
        } else if let Some(after) = ["- ", "* ", "+ "].iter().find_map(|mark| rest.strip_prefix(mark)) {
            after
        } else if let (true, Some(after)) = (
            number.len() < rest.len(),
            number.strip_prefix(". ").or_else(|| number.strip_prefix(") ")),
        ) {
            after
        } else {
            break;
        };
        rest = after.trim_start();
    }
    let heading = rest.trim_start_matches('#');
    if heading.starts_with(' ') {
        heading.trim_start()
    } else {
        rest
    }
}

/// Where the last run of inline text begins: the lines at the end that no mark or blank line separates.
fn part_start(text: &str) -> usize {
    let earliest = text.len().saturating_sub(MAX_PART_BYTES);
    let mut start = text.len();
    for line in text.split_inclusive('\n').rev() {
        let line_start = start - line.len();
        let line = line.trim_end_matches('\n');
        if line.trim().is_empty() || line_start < earliest {
            break;
        }
        let inner = match line.trim_start().strip_prefix('|') {
            Some(row) => row.rsplit('|').next().unwrap_or(row),
            None => after_marks(line),
        };
        if inner.len() < line.trim_start().len() {
            return line_start + line.len() - inner.len();
        }
        start = line_start;
    }
    start
}

/// The first row of a table at the end of `text` whose second row has not come yet.
fn table_head(text: &str) -> Option<&str> {
    let mut lines = text.trim_end_matches('\n').rsplit('\n');
    let last = lines.next()?.trim();
    let is_alone = lines.next().is_none_or(|line| !line.trim_start().starts_with('|'));
    (last.starts_with('|') && last.len() > 1 && is_alone && !text.ends_with("\n\n")).then_some(last)
}

fn cells(row: &str) -> usize {
    let inner = row.strip_prefix('|').unwrap_or(row);
    let inner = if inner.ends_with("\\|") {
        inner
    } else {
        inner.strip_suffix('|').unwrap_or(inner)
    };
    inner
        .split('|')
        .fold((0, false), |(count, escaped), cell| {
            (count + usize::from(!escaped), cell.ends_with('\\'))
        })
        .0
}

/// Appends `part` to `mended`, with what is open in it closed or held back.
fn close_inlines(part: &str, mended: &mut String) {
    let mut scan = Scan::default();
    let shown = scan.run(part);
    let mut shown = shown.as_str();
    while let Some(closer) = scan.closers.last() {
        // Marks around nothing would be shown as they are.
        match shown.trim_end().strip_suffix(closer) {
            Some(rest) => shown = rest,
            None => break,
        }
        scan.closers.pop();
    }
    mended.push_str(if scan.closers.is_empty() {
        shown
    } else {
        shown.trim_end()
    });
    mended.extend(scan.closers.into_iter().rev());
}

/// What is open at the end of a run of inline text.
#[derive(Default)]
struct Scan<'t> {
    /// What closes it, the outermost first.
    closers: Vec<&'t str>,
}

impl<'t> Scan<'t> {
    /// Goes over `part` and returns what of it may be shown.
    fn run(&mut self, part: &'t str) -> String {
        let mut brackets: Vec<usize> = Vec::new();
        let mut held_back: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        let bytes = part.as_bytes();
        while let Some(&byte) = bytes.get(at) {
            let run = bytes[at..].iter().take_while(|&&other| other == byte).count();
            match byte {
                b'\\' if matches!(bytes.get(at + 1), Some(b'(' | b'[')) => match formula(part, at, 2) {
                    Some(next) => at = next,
                    None => {
                        held_back.push((at, bytes.len()));
                        break;
                    }
                },
                b'$' => match formula(part, at, run) {
                    Some(next) => at = next,
                    None if is_begun_formula(part, at, run) => {
                        held_back.push((at, bytes.len()));
                        break;
                    }
                    None => at += run,
                },
                b'\\' if bytes.get(at + 1).is_some_and(u8::is_ascii) => at += 2,
                b'\\' if at + 1 == bytes.len() => {
                    held_back.push((at, at + 1));
                    at += 1;
                }
                b'`' => match Self::code(part, at, run) {
                    Some(next) => at = next,
                    None => {
                        if at + run == bytes.len() {
                            held_back.push((at, at + run));
                        } else {
                            self.closers.push(&part[at..at + run]);
                            // A closing run that is still too short.
                            let end = part.trim_end_matches('`').len().max(at + run);
                            held_back.push((end, bytes.len()));
                        }
                        break;
                    }
                },
                b'*' | b'_' | b'~' => {
                    if !self.emphasis(part, at, run) {
                        held_back.push((at, at + run));
                    }
                    at += run;
                }
                b'[' => {
                    brackets.push(at);
                    at += 1;
                }
                b']' => {
                    at = close_bracket(part, at, brackets.pop(), &mut held_back);
                }
                _ => at += 1,
            }
        }
        if let Some(&open) = brackets.last()
            && part.len() - open <= MAX_LINK_TEXT_BYTES
            && !part[open..].contains('\n')
        {
            // A task's box is nothing to read.
            let end = if open == 0 && part.len() <= 2 {
                part.len()
            } else {
                open + 1
            };
            held_back.push((image_mark(part, open), end));
        }
        without(part, held_back)
    }

    /// The end of the code that begins at `at`; `None` if it is open.
    fn code(part: &str, at: usize, run: usize) -> Option<usize> {
        let mut from = at + run;
        while let Some(found) = part[from..].find('`') {
            let start = from + found;
            let length = part[start..].bytes().take_while(|&byte| byte == b'`').count();
            if length == run {
                return Some(start + length);
            }
            from = start + length;
        }
        None
    }

    /// Takes note of a run of marks. `false`: it is at the end, and what it will be is not known yet.
    fn emphasis(&mut self, part: &'t str, at: usize, run: usize) -> bool {
        let marks = &part[at..at + run];
        let before = part[..at].chars().next_back();
        let after = part[at + run..].chars().next();
        if marks.starts_with('~') && run != 2 {
            return after.is_some();
        }
        let follows_word = before.is_some_and(|c| !c.is_whitespace());
        if follows_word && self.closers.last() == Some(&marks) {
            self.closers.pop();
            return true;
        }
        let Some(after) = after else {
            return false;
        };
        let only_closes = follows_word && !after.is_alphanumeric();
        if only_closes && self.closes_some(marks) {
            return true;
        }
        let in_word = marks.starts_with('_') && before.is_some_and(char::is_alphanumeric);
        if run <= 3 && !after.is_whitespace() && !in_word {
            self.closers.push(marks);
        }
        true
    }

    /// Whether marks that follow a word close at least some of what is open, as the second `*` of `***a* b**` does.
    fn closes_some(&mut self, marks: &str) -> bool {
        let found = self.closers.iter().rposition(|open| open.starts_with(&marks[..1]));
        if let Some(index) = found {
            let open = self.closers[index];
            self.closers.truncate(index);
            if let Some(rest) = open.get(marks.len()..).filter(|rest| !rest.is_empty()) {
                self.closers.push(rest);
            }
        }
        found.is_some()
    }
}

/// The end of the formula that begins at `at` with a mark of so many bytes; `None` if it is open, or none.
fn formula(part: &str, at: usize, run: usize) -> Option<usize> {
    let begin = part.get(at..at + run)?;
    let from = at + run;
    let rest = part.get(from..)?;
    let end = match begin {
        "\\(" => rest.find("\\)")? + 2,
        "\\[" => rest.find("\\]")? + 2,
        "$$" => rest.find("$$")? + 2,
        "$" if rest.starts_with(char::is_whitespace) => return None,
        "$" => {
            let closes = |(at, _): &(usize, &str)| !rest[..*at].ends_with(['\\', ' ', '\n']);
            rest.match_indices('$').find(closes)?.0 + 1
        }
        _ => return None,
    };
    Some(from + end)
}

/// Whether this may be the beginning of a formula whose end is still to come. A dollar before a digit is a price more often.
fn is_begun_formula(part: &str, at: usize, run: usize) -> bool {
    let rest = &part[at + run..];
    match run {
        2 => true,
        1 => {
            let begins = rest
                .chars()
                .next()
                .is_none_or(|c| !c.is_whitespace() && !c.is_ascii_digit());
            let in_word = part[..at].ends_with(char::is_alphanumeric);
            begins && !in_word && rest.len() <= MAX_LINK_TEXT_BYTES && !rest.contains('\n')
        }
        _ => false,
    }
}

/// Goes on after a `]`; holds back a link whose address is still to come.
fn close_bracket(part: &str, at: usize, open: Option<usize>, held_back: &mut Vec<(usize, usize)>) -> usize {
    let Some(open) = open else {
        return at + 1;
    };
    let rest = &part[at + 1..];
    let is_box = open == 0 && at <= 2;
    if is_box && rest.trim().is_empty() {
        held_back.push((open, at + 1));
    } else if rest.is_empty() {
        held_back.push((image_mark(part, open), open + 1));
        held_back.push((at, at + 1));
    } else if rest.starts_with('(') {
        let mut depth = 0_usize;
        for (offset, c) in rest.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\n' => return at + 1,
                _ => {}
            }
            if depth == 0 {
                return at + 1 + offset + 1;
            }
        }
        held_back.push((image_mark(part, open), open + 1));
        held_back.push((at, part.len()));
        return part.len();
    }
    at + 1
}

/// Where a bracket begins, with the mark of an image before it.
fn image_mark(part: &str, bracket: usize) -> usize {
    if part[..bracket].ends_with('!') {
        bracket - 1
    } else {
        bracket
    }
}

fn without(part: &str, mut ranges: Vec<(usize, usize)>) -> String {
    ranges.sort_unstable();
    let mut shown = String::with_capacity(part.len());
    let mut from = 0;
    for (start, end) in ranges {
        shown.push_str(part.get(from..start).unwrap_or_default());
        from = from.max(end);
    }
    shown.push_str(part.get(from..).unwrap_or_default());
    shown
}
