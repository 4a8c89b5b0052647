//! Formulas in LaTeX's notation to MathML, which browsers draw by themselves.
//!
//! What cannot be read stays what it was: the source, as code. Nothing of a formula defines anything, so none is longer when
//! it is read than when it was written, and each is bounded in its length, its depth and what it becomes.

use std::{
    borrow::Cow,
    convert::Infallible,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::language::labels;
use pulldown_latex::{Parser, RenderConfig, Storage, config::DisplayMode, push_mathml};

/// Longest formula that is read, in bytes.
pub(super) const MAX_FORMULA_BYTES: usize = 4_000;
/// Deepest nesting within a formula.
const MAX_DEPTH: usize = 30;
/// Longest MathML that one formula may become, in bytes.
const MAX_MATHML_BYTES: usize = 100_000;
/// Most LaTeX that is read in one answer, in bytes: of the formulas after that the source is shown.
pub(super) const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Every class that the elements of a formula may have, all of them the converter's.
pub(super) const CLASSES: [&str; 19] = [
    "cell-left",
    "cell-right",
    "menv-align",
    "menv-alignlike",
    "menv-arraylike",
    "menv-border-only",
    "menv-cases",
    "menv-cells-left",
    "menv-cells-right",
    "menv-hline",
    "menv-left-dashed",
    "menv-left-solid",
    "menv-multline",
    "menv-nonumber",
    "menv-right-dashed",
    "menv-right-solid",
    "menv-with-eqn",
    "mop-negated",
    "menv-hdashline",
];

/// The elements that a formula is made of.
pub(super) const TAGS: [&str; 24] = [
    "math",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "mspace",
    "msqrt",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "mstyle",
];

/// What those may carry: sizes and switches, nothing that leads anywhere.
pub(super) const ATTRIBUTES: [&str; 19] = [
    "accent",
    "accentunder",
    "depth",
    "display",
    "displaystyle",
    "height",
    "linethickness",
    "lspace",
    "mathvariant",
    "movablelimits",
    "rspace",
    "scriptlevel",
    "width",
    "fence",
    "form",
    "maxsize",
    "minsize",
    "stretchy",
    "voffset",
];

/// How much LaTeX may still be read; see [`MAX_ANSWER_BYTES`].
pub(super) type MathBudget = usize;

/// Writes a formula, or its source where it cannot be read. `source` is how it was written, with what surrounds it.
pub(super) fn write(
    output: &mut dyn Write,
    latex: &str,
    source: &str,
    display: bool,
    budget: &mut MathBudget,
) -> fmt::Result {
    let within = latex.len() <= MAX_FORMULA_BYTES && latex.len() <= *budget;
    match within.then(|| mathml(latex, display)).flatten() {
        Some(mathml) => {
            *budget -= latex.len();
            output.write_str(&mathml)
        }
        None => write_source(output, source),
    }
}

/// Writes a formula that has a line of its own. What is wider than the page scrolls by itself, and has to be reached by keyboard.
pub(super) fn write_display(output: &mut dyn Write, latex: &str, source: &str, budget: &mut MathBudget) -> fmt::Result {
    let label = labels::FORMULA;
    write!(
        output,
        "<span class=\"math-wrap\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">"
    )?;
    write(output, latex, source, true, budget)?;
    output.write_str("</span>")
}

/// Writes a formula as it was written.
pub(super) fn write_source(output: &mut dyn Write, source: &str) -> fmt::Result {
    output.write_str("<code class=\"math-source\">")?;
    super::html::write_text(output, source)?;
    output.write_str("</code>")
}

/// A formula as MathML; `None` where it is not LaTeX as it can be read here.
pub(super) fn mathml(latex: &str, display: bool) -> Option<String> {
    let latex = latex.trim();
    if latex.is_empty() || defines(latex) || is_too_deep(latex) {
        return None;
    }
    let latex = spelled_out(latex);
    // What reads a formula is not ours; a fault in it costs that formula, not the answer.
    let made = catch_unwind(AssertUnwindSafe(|| convert(&latex, display)));
    made.ok().flatten().filter(|html| html.len() <= MAX_MATHML_BYTES)
}

fn convert(latex: &str, display: bool) -> Option<String> {
    let storage = Storage::new();
    let events: Vec<_> = Parser::new(latex, &storage).collect::<Result<_, _>>().ok()?;
    let config = RenderConfig {
        display_mode: if display {
            DisplayMode::Block
        } else {
            DisplayMode::Inline
        },
        ..RenderConfig::default()
    };
    let mut html = String::new();
    let events = events.into_iter().map(Ok::<_, Infallible>);
    push_mathml(&mut html, events, config).ok()?;
    (!html.contains("<merror")).then_some(html)
}

/// Whether a formula defines something: a few lines that define can ask for gigabytes.
fn defines(latex: &str) -> bool {
    const COMMANDS: [&str; 10] = [
        "def",
        "gdef",
        "edef",
        "xdef",
        "let",
        "futurelet",
        "newcommand",
        "renewcommand",
        "providecommand",
        "char",
    ];
    commands(latex).any(|(_, name)| COMMANDS.contains(&name))
}

/// Where commands begin, and their names.
fn commands(latex: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + latex.get(at..)?.find('\\')?;
        let rest = &latex[start + 1..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        // A sign after a backslash is a command of its own: that of `\\def` is no definition.
        let length = match letters {
            0 => rest.chars().next().map_or(0, char::len_utf8),
            letters => letters,
        };
        at = start + 1 + length;
        Some((start, &rest[..length]))
    })
}

