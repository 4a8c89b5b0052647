//! Words that are made to be taken for something else, in every place that shows them: no element or attribute appears that is not
//! ours, no header breaks, and the words arrive whole.

mod doors;
mod table;
mod world;

pub(crate) use doors::with_bodies;
pub(crate) use world::World;

use anteroom::{
    files::titled,
    wire::{ConversationId, FileView, SearchResults, TurnId},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::{Client, header, redirect};

use crate::{
    along,
    support::{Browser, Feed, Html, Site, request},
};

/// Nothing in these is taken for anything.
pub(crate) const PLAIN: &str = "plain words";

const HOSTILE: [&str; 20] = [
    "What does </title> do in HTML?",
    "</title><meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "</title></head><body><form method=post action=/api/forget><button>Go on</button></form>",
    "</title><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<script>alert(1)",
    "</noscript><img src=x onerror=alert(1)>",
    "<!--",
    "--><img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]><svg onload=alert(1)>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "</textarea></p></main></body></html><plaintext>",
    "&lt;b&gt; &amp;lt; &#60;b&#62; &quot",
    "`${alert(1)}` \\u003cb\\u003e \\x3c",
    "exe.txt\u{202E}gpj \u{2066}x\u{2069} \u{200F}שלום",
    "😀 𝒽𝑜𝓈𝓉𝒾𝓁𝑒 \u{10FFFF}",
    "..%2f..%5c%00 {{7*7}} ${7*7} %3Cb%3E",
];

/// What is no title and no file name, but may stand in a message.
const LINES: [&str; 3] = [
    "one\r\n</p>\rtwo\n\n\n<b>three",
    "nul\0in\0between <i>",
    "\u{2028}</script>\u{2029}\u{b}\u{c}\u{1b}[31m <u>",
];

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As a browser's parser hands a text on.
fn parsed(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

async fn page(browser: &Browser, path: &str) -> Html {
    let page = browser.get(path).header(header::ACCEPT, "text/html");
    Html::read(&browser.ask(page.header(header::ACCEPT_ENCODING, "identity")).await.text)
}

/// A browser with one conversation that is called by these words and holds a file that is called so, too.
struct Visitor {
    browser: Browser,
    conversation: ConversationId,
    file: FileView,
    feed: Feed,
}

impl Visitor {
    async fn new(site: &Site, words: &str) -> Self {
        let browser = site.browser().await;
        let file = browser.uploaded(&encoded(&format!("{words}.txt")), "content").await;
        let mut feed = browser.feed().await;
        let sent = browser.send_with(None, "hello", vec![file.id]).await;
        feed.over(sent.turn).await;
        let id = sent.conversation.to_string();
        let renamed = browser.call("rename", &[("conversation", &id), ("title", words)]).await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
        Self {
            browser,
            conversation: sent.conversation,
            file,
            feed,
        }
    }

    async fn pages(&self) -> Vec<(String, Html)> {
        let own = format!("/c/{}", self.conversation);
        let mut pages = Vec::new();
        for path in ["/", &own, "/stats", "/logs", "/data"] {
            pages.push((path.to_owned(), page(&self.browser, path).await));
        }
        pages
    }
}

#[tokio::test]
async fn titles_and_file_names_are_words_everywhere() {
    let site = Site::start(&[]).await;
    let plain = Visitor::new(&site, PLAIN).await.pages().await;
    for words in HOSTILE {
        let mut visitor = Visitor::new(&site, words).await;
        for ((path, html), (_, plain)) in visitor.pages().await.iter().zip(&plain) {
            assert_eq!(html.shape, plain.shape, "{path} of {words}");
            assert_eq!(html.scripted, plain.scripted, "{path} of {words}");
            assert!(html.says(words), "{path} of {words}: {:?}", html.texts);
            let is_own = path.starts_with("/c/");
            let title = format!("{words} · Anteroom");
            assert_eq!(html.text("title") == title, is_own, "{path} of {words}");
            assert_eq!(html.says(&visitor.file.name), is_own, "{path} of {words}");
        }
        exports(&visitor, words).await;
        let id = visitor.conversation;
        let found: SearchResults = visitor.browser.call("search", &[("text", words)]).await.json();
        let hit = &found.found[0];
        assert_eq!((&*hit.conversation.title, &*hit.excerpt.1), (words, words));
        visitor
            .feed
            .until("the title in an event", |feed| {
                feed.conversations.get(&id).is_some_and(|title| title == words)
            })
            .await;
    }
}

/// A conversation as files, and its own file back.
async fn exports(visitor: &Visitor, words: &str) {
    let named = |response: &reqwest::Response, kind: &str, name: &str| {
        let value = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .expect("ASCII")
            .to_owned();
        let rest = value.strip_prefix(&format!("{kind}; filename=\"")).expect(&value);
        let (ascii, whole) = rest.split_once("\"; filename*=UTF-8''").expect(&value);
        assert!(!ascii.contains(['"', '\\', '%', '/']), "{value}");
        assert!(whole.chars().all(|c| c.is_ascii_alphanumeric() || c == '%'), "{value}");
        assert_eq!(percent_decode_str(whole).decode_utf8().expect("UTF-8"), name, "{value}");
    };
    for ending in ["md", "json"] {
        let path = format!("/export/{}.{ending}", visitor.conversation);
        let response = visitor.browser.get(&path).send().await.expect("an answer");
        named(&response, "attachment", &titled(words, ending));
        let kind = response.headers()[header::CONTENT_TYPE]
            .to_str()
            .expect("ASCII")
            .to_owned();
        assert!(!kind.contains("html"), "{kind}");
        let text = response.text().await.expect("text");
        if ending == "json" {
            let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(json["title"], words);
            assert_eq!(json["turns"][0]["files"][0]["name"], visitor.file.name);
        } else {
            assert!(text.starts_with(&format!("# {words}\n")), "{text}");
            assert!(text.contains(&format!("\n- {} (", visitor.file.name)), "{text}");
        }
    }
    let path = format!("/files/{}", visitor.file.id);
    let response = visitor.browser.get(&path).send().await.expect("an answer");
    named(&response, "attachment", &visitor.file.name);
}

#[tokio::test]
async fn messages_are_words_on_their_pages() {
    let site = Site::start(&[]).await;
    // Each page is to be seen while the answer is on its way.
    site.model.hold(true);
    let visit = async |words: &str| {
        let browser = site.browser().await;
        let sent = browser.send(words).await;
        let mut feed = browser.feed().await;
        feed.until_state(sent.turn, |state| *state == anteroom::wire::TurnState::Running)
            .await;
        // Another one stands behind it.
        browser.send_with(Some(sent.conversation), words, Vec::new()).await;
        let pages = [
            page(&browser, &format!("/c/{}", sent.conversation)).await,
            page(&browser, "/").await,
        ];
        let view = browser.conversation(sent.conversation).await.expect("it is there");
        assert_eq!(view.turns[0].message, words);
        // The line is drawn on each page, and is to look the same on the next.
        assert!(browser.cancel(sent.turn).await);
        site.until_load(0, 0).await;
        (browser, sent, pages)
    };
    // The doors show how far an answer is only where the line knows from one before how long it takes.
    visit(PLAIN).await;
    let (_, _, plain) = visit(PLAIN).await;
    for words in HOSTILE.into_iter().chain(LINES) {
        let (browser, sent, [own, other]) = visit(words).await;
        assert_eq!(own.shape, plain[0].shape, "{words:?}");
        assert_eq!(own.scripted, plain[0].scripted, "{words:?}");
        assert_eq!(other.shape, plain[1].shape, "{words:?}");
        let said = own.texts.iter().filter(|(_, text)| text.contains(&parsed(words)));
        assert!(said.count() >= 2, "{words:?}: {:?}", own.texts);
        let json = browser.get(&format!("/export/{}.json", sent.conversation));
        let json: serde_json::Value = browser.ask(json).await.json();
        assert_eq!(json["turns"][0]["message"], words);
    }
    site.model.hold(false);
}

#[tokio::test]
async fn pages_that_refuse_show_words_as_words() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let refused = async |words: &str| {
        let mut pages = Vec::new();
        for address in ["/nowhere/", "/c/", "/operator?key="] {
            pages.push(page(&browser, &format!("{address}{}", encoded(words))).await);
        }
        let form = browser
            .post("/api/send_form")
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, format!("http://{}/c/{}", browser.addr, encoded(words)))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!(
                "turn={}&conversation={}&text={}",
                TurnId::new(),
                ConversationId::new(),
                encoded(words)
            ));
        let unsent = Html::read(&browser.ask(form).await.text);
        assert!(unsent.says(&parsed(words)), "{words:?}: {:?}", unsent.texts);
        pages.push(unsent);
        pages
    };
    let plain = refused(PLAIN).await;
    assert_eq!(plain[3].text("h1"), "Your message was not sent");
    for words in HOSTILE.into_iter().chain(LINES) {
        for (html, plain) in refused(words).await.iter().zip(&plain) {
            assert_eq!(html.shape, plain.shape, "{words:?}");
            assert_eq!(html.scripted, plain.scripted, "{words:?}");
        }
    }
}

