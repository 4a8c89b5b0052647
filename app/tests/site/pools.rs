//! Several models and several model servers: which of them answers, and what people see of one that fails.

use std::{fmt::Write as _, path::Path, time::Duration};

use anteroom::{
    settings::Settings,
    wire::{Choice, Reason, SendRequest, TurnNotice, TurnState},
};
use anteroom_loopback::{Fleet, Loopback};
use tempfile::TempDir;

use crate::support::{Feed, Site, answer_of, request, soon};

/// A site in front of several model servers, by a `backends.toml`.
pub(crate) struct Pooled {
    pub(crate) site: Site,
    pub(crate) fleet: Fleet,
    /// It holds `backends.toml`.
    folder: TempDir,
}

/// One back end: its name, and the lines that say more of it.
type Entry<'a> = (&'a str, &'a str);

fn write(folder: &Path, fleet: &Fleet, entries: &[Entry<'_>]) {
    let mut text = String::new();
    for (name, more) in entries {
        let server = fleet.servers().iter().find(|server| server.name() == *name);
        let _ = write!(text, "{}", server.expect("a server").backend_toml(more));
    }
    std::fs::write(folder.join("backends.toml"), text).expect("written");
}

impl Pooled {
    pub(crate) async fn start(entries: &[Entry<'_>], settings: &[(&str, &str)]) -> Self {
        let fleet = Fleet::start(entries.iter().map(|(name, _)| (*name).to_owned()));
        let fleet = fleet.await.expect("free ports");
        let folder = tempfile::tempdir().expect("a folder");
        write(folder.path(), &fleet, entries);
        let file = folder.path().join("backends.toml").display().to_string();
        let mut all = vec![("BACKENDS_FILE", file.as_str())];
        all.extend_from_slice(settings);
        let site = Site::start(&all).await;
        Self { site, fleet, folder }
    }

    pub(crate) fn server(&self, name: &str) -> &Loopback {
        let mut servers = self.fleet.servers().iter();
        servers.find(|server| server.name() == name).expect("a server")
    }

    /// Edits `backends.toml`, as an operator does.
    async fn edit(&self, entries: &[Entry<'_>]) {
        write(self.folder.path(), &self.fleet, entries);
        let loaded = Settings::load(self.site.variables(), None);
        self.site.engine.retune(loaded).await;
    }
}

pub(crate) const GPU: &str = "pool = \"gpu\"\nmodels = [\"large\"]\nlimit = 1";
pub(crate) const CPU: &str = "models = [\"small\"]\nlimit = 1";
pub(crate) const LARGE: (&str, &str) = ("MODEL", "large@gpu");

pub(crate) fn ask(text: &str, model: &str) -> SendRequest {
    SendRequest {
        choice: Some(Choice {
            model: Some(model.to_owned()),
            ..Choice::default()
        }),
        ..request(None, text, Vec::new())
    }
}

/// Reads the feed until the line of a model is so.
async fn until_line(feed: &mut Feed, model: &str, is_so: impl Fn(&anteroom::wire::LineView) -> bool) {
    soon("a line", async {
        let there = |feed: &Feed| {
            let mut lines = feed.status.lines.iter();
            lines.any(|line| line.model.as_deref() == Some(model) && is_so(line))
        };
        while !there(feed) {
            feed.next().await;
        }
    })
    .await;
}

#[tokio::test]
async fn each_model_has_a_line_of_its_own() {
    let pooled = Pooled::start(&[("one", GPU), ("small", CPU)], &[LARGE]).await;
    pooled.fleet.servers().iter().for_each(|server| server.hold(true));
    let browsers = [pooled.site.browser().await, pooled.site.browser().await];
    for text in ["runs", "waits"] {
        browsers[0].send(text).await;
    }
    pooled.site.until_load(1, 1).await;
    let mut feed = browsers[1].feed().await;
    until_line(&mut feed, "large@gpu", |line| (line.running, line.waiting) == (1, 1)).await;
    until_line(&mut feed, "small@small", |line| (line.running, line.newcomer) == (0, 0)).await;
    let sent = browsers[1].try_send(&ask("and I?", "small@small")).await;
    assert_eq!(sent.status, 200, "it starts at once");
    pooled.site.until_load(2, 1).await;
    pooled.server("small").until(|record| record.now == 1).await;
}

#[tokio::test]
async fn tickets_of_one_model_start_wherever_a_slot_is_free() {
    let pooled = Pooled::start(&[("one", GPU), ("two", GPU)], &[LARGE]).await;
    pooled.fleet.servers().iter().for_each(|server| server.hold(true));
    let browser = pooled.site.browser().await;
    for number in 0..3 {
        browser.send(&format!("message {number}")).await;
    }
    pooled.fleet.until(|record| record.now() == 2).await;
    pooled.site.until_load(2, 1).await;
    pooled.server("two").release_one();
    pooled.server("two").until(|record| record.requests.len() == 2).await;
    pooled.fleet.servers().iter().for_each(|server| server.hold(false));
    pooled.site.until_load(0, 0).await;
    assert_eq!(pooled.fleet.record().beyond_limits(), 0);
}

#[tokio::test]
async fn a_back_end_that_is_away_is_no_fault_where_another_has_the_model() {
    let pooled = Pooled::start(&[("one", GPU), ("two", GPU)], &[LARGE]).await;
    pooled.server("one").kill().await.expect("killed");
    let browser = pooled.site.browser().await;
    for number in 0..4 {
        let sent = browser.send(&format!("message {number}")).await;
        let turn = answer_of(&browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    }
    assert_eq!(pooled.server("two").record().requests.len(), 4);
}

#[tokio::test]
async fn a_fault_before_the_first_word_is_made_good_elsewhere_and_one_after_it_keeps_the_words() {
    let pooled = Pooled::start(&[("one", GPU), ("two", GPU)], &[LARGE]).await;
    pooled.server("one").set("fault", "status:500").expect("set");
    let browser = pooled.site.browser().await;
    let sent = browser.send("hello").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");

    for server in pooled.fleet.servers() {
        server.set("fault", "close:3").expect("set");
    }
    let sent = browser.send("and now?").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(
        turn.state,
        TurnState::Failed {
            reason: Reason::ModelCutOff
        }
    );
    assert!(!turn.answer.is_empty(), "what was written is kept");
}

#[tokio::test]
async fn while_one_pauses_before_it_is_asked_again_another_has_its_slot_and_then_it_is_next() {
    let pooled = Pooled::start(&[("one", GPU)], &[LARGE]).await;
    let one = pooled.server("one");
    let browsers = [pooled.site.browser().await, pooled.site.browser().await];
    let zero = browsers[0].send("[[hold=true]] zero").await;
    one.until(|record| record.now == 1).await;
    let mut sent = vec![zero];
    for text in ["[[fault=status:500 times=1]] first", "[[gate=second]] second", "third"] {
        sent.push(browsers[1].send(text).await);
    }
    pooled.site.until_load(1, 3).await;
    one.release_one();
    one.until(|record| record.of("second").count() == 1).await;
    pooled.site.until_load(1, 2).await;
    one.open("second");
    for sent in &sent[1..] {
        assert_eq!(answer_of(&browsers[1], sent.turn).await.state, TurnState::Done);
    }
    let record = one.record();
    let asked: Vec<_> = record.requests.iter().map(|request| request.question.trim()).collect();
    assert_eq!(asked, ["zero", "first", "second", "first", "third"]);
    assert_eq!(record.beyond_limit(), 0);
}

#[tokio::test]
async fn while_no_back_end_is_there_messages_wait_in_their_order_and_are_told_why() {
    let pooled = Pooled::start(&[("one", GPU)], &[LARGE]).await;
    pooled.server("one").kill().await.expect("killed");
    let browser = pooled.site.browser().await;
    let mut sent = Vec::new();
    for number in 0..3 {
        sent.push(browser.send(&format!("message {number}")).await);
    }
    let mut feed = browser.feed().await;
    until_line(&mut feed, "large@gpu", |line| {
        line.trouble
            .as_ref()
            .is_some_and(|trouble| trouble.reason == Reason::WaitUnreachable)
    })
    .await;
    pooled.server("one").revive().await.expect("back");
    for sent in &sent {
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    }
    let record = pooled.server("one").record();
    let asked: Vec<_> = record.requests.iter().map(|request| request.question.clone()).collect();
    assert_eq!(asked, ["message 0", "message 1", "message 2"]);
}

#[tokio::test]
async fn one_that_says_it_has_too_much_to_do_is_left_alone_for_as_long_as_it_asks() {
    let pooled = Pooled::start(&[("one", GPU)], &[LARGE]).await;
    let one = pooled.server("one");
    one.set("retry_after", "1s").expect("set");
    one.set("fault", "status:429").expect("set");
    let browser = pooled.site.browser().await;
    let sent = browser.send("hello").await;
    one.until(|record| record.requests.len() == 1).await;
    one.set("fault", "none").expect("set");
    assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    let record = one.record();
    let [first, second] = &record.requests[..] else {
        panic!("{record:?}")
    };
    assert!(second.began - first.began >= 1_000.0, "{record:?}");
}

#[tokio::test]
async fn a_model_that_is_taken_out_is_told_to_those_who_wait_and_another_one_may_be_chosen() {
    let both = [("one", GPU), ("small", CPU)];
    let pooled = Pooled::start(&both, &[("MODEL", "small@small")]).await;
    pooled.server("one").hold(true);
    let browser = pooled.site.browser().await;
    browser.try_send(&ask("runs", "large@gpu")).await;
    let waiting: anteroom::wire::Sent = browser.try_send(&ask("waits", "large@gpu")).await.json();
    pooled.site.until_load(1, 1).await;
    pooled.edit(&[("small", CPU)]).await;
    let mut feed = browser.feed().await;
    soon("word of the model", async {
        let told = |feed: &Feed| {
            let mut places = feed.status.places.iter();
            places.any(|place| {
                let reason = place.trouble.as_ref().map(|trouble| &trouble.reason);
                matches!(reason, Some(Reason::ModelGone { model }) if model == "large@gpu")
            })
        };
        while !told(&feed) {
            feed.next().await;
        }
    })
    .await;
    let choice = serde_json::json!({ "conversation": waiting.conversation, "choice": { "model": "small@small" } });
    let call = browser.post("/api/choose").header("content-type", "application/json");
    assert_eq!(browser.ask(call.body(choice.to_string())).await.status, 200);
    let turn = answer_of(&browser, waiting.turn).await;
    assert_eq!((turn.state, turn.model.as_str()), (TurnState::Done, "small@small"));
}

#[tokio::test]
async fn the_fallback_answers_and_says_so() {
    let entries = [("one", GPU), ("small", CPU)];
    let pooled = Pooled::start(&entries, &[LARGE, ("FALLBACK_MODEL", "small@small")]).await;
    pooled.server("one").kill().await.expect("killed");
    let browser = pooled.site.browser().await;
    let sent = browser.send("hello").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    let fallback = TurnNotice::Fallback {
        model: "small@small".to_owned(),
    };
    // How long it has waited until then is told, too, if that is worth it.
    assert_eq!(turn.notices.first(), Some(&fallback));
}

/// What a page of the documents says, in its first block of this kind that names this.
fn documented(page: &str, kind: &str, naming: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let page = std::fs::read_to_string(path).expect("the page");
    let fence = format!("```{kind}\n");
    let mut blocks = page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next());
    blocks
        .find(|block| block.contains(naming))
        .expect("the block")
        .to_owned()
}

#[tokio::test]
async fn the_file_in_the_documents_gets_answers_of_all_that_it_names() {
    let names = ["gpu1", "gpu2", "desk", "hosted"];
    let fleet = Fleet::start(names.map(str::to_owned)).await.expect("free ports");
    let server = |name: &str| {
        let mut servers = fleet.servers().iter();
        servers.find(|server| server.name() == name).expect("a server")
    };
    let mut file = documented("docs/models.md", "toml", "[[backend]]");
    let hosted = "key_variable = \"OPENAI_API_KEY\"";
    for (written, meant) in [
        ("http://10.0.0.11:8000/v1", server("gpu1").base_url()),
        ("http://10.0.0.12:8000/v1", server("gpu2").base_url()),
        // The servers of these tests speak OpenAI's API alone.
        (
            "provider = \"ollama\"\nurl = \"http://10.0.0.20:11434\"",
            format!("provider = \"openai\"\nurl = \"{}\"", server("desk").base_url()),
        ),
        (hosted, format!("{hosted}\nurl = \"{}\"", server("hosted").base_url())),
    ] {
        assert_eq!(file.matches(written).count(), 1, "{written}");
        file = file.replace(written, &meant);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("backends.toml");
    std::fs::write(&path, file).expect("written");
    let path = path.display().to_string();
    let settings = documented("docs/models.md", "ini", "BACKENDS_FILE");
    let settings = settings.lines().filter_map(|line| line.split_once('='));
    let settings = settings.map(|(name, value)| match name {
        "BACKENDS_FILE" => (name, path.as_str()),
        _ => (name, value),
    });
    let site = Site::start(&settings.collect::<Vec<_>>()).await;
    let browser = site.browser().await;

    // The two of one pool share its work.
    fleet.servers().iter().for_each(|server| server.hold(true));
    let both = [browser.send("one").await, browser.send("two").await];
    for name in ["gpu1", "gpu2"] {
        server(name).until(|record| record.now == 1).await;
    }
    fleet.servers().iter().for_each(|server| server.hold(false));
    for sent in &both {
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done);
    }
    for (name, model) in [("desk", "llama3.2@desk"), ("hosted", "gpt-4o-mini@hosted")] {
        let sent: anteroom::wire::Sent = browser.try_send(&ask(name, model)).await.json();
        assert_eq!(answer_of(&browser, sent.turn).await.state, TurnState::Done, "{model}");
        assert_eq!(server(name).record().of(name).count(), 1, "{model}");
    }
    // Where none of the others can, the hosted one answers.
    for name in ["gpu1", "gpu2"] {
        server(name).kill().await.expect("killed");
    }
    let sent = browser.send("who is there?").await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(
        (turn.state, turn.model.as_str()),
        (TurnState::Done, "gpt-4o-mini@hosted")
    );
    assert_eq!(server("hosted").record().of("who is there?").count(), 1);
}

#[tokio::test]
async fn a_conversation_goes_back_to_the_server_that_has_it_in_its_cache() {
    let pooled = Pooled::start(
        &[("one", GPU), ("two", GPU)],
        &[LARGE, ("BACKEND_BALANCE", "round_robin")],
    )
    .await;
    let browser = pooled.site.browser().await;
    let first = browser.send("one").await;
    answer_of(&browser, first.turn).await;
    for text in ["two", "three"] {
        let sent = browser.send_with(Some(first.conversation), text, Vec::new()).await;
        answer_of(&browser, sent.turn).await;
    }
    let counts: Vec<_> = pooled
        .fleet
        .servers()
        .iter()
        .map(|one| one.record().requests.len())
        .collect();
    assert!(counts == [3, 0] || counts == [0, 3], "{counts:?}");
}

#[tokio::test]
async fn what_waits_comes_back_to_its_models_line_after_a_restart() {
    let mut pooled = Pooled::start(&[("one", GPU), ("small", CPU)], &[LARGE]).await;
    pooled.fleet.servers().iter().for_each(|server| server.hold(true));
    let browser = pooled.site.browser().await;
    for model in ["large@gpu", "large@gpu", "small@small", "small@small"] {
        browser.try_send(&ask(model, model)).await;
    }
    pooled.site.until_load(2, 2).await;
    pooled.site.restart(Duration::ZERO).await;
    pooled.site.until_load(2, 2).await;
    let lines = pooled.site.engine.queue().lines();
    let chat: Vec<_> = lines
        .iter()
        .filter(|line| line.pool.is_some())
        .map(|line| (line.running, line.waiting))
        .collect();
    assert_eq!(chat, [(1, 1), (1, 1)]);
}
