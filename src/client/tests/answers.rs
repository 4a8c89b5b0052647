//! Answers that are given again: to whom, instead of which question, and when they are not.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Semaphore;

use super::*;
use crate::{
    agents::Part,
    wire::{Incomplete, Reason, TurnNotice, TurnState},
};

/// An agent that counts what it is asked, and answers each time it may.
struct Counting {
    may_answer: Semaphore,
    asked: Mutex<Vec<Question>>,
    /// Why its answers end early.
    cut: Mutex<Option<Incomplete>>,
    /// Why there are none.
    fault: Mutex<Option<AgentError>>,
    /// How many are being made.
    under_way: AtomicUsize,
}

/// An answer that is being made.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

struct Counted(Arc<Counting>);

impl AgentFactory for Counted {
    fn model(&self) -> String {
        "small@cpu".into()
    }

    fn models(&self) -> Vec<ModelInfo> {
        let models = ["small@cpu", "large@gpu"].map(|id| ModelInfo {
            id: id.into(),
            ..ModelInfo::default()
        });
        models.into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::clone(&self.0) as _
    }
}

#[async_trait]
impl Agent for Counting {
    async fn answer(&self, question: Question, parts: Parts, _: CancellationToken) -> Result<Answered, AgentError> {
        self.under_way.fetch_add(1, SeqCst);
        let _under_way = UnderWay(&self.under_way);
        let number = {
            let mut asked = self.asked.lock().expect("no panic");
            asked.push(question);
            asked.len()
        };
        let _ = parts.send(Part::Reasoning("Hm.".into())).await;
        self.may_answer.acquire().await.expect("open").forget();
        let fault = self.fault.lock().expect("no panic").clone();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let _ = parts.send(Part::Text(format!("Answer {number}."))).await;
        let incomplete = *self.cut.lock().expect("no panic");
        Ok(Answered {
            incomplete,
            ..Answered::default()
        })
    }
}

impl Counting {
    fn asked(&self) -> usize {
        self.asked.lock().expect("no panic").len()
    }
}

const ON: (&str, &str) = ("ANSWER_CACHE_SIZE", "1MB");
const ONE_SLOT: (&str, &str) = ("CHAT_CONCURRENCY_LIMIT", "1");
const SHARED: (&str, &str) = ("ANSWER_CACHE_SHARED", "true");
const ANY: (&str, &str) = ("ANSWER_CACHE_ANY_TEMPERATURE", "true");

struct Site {
    folder: TempDir,
    engine: Arc<Engine>,
    agent: Arc<Counting>,
}

impl Site {
    /// One whose agent may answer so often.
    async fn of(settings: &[(&str, &str)], answers: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let agent = Arc::new(Counting {
            may_answer: Semaphore::new(answers),
            asked: Mutex::default(),
            cut: Mutex::default(),
            fault: Mutex::default(),
            under_way: AtomicUsize::new(0),
        });
        let engine = engine_with(&folder, Arc::new(Counted(Arc::clone(&agent))), settings).await;
        Self { folder, engine, agent }
    }

    fn visitor(&self) -> Client {
        Client::new(Arc::clone(&self.engine), Principal::visitor(SessionId::random()))
    }

    async fn retune(&self, settings: &[(&str, &str)]) {
        self.engine.retune(Ok(loaded(&self.folder, settings))).await;
    }

    fn figures(&self) -> [u64; 3] {
        let figures = self.engine.conversations().answer_figures();
        [figures.hits, figures.misses, figures.entries]
    }
}

/// A question that always has the same answer.
fn certain(text: &str) -> SendRequest {
    SendRequest {
        choice: Some(Choice {
            temperature: Some(0.0),
            ..Choice::default()
        }),
        ..asks(text, &[])
    }
}

async fn ends(client: &Client, id: ConversationId) -> TurnView {
    let last = async || {
        let view = client.conversation(id).await.expect("read").expect("there");
        view.turns.last().expect("a turn").clone()
    };
    until(client, "the end of the turn", async || last().await.state.is_over()).await;
    last().await
}

/// Sends, and waits for the end of it.
async fn answered(client: &Client, request: SendRequest) -> TurnView {
    let sent = client.send(request).await.expect("accepted");
    ends(client, sent.conversation).await
}

async fn runs(site: &Site, client: &Client, asked: usize) {
    until(client, "the model to be asked", async || site.agent.asked() == asked).await;
}

fn is_cached(turn: &TurnView) -> bool {
    turn.notices.contains(&TurnNotice::Cached)
}

