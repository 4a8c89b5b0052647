//! Which characters the names of glyphs stand for.

use std::collections::HashMap;

use lopdf::{Dictionary, Document, Encoding, Object};

/// Names that have been looked up.
#[derive(Default)]
pub(super) struct Names {
    known: HashMap<Vec<u8>, String>,
    empty: Document,
}

impl Names {
    /// The characters of a name; none where nobody knows it.
    pub(super) fn get(&mut self, name: &[u8]) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let found = self.find(name);
        self.known.insert(name.to_owned(), found.clone());
        found
    }

    fn find(&self, name: &[u8]) -> String {
        if let Some(found) = listed(&self.empty, name) {
            return found;
        }
        let Ok(name) = std::str::from_utf8(name) else {
            return String::new();
        };
        // `a.alt` is another form of `a`; `f_i` is both in one.
        let base = name.split_once('.').map_or(name, |(base, _)| base);
        if base.is_empty() {
            return String::new();
        }
        let one = |name: &str| -> Option<String> {
            if let Some(found) = listed(&self.empty, name.as_bytes()) {
                return Some(found);
            }
            let digits = name.strip_prefix("uni").or_else(|| name.strip_prefix('u'))?;
            if !(4..=6).contains(&digits.len()) {
                return None;
            }
            let code = u32::from_str_radix(digits, 16).ok()?;
            char::from_u32(code).map(String::from)
        };
        base.split('_').map(one).collect::<Option<String>>().unwrap_or_default()
    }
}

/// A name of the library's own list.
fn listed(empty: &Document, name: &[u8]) -> Option<String> {
    let differences = vec![Object::Integer(1), Object::Name(name.to_owned())];
    let encoding = Dictionary::from_iter([("Differences", Object::Array(differences))]);
    let font = Dictionary::from_iter([
        ("Type", Object::Name(b"Font".to_vec())),
        ("Encoding", Object::Dictionary(encoding)),
    ]);
    match font.get_font_encoding(empty) {
        // For a name that it does not know it gives another encoding.
        Ok(encoding @ Encoding::Differences(_)) => encoding.bytes_to_string(&[1]).ok().filter(|text| !text.is_empty()),
        _ => None,
    }
}

/// The characters of an encoding that has a name.
pub(super) fn encoding(empty: &Document, name: &[u8]) -> Vec<String> {
    let font = Dictionary::from_iter([
        ("Type", Object::Name(b"Font".to_vec())),
        ("Encoding", Object::Name(name.to_owned())),
    ]);
    let encoding = font.get_font_encoding(empty);
    let one = |code: u8| match &encoding {
        Ok(encoding) => encoding.bytes_to_string(&[code]).unwrap_or_default(),
        Err(_) => String::new(),
    };
    (0..=255).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_stand_for_characters() {
        let mut names = Names::default();
        for (name, characters) in [
            ("A", "A"),
            ("eacute", "é"),
            ("afii10017", "А"),
            ("fi", "\u{FB01}"),
            ("f_i", "\u{FB01}"),
            ("T_h", "Th"),
            ("uni0416", "Ж"),
            ("u1F600", "😀"),
            ("a.alt", "a"),
            (".notdef", ""),
            ("nothing", ""),
        ] {
            assert_eq!(names.get(name.as_bytes()), characters, "{name}");
        }
    }
}
