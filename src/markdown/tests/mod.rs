//! Tests of the whole room: what hostile answers become, and that streaming ends where rendering does.

mod blocks;
mod colours;
mod formulas;
mod hostile;
mod notes;
mod streaming;
mod tools;

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// What a browser's tokenizer finds in some HTML.
#[derive(Default)]
struct Found {
    tags: RefCell<Vec<Tag>>,
    text: RefCell<String>,
    others: RefCell<Vec<String>>,
}

impl TokenSink for Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.tags.borrow_mut().push(tag),
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            Token::EOFToken => {}
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
            ..Default::default()
        },
    );
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}

/// The text that a reader sees.
fn text_of(html: &str) -> String {
    tokenize(html).text.take()
}

/// All start tags, as `name attribute=value …`.
fn start_tags(html: &str) -> Vec<String> {
    let tags = tokenize(html).tags.take();
    tags.iter()
        .filter(|tag| tag.kind == TagKind::StartTag)
        .map(describe)
        .collect()
}

fn describe(tag: &Tag) -> String {
    tag.attrs.iter().fold(tag.name.to_string(), |text, attr| {
        format!("{text} {}={}", attr.name.local, attr.value)
    })
}

/// The whole truth on what an answer may put on the page. Written apart from the cleaner, so that an error in one
/// shows in the other.
fn fault(html: &str) -> Option<String> {
    const VOID: [&str; 3] = ["br", "hr", "input"];
    const PLAIN: [&str; 20] = [
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "strong",
        "table",
        "tbody",
        "thead",
        "tr",
        "td",
        "th",
        "li",
    ];
    let found = tokenize(html);
    if let Some(other) = found.others.take().first() {
        return Some(format!("neither tag nor text: {other}"));
    }
    // Pages find tags by these two alone (`grow` in `app/public/reading.js`).
    let between = |(at, part): (usize, &str)| match part.split_once('>') {
        Some((tag, text)) => at == 0 || tag.is_empty() || text.contains('>'),
        None => at > 0,
    };
    if html.split('<').enumerate().any(between) {
        return Some("an angle bracket that is no tag's".to_owned());
    }
    let mut open: Vec<String> = Vec::new();
    for tag in found.tags.take() {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            if open.pop().as_ref() != Some(&name) {
                return Some(format!("</{name}> closes nothing"));
            }
            continue;
        }
        if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        let mut attributes: Vec<String> = tag
            .attrs
            .iter()
            .map(|attr| format!("{}={}", attr.name.local, attr.value))
            .collect();
        attributes.sort();
        let rest: Vec<&str> = attributes.iter().map(String::as_str).collect();
        let is_ours = match (name.as_str(), rest.as_slice()) {
            ("a", attributes) => is_our_link(attributes),
            ("td" | "th", [align]) => ["align=left", "align=center", "align=right"].contains(align),
            ("p" | "ul" | "ol", []) | ("p", ["class=raw"]) | ("ul" | "ol", ["class=contains-task-list"]) => true,
            ("ol", [start] | ["class=contains-task-list", start]) => start
                .strip_prefix("start=")
                .is_some_and(|number| number.parse::<u32>().is_ok()),
            ("li", ["class=task-list-item"]) => true,
            ("div", ["class=code" | "class=code long" | "class=code-bar" | "class=note" | "class=note-text"])
            | ("span", ["class=code-lang", "dir=ltr"] | ["class=code-all" | "class=code-fewer"])
            | ("code", ["class=math-source"])
            | ("sup", []) => true,
            (
                "div",
                [
                    "aria-label=\u{e000}table\u{e001}",
                    "class=table-wrap",
                    "role=group",
                    "tabindex=0",
                ],
            )
            | ("pre", ["aria-label=\u{e000}code\u{e001}", "dir=ltr", "role=group", "tabindex=0"])
            | (
                "span",
                [
                    "aria-label=\u{e000}formula\u{e001}",
                    "class=math-wrap",
                    "role=group",
                    "tabindex=0",
                ],
            ) => true,
            ("span", [class]) => class
                .strip_prefix("class=")
                .is_some_and(|c| super::highlight::CLASSES.contains(&c)),
            ("button", ["class=code-copy", "data-copy=", "type=button"])
            | ("button", ["aria-pressed=false", "class=code-tool", "data-tool=wrap", "type=button"])
            | (
                "button",
                [
                    "aria-expanded=false",
                    "class=code-more",
                    "data-tool=more",
                    "type=button",
                ],
            ) => true,
            ("button", ["class=code-tool", name, "data-tool=save", "type=button"]) => name
                .strip_prefix("data-name=code.")
                .is_some_and(|ending| ending.chars().all(|c| c.is_ascii_alphanumeric())),
            ("button", [label, "class=note-mark", number, "type=button"]) => {
                let number = number.strip_prefix("data-note=").unwrap_or("none");
                *label == format!("aria-label=\u{e000}note\u{e001} {number}") && number.parse::<u16>().is_ok()
            }
            ("button", [label, "class=note-back", number, "type=button"]) => {
                let number = number.strip_prefix("data-note-back=").unwrap_or("none");
                *label == format!("aria-label=\u{e000}note-back\u{e001} {number}") && number.parse::<u16>().is_ok()
            }
            ("math", ["display=block" | "display=inline"] | []) => true,
            (name, attributes) if name.starts_with('m') => attributes.iter().all(|attribute| is_formulas(attribute)),
            (
                "input",
                [
                    "aria-label=\u{e000}done\u{e001}",
                    "checked=",
                    "class=task-list-item-checkbox",
                    "disabled=",
                    "type=checkbox",
                ],
            ) => true,
            (
                "input",
                [
                    "aria-label=\u{e000}done\u{e001}",
                    "class=task-list-item-checkbox",
                    "disabled=",
                    "type=checkbox",
                ],
            ) => true,
            (name, []) => PLAIN.contains(&name),
            _ => false,
        };
        if !is_ours {
            return Some(format!("<{}>", describe(&tag)));
        }
    }
    open.first().map(|name| format!("<{name}> is not closed"))
}

