//! Answers that are given again: to whom, instead of which question, and when they are not.

use std::sync::Mutex;

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
        let number = {
            let mut asked = self.asked.lock().expect("no panic");
            asked.push(question);
            asked.len()
        };
        let _ = parts.send(Part::Reasoning("Hm.".into())).await;
        self.may_answer.acquire().await.expect("open").forget();
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

#[tokio::test]
async fn who_waits_with_the_same_question_is_given_the_answer_and_leaves_the_line() {
    let site = Site::of(&[ON, ONE_SLOT, SHARED], 0).await;
    let clients: Vec<_> = (0..4).map(|_| site.visitor()).collect();
    let mut sent = Vec::new();
    for (client, text) in clients.iter().zip(["Is it?", "Another", "Is it?", "Is it?"]) {
        sent.push(client.send(certain(text)).await.expect("accepted"));
    }
    let positions: Vec<_> = sent
        .iter()
        .map(|sent| sent.place.as_ref().map(|place| place.position))
        .collect();
    assert_eq!(positions, [None, Some(1), Some(2), Some(3)], "each waits as any other");
    runs(&site, &clients[0], 1).await;
    // Its owner wants another model's: that is another question.
    let large = Choice {
        model: Some("large@gpu".into()),
        ..certain("").choice.expect("chosen")
    };
    clients[3].choose(sent[3].conversation, large).await.expect("chosen");
    site.agent.may_answer.add_permits(1);
    for at in [0, 2] {
        let turn = ends(&clients[at], sent[at].conversation).await;
        assert_eq!((turn.answer.as_str(), is_cached(&turn)), ("Answer 1.", at == 2));
    }
    runs(&site, &clients[1], 2).await;
    assert!(!turn_of(&clients[1], sent[1].conversation).await.state.is_over());
    assert!(!turn_of(&clients[3], sent[3].conversation).await.state.is_over());
    site.agent.may_answer.add_permits(2);
    let turn = ends(&clients[3], sent[3].conversation).await;
    assert_eq!(
        (turn.answer.as_str(), turn.model.as_str(), is_cached(&turn)),
        ("Answer 3.", "large@gpu", false)
    );
    assert_eq!(site.agent.asked(), 3);
    site.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_leader_that_is_cancelled_or_cut_leaves_the_others_in_line_and_nothing_behind() {
    let site = Site::of(&[ON, ONE_SLOT], 0).await;
    let client = site.visitor();
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(client.send(certain("Is it?")).await.expect("accepted"));
    }
    runs(&site, &client, 1).await;
    assert!(client.cancel(sent[0].turn));
    assert_eq!(ends(&client, sent[0].conversation).await.state, TurnState::Cancelled);
    runs(&site, &client, 2).await;
    assert_eq!(turn_of(&client, sent[2].conversation).await.state, TurnState::Waiting);

    *site.agent.cut.lock().expect("no panic") = Some(Incomplete::Length);
    site.agent.may_answer.add_permits(1);
    let cut = ends(&client, sent[1].conversation).await;
    assert_eq!(
        cut.state,
        TurnState::Incomplete {
            cause: Incomplete::Length
        }
    );
    runs(&site, &client, 3).await;
    assert_eq!(site.figures()[2], 0, "neither is kept");
    *site.agent.cut.lock().expect("no panic") = None;
    site.agent.may_answer.add_permits(1);
    let whole = ends(&client, sent[2].conversation).await;
    assert_eq!((whole.answer.as_str(), is_cached(&whole)), ("Answer 3.", false));
    assert_eq!(site.figures(), [0, 3, 1]);
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
