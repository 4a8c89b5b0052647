//! What a server says, as people may be shown it.

/// What cannot be seen, or changes how what is around it is shown.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Text of several lines, in which nothing is hidden from whoever reads it.
pub(super) fn text(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let seen = |c: &char| !is_hidden(*c) && (!c.is_control() || matches!(c, '\n' | '\t'));
    lines.chars().filter(seen).collect()
}

/// A line of at most so many characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let plain = text.chars().filter(|c| !is_hidden(*c));
    let plain = plain.map(|c| if c.is_control() { ' ' } else { c });
    // Far more than is shown, and yet bounded.
    let plain: String = plain.take(4 * most).collect();
    let words: Vec<_> = plain.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden_from_whoever_reads() {
        assert_eq!(
            text("a\r\nb\u{0}\u{1b}[31m\tc\u{202E}d\u{E0041}\u{200B}"),
            "a\nb[31m\tcd"
        );
        assert_eq!(text("👩‍🚀 می‌خواهم"), "👩‍🚀 می‌خواهم");
        assert_eq!(line(" a\n\tb\u{2066}c ", 10), "a bc");
        assert_eq!(line("абвгд", 3), "абв…");
    }
}