/// What the elements of a formula may carry: a class of ours, a size, a switch.
fn is_formulas(attribute: &str) -> bool {
    let Some((name, value)) = attribute.split_once('=') else {
        return false;
    };
    match name {
        "class" => value
            .split(' ')
            .all(|class| class.starts_with("menv-") || class.starts_with("cell-") || class == "mop-negated"),
        "width" | "height" | "depth" | "voffset" | "lspace" | "rspace" | "linethickness" | "minsize" | "maxsize" => {
            value.chars().all(|c| c.is_ascii_alphanumeric() || ".-+%".contains(c))
        }
        "accent" | "accentunder" | "displaystyle" | "fence" | "form" | "mathvariant" | "movablelimits"
        | "scriptlevel" | "stretchy" => value.chars().all(|c| c.is_ascii_alphanumeric()),
        _ => false,
    }
}

fn is_our_link(attributes: &[&str]) -> bool {
    // What only looks like an address has lost it, and leads nowhere.
    if matches!(attributes, ["rel=noopener noreferrer nofollow", "target=_blank"]) {
        return true;
    }
    let [href, "rel=noopener noreferrer nofollow", "target=_blank", title @ ..] = attributes else {
        return false;
    };
    let leads_out = href
        .strip_prefix("href=")
        .and_then(|url| ammonia::Url::parse(url).ok())
        .is_some_and(|url| ["http", "https", "mailto"].contains(&url.scheme()));
    leads_out && matches!(title, [] | [_])
}

/// Rendered, and made sure to be harmless.
#[track_caller]
fn render(text: &str) -> String {
    let blocks = super::render(text);
    for block in &blocks {
        assert_eq!(fault(block), None, "in {block:.2000} of {text:.2000}");
    }
    blocks.concat()
}
