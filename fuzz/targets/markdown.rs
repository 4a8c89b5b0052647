//! Answers as HTML: nothing that runs or leads astray reaches the page, whole or while it is written, and a stream ends where
//! rendering the whole does.
//!
//! Input: one byte that says how the answer is cut, the answer.
#![no_main]

use std::cell::RefCell;

use anteroom::markdown::{Stream, render};
use html5ever::{
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((step, answer)) = data.split_first() else {
        return;
    };
    let answer = String::from_utf8_lossy(answer);
    let whole = render(&answer);
    whole.iter().for_each(|block| check(block));

    let mut stream = Stream::new();
    let mut blocks = Vec::new();
    let mut rest = &*answer;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(usize::from(*step).max(1)));
        stream.push(piece);
        apply(&mut blocks, stream.changes());
        rest = after;
    }
    apply(&mut blocks, stream.finish());
    assert_eq!(blocks, whole, "cut by {step}");
});

/// The reader's side of a stream.
fn apply(blocks: &mut Vec<String>, changes: Vec<(usize, String)>) {
    for (index, html) in changes {
        check(&html);
        assert!(index <= blocks.len(), "block {index} after {} blocks", blocks.len());
        blocks.truncate(index);
        blocks.push(html);
    }
}

/// What may stand on the page, said once more and apart from the cleaner: an error in one shows in the other.
const TAGS: [&str; 30] = [
    "a",
    "blockquote",
    "br",
    "button",
    "code",
    "del",
    "div",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "input",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
];
const VOID: [&str; 3] = ["br", "hr", "input"];
const ATTRIBUTES: [&str; 21] = [
    "align",
    "aria-expanded",
    "aria-label",
    "aria-pressed",
    "checked",
    "class",
    "data-copy",
    "data-name",
    "data-note",
    "data-note-back",
    "data-tool",
    "dir",
    "disabled",
    "href",
    "rel",
    "role",
    "start",
    "tabindex",
    "target",
    "title",
    "type",
];

/// What a formula is made of, and what that may carry.
const FORMULAS: [&str; 24] = [
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
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
];
const SIZES: [&str; 19] = [
    "accent",
    "accentunder",
    "depth",
    "display",
    "displaystyle",
    "fence",
    "form",
    "height",
    "linethickness",
    "lspace",
    "mathvariant",
    "maxsize",
    "minsize",
    "movablelimits",
    "rspace",
    "scriptlevel",
    "stretchy",
    "voffset",
    "width",
];

/// Reads a block as a browser does.
fn check(html: &str) {
    let found = tokenize(html);
    assert!(found.others.borrow().is_empty(), "{:?} in {html}", found.others);
    let mut open = Vec::new();
    for tag in found.tags.take() {
        let name = tag.name.to_string();
        assert!(
            TAGS.contains(&name.as_str()) || FORMULAS.contains(&name.as_str()),
            "<{name}> in {html}"
        );
        if tag.kind == TagKind::EndTag {
            assert_eq!(open.pop(), Some(name), "closes something else in {html}");
            continue;
        }
        for attribute in &tag.attrs {
            let (key, value) = (attribute.name.local.to_string(), attribute.value.to_string());
            let sized = FORMULAS.contains(&name.as_str()) && SIZES.contains(&key.as_str());
            assert!(sized || ATTRIBUTES.contains(&key.as_str()), "{key} in {html}");
            // What scrolls can be reached by keyboard; nothing else pretends to be something.
            assert!(key != "role" || value == "group", "{value} in {html}");
            assert!(key != "tabindex" || value == "0", "{value} in {html}");
            assert!(key != "href" || leads_out(&value), "{value} in {html}");
        }
        if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stays open in {html}");
}

fn leads_out(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default().to_ascii_lowercase();
    ["http", "https", "mailto"].contains(&scheme.as_str()) && !url.contains(char::is_control)
}

#[derive(Default)]
struct Found {
    tags: RefCell<Vec<Tag>>,
    /// Neither tags nor text: comments, doctypes, errors.
    others: RefCell<Vec<String>>,
}

impl TokenSink for Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.tags.borrow_mut().push(tag),
            Token::CharacterTokens(_) | Token::EOFToken => {}
            other => self.others.borrow_mut().push(format!("{other:?}")),
        }
        TokenSinkResult::Continue
    }
}

fn tokenize(html: &str) -> Found {
    let tokenizer = Tokenizer::new(
        Found::default(),
        TokenizerOpts {
            exact_errors: true,
            ..TokenizerOpts::default()
        },
    );
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let _script = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}
