//! Short names for what the script and the WebAssembly call of each other. wasm-bindgen's hold a word and a hash, which no
//! compression makes small, and each stands in both files: together 7 KB of a first visit.

use std::collections::HashMap;

use wasm_bindgen_cli_support::Output;

/// Digits of the hash at the end of a name.
const HASH_DIGITS: usize = 16;

/// Gives short names in the WebAssembly, and returns the script with the same.
pub(super) fn shorten(output: &mut Output) -> String {
    let mut names = Names::default();
    let module = output.wasm_mut();
    for import in module.imports.iter_mut() {
        names.shorten(&mut import.name);
    }
    for export in module.exports.iter_mut() {
        names.shorten(&mut export.name);
    }
    names.replace_in(output.js())
}

/// The short names, by the long ones.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    /// Puts a short name in the place of one with a hash. The same name gets the same.
    fn shorten(&mut self, name: &mut String) {
        if is_hashed(name) {
            let next = self.0.len();
            *name = self.0.entry(name.clone()).or_insert_with(|| format!("_{next}")).clone();
        }
    }

    /// The script with the short names.
    fn replace_in(&self, script: &str) -> String {
        let mut short = String::with_capacity(script.len());
        let mut rest = script;
        while let Some(start) = rest.find(is_part) {
            let (between, word) = rest.split_at(start);
            let (word, after) = word.split_at(word.find(|letter| !is_part(letter)).unwrap_or(word.len()));
            short.push_str(between);
            short.push_str(self.0.get(word).map_or(word, String::as_str));
            rest = after;
        }
        short + rest
    }
}

fn is_hashed(name: &str) -> bool {
    let hash = name.len().checked_sub(HASH_DIGITS).and_then(|start| name.get(start..));
    hash.is_some_and(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a letter may be part of a name in JavaScript, as far as wasm-bindgen makes them.
fn is_part(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_shortened_and_both_sides_agree() {
        let mut names = Names::default();
        let shortened = [
            "__wbg_get_0123456789abcdef",
            "__wbindgen_malloc",
            "invoke_h00112233445566ff",
            "__wbg_get_0123456789abcdef",
            "hydrate",
        ]
        .map(|name| {
            let mut name = name.to_owned();
            names.shorten(&mut name);
            name
        });
        assert_eq!(shortened, ["_0", "__wbindgen_malloc", "_1", "_0", "hydrate"]);
        assert_eq!(
            names.replace_in(
                "x = {__wbg_get_0123456789abcdef: function() {}, __wbg_get_0123456789abcdef1: 2};\nwasm.invoke_h00112233445566ff(é)"
            ),
            "x = {_0: function() {}, __wbg_get_0123456789abcdef1: 2};\nwasm._1(é)"
        );
    }
}
