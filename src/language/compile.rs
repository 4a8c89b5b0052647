//! Fluent's files, read into tables of plain pieces.
//!
//! Of Fluent, messages use text, arguments, choices by them, and other messages and terms, which are put in where they are named. Functions
//! and attributes are not used: what needs one is an argument.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use fluent_syntax::{
    ast::{Entry, Expression, InlineExpression, Pattern as Ast, PatternElement, VariantKey},
    parser,
};

use super::{
    Language, Words,
    pattern::{Pattern, Piece},
};

/// The files of the language in this folder, each by its name. Every language has the same ones.
macro_rules! locale {
    ($folder:literal) => {
        Locale {
            pages: locale!($folder: "chat" "data" "figures" "frame" "line" "list" "models" "reasons" "steps" "tabs"),
            server: locale!($folder: "aids" "along" "charts" "export" "leave" "logs" "offline" "own" "plain" "program-keys" "programs" "sources" "stats"),
            demo: locale!($folder: "demo"),
        }
    };
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../locales/", $folder, "/", $name, ".ftl")))),*]
    };
}

/// Its name and its content.
type File = (&'static str, &'static str);
type Files = &'static [File];

/// The files of one language.
struct Locale {
    /// What a browser is sent.
    pages: Files,
    /// What browsers never say themselves: what programs are told, what stands in pages without scripts, in the parts of a page that the
    /// browser's half has no hand in, and in files to keep.
    server: Files,
    /// What the built-in demo model says.
    demo: Files,
}

const fn locale(language: Language) -> Locale {
    match language {
        Language::English => locale!("en"),
        Language::Russian => locale!("ru"),
    }
}

type Compiled = Vec<(Words, Vec<LocaleFault>)>;

static ALL: LazyLock<Compiled> = LazyLock::new(|| compile_all(|locale| [locale.pages, locale.server].concat()));

static PAGES: LazyLock<Compiled> = LazyLock::new(|| compile_all(|locale| locale.pages.to_vec()));

static DEMO: LazyLock<Compiled> = LazyLock::new(|| compile_all(|locale| locale.demo.to_vec()));

fn compile_all(files: impl Fn(Locale) -> Vec<File>) -> Compiled {
    let languages = Language::ALL.into_iter();
    languages
        .map(|language| compile(language, &files(locale(language))))
        .collect()
}

impl Words {
    /// Those of a language.
    #[must_use]
    pub fn of(language: Language) -> &'static Self {
        &ALL[language as usize].0
    }

    /// The same without what the server alone says: what a browser is sent.
    #[must_use]
    pub fn of_pages(language: Language) -> &'static Self {
        &PAGES[language as usize].0
    }

    /// What the built-in demo model says: a table of its own, since nobody else has use for this.
    pub(crate) fn of_demo(language: Language) -> &'static Self {
        &DEMO[language as usize].0
    }
}

/// What is wrong with the files of a language: nothing, which a test sees to.
pub fn faults(language: Language) -> impl Iterator<Item = &'static LocaleFault> {
    // Those of the pages have to stand by themselves.
    let tables = [&ALL, &PAGES, &DEMO].into_iter();
    tables.flat_map(move |table| &table[language as usize].1)
}

/// Something in a file of `locales` that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocaleFault {
    /// The file's name, without its ending.
    pub file: &'static str,
    /// What is wrong, and where.
    pub what: String,
}

impl fmt::Display for LocaleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.ftl: {}", self.file, self.what)
    }
}

type Known = BTreeMap<String, (&'static str, Ast<&'static str>)>;

