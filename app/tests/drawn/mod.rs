//! A tab as the server has drawn it, read as a browser's parser reads it.

use std::cell::RefCell;

use html5ever::{
    tendril::StrTendril,
    tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts},
};

/// Elements that have no end.
const VOID: [&str; 2] = ["input", "link"];

/// What a feed has brought of a tab.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// As it came.
    pub(crate) html: String,
    all: Element,
}

/// One element, and what stands in it.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    inside: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Element(Element),
    Text(String),
}

/// A row of a table of figures.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) wrong: String,
    /// Each with its head.
    cells: Vec<(String, String)>,
}

impl Row {
    /// What stands below this head.
    pub(crate) fn cell(&self, head: &str) -> &str {
        let cell = self.cells.iter().find(|(known, _)| known == head);
        let (_, text) = cell.unwrap_or_else(|| panic!("no {head}: {self:?}"));
        text
    }
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All text within.
    pub(crate) fn text(&self) -> String {
        let text = |node: &Node| match node {
            Node::Element(element) => element.text(),
            Node::Text(text) => text.clone(),
        };
        self.inside.iter().map(text).collect::<String>().trim().to_owned()
    }

    /// Every element within that `is` what is looked for, in order.
    pub(crate) fn find(&self, is: &dyn Fn(&Self) -> bool) -> Vec<&Self> {
        let mut found = Vec::new();
        for node in &self.inside {
            let Node::Element(element) = node else { continue };
            found.extend(is(element).then_some(element));
            found.extend(element.find(is));
        }
        found
    }

    /// Every element within of this kind.
    pub(crate) fn elements(&self, name: &str) -> Vec<&Self> {
        self.find(&|element| element.name == name)
    }
}

impl Drawn {
    pub(crate) fn read(html: &str) -> Self {
        let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(html));
        while let html5ever::TokenizerResult::Script(()) = tokenizer.feed(&input) {}
        tokenizer.end();
        let mut open = tokenizer.sink.open.into_inner();
        assert_eq!(open.len(), 1, "every element has its end: {html}");
        Self {
            html: html.to_owned(),
            all: open.remove(0),
        }
    }

    /// What tests know by this name, in order.
    pub(crate) fn all(&self, hook: &str) -> Vec<&Element> {
        self.all.find(&|element| element.attribute("data-testid") == Some(hook))
    }

    /// The only one.
    pub(crate) fn one(&self, hook: &str) -> &Element {
        let all = self.all(hook);
        let [one] = all[..] else {
            panic!("{} of {hook}: {}", all.len(), self.html)
        };
        one
    }

    /// The style sheets that it names.
    pub(crate) fn sheets(&self) -> Vec<&str> {
        let links = self.all.elements("link").into_iter();
        links.filter_map(|link| link.attribute("href")).collect()
    }

    /// Those that have a class.
    pub(crate) fn of_class(&self, class: &str) -> Vec<&Element> {
        let has = |element: &Element| {
            element
                .attribute("class")
                .is_some_and(|all| all.split(' ').any(|one| one == class))
        };
        self.all.find(&has)
    }

    /// The rows of a table of figures.
    pub(crate) fn rows(&self, hook: &str) -> Vec<Row> {
        let row = |row: &Element| {
            let smalls: Vec<_> = row.elements("small").into_iter().map(Element::text).collect();
            let [about, wrong] = <[String; 2]>::try_from(smalls).expect("what there is to say, and what is wrong");
            let cells = row.elements("td").into_iter();
            let cells = cells.map(|cell| (cell.attribute("data-label").expect("its head").to_owned(), cell.text()));
            Row {
                name: row.attribute("data-name").expect("a name").to_owned(),
                about,
                wrong,
                cells: cells.collect(),
            }
        };
        self.all(hook).into_iter().map(row).collect()
    }

    /// A setting as it is shown: its value, and what else is said of it.
    pub(crate) fn setting(&self, name: &str) -> (String, String) {
        let rows = self.all("setting").into_iter();
        let row = rows
            .filter(|row| row.attribute("data-name") == Some(name))
            .collect::<Vec<_>>();
        let [row] = row[..] else {
            panic!("{} rows of {name}", row.len())
        };
        let code = row.elements("code");
        let [known, value] = code[..] else { panic!("{row:?}") };
        assert_eq!(known.text(), name);
        let note = row.elements("span").into_iter().map(Element::text).collect();
        (value.text(), note)
    }
}

struct Reader {
    /// What has been opened and has not ended, around which there is one of no name.
    open: RefCell<Vec<Element>>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            open: RefCell::new(vec![Element::default()]),
        }
    }
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => self.tag(&tag),
            Token::CharacterTokens(text) => self.put(Node::Text(text.to_string())),
            Token::CommentToken(text) => panic!("nobody reads comments: {text}"),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Reader {
    fn put(&self, node: Node) {
        let mut open = self.open.borrow_mut();
        open.last_mut().expect("what is around all").inside.push(node);
    }

    fn tag(&self, tag: &Tag) {
        let name = tag.name.to_string();
        if tag.kind == TagKind::EndTag {
            let ended = self.open.borrow_mut().pop().expect("it was opened");
            assert_eq!(ended.name, name, "each ends what was opened last");
            self.put(Node::Element(ended));
            return;
        }
        let attributes = tag.attrs.iter();
        let attributes = attributes.map(|one| (one.name.local.to_string(), one.value.to_string()));
        let element = Element {
            name,
            attributes: attributes.collect(),
            inside: Vec::new(),
        };
        match tag.self_closing || VOID.contains(&element.name.as_str()) {
            true => self.put(Node::Element(element)),
            false => self.open.borrow_mut().push(element),
        }
    }
}