fn is_too_deep(latex: &str) -> bool {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut step = |in_or_out: bool| {
        depth = if in_or_out { depth + 1 } else { depth.saturating_sub(1) };
        deepest = deepest.max(depth);
    };
    for c in latex.chars() {
        match c {
            // Scripts and roots nest without braces, too.
            '{' => step(true),
            '}' => step(false),
            _ => {}
        }
    }
    let (mut nested, mut most) = (0_usize, 0);
    let mut bare = 0_usize;
    for (_, name) in commands(latex) {
        match name {
            "left" | "begin" => nested += 1,
            "right" | "end" => nested = nested.saturating_sub(1),
            "sqrt" | "frac" | "hat" | "bar" | "vec" | "not" | "cancel" | "overline" | "underline" => bare += 1,
            _ => {}
        }
        most = most.max(nested);
    }
    // Each of the last may stand in the one before it without a brace; few formulas have so many.
    deepest + most > MAX_DEPTH || bare > 200
}

/// What the converter has no word for, in words that it has.
fn spelled_out(latex: &str) -> Cow<'_, str> {
    const KNOWN: [(&str, &str); 12] = [
        ("bm", "\\boldsymbol"),
        ("pmb", "\\boldsymbol"),
        ("tag", "\\qquad\\text"),
        ("label", "\\phantom"),
        ("nonumber", ""),
        ("notag", ""),
        ("limits", ""),
        ("nolimits", ""),
        ("large", ""),
        ("Large", ""),
        ("small", ""),
        ("normalsize", ""),
    ];
    let mut spelled = String::new();
    let mut from = 0;
    for (start, name) in commands(latex) {
        let after = start + 1 + name.len();
        if start < from {
            continue;
        }
        if name == "boxed" || name == "fbox" {
            if let Some(inner) = group(&latex[after..]) {
                spelled.push_str(&latex[from..start]);
                let _ = write!(
                    spelled,
                    "\\begin{{array}}{{|c|}}\\hline {}\\\\\\hline\\end{{array}}",
                    spelled_out(inner)
                );
                from = after + latex[after..].find('{').unwrap_or(0) + inner.len() + 2;
            }
        } else if let Some((_, other)) = KNOWN.iter().find(|(known, _)| *known == name) {
            spelled.push_str(&latex[from..start]);
            spelled.push_str(other);
            from = after;
        }
    }
    if from == 0 {
        return Cow::Borrowed(latex);
    }
    spelled.push_str(&latex[from..]);
    Cow::Owned(spelled)
}

/// What stands in the braces that `text` begins with.
fn group(text: &str) -> Option<&str> {
    let inner = text.trim_start().strip_prefix('{')?;
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => return inner.get(..at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
