//! What the sources say, and what the languages have for it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::keys;
use crate::language::Language;

pub(super) fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The key and the names of the arguments of each `say!` and `text!` in a source.
fn said(source: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found = Vec::new();
    for (at, start) in source.match_indices("say!(").chain(source.match_indices("text!(")) {
        let rest = &source[at + start.len()..];
        let mut depth = 1;
        let end = rest.find(|character| {
            depth += match character {
                '(' | '[' | '{' => 1,
                ')' | ']' | '}' => -1,
                _ => 0,
            };
            depth == 0
        });
        let inside = &rest[..end.expect("the end of a call")];
        // What is within brackets of its own is an argument's value.
        let (mut parts, mut depth) = (vec![String::new()], 0);
        for character in inside.chars() {
            match character {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => parts.push(String::new()),
                character if depth == 0 => parts.last_mut().expect("a part").push(character),
                _ => {}
            }
        }
        let mut parts = parts.into_iter().map(|part| part.trim().to_owned());
        let Some(key) = parts.nth(1) else { continue };
        let Some(key) = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) else {
            continue;
        };
        let arguments = parts.filter_map(|part| Some(part.split_once('=')?.0.trim().to_owned()));
        found.push((key.to_owned(), arguments.collect()));
    }
    found
}

#[test]
fn what_is_said_is_there_and_what_is_there_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("app/src"), &mut files);
    let known = keys(Language::English);
    let mut used = BTreeSet::new();
    for file in files {
        let name = file.display().to_string();
        // This room's own examples.
        if name.contains("language/tests") || name.ends_with("language/words.rs") {
            continue;
        }
        for (key, arguments) in said(&fs::read_to_string(&file).expect("a source")) {
            let asked = known.get(key.as_str());
            let asked = asked.unwrap_or_else(|| panic!("{name} says {key}, which no language has"));
            let missing: Vec<_> = asked.iter().filter(|name| !arguments.contains(**name)).collect();
            assert!(missing.is_empty(), "{name} says {key} without {missing:?}");
            let idle: Vec<_> = arguments.iter().filter(|name| !asked.contains(name.as_str())).collect();
            assert!(
                idle.is_empty(),
                "{name} says {key} with {idle:?}, which it does not ask for"
            );
            used.insert(key);
        }
    }
    let idle: Vec<_> = known.keys().filter(|key| !used.contains(**key)).collect();
    // Those that only stand within others.
    assert!(idle.is_empty(), "nobody says {idle:?}");
}