fn compile(language: Language, files: &[File]) -> (Words, Vec<LocaleFault>) {
    let (mut known, mut faults) = (Known::new(), Vec::new());
    for &(file, text) in files {
        let mut fault = |what: String| faults.push(LocaleFault { file, what });
        let resource = parser::parse(text).unwrap_or_else(|(resource, errors)| {
            for error in errors {
                fault(format!("{error} (byte {})", error.pos.start));
            }
            resource
        });
        for entry in resource.body {
            let (key, pattern, attributes) = match entry {
                Entry::Message(message) => (message.id.name.to_owned(), message.value, message.attributes),
                Entry::Term(term) => (format!("-{}", term.id.name), Some(term.value), term.attributes),
                Entry::Junk { content } => {
                    fault(format!("this is not Fluent: {content}"));
                    continue;
                }
                _ => continue,
            };
            if !attributes.is_empty() {
                fault(format!("{key} has attributes, which are not used"));
            }
            match pattern {
                Some(pattern) if !known.contains_key(&key) => {
                    known.insert(key, (file, pattern));
                }
                Some(_) => fault(format!("{key} is there twice")),
                None => fault(format!("{key} says nothing")),
            }
        }
    }
    let mut messages = Vec::with_capacity(known.len());
    for (key, (file, ast)) in known.iter().filter(|(key, _)| !key.starts_with('-')) {
        match pattern(ast, &known, 0) {
            Ok(pattern) => messages.push((key.clone(), pattern)),
            Err(what) => faults.push(LocaleFault {
                file,
                what: format!("{key}: {what}"),
            }),
        }
    }
    (Words::new(language, messages), faults)
}

/// Messages that name messages that name messages: deeper than anybody writes.
const DEEPEST: usize = 8;

fn pattern(ast: &Ast<&'static str>, known: &Known, depth: usize) -> Result<Pattern, String> {
    if depth > DEEPEST {
        return Err("it names itself".to_owned());
    }
    let mut pieces = Pattern::new();
    for element in &ast.elements {
        match element {
            PatternElement::TextElement { value } => add(&mut pieces, Piece::Text((*value).to_owned())),
            PatternElement::Placeable { expression } => {
                for piece in expression_of(expression, known, depth)? {
                    add(&mut pieces, piece);
                }
            }
        }
    }
    Ok(pieces)
}

/// Texts that follow each other are one.
fn add(pieces: &mut Pattern, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
        (_, piece) => pieces.push(piece),
    }
}

fn expression_of(expression: &Expression<&'static str>, known: &Known, depth: usize) -> Result<Pattern, String> {
    let (selector, variants) = match expression {
        Expression::Inline(inline) => return inline_of(inline, known, depth),
        Expression::Select { selector, variants } => (selector, variants),
    };
    let InlineExpression::VariableReference { id } = selector else {
        return Err("a choice can only be made by an argument".to_owned());
    };
    let (mut cases, mut default) = (Vec::new(), None);
    for variant in variants {
        let (VariantKey::Identifier { name } | VariantKey::NumberLiteral { value: name }) = variant.key;
        let case = (name.to_owned(), pattern(&variant.value, known, depth)?);
        if variant.default {
            default = Some(case);
        } else {
            cases.push(case);
        }
    }
    // What is left when nothing fits stands last.
    cases.extend(default);
    Ok(vec![Piece::Choice(id.name.to_owned(), cases)])
}

fn inline_of(inline: &InlineExpression<&'static str>, known: &Known, depth: usize) -> Result<Pattern, String> {
    let named = |key: String| match known.get(&key) {
        Some((_, ast)) => pattern(ast, known, depth + 1),
        None => Err(format!("there is no {key}")),
    };
    match inline {
        InlineExpression::StringLiteral { value } => Ok(vec![Piece::Text(
            fluent_syntax::unicode::unescape_unicode_to_string(value).into_owned(),
        )]),
        InlineExpression::NumberLiteral { value } => Ok(vec![Piece::Text((*value).to_owned())]),
        InlineExpression::VariableReference { id } => Ok(vec![Piece::Value(id.name.to_owned())]),
        InlineExpression::MessageReference { id, attribute: None } => named(id.name.to_owned()),
        InlineExpression::TermReference {
            id,
            attribute: None,
            arguments: None,
        } => named(format!("-{}", id.name)),
        InlineExpression::Placeable { expression } => expression_of(expression, known, depth),
        InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. }
        | InlineExpression::FunctionReference { .. } => Err("functions and attributes are not used".to_owned()),
    }
}
