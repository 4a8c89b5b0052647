//! Making a style sheet small without changing what it means: comments go, and blanks where they mean nothing.
//! What a compressor takes off anyway stays.

/// Removes comments and meaningless blanks. Strings and unquoted `url(…)` are left as they are.
pub(crate) fn minify(css: &str) -> String {
    let mut out = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(first) = rest.chars().next() {
        let token = if first == '"' || first == '\'' {
            string(rest)
        } else if rest.starts_with("url(") {
            url(rest)
        } else if first.is_ascii_whitespace() || rest.starts_with("/*") {
            let after = skip_blank(rest);
            blank(&rest[..rest.len() - after.len()], after, &mut out);
            rest = after;
            continue;
        } else {
            first.len_utf8()
        };
        if first == '}' && out.ends_with(';') {
            out.pop();
        }
        out.push_str(&rest[..token]);
        rest = &rest[token..];
    }
    out
}

/// Writes what a run of blanks and comments means: nothing beside punctuation, else a blank, and for a comment that
/// parts two words without a blank, an empty comment.
fn blank(run: &str, after: &str, out: &mut String) {
    const PUNCTUATION: [char; 4] = ['{', '}', ';', ','];
    if out.is_empty() || out.ends_with(PUNCTUATION) || after.is_empty() || after.starts_with(PUNCTUATION) {
        return;
    }
    out.push_str(if has_blank(run) { " " } else { "/**/" });
}

/// Whether a run of blanks and comments has a blank outside its comments.
fn has_blank(mut run: &str) -> bool {
    while let Some(comment) = run.strip_prefix("/*") {
        run = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    !run.is_empty()
}

/// What follows the blanks and comments at the beginning.
pub(crate) fn skip_blank(css: &str) -> &str {
    let mut rest = css.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start();
    }
    rest
}

/// Splits at the semicolon that ends a statement, without it. `None`: there is none outside strings and `url(…)`.
pub(crate) fn statement(css: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    while let Some(first) = css[at..].chars().next() {
        let rest = &css[at..];
        at += match first {
            ';' => return Some((&css[..at], &rest[1..])),
            '"' | '\'' => string(rest),
            _ if rest.starts_with("url(") => url(rest),
            _ => first.len_utf8(),
        };
    }
    None
}

/// Length of the string at the beginning, its quotes included.
fn string(css: &str) -> usize {
    let quote = css.as_bytes()[0];
    let mut escaped = false;
    let end = css.bytes().skip(1).position(|byte| {
        let ends = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.map_or(css.len(), |end| end + 2)
}

/// Length of the `url(…)` at the beginning; of a quoted one, of `url(` only: its string comes next.
fn url(css: &str) -> usize {
    const OPENING: usize = "url(".len();
    if css[OPENING..].trim_start().starts_with(['"', '\'']) {
        return OPENING;
    }
    css.find(')').map_or(css.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_go() {
        let css = "/* a */\n.a,\n.b {\n  color : red;\n  margin: 0 auto; /* b */\n}\n\n@media (width > 40em) {\n  .c { x: 1 }\n}\n";
        assert_eq!(
            minify(css),
            ".a,.b{color : red;margin: 0 auto}@media (width > 40em){.c{x: 1}}"
        );
    }

    #[test]
    fn blanks_that_mean_something_stay() {
        assert_eq!(
            minify("a :hover > b { width: calc(1px + 2px) }"),
            "a :hover > b{width: calc(1px + 2px)}"
        );
        assert_eq!(minify("@media screen and (x) {}"), "@media screen and (x){}");
    }

    #[test]
    fn strings_and_urls_are_left_alone() {
        assert_eq!(
            minify("a { content: \"  /* \\\" ; } */ \" }"),
            "a{content: \"  /* \\\" ; } */ \"}"
        );
        assert_eq!(minify("a { b: url(data:x/y;,  /*z) }"), "a{b: url(data:x/y;,  /*z)}");
        assert_eq!(minify("a { b: url( 'x  y)' ) }"), "a{b: url( 'x  y)' )}");
    }

    #[test]
    fn a_comment_still_parts_two_words() {
        assert_eq!(minify("a/* x */.b {}"), "a/**/.b{}");
        assert_eq!(minify("a/* x *//* y */.b {}"), "a/**/.b{}");
        assert_eq!(minify("a /* x */ .b {}"), "a .b{}");
        assert_eq!(minify("a/* x */ .b {}"), "a .b{}");
    }

    #[test]
    fn what_is_cut_off_harms_nothing() {
        assert_eq!(minify("a { b: \"c"), "a{b: \"c");
        assert_eq!(minify("a { /* b"), "a{");
        assert_eq!(minify("a { b: url(c"), "a{b: url(c");
    }

    #[test]
    fn a_statement_ends_at_its_own_semicolon() {
        assert_eq!(
            statement(" url(data:a;b) 'c;d'; rest"),
            Some((" url(data:a;b) 'c;d'", " rest"))
        );
        assert_eq!(statement("no end"), None);
    }
}
