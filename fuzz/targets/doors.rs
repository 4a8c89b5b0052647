//! The whole site, its doors and server functions, in front of whatever a browser may send: nothing fails, no other site's page
//! gets in, nobody sees what is somebody else's, and no words become elements of a page.
//!
//! Input: a request as HTTP/1.1 writes it, without the version. `{cookie}` is a cookie of ours, `{own}` a conversation of
//! its session; `{turn}`, `{conversation}` and `{file}` belong to somebody else.
#![no_main]

use std::{
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use anteroom::{
    engine::Engine,
    logs::Logs,
    sessions::SessionId,
    settings::Settings,
    wire::{FileView, Sent},
};
use anteroom_app::server::pages;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, Uri, header},
};
use html5ever::{
    TokenizerResult,
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};
use http_body_util::BodyExt as _;
use libfuzzer_sys::{Corpus, fuzz_target};
use tokio::{runtime::Runtime, time::timeout};
use tower::ServiceExt as _;
use uuid::Uuid;

const HOST: &str = "chat.example";
const TURN: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
const OWN_TURN: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002);
/// Somebody else's words, in a message, a title and a file.
const SECRET: &str = "quetzalcoatlus";
/// The title of the conversation of ours. Requests may give it another.
const TITLE: &str = "</title></script></textarea>--><meta http-equiv=refresh content=0><form action=/api/forget><img src=x onerror=alert(1)>";
/// No honest request takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(20);

static SITE: LazyLock<Mutex<Site>> = LazyLock::new(|| Mutex::new(Site::new()));

fuzz_target!(|data: &[u8]| -> Corpus {
    let site = SITE.lock().expect("a panic ends the process");
    site.check(data)
});

/// A site with two visitors.
struct Site {
    runtime: Runtime,
    site: Router,
    places: [(&'static str, String); 5],
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // Whoever starts this clears it away: xtask gives each run a TMPDIR of its own.
        let data = tempfile::tempdir().expect("a folder").keep();
        let (site, cookies) = runtime.block_on(async {
            let variables = [
                ("DATA_DIR", data.display().to_string()),
                ("DEMO_FIRST_TOKEN", "0".to_owned()),
                ("DEMO_SPEED", "100000".to_owned()),
                ("MAX_UPLOAD_SIZE", "100kB".to_owned()),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            // This program would read its fuzz: no document is taken here.
            anteroom::papers::read_with("/nowhere/reads".into());
            let loaded = Settings::load(variables, None).expect("good settings");
            let engine = Engine::start(loaded, Logs::default()).await.expect("an engine");
            let cookie = |number| {
                let set = engine
                    .jar()
                    .set_cookies(SessionId(Uuid::from_u128(number)), "")
                    .remove(0);
                set.split(';').next().unwrap_or_default().to_owned()
            };
            (pages::router(&Arc::clone(&engine)), (cookie(1), cookie(2)))
        });
        let mut site = Self {
            runtime,
            site,
            places: ["{cookie}", "{own}", "{turn}", "{conversation}", "{file}"].map(|place| (place, String::new())),
        };
        let (own, other) = cookies;
        let own_conversation = site.send(&own, OWN_TURN, "hello").conversation.to_string();
        site.expect(&format!(
            "POST /api/rename\nhost: {HOST}\ncookie: {own}\ncontent-type: application/x-www-form-urlencoded\n\n\
             conversation={own_conversation}&title={TITLE}"
        ));
        let conversation = site.send(&other, TURN, SECRET).conversation.to_string();
        let file = site.expect(&format!(
            "POST /files?name={SECRET}.txt\nhost: {HOST}\ncookie: {other}\n\n{SECRET}"
        ));
        let file: FileView = serde_json::from_slice(&file.body).expect("a file");
        let values = [
            own,
            own_conversation,
            TURN.to_string(),
            conversation,
            file.id.to_string(),
        ];
        for ((_, place), value) in site.places.iter_mut().zip(values) {
            *place = value;
        }
        site
    }

    fn send(&self, cookie: &str, turn: Uuid, text: &str) -> Sent {
        let sent = self.expect(&format!(
            "POST /api/send\nhost: {HOST}\ncookie: {cookie}\ncontent-type: application/json\n\n\
             {{\"request\":{{\"turn\":\"{turn}\",\"conversation\":null,\"text\":\"{text}\",\"files\":[]}}}}"
        ));
        serde_json::from_slice(&sent.body).expect("a message that was sent")
    }

    fn expect(&self, request: &str) -> Answer {
        let answer = self.ask(read(request.as_bytes()).expect("a request"));
        let body = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{request}: {} {body}", answer.status);
        answer
    }

    fn ask(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let whole = async {
                let Ok(response) = self.site.clone().oneshot(request).await;
                let (parts, body) = response.into_parts();
                let body = body.collect().await.map(|body| body.to_bytes().to_vec());
                Answer {
                    status: parts.status,
                    headers: parts.headers,
                    body: body.unwrap_or_default(),
                }
            };
            timeout(PATIENCE, whole).await.expect("an answer in time")
        })
    }

