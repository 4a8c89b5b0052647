//! Code to HTML with one class for each kind of token; `style/code.css` has the colours.

use std::{fmt::Write, sync::LazyLock};

use comrak::html::escape;
use syntect::{
    parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet},
    util::LinesWithEndings,
};

/// Largest block of code that is highlighted, in bytes.
pub(super) const MAX_BLOCK_BYTES: usize = 32 * 1024;
/// Most code that is highlighted in one answer, in bytes.
pub(super) const MAX_ANSWER_BYTES: usize = 128 * 1024;
/// Longest line of a block that is highlighted, in bytes: patterns look for their ends over the whole line.
const MAX_LINE_BYTES: usize = 2_000;

/// Every class that [`highlight`] gives.
pub(super) const CLASSES: [&str; 13] = [
    "h-attr", "h-com", "h-del", "h-esc", "h-fn", "h-head", "h-ins", "h-key", "h-num", "h-op", "h-str", "h-tag",
    "h-type",
];

/// Which class a scope gets: the longest entry that is a prefix of it counts. `""` stops the search among the scopes
/// around it, so that code inside a string's `{…}` is not coloured as a string.
const SCOPES: [(&str, &str); 38] = [
    ("comment", "h-com"),
    ("constant", "h-num"),
    ("constant.character.escape", "h-esc"),
    ("constant.other.placeholder", "h-esc"),
    ("constant.language", "h-key"),
    ("entity.name.class", "h-type"),
    ("entity.name.enum", "h-type"),
    ("entity.name.function", "h-fn"),
    ("entity.name.impl", "h-type"),
    ("entity.name.interface", "h-type"),
    ("entity.name.section", "h-head"),
    ("entity.name.struct", "h-type"),
    ("entity.name.tag", "h-tag"),
    ("entity.name.trait", "h-type"),
    ("entity.name.type", "h-type"),
    ("entity.other.attribute-name", "h-attr"),
    ("entity.other.inherited-class", "h-type"),
    ("keyword", "h-key"),
    ("keyword.operator", "h-op"),
    ("keyword.operator.word", "h-key"),
    ("markup.deleted", "h-del"),
    ("markup.heading", "h-head"),
    ("markup.inserted", "h-ins"),
    ("markup.raw", "h-str"),
    ("meta.annotation", "h-attr"),
    ("meta.diff", "h-com"),
    ("meta.interpolation", ""),
    ("meta.property-name", "h-attr"),
    ("meta.template.expression", ""),
    ("source", ""),
    ("storage", "h-key"),
    ("string", "h-str"),
    ("support.class", "h-type"),
    ("support.function", "h-fn"),
    ("support.macro", "h-fn"),
    ("support.type", "h-type"),
    ("variable.function", "h-fn"),
    ("variable.language", "h-key"),
];

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);

/// The longest first.
static RULES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let mut rules: Vec<_> = SCOPES
        .iter()
        .filter_map(|(scope, class)| Some((Scope::new(scope).ok()?, *class)))
        .collect();
    rules.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.len()));
    rules
});

/// `code` as HTML: escaped text in spans. `None` where the language is unknown or the code beyond the bounds.
pub(super) fn highlight(language: &str, code: &str) -> Option<String> {
    let is_bounded = code.len() <= MAX_BLOCK_BYTES && code.lines().all(|line| line.len() <= MAX_LINE_BYTES);
    let syntax = if is_bounded { syntax(language)? } else { return None };
    let mut parser = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    let mut html = Spans::default();
    for line in LinesWithEndings::from(code) {
        let mut at = 0;
        for (offset, change) in parser.parse_line(line, &SYNTAXES).ok()? {
            html.add(line.get(at..offset)?, &scopes);
            at = offset;
            scopes.apply(&change).ok()?;
        }
        html.add(line.get(at..)?, &scopes);
    }
    Some(html.finish())
}

/// The syntax of the name after a fence, or of one near enough to it.
fn syntax(language: &str) -> Option<&'static SyntaxReference> {
    let language = language.to_ascii_lowercase();
    let known = match language.as_str() {
        "" | "text" | "txt" | "plain" | "plaintext" => return None,
        "typescript" | "ts" | "tsx" | "jsx" | "mjs" | "cjs" | "node" => "js",
        "shell" | "zsh" | "console" | "shell-session" | "sh-session" | "ksh" | "dockerfile" => "sh",
        "golang" => "go",
        "python3" | "py3" | "ipython" => "python",
        "csharp" | "c#" | "dotnet" => "cs",
        "cplusplus" => "c++",
        "jsonc" | "json5" | "jsonl" | "ndjson" => "json",
        "kotlin" | "kt" => "java",
        "postgres" | "postgresql" | "mysql" | "sqlite" => "sql",
        "patch" => "diff",
        "svg" | "xhtml" => "xml",
        "scss" | "less" => "css",
        "make" => "makefile",
        "objective-c" | "objectivec" => "objc",
        other => other,
    };
    SYNTAXES.find_syntax_by_token(known)
}

fn class(scopes: &ScopeStack) -> &'static str {
    scopes
        .as_slice()
        .iter()
        .rev()
        .find_map(|&scope| RULES.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)))
        .map_or("", |(_, class)| class)
}

/// HTML in the making: neighbours of one class share a span.
#[derive(Default)]
struct Spans {
    html: String,
    class: &'static str,
}

impl Spans {
    fn add(&mut self, text: &str, scopes: &ScopeStack) {
        if text.is_empty() {
            return;
        }
        let class = class(scopes);
        // Space looks the same in every colour.
        if class != self.class && !text.trim().is_empty() {
            self.close();
            if !class.is_empty() {
                let _ = write!(self.html, "<span class=\"{class}\">");
            }
            self.class = class;
        }
        let _ = escape(&mut self.html, text);
    }

    fn close(&mut self) {
        if !self.class.is_empty() {
            self.html.push_str("</span>");
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.html
    }
}
