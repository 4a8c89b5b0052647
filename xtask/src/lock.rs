//! The versions in `Cargo.lock`.

use anyhow::{Context as _, bail};

/// Makes sure that the bindings are made by the same version of wasm-bindgen that the app is compiled with: each
/// version has a format of its own. Returns that version.
pub(crate) fn wasm_bindgen(lock: &str) -> anyhow::Result<&str> {
    let library = version(lock, "wasm-bindgen").context("Cargo.lock names no wasm-bindgen")?;
    let generator =
        version(lock, "wasm-bindgen-cli-support").context("Cargo.lock names no wasm-bindgen-cli-support")?;
    if library != generator {
        bail!(
            "Cargo.lock has wasm-bindgen {library}, but xtask makes the bindings with {generator}: set \
             `wasm-bindgen-cli-support = \"={library}\"` in xtask/Cargo.toml"
        );
    }
    Ok(library)
}

fn version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name).skip(1);
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "\
[[package]]
name = \"wasm-bindgen\"
version = \"0.2.1\"

[[package]]
name = \"wasm-bindgen-cli-support\"
version = \"0.2.1\"
";

    #[test]
    fn equal_versions_are_fine() {
        assert_eq!(wasm_bindgen(LOCK).ok(), Some("0.2.1"));
    }

    #[test]
    fn different_versions_are_refused_with_the_line_to_write() {
        let lock = LOCK.replacen("0.2.1", "0.2.2", 1);
        let fault = wasm_bindgen(&lock).expect_err("the versions differ").to_string();
        assert!(fault.contains("wasm-bindgen-cli-support = \"=0.2.2\""), "{fault}");
    }

    #[test]
    fn this_workspace_can_make_its_bindings() {
        let lock = include_str!("../../Cargo.lock");
        assert!(wasm_bindgen(lock).is_ok(), "{:?}", wasm_bindgen(lock));
    }
}