    fn check(&self, data: &[u8]) -> Corpus {
        let mut text = String::from_utf8_lossy(data).into_owned();
        for (place, value) in &self.places {
            text = text.replace(place, value);
        }
        let Some(request) = read(text.as_bytes()) else {
            return Corpus::Reject;
        };
        let refused = must_be_refused(&request);
        let answer = self.ask(request);
        let status = answer.status;
        assert!(
            !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE,
            "{status} for {text}"
        );
        assert!(!refused || status == StatusCode::FORBIDDEN, "{status} for {text}");
        for name in [
            header::X_CONTENT_TYPE_OPTIONS,
            header::CONTENT_SECURITY_POLICY,
            header::REFERRER_POLICY,
        ] {
            assert!(answer.headers.contains_key(&name), "{name} is missing for {text}");
        }
        if let Some(to) = answer.headers.get(header::LOCATION) {
            let to = to.as_bytes();
            let elsewhere = !to.starts_with(b"/") || to.starts_with(b"//") || to.contains(&b'\\');
            assert!(!elsewhere, "{to:?} for {text}");
        }
        let body = String::from_utf8_lossy(&answer.body);
        let kind = answer.headers.get(header::CONTENT_TYPE);
        if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
            read_page(&body);
        }
        // Who brings the words along may get them back.
        let shown = body.contains(SECRET)
            || answer.headers.values().any(|value| {
                value
                    .as_bytes()
                    .windows(SECRET.len())
                    .any(|part| part == SECRET.as_bytes())
            });
        assert!(
            !shown || text.contains(SECRET),
            "somebody else's words for {text}: {body}"
        );
        Corpus::Keep
    }
}

/// A request that changes something, from a page that names another origin than ours.
fn must_be_refused(request: &Request<Body>) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let watched = ["/health", "/metrics"].contains(&request.uri().path());
    !reads && !watched && header(header::HOST) == Some(HOST) && header(header::ORIGIN) == Some("http://evil.example")
}

/// Reads a page as a browser does, and sees that nothing in it is of another making.
fn read_page(html: &str) {
    let tokenizer = Tokenizer::new(Page, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
    tokenizer.end();
}

struct Page;

impl TokenSink for Page {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else {
            return TokenSinkResult::Continue;
        };
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        check_tag(&tag);
        match &*tag.name {
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "style" => TokenSinkResult::RawData(RawKind::Rawtext),
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            _ => TokenSinkResult::Continue,
        }
    }
}

fn check_tag(tag: &Tag) {
    let value = |name: &str| {
        let mut all = tag.attrs.iter();
        all.find(|attribute| &*attribute.name.local == name)
            .map(|attribute| &*attribute.value)
    };
    for attribute in &tag.attrs {
        assert!(!attribute.name.local.starts_with("on"), "{tag:?}");
    }
    match &*tag.name {
        "script" => assert!(
            match value("src") {
                Some(file) => is_own(file),
                None => value("nonce").is_some(),
            },
            "{tag:?}"
        ),
        // A page without scripts loads itself anew, and nothing else, while something waits.
        "meta" => assert!(
            value("http-equiv").is_none_or(|what| {
                let again = value("content").unwrap_or_default();
                what == "refresh" && !again.is_empty() && again.bytes().all(|byte| byte.is_ascii_digit())
            }),
            "{tag:?}"
        ),
        // Those that scripts take over have none; the language is chosen with words behind it.
        "form" => assert!(
            value("action").is_none_or(|action| is_own(action) || action.starts_with("/language?to=")),
            "{tag:?}"
        ),
        "base" | "iframe" | "object" | "embed" | "plaintext" => panic!("{tag:?}"),
        _ => {}
    }
}

/// Whether this is an address of the site without anything from outside in it.
fn is_own(address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/._-".contains(&byte);
    address.starts_with('/') && !address.starts_with("//") && address.bytes().all(plain)
}

/// `METHOD address`, lines of headers, a blank line, the body.
fn read(text: &[u8]) -> Option<Request<Body>> {
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(end) => (&text[..end], &text[end + 2..]),
        None => (text, &b""[..]),
    };
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let (method, address) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder()
        .method(method)
        .uri(address.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'))?);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    request.body(Body::from(body.to_vec())).ok()
}
