//! Addresses with variables in them, of the two simple forms of RFC 6570: `{name}`, and `{+name}`, which may be a path. Whatever has another
//! form in it is not offered.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longest address.
const LONGEST: usize = 8_000;
/// Most variables: each is a field to fill in.
const MOST_VARIABLES: usize = 8;

/// What stands for itself in an address.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same, and what parts an address.
const RESERVED: AsciiSet = UNRESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'#')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// A part of a template.
enum Part<'t> {
    Literal(&'t str),
    Variable { name: &'t str, reserved: bool },
}

/// Its parts; `None`: it has something in it that is not simple.
fn parts(template: &str) -> Option<Vec<Part<'_>>> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after.split_once('}')?;
        let (name, reserved) = match inner.strip_prefix('+') {
            Some(name) => (name, true),
            None => (inner, false),
        };
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(fits) || before.contains('}') {
            return None;
        }
        parts.push(Part::Literal(before));
        parts.push(Part::Variable { name, reserved });
        rest = after;
    }
    parts.push(Part::Literal(rest));
    (!rest.contains('}')).then_some(parts)
}

/// The names of its variables, each once; `None`: it is not simple, or has none or too many.
pub(super) fn variables(template: &str) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for part in parts(template)? {
        if let Part::Variable { name, .. } = part
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    (1..=MOST_VARIABLES).contains(&names.len()).then_some(names)
}

/// The address, with these in place of the variables; `None`: one is missing, or it becomes too long.
pub(super) fn filled(template: &str, values: &BTreeMap<String, String>) -> Option<String> {
    let mut address = String::new();
    for part in parts(template)? {
        match part {
            Part::Literal(text) => address.push_str(text),
            Part::Variable { name, reserved } => {
                let value = values
                    .get(name)
                    .map(|value| value.trim())
                    .filter(|value| !value.is_empty())?;
                if value.len() > LONGEST {
                    return None;
                }
                let kept = if reserved { &RESERVED } else { &UNRESERVED };
                address.extend(utf8_percent_encode(value, kept));
            }
        }
    }
    (address.len() <= LONGEST).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(template: &str, values: &[(&str, &str)]) -> Option<String> {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        filled(template, &values.collect())
    }

    #[test]
    fn simple_variables_are_filled_in_and_nothing_slips_out() {
        assert_eq!(
            variables("a://{x}/{y}/{x}").as_deref(),
            Some(&["x".to_owned(), "y".to_owned()][..])
        );
        assert_eq!(
            with("a://b/{x}", &[("x", " 1/2?ü ")]).as_deref(),
            Some("a://b/1%2F2%3F%C3%BC")
        );
        assert_eq!(with("a://{+x}!", &[("x", "b/c d")]).as_deref(), Some("a://b/c%20d!"));
        assert_eq!(with("a://b/{x}", &[("y", "1")]), None);
        assert_eq!(with("a://b/{x}", &[("x", " ")]), None);
        assert_eq!(with("a://b/{x}", &[("x", &"x".repeat(LONGEST))]), None);
    }

    #[test]
    fn what_is_not_simple_is_not_offered() {
        for template in [
            "a://b",
            "a://{?x}",
            "a://{x*}",
            "a://{x,y}",
            "a://{x:3}",
            "a://{/x}",
            "a://{}",
            "a://{x",
            "a://x}",
            "a://}{x}",
            "",
        ] {
            assert_eq!(variables(template), None, "{template}");
        }
        let many: String = (0..9).map(|n| format!("{{v{n}}}")).collect();
        assert_eq!(variables(&many), None);
    }
}
