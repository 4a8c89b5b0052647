//! What becomes at every door of words that are made to be taken for something else.

use std::collections::{BTreeMap, BTreeSet};

use anteroom::wire::{RefreshKind, TurnId};
use anteroom_app::server::pages;
use futures_util::{StreamExt as _, future, stream};
use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};

use super::{
    HOSTILE, PLAIN, encoded, parsed,
    table::{DOORS, Door, Says, Verb, Who},
    world::World,
};
use crate::support::{Browser, Html, soon};
use Door::{Data, Deletes, Feed, Page, Sent};

/// Every path that the router knows, as it tells them itself: there is no other way to ask it. Files that were made with the build are left out:
/// nobody's words are in those.
fn routes(world: &World) -> BTreeSet<String> {
    let told = format!("{:?}", pages::router(&world.site.engine));
    let (routes, fallbacks) = told.split_once("fallback_router").expect("its form");
    assert!(fallbacks.contains("RouteId"), "its form");
    let (_, paths) = routes.rsplit_once("node: Node").expect("its form");
    let paths = paths.split("RouteId(").skip(1);
    let paths = paths.map(|path| path.split('"').nth(1).expect("a path").to_owned());
    let is_made = |path: &String| {
        let last = path.rsplit('/').next().unwrap_or_default();
        path.starts_with("/pkg/") || (last.contains('.') && !last.contains('{'))
    };
    paths.filter(|path| !is_made(path)).collect()
}

#[tokio::test]
async fn every_door_is_decided_about() {
    let world = World::of(PLAIN).await;
    let decided: BTreeSet<_> = DOORS.iter().map(|(route, _)| (*route).to_owned()).collect();
    let known = routes(&world);
    assert_eq!(
        known.difference(&decided).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "look at these, too"
    );
    assert_eq!(
        decided.difference(&known).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "these are not there any more"
    );
}

/// What a door has answered.
struct Answer {
    about: String,
    kind: String,
    text: String,
}

impl Answer {
    /// What is true of every answer: no header has anything that is not ours, and browsers are told to take it for nothing else.
    async fn read(about: String, words: &str, response: Response) -> Self {
        let headers = response.headers();
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{about}");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{about}");
        let names: BTreeSet<_> = headers.keys().map(header::HeaderName::as_str).collect();
        for name in &names {
            for value in headers.get_all(*name) {
                let value = value.as_bytes();
                assert!(
                    value.iter().all(|byte| (32..127).contains(byte)),
                    "{about}: {name}: {value:?}"
                );
                // A file is called what it is called, within quotes.
                let is_quoted = *name == header::CONTENT_DISPOSITION && !words.contains(['"', '\\']);
                let raw =
                    words != PLAIN && !is_quoted && value.windows(words.len()).any(|part| part == words.as_bytes());
                assert!(!raw, "{about}: {name}");
            }
        }
        if let Some(location) = headers.get(header::LOCATION) {
            let location = location.as_bytes();
            let elsewhere = !location.starts_with(b"/") || location.starts_with(b"//") || location.contains(&b'\\');
            assert!(!elsewhere, "{about}: {location:?}");
        }
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.map_or(String::new(), |kind| kind.to_str().expect("ASCII").to_owned());
        let text = String::from_utf8_lossy(&response.bytes().await.expect("a body")).into_owned();
        Self { about, kind, text }
    }

    fn is_page(&self) -> bool {
        ["html", "xml", "svg"].iter().any(|kind| self.kind.contains(kind))
    }

    /// Whether the words stand there whole, in text or in a text of JSON.
    fn says(&self, words: &str) -> bool {
        fn within(value: &Value, words: &str) -> bool {
            match value {
                Value::String(text) => text.contains(words),
                Value::Array(all) => all.iter().any(|one| within(one, words)),
                Value::Object(all) => all.values().any(|one| within(one, words)),
                _ => false,
            }
        }
        let lines = self
            .text
            .lines()
            .map(|line| line.strip_prefix("data: ").unwrap_or(line));
        let mut json = lines
            .chain([&*self.text])
            .filter_map(|text| serde_json::from_str(text).ok());
        self.text.contains(words) || json.any(|value| within(&value, words))
    }
}