#[tokio::test]
async fn the_same_question_is_answered_without_a_slot_even_while_the_line_is_full() {
    let site = Site::of(&[ON, ONE_SLOT, ("QUEUE_MAX_SIZE", "1")], 1).await;
    let (client, other) = (site.visitor(), site.visitor());
    let first = answered(&client, certain("Is it?")).await;
    assert!(!is_cached(&first));
    other.send(certain("This one runs")).await.expect("accepted");
    other.send(certain("This one waits")).await.expect("accepted");
    assert!(client.send(certain("This one is too much")).await.is_err());

    let request = certain("Is it?");
    let turn = request.turn;
    let sent = client.send(request.clone()).await.expect("accepted");
    assert_eq!(sent.place, None);
    // Whoever has been told that it is accepted finds it whole.
    let kept = site.engine.store().turn(client.principal().owner(), turn).await;
    let kept = kept.expect("read").expect("stored").turn;
    assert_eq!((kept.state, kept.answer.as_str()), (TurnState::Done, "Answer 1."));
    let second = turn_of(&client, sent.conversation).await;
    assert!(is_cached(&second));
    assert_eq!(
        (&second.answer, &second.blocks, &second.thoughts, &second.model),
        (&first.answer, &first.blocks, &first.thoughts, &first.model)
    );
    assert_eq!(second.usage, first.usage);
    // Sent again after a lost reply, it is the same.
    assert_eq!(
        client.send(request).await.expect("known").conversation,
        sent.conversation
    );
    assert_eq!(site.agent.asked(), 2, "the first, and the one that runs");
    assert_eq!(site.figures(), [1, 2, 1]);

    // The conversation goes on at once, and what follows is another question.
    let next = SendRequest {
        conversation: Some(sent.conversation),
        ..certain("Is it?")
    };
    let refused = client.send(next).await.expect_err("the line is full");
    assert_ne!(refused.reason(), Reason::ConversationBusy);
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_differs_is_asked() {
    let site = Site::of(&[ON], 100).await;
    let client = site.visitor();
    answered(&client, certain("Is it?")).await;
    let with = |change: fn(&mut Choice)| {
        let mut request = certain("Is it?");
        change(request.choice.as_mut().expect("chosen"));
        request
    };
    let file = upload(&client).await;
    let different = [
        certain("Is it not?"),
        with(|choice| choice.instructions = "Be brief.".into()),
        with(|choice| choice.max_tokens = Some(10)),
        with(|choice| choice.model = Some("large@gpu".into())),
        SendRequest {
            files: vec![file.id],
            ..certain("Is it?")
        },
    ];
    for (number, request) in (2..).zip(different) {
        let turn = answered(&client, request.clone()).await;
        assert_eq!((is_cached(&turn), site.agent.asked()), (false, number), "{request:?}");
        let again = SendRequest {
            turn: TurnId::new(),
            ..request
        };
        assert!(is_cached(&answered(&client, again).await));
    }
    // Of another temperature, or none, answers are kept only where that is set.
    let warm = [Some(0.5), None].map(|temperature| SendRequest {
        choice: Some(Choice {
            temperature,
            ..Choice::default()
        }),
        ..asks("How warm?", &[])
    });
    for kept in [false, true] {
        for request in &warm {
            for again in [false, true] {
                let request = SendRequest {
                    turn: TurnId::new(),
                    ..request.clone()
                };
                assert_eq!(is_cached(&answered(&client, request).await), kept && again);
            }
        }
        site.retune(&[ON, ANY]).await;
    }
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn anothers_answer_is_given_only_where_it_is_shared() {
    let site = Site::of(&[ON], 100).await;
    let (client, other) = (site.visitor(), site.visitor());
    for visitor in [&client, &other] {
        assert!(!is_cached(&answered(visitor, certain("Is it?")).await));
    }
    assert_eq!(site.agent.asked(), 2);
    site.retune(&[ON, SHARED]).await;
    assert!(
        !is_cached(&answered(&client, certain("Is it?")).await),
        "what was its own stays so"
    );
    assert!(is_cached(&answered(&other, certain("Is it?")).await));
    assert_eq!(site.agent.asked(), 3);

    // Who wants all of theirs deleted leaves nothing, also not to others.
    client.forget(&client.confirmation()).await.expect("forgotten");
    assert!(!is_cached(&answered(&other, certain("Is it?")).await));
    site.retune(&[ON]).await;
    assert!(is_cached(&answered(&other, certain("Is it?")).await), "its own is kept");
    assert_eq!(site.agent.asked(), 4);
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn who_wants_another_answer_gets_one_and_it_is_kept_instead() {
    let site = Site::of(&[ON], 100).await;
    let client = site.visitor();
    let first = answered(&client, certain("Is it?")).await;
    let again = client.again(first.id, TurnId::new()).await.expect("accepted");
    let second = ends(&client, again.conversation).await;
    assert_eq!((second.answer.as_str(), is_cached(&second)), ("Answer 2.", false));
    let third = answered(&client, certain("Is it?")).await;
    assert_eq!((third.answer.as_str(), is_cached(&third)), ("Answer 2.", true));
    // Also of an answer that was kept.
    let again = client.again(third.id, TurnId::new()).await.expect("accepted");
    let fourth = ends(&client, again.conversation).await;
    assert_eq!((fourth.answer.as_str(), is_cached(&fourth)), ("Answer 3.", false));
    site.engine.shutdown(Duration::ZERO).await;
}

/// How many run, wait, and read along.
fn load(site: &Site) -> [usize; 3] {
    let queue = site.engine.queue();
    [queue.running(), queue.waiting(), queue.parked()]
}

async fn until_load(site: &Site, client: &Client, expected: [usize; 3]) {
    until(client, "the line", async || load(site) == expected).await;
}

fn is_shared(turn: &TurnView) -> bool {
    turn.notices.contains(&TurnNotice::Shared)
}

#[tokio::test]
async fn who_asks_what_is_being_answered_reads_along_without_a_slot() {
    let site = Site::of(&[ON, ONE_SLOT, SHARED], 0).await;
    let clients: Vec<_> = (0..4).map(|_| site.visitor()).collect();
    let mut sent = Vec::new();
    for (client, text) in clients.iter().zip(["Is it?", "Another", "Is it?", "Is it?"]) {
        sent.push(client.send(certain(text)).await.expect("accepted"));
        if sent.len() == 1 {
            runs(&site, client, 1).await;
        }
    }
    let positions: Vec<_> = sent
        .iter()
        .map(|sent| sent.place.as_ref().map(|place| place.position))
        .collect();
    assert_eq!(
        positions,
        [None, Some(1), None, None],
        "whoever reads along is in no line"
    );
    assert_eq!(load(&site), [1, 1, 2]);
    // What has been said is there at once, and the rest as it comes.
    let thinks = async || {
        let turn = turn_of(&clients[2], sent[2].conversation).await;
        turn.state == TurnState::Running && turn.thoughts.iter().any(|thought| thought.contains("Hm."))
    };
    until(&clients[2], "the thoughts of the answer", thinks).await;
    site.agent.may_answer.add_permits(1);
    for at in [0, 2, 3] {
        let turn = ends(&clients[at], sent[at].conversation).await;
        assert_eq!((turn.answer.as_str(), is_shared(&turn)), ("Answer 1.", at > 0));
        assert!(turn.thoughts.iter().any(|thought| thought.contains("Hm.")), "{turn:?}");
    }
    runs(&site, &clients[1], 2).await;
    assert_eq!(site.figures(), [2, 2, 1], "it is kept for those who ask later");
    assert!(is_cached(&answered(&clients[2], certain("Is it?")).await));
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_slot_that_is_free_is_not_taken_by_who_reads_along() {
    let site = Site::of(&[ON, ("CHAT_CONCURRENCY_LIMIT", "2")], 0).await;
    let (client, other) = (site.visitor(), site.visitor());
    let first = client.send(certain("Is it?")).await.expect("accepted");
    runs(&site, &client, 1).await;
    let second = client.send(certain("Is it?")).await.expect("accepted");
    until_load(&site, &client, [1, 0, 1]).await;
    let third = other.send(certain("Is it?")).await.expect("accepted");
    runs(&site, &other, 2).await;
    assert_eq!(load(&site), [2, 0, 1], "another's question is another");
    site.agent.may_answer.add_permits(2);
    for sent in [&first, &second] {
        assert_eq!(ends(&client, sent.conversation).await.state, TurnState::Done);
    }
    assert!(!is_shared(&ends(&other, third.conversation).await));
    until_load(&site, &client, [0, 0, 0]).await;
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn an_answer_goes_on_without_the_one_who_asked_first_and_ends_with_the_last() {
    let site = Site::of(&[ON, ONE_SLOT], 0).await;
    let client = site.visitor();
    let ask = async |text: &str| client.send(certain(text)).await.expect("accepted");
    let first = ask("Is it?").await;
    runs(&site, &client, 1).await;
    let others = [ask("Is it?").await, ask("Is it?").await];
    until_load(&site, &client, [1, 0, 2]).await;
    assert!(client.cancel(first.turn));
    assert_eq!(ends(&client, first.conversation).await.state, TurnState::Cancelled);
    assert_eq!(load(&site), [1, 0, 2], "the slot is the answer's");
    assert!(client.cancel(others[0].turn));
    assert_eq!(ends(&client, others[0].conversation).await.state, TurnState::Cancelled);
    site.agent.may_answer.add_permits(1);
    let whole = ends(&client, others[1].conversation).await;
    assert_eq!((whole.answer.as_str(), is_shared(&whole)), ("Answer 1.", true));
    until_load(&site, &client, [0, 0, 0]).await;
    assert_eq!((site.agent.asked(), site.figures()[2]), (1, 1), "it is kept");

    // With the last who wants it, the model is asked no more.
    let (first, second) = (ask("And now?").await, ask("And now?").await);
    until_load(&site, &client, [1, 0, 1]).await;
    for sent in [&first, &second] {
        assert!(client.cancel(sent.turn));
        assert_eq!(ends(&client, sent.conversation).await.state, TurnState::Cancelled);
    }
    until_load(&site, &client, [0, 0, 0]).await;
    assert_eq!(site.agent.under_way.load(SeqCst), 0);
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn of_an_answer_that_is_cut_or_fails_nothing_is_kept_and_the_others_are_asked_themselves() {
    let site = Site::of(&[ON, ONE_SLOT], 0).await;
    let (client, other) = (site.visitor(), site.visitor());
    let cut = TurnState::Incomplete {
        cause: Incomplete::Length,
    };
    *site.agent.cut.lock().expect("no panic") = Some(Incomplete::Length);
    let ask = async |text: &str| client.send(certain(text)).await.expect("accepted");
    let first = ask("Is it?").await;
    runs(&site, &client, 1).await;
    let second = ask("Is it?").await;
    until_load(&site, &client, [1, 0, 1]).await;
    // Of another owner, that is nearer to its turn by then.
    let between = other.send(certain("Another")).await.expect("accepted");
    site.agent.may_answer.add_permits(1);
    assert_eq!(ends(&client, first.conversation).await.state, cut);
    runs(&site, &other, 2).await;
    until_load(&site, &client, [1, 1, 0]).await;
    let waits = turn_of(&client, second.conversation).await;
    assert_eq!((waits.state, waits.thoughts.len()), (TurnState::Waiting, 0));
    assert_eq!(site.figures()[2], 0, "it is not kept");
    *site.agent.cut.lock().expect("no panic") = None;
    site.agent.may_answer.add_permits(2);
    assert_eq!(ends(&other, between.conversation).await.answer, "Answer 2.");
    let whole = ends(&client, second.conversation).await;
    assert_eq!((whole.answer.as_str(), is_shared(&whole)), ("Answer 3.", false));

    // One of several that fail leads the rest.
    *site.agent.fault.lock().expect("no panic") = Some(AgentError::TooLong);
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(ask("And now?").await);
    }
    runs(&site, &client, 4).await;
    until_load(&site, &client, [1, 0, 2]).await;
    site.agent.may_answer.add_permits(3);
    for sent in &sent {
        let turn = ends(&client, sent.conversation).await;
        assert!(matches!(turn.state, TurnState::Failed { .. }), "{turn:?}");
    }
    assert_eq!(
        (site.agent.asked(), load(&site)),
        (6, [0, 0, 0]),
        "each as if it had been alone"
    );
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn settings_count_from_the_moment_that_they_are_edited() {
    let site = Site::of(&[], 100).await;
    let client = site.visitor();
    let ask = async || is_cached(&answered(&client, certain("Is it?")).await);
    assert!(!ask().await && !ask().await, "off unless it is set");
    assert_eq!(site.figures(), [0, 0, 0]);
    site.retune(&[ON]).await;
    assert!(!ask().await && ask().await);
    // Off forgets what is kept.
    site.retune(&[]).await;
    assert_eq!(site.figures()[2], 0);
    assert!(!ask().await);
    site.retune(&[ON]).await;
    assert!(!ask().await && ask().await);
    // The system's words are part of the question.
    site.retune(&[ON, ("SYSTEM_PROMPT", "Be brief.")]).await;
    assert!(!ask().await && ask().await);
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_restart_asks_all_that_waited_and_keeps_what_was_given() {
    let site = Site::of(&[ON, ONE_SLOT], 1).await;
    let client = site.visitor();
    let who = client.principal();
    answered(&client, certain("Is it?")).await;
    let given = client.send(certain("Is it?")).await.expect("accepted");
    let mut sent = Vec::new();
    for _ in 0..2 {
        sent.push(client.send(certain("And now?")).await.expect("accepted"));
    }
    runs(&site, &client, 2).await;
    let Site { folder, engine, agent } = site;
    engine.shutdown(Duration::ZERO).await;
    drop((client, engine));

    let engine = engine_with(&folder, Arc::new(Counted(Arc::clone(&agent))), &[ON, ONE_SLOT]).await;
    let client = Client::new(Arc::clone(&engine), who);
    assert!(
        is_cached(&turn_of(&client, given.conversation).await),
        "it says so for ever"
    );
    agent.may_answer.add_permits(2);
    for (turn, answer) in sent.iter().zip(["Answer 3.", "Answer 4."]) {
        let turn = ends(&client, turn.conversation).await;
        assert_eq!((turn.answer.as_str(), is_cached(&turn)), (answer, false));
    }
    assert!(is_cached(&answered(&client, certain("And now?")).await));
    engine.shutdown(Duration::ZERO).await;
}
