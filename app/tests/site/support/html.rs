//! A page as a browser's parser reads it: which elements and attributes it has, and which words.

use std::cell::{Cell, RefCell};

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

/// What was found in one page.
#[derive(Debug, Default)]
pub(crate) struct Html {
    /// Tags with the names of their attributes, and comments, in order. Not those of an answer: that is made of other HTML.
    pub(crate) shape: Vec<String>,
    /// The same as a browser has it that runs scripts: to that, what stands in `<noscript>` is text.
    pub(crate) scripted: Vec<String>,
    /// Texts, each with the name of the element it stands in.
    pub(crate) texts: Vec<(String, String)>,
}

impl Html {
    pub(crate) fn read(html: &str) -> Self {
        let scripted = Self::read_by(html, true).shape;
        Self {
            scripted,
            ..Self::read_by(html, false)
        }
    }

    fn read_by(html: &str, scripts: bool) -> Self {
        let reader = Reader {
            scripts,
            ..Reader::default()
        };
        let tokenizer = Tokenizer::new(reader, TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        while let html5ever::TokenizerResult::Script(()) = tokenizer.feed(&input) {}
        tokenizer.end();
        tokenizer.sink.found.into_inner()
    }

    /// All text within elements of this name.
    pub(crate) fn text(&self, element: &str) -> String {
        let texts = self.texts.iter().filter(|(within, _)| within == element);
        texts.map(|(_, text)| text.as_str()).collect()
    }

    /// Whether these words stand somewhere, whole.
    pub(crate) fn says(&self, words: &str) -> bool {
        self.texts.iter().any(|(_, text)| text.contains(words))
    }
}

#[derive(Default)]
struct Reader {
    scripts: bool,
    found: RefCell<Html>,
    /// The element that was opened or closed last.
    within: RefCell<String>,
    /// How deep within an answer.
    answer: Cell<usize>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => return self.tag(&tag),
            Token::CharacterTokens(text) => self.text(&text),
            Token::NullCharacterToken => self.text("\0"),
            Token::CommentToken(text) if self.answer.get() == 0 => {
                self.found.borrow_mut().shape.push(format!("<!--{text}-->"));
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn text(&self, text: &str) {
        let (mut found, within) = (self.found.borrow_mut(), self.within.borrow());
        match found.texts.last_mut() {
            Some((last, known)) if *last == *within => known.push_str(text),
            _ => found.texts.push((within.clone(), text.to_owned())),
        }
    }

    fn tag(&self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.to_string();
        let opens = tag.kind == TagKind::StartTag;
        let is_answer = tag.attrs.iter().any(|attribute| {
            attribute.name.local == *"class" && attribute.value.split(' ').any(|class| class == "block")
        });
        let depth = self.answer.get();
        if depth == 0 && !is_answer {
            let mut shape = if opens { format!("<{name}") } else { format!("</{name}") };
            for attribute in &tag.attrs {
                shape.push(' ');
                shape.push_str(&attribute.name.local);
            }
            shape.push('>');
            self.found.borrow_mut().shape.push(shape);
        }
        // Blocks of an answer are `div`s, as are some elements in them.
        if name == "div" && (depth > 0 || is_answer) {
            self.answer.set(if opens { depth + 1 } else { depth - 1 });
        }
        // Two texts of one element that others lie between are two.
        self.found.borrow_mut().texts.push((name.clone(), String::new()));
        *self.within.borrow_mut() = name.clone();
        if !opens {
            return TokenSinkResult::Continue;
        }
        match name.as_str() {
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "noscript" if self.scripts => TokenSinkResult::RawData(RawKind::Rawtext),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            _ => TokenSinkResult::Continue,
        }
    }
}