impl World {
    /// A request to a door, which has no words in it but those of a program.
    fn asked(&self, who: Who, verb: Verb, path: &str) -> RequestBuilder {
        let nobody = Browser {
            cookie: String::new(),
            ..self.browser.clone()
        };
        let request = match (who, verb) {
            (Who::Guest, _) => self.of_guest(path),
            (Who::Program, Verb::Get) => self.program.get(path),
            (Who::Program, Verb::Delete) => self.program.delete(path),
            (Who::Program, Verb::Patch) => self.program.patch(path, &self.fields(Ids::Good)),
            (Who::Program, Verb::Post) => self.program.post(path, &self.fields(Ids::Good)),
            (Who::Owner, Verb::Get) => self.browser.get(path),
            (Who::Owner, _) => self.browser.post(path),
            (Who::Nobody, Verb::Get) => nobody.get(path),
            (Who::Nobody, _) => nobody.post(path),
        };
        request.header(header::ACCEPT_ENCODING, "identity")
    }

    async fn answer(&self, about: String, request: RequestBuilder) -> Answer {
        let response = soon(&about, request.send()).await.expect("an answer");
        Answer::read(about, &self.words, response).await
    }

    /// Everything that anything is asked with.
    fn fields(&self, ids: Ids) -> Value {
        let words = json!(self.words);
        let id = |known: String| if ids == Ids::Good { json!(known) } else { words.clone() };
        json!({
            "confirmation": self.confirmation,
            "conversation": id(self.conversation.to_string()), "id": id(self.conversation.to_string()),
            "turn": id(self.turn.to_string()), "before": id(self.turn.to_string()), "new": id(TurnId::new().to_string()),
            "after": id(self.conversation.to_string()), "key": id(self.key.clone()), "pass": id(self.task.clone()),
            "server": id("own".to_owned()), "uri": id("test://one".to_owned()), "kind": id("watch".to_owned()),
            "step": id("0".to_owned()), "answer": id("once".to_owned()), "lives": id("0".to_owned()), "chat": "yes",
            "span": id("hour".to_owned()), "offset": id("0".to_owned()), "pinned": id("true".to_owned()),
            "text": words, "title": words, "name": words, "secret": words, "value-key": words, "with.x": words,
            "message": words, "system": words, "input": words, "metadata": { "row": words },
            "messages": [{ "role": "user", "content": words }],
            "request": {
                "turn": id(TurnId::new().to_string()), "conversation": null, "instead_of": null, "text": words, "files": [],
                "choice": null,
            },
            "choice": {
                "model": words, "instructions": words, "temperature": null, "max_tokens": null, "without_tools": false,
            },
        })
    }

    /// The same as a form sends it.
    fn form(&self, ids: Ids) -> String {
        let fields = self.fields(ids);
        let fields = fields.as_object().expect("fields").iter();
        let pairs = fields.filter_map(|(name, value)| Some(format!("{name}={}", encoded(value.as_str()?))));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A GET of each door, with what is wrong with its answer. Pages are told by their elements.
    async fn look(&self) -> BTreeMap<String, Html> {
        let mut pages = BTreeMap::new();
        for (nth, (route, door)) in DOORS.iter().enumerate() {
            let (who, path, says) = match *door {
                Page(who, path, says) | Data(who, path, says) => (who, path, says),
                Sent(..) | Deletes | Feed => continue,
            };
            let about = format!("{nth} {route} for {who:?}");
            let request = self.asked(who, Verb::Get, &self.path(path));
            let request = request.header(header::ACCEPT, "text/html,*/*;q=0.8");
            let answer = self.answer(about.clone(), request).await;
            let words = parsed(&self.words);
            assert_eq!(
                answer.is_page(),
                matches!(door, Page(..)),
                "{about}: {}: {}",
                answer.kind,
                self.words
            );
            if answer.is_page() {
                let html = Html::read(&answer.text);
                let known = html.says(&words) || html.says(&self.prompt());
                assert_eq!(known, says == Says::Words, "{about}: {words}: {:?}", html.texts);
                pages.insert(about, html);
            } else {
                // What the door itself was asked for may come back.
                assert!(
                    says == Says::Nothing || answer.says(&self.words),
                    "{about}: {words}: {}",
                    answer.text
                );
            }
        }
        pages
    }

    /// Everything that may be sent to a door is sent. The elements of whatever HTML is answered.
    async fn send(&self) -> Vec<(String, Html)> {
        let mut pages = Vec::new();
        for ((route, door), ids) in DOORS.iter().flat_map(|door| [(door, Ids::Bad), (door, Ids::Good)]) {
            let (who, verb, path) = match *door {
                Sent(who, verb, path) => (who, verb, self.path(path)),
                Deletes => (Who::Owner, Verb::Post, "/api/forget".to_owned()),
                Page(..) | Data(..) | Feed => continue,
            };
            for accepts in ["text/html", "*/*"] {
                let about = format!("{verb:?} {route} for {accepts}, {ids:?} ids");
                let request = self.asked(who, verb, &path).header(header::ACCEPT, accepts);
                let request = request.header("x-asked-by", "page");
                let request = match (who, door) {
                    (Who::Program, _) => request,
                    (_, Deletes) => request
                        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .body(format!("confirmation={}", encoded(&self.words))),
                    _ if *route == "/api/send" || *route == "/api/choose" => request
                        .header(header::CONTENT_TYPE, "application/json")
                        .body(self.fields(ids).to_string()),
                    _ => request
                        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                        .body(self.form(ids)),
                };
                let answer = self.answer(about, request).await;
                if answer.is_page() {
                    pages.push((answer.about.clone(), Html::read(&answer.text)));
                }
            }
        }
        pages
    }
}

/// A request of each door that may read a body, without one.
pub(crate) fn with_bodies(world: &World) -> Vec<(String, RequestBuilder)> {
    let requests = DOORS.iter().filter_map(|(route, door)| {
        let (who, verb, path) = match *door {
            Sent(who, verb, path) => (who, verb, world.path(path)),
            Deletes => (Who::Owner, Verb::Post, "/api/forget".to_owned()),
            Page(..) | Data(..) | Feed => return None,
        };
        let request = world.asked(who, verb, &path).header("x-asked-by", "page");
        Some((format!("{verb:?} {path} ({route})"), request))
    });
    requests.collect()
}

/// Whether what names something names anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ids {
    Good,
    Bad,
}

