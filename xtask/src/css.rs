//! The style sheet: `style/main.css` with its imports in place, made small.

mod minify;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// One style sheet of a file and all that it imports.
///
/// An import is put in place where it stands, within its `layer(…)`, `supports(…)` or media query where it has one.
/// Imports from other hosts are refused: the page loads nothing from elsewhere.
pub(crate) fn bundle(main: &Path) -> anyhow::Result<String> {
    let mut css = String::new();
    inline(main, &mut Vec::new(), &mut css)?;
    Ok(minify::minify(&css))
}

fn inline(file: &Path, open: &mut Vec<PathBuf>, out: &mut String) -> anyhow::Result<()> {
    let file = file
        .canonicalize()
        .with_context(|| format!("there is no style sheet {}", file.display()))?;
    if open.contains(&file) {
        bail!("{} imports itself, by way of others perhaps", file.display());
    }
    let source = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    open.push(file.clone());
    let mut rest = source.as_str();
    // CSS allows imports only before every rule, with nothing but comments (and `@charset`, `@layer a;`) before them.
    loop {
        let statement = minify::skip_blank(rest);
        if let Some(import) = statement.strip_prefix("@import") {
            let (import, after) = minify::statement(import)
                .with_context(|| format!("{}: an @import without its semicolon", file.display()))?;
            let import =
                Import::parse(import).with_context(|| format!("{}: cannot read `@import{import};`", file.display()))?;
            let (opening, closing) = import.wrapping();
            out.push_str(&opening);
            inline(&file.with_file_name(&import.path), open, out)?;
            out.push_str(&closing);
            rest = after;
        } else if statement.starts_with("@charset") || is_layer_statement(statement) {
            let (kept, after) = minify::statement(statement).with_context(|| format!("{}: no `;`", file.display()))?;
            // The server names the character set.
            if !kept.starts_with("@charset") {
                out.push_str(kept);
                out.push_str(";\n");
            }
            rest = after;
        } else {
            out.push_str(rest);
            out.push('\n');
            open.pop();
            return Ok(());
        }
    }
}

/// `@layer a, b;`, which orders layers, in contrast to `@layer a { … }`.
fn is_layer_statement(css: &str) -> bool {
    css.starts_with("@layer") && css.find([';', '{']).is_some_and(|end| css[end..].starts_with(';'))
}

/// What stands between `@import` and its semicolon.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    path: String,
    /// `Some("")`: a layer without a name.
    layer: Option<String>,
    supports: Option<String>,
    media: Option<String>,
}

impl Import {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let (path, conditions) = match text.strip_prefix("url(") {
            Some(url) => url.split_once(')').context("`url(` is never closed")?,
            None => {
                let end = text
                    .get(1..)
                    .and_then(|inner| inner.find(text.chars().next()?))
                    .context("no file name")?;
                text.split_at(end + 2)
            }
        };
        let path = path.trim().trim_matches(['"', '\'']);
        if path.is_empty() || path.contains(':') || path.starts_with('/') {
            bail!("only files of the style folder can be imported, by a relative name");
        }
        let mut import = Self {
            path: path.to_owned(),
            layer: None,
            supports: None,
            media: None,
        };
        let mut rest = conditions.trim();
        if let Some((layer, after)) = function(rest, "layer") {
            (import.layer, rest) = (Some(layer.to_owned()), after);
        } else if let Some(after) = rest
            .strip_prefix("layer")
            .filter(|after| after.is_empty() || after.starts_with(' '))
        {
            (import.layer, rest) = (Some(String::new()), after.trim());
        }
        if let Some((condition, after)) = function(rest, "supports") {
            (import.supports, rest) = (Some(condition.to_owned()), after);
        }
        import.media = Some(rest.to_owned()).filter(|media| !media.is_empty());
        Ok(import)
    }

    fn wrapping(&self) -> (String, String) {
        let mut opening = String::new();
        if let Some(media) = &self.media {
            opening += &format!("@media {media} {{\n");
        }
        if let Some(condition) = &self.supports {
            opening += &format!("@supports ({condition}) {{\n");
        }
        if let Some(layer) = &self.layer {
            opening += &format!("@layer {layer} {{\n");
        }
        let closing = "}\n".repeat(opening.matches('\n').count());
        (opening, closing)
    }
}

/// `name(inner) rest` → `(inner, rest)`; parentheses within are counted.
fn function<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let inner = text.strip_prefix(name)?.strip_prefix('(')?;
    let mut depth = 1;
    for (at, character) in inner.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((inner[..at].trim(), inner[at + 1..].trim()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(path: &str) -> Import {
        Import {
            path: path.to_owned(),
            layer: None,
            supports: None,
            media: None,
        }
    }

    /// Writes files into a folder that is removed at the end, and bundles the first of them.
    fn bundled(files: &[(&str, &str)]) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        for (name, css) in files {
            fs::write(folder.path().join(name), css)?;
        }
        bundle(&folder.path().join(files[0].0))
    }

    #[test]
    fn imports_are_read_in_all_their_forms() {
        let parse = |text| Import::parse(text).ok();
        assert_eq!(parse(r#" "a.css""#), Some(import("a.css")));
        assert_eq!(parse(" url(a.css)"), Some(import("a.css")));
        assert_eq!(parse(" url( 'a.css' ) "), Some(import("a.css")));
        assert_eq!(
            parse("'a.css' layer"),
            Some(Import {
                layer: Some(String::new()),
                ..import("a.css")
            })
        );
        let all = Import {
            layer: Some("base".to_owned()),
            supports: Some("not (display: grid)".to_owned()),
            media: Some("screen and (width > 40em)".to_owned()),
            ..import("a.css")
        };
        assert_eq!(
            parse("'a.css' layer(base) supports(not (display: grid)) screen and (width > 40em)"),
            Some(all)
        );
    }

    #[test]
    fn imports_from_elsewhere_are_refused() {
        for text in [
            "\"https://example.org/a.css\"",
            "url(//example.org/a.css)",
            "\"\"",
            "a.css",
            "",
        ] {
            assert!(Import::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_put_in_place_in_their_order() {
        let css = bundled(&[
            (
                "main.css",
                "@charset \"utf-8\";\n/* first */\n@layer x, y;\n@import \"a.css\";\n@import \"b.css\" print;\nmain { x: 1 }",
            ),
            ("a.css", "@import 'c.css' layer(x);\na { x: 1 }"),
            ("b.css", "b { x: 1 }"),
            ("c.css", "c { x: 1 }"),
        ]);
        assert_eq!(
            css.ok().as_deref(),
            Some("@layer x,y;@layer x{c{x: 1}}a{x: 1}@media print{b{x: 1}}main{x: 1}")
        );
    }

    #[test]
    fn an_import_that_cannot_be_followed_is_an_error_that_names_it() {
        let missing = bundled(&[("main.css", "@import 'none.css';")]).expect_err("there is no such file");
        assert!(missing.to_string().contains("none.css"), "{missing}");
        let circle = bundled(&[("main.css", "@import 'a.css';"), ("a.css", "@import 'main.css';")]);
        assert!(circle.expect_err("a circle").to_string().contains("main.css"));
    }
}
