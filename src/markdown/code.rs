//! A piece of code as the page shows it: its language, what can be done with it, and itself.

use std::fmt::{self, Write};

use comrak::{html::Context, nodes::NodeCodeBlock};

use super::{
    displays, highlight,
    html::{Drawing, write_text},
    math,
};
use crate::language::labels;

/// Longest name of a language shown above code, in characters.
const MAX_LANGUAGE_CHARS: usize = 32;
/// Of longer code the beginning is shown until its reader wants all of it, in lines.
pub(super) const MAX_LINES: usize = 40;

/// The name that code is saved under ends as its language has it.
const ENDINGS: [(&str, &str); 44] = [
    ("bash", "sh"),
    ("c", "c"),
    ("c#", "cs"),
    ("c++", "cpp"),
    ("console", "sh"),
    ("cpp", "cpp"),
    ("cs", "cs"),
    ("csharp", "cs"),
    ("css", "css"),
    ("csv", "csv"),
    ("diff", "diff"),
    ("go", "go"),
    ("golang", "go"),
    ("html", "html"),
    ("ini", "ini"),
    ("java", "java"),
    ("javascript", "js"),
    ("js", "js"),
    ("json", "json"),
    ("jsx", "jsx"),
    ("kotlin", "kt"),
    ("latex", "tex"),
    ("lua", "lua"),
    ("markdown", "md"),
    ("md", "md"),
    ("perl", "pl"),
    ("php", "php"),
    ("powershell", "ps1"),
    ("py", "py"),
    ("python", "py"),
    ("r", "r"),
    ("rb", "rb"),
    ("rs", "rs"),
    ("ruby", "rb"),
    ("rust", "rs"),
    ("sh", "sh"),
    ("sql", "sql"),
    ("swift", "swift"),
    ("tex", "tex"),
    ("toml", "toml"),
    ("ts", "ts"),
    ("typescript", "ts"),
    ("xml", "xml"),
    ("yaml", "yaml"),
];

/// Writes a block of code, or the formula that it is.
pub(super) fn write(context: &mut Context<'_, '_, Drawing<'_>>, code: &NodeCodeBlock) -> fmt::Result {
    let language = code.info.split([' ', '\t', ',', '{']).next().unwrap_or_default();
    match language {
        displays::BRACKETS => return write_formula(context, code, "\\[", "\\]"),
        displays::DOLLARS => return write_formula(context, code, "$$", "$$"),
        "math" => return write_formula(context, code, "", ""),
        _ => {}
    }
    let lines = code.literal.lines().count();
    let (class, is_long) = match lines > MAX_LINES {
        true => ("code long", true),
        false => ("code", false),
    };
    write!(
        context,
        "<div class=\"{class}\"><div class=\"code-bar\"><span class=\"code-lang\" dir=\"ltr\">"
    )?;
    context.escape(&language.chars().take(MAX_LANGUAGE_CHARS).collect::<String>())?;
    let (copy, wrap, save, label) = (labels::COPY, labels::WRAP, labels::SAVE, labels::CODE);
    let ending = ending(language);
    write!(
        context,
        "</span><button type=\"button\" class=\"code-tool\" data-tool=\"wrap\" aria-pressed=\"false\">{wrap}</button>\
         <button type=\"button\" class=\"code-tool\" data-tool=\"save\" data-name=\"code.{ending}\">{save}</button>\
         <button type=\"button\" class=\"code-copy\" data-copy>{copy}</button></div>\
         <pre tabindex=\"0\" role=\"group\" aria-label=\"{label}\" dir=\"ltr\"><code>"
    )?;
    let budget = &mut context.user.budget.highlight;
    let grows = budget.is_none();
    let highlighted = match budget {
        Some(budget) if code.literal.len() <= *budget => {
            let html = highlight::highlight(language, &code.literal);
            if html.is_some() {
                *budget -= code.literal.len();
            }
            html
        }
        _ => None,
    };
    match highlighted {
        Some(html) => context.write_str(&html)?,
        None => write_text(context, &code.literal)?,
    }
    context.write_str("</code></pre>")?;
    if is_long {
        let (all, less) = (labels::ALL_LINES, labels::FEWER_LINES);
        // Of code that grows nothing but its end changes, so that a page has no more to do.
        let count = if grows { String::new() } else { format!(" ({lines})") };
        write!(
            context,
            "<button type=\"button\" class=\"code-more\" data-tool=\"more\" aria-expanded=\"false\">\
             <span class=\"code-all\">{all}{count}</span><span class=\"code-fewer\">{less}</span></button>"
        )?;
    }
    context.write_str("</div>\n")
}

fn ending(language: &str) -> &'static str {
    let language = language.to_ascii_lowercase();
    let known = ENDINGS.binary_search_by(|(name, _)| name.cmp(&language.as_str()));
    known.map_or("txt", |at| ENDINGS[at].1)
}

/// Writes a formula that has lines of its own. Until its end has come, it is what was written.
fn write_formula(
    context: &mut Context<'_, '_, Drawing<'_>>,
    code: &NodeCodeBlock,
    begin: &str,
    end: &str,
) -> fmt::Result {
    let latex = code.literal.trim_end();
    if !code.closed {
        context.write_str("<p class=\"raw\">")?;
        math::write_source(context, format!("{begin}\n{latex}").trim_start())?;
        return context.write_str("</p>\n");
    }
    let source = format!("{begin}\n{latex}\n{end}");
    context.write_str("<p class=\"raw\">")?;
    let mut budget = context.user.budget.math;
    math::write_display(context, latex, source.trim(), &mut budget)?;
    context.user.budget.math = budget;
    context.write_str("</p>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endings_can_be_found() {
        assert!(ENDINGS.is_sorted());
        assert_eq!(ending("Python"), "py");
        assert_eq!(ending("../x"), "txt");
    }
}