/// All elements of what is drawn, each once: how many rows there are depends on what has happened by then.
fn kinds(html: &str) -> BTreeSet<String> {
    Html::read(html).shape.into_iter().collect()
}

impl World {
    /// What feeds bring that pages put into themselves as HTML.
    async fn drawn(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut drawn = BTreeMap::new();
        let mut feed = self.browser.feed().await;
        for (name, kind) in [("stats", RefreshKind::Stats), ("logs", RefreshKind::Logs)] {
            self.browser.refresh(kind).await;
            let tab = feed.drawn(kind).await.expect("they have not come before");
            drawn.insert(name, kinds(&tab.html));
        }
        let view = self.browser.conversation(self.conversation).await.expect("it is there");
        let step = &view.turns[0].steps[0];
        assert!(
            Html::read(&step.result).says(&self.words),
            "{}: {}",
            self.words,
            step.result
        );
        drawn.insert("a tool's result", kinds(&step.result));
        let first = self
            .of_guest(&format!("{}/feed", self.guest.path))
            .send()
            .await
            .expect("an answer");
        let mut parts = first.bytes_stream();
        let mut come = Vec::new();
        let event = soon("the guest's first event", async {
            loop {
                come.extend(parts.next().await.expect("more").expect("a part"));
                let text = String::from_utf8_lossy(&come).into_owned();
                if let Some((event, _)) = text.split_once("\n\n") {
                    return event.to_owned();
                }
            }
        })
        .await;
        let data = event.strip_prefix("data: ").expect("one line of data");
        let pieces: Vec<(String, String)> = serde_json::from_str(data).expect("pieces");
        let html: String = pieces.into_iter().map(|(_, html)| html).collect();
        assert!(Html::read(&html).says(&parsed(&self.words)), "{}: {html}", self.words);
        drawn.insert("a guest's page", kinds(&html));
        drawn
    }
}

#[tokio::test]
async fn words_are_words_at_every_door() {
    let plain = World::of(PLAIN).await;
    let (looked, drawn) = (plain.look().await, plain.drawn().await);
    let sent: BTreeSet<_> = plain.send().await.into_iter().map(|(_, html)| html.shape).collect();
    assert!(
        looked.len() > 10 && sent.len() > 3,
        "{} and {}",
        looked.len(),
        sent.len()
    );
    // Few at a time: each is a site of its own.
    let (looked, drawn, sent) = (&looked, &drawn, &sent);
    let hostile = stream::iter(HOSTILE).map(|words| async move {
        let world = World::of(words).await;
        for (about, html) in world.look().await {
            assert_eq!(html.shape, looked[&about].shape, "{about}: {words}");
            assert_eq!(html.scripted, looked[&about].scripted, "{about}: {words}");
        }
        for (what, kinds) in world.drawn().await {
            let strange: Vec<_> = kinds.difference(&drawn[what]).collect();
            assert_eq!(strange, Vec::<&String>::new(), "{what}: {words}");
        }
        for (about, html) in world.send().await {
            assert!(sent.contains(&html.shape), "{about}: {words}: {:?}", html.shape);
        }
    });
    hostile.buffer_unordered(4).for_each(|()| future::ready(())).await;
}