#[tokio::test]
async fn guests_are_shown_words_as_words() {
    let site = Site::start(&[]).await;
    let shown = async |words: &str| {
        let visitor = Visitor::new(&site, words).await;
        let sent = visitor
            .browser
            .send_with(Some(visitor.conversation), words, Vec::new())
            .await;
        let mut feed = visitor.browser.feed().await;
        feed.over(sent.turn).await;
        let html = along::shown(&site, &visitor.browser, visitor.conversation).await;
        let says = html.says(&parsed(words)) && html.says(&visitor.file.name);
        assert!(says, "{words:?}: {:?}", html.texts);
        html
    };
    let plain = shown(PLAIN).await;
    for words in HOSTILE {
        let html = shown(words).await;
        let shapes = (&html.shape, &html.scripted);
        assert_eq!(shapes, (&plain.shape, &plain.scripted), "{words:?}");
    }
}

#[tokio::test]
async fn a_form_leads_to_a_conversation_and_nowhere_else() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .expect("a client");
    for words in HOSTILE {
        let message = request(None, words, Vec::new());
        let form = client
            .post(format!("http://{}/api/send_form", browser.addr))
            .header(header::COOKIE, &browser.cookie)
            .header(header::ACCEPT, "text/html")
            .header(header::REFERER, "http://evil.example/")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("turn={}&text={}", message.turn, encoded(words)));
        let answer = form.send().await.expect("an answer");
        assert!(answer.status().is_redirection(), "{answer:?}");
        let location = answer.headers()[header::LOCATION].to_str().expect("ASCII");
        let id = location
            .strip_prefix("/c/")
            .and_then(|id| id.parse::<ConversationId>().ok());
        assert!(id.is_some(), "{location}");
    }
}
