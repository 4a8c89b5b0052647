//! The style sheets: `style/main.css`, and `style/tabs.css` for two tabs alone, each with its imports in place. Lightning CSS makes it small for a release. Development does without
//! it, and so without npm: there the files stand one after the other.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::project::{Mode, Project};
use crate::setup;
use crate::step::{self, step};

/// Those that pages load.
pub(crate) const SHEETS: [&str; 2] = ["main.css", "tabs.css"];

/// One style sheet of a file of [`SHEETS`] and all that it imports.
pub(crate) fn build(project: &Project, mode: Mode, sheet: &str) -> anyhow::Result<String> {
    let main = project.root.join("style").join(sheet);
    match mode {
        Mode::Dev => concatenate(&main),
        Mode::Release => {
            let tools = project.root.join("xtask/npm");
            setup::npm(&tools)?;
            step(&format!("make {sheet} small"), || bundle(&tools, &main))
        }
    }
}

/// Bundled and minified. An import that cannot be followed is an error: the page loads nothing from elsewhere.
fn bundle(tools: &Path, main: &Path) -> anyhow::Result<String> {
    let mut node = Command::new("node");
    step::output(node.arg(tools.join("bundle-css.mjs")).arg(main))
}

/// The files that `main` imports, as they are and in its order. It may have nothing in it but such imports and comments, and they
/// import nothing themselves: what is served in development could else differ from a release.
fn concatenate(main: &Path) -> anyhow::Result<String> {
    let read = |file: &Path| fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    let mut css = String::new();
    for line in read(main)?.lines().map(str::trim) {
        if line.is_empty() || (line.starts_with("/*") && line.find("*/") == Some(line.len() - 2)) {
            continue;
        }
        let name = line
            .strip_prefix("@import \"")
            .and_then(|rest| rest.strip_suffix("\";"))
            .with_context(|| format!("{}: only `@import \"…\";` may stand here, not `{line}`", main.display()))?;
        let file = main.with_file_name(name);
        let part = read(&file)?;
        if part.contains("@import") {
            bail!("{}: only {} may import", file.display(), main.display());
        }
        css.push_str(&part);
    }
    Ok(css)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes files into a folder that is removed at the end, and puts the first and what it imports together.
    fn concatenated(files: &[(&str, &str)]) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        for (name, css) in files {
            fs::write(folder.path().join(name), css)?;
        }
        concatenate(&folder.path().join(files[0].0))
    }

    #[test]
    fn files_are_put_together_in_their_order() -> anyhow::Result<()> {
        let css = concatenated(&[
            ("main.css", "/* first */\n@import \"b.css\";\n\n@import \"a.css\";\n"),
            ("a.css", "a { x: 1 }\n"),
            ("b.css", "b { x: 1 }\n"),
        ])?;
        assert_eq!(css, "b { x: 1 }\na { x: 1 }\n");
        Ok(())
    }

    #[test]
    fn the_style_sheets_of_this_workspace_can_be_put_together() -> anyhow::Result<()> {
        let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("../style");
        let sheets = SHEETS.map(|sheet| concatenate(&style.join(sheet)));
        let css = sheets.into_iter().collect::<anyhow::Result<Vec<_>>>()?.concat();
        for file in fs::read_dir(&style)? {
            let path = file?.path();
            let part = fs::read_to_string(&path)?;
            assert!(
                SHEETS.iter().any(|sheet| path.ends_with(sheet)) || css.contains(&part),
                "{} is not imported",
                path.display()
            );
        }
        Ok(())
    }

    #[test]
    fn an_import_that_cannot_be_followed_is_an_error_that_names_it() {
        for (main, named) in [
            ("@import \"none.css\";", "none.css"),
            ("@import \"https://example.org/a.css\";", "example.org/a.css"),
            ("@import \"main.css\";", "main.css"),
            ("@import \"a.css\" print;", "@import \"a.css\" print;"),
            ("/* a */ b { x: 1 } /* c */", "b { x: 1 }"),
        ] {
            let fault = concatenated(&[("main.css", main), ("a.css", "a { x: 1 }")]).expect_err(main);
            assert!(fault.to_string().contains(named), "{main}: {fault:#}");
        }
        let nested = concatenated(&[("main.css", "@import \"a.css\";"), ("a.css", "@import \"b.css\";")]);
        assert!(nested.expect_err("only main.css imports").to_string().contains("a.css"));
    }
}
