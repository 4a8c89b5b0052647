//! What the feed makes of the store, whatever order its messages come in.

mod behind;
mod list;
mod unsent_messages;

use anteroom::wire::{
    Choice, ConversationId, ConversationPage, ConversationSummary, ConversationView, Event, FeedEvent, FeedMessage,
    FeedPosition, LineView, ModelInfo, Place, Reason, RefreshKind, Status, TurnId, TurnState, TurnView, Versions,
};
use leptos::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    initial::Overview,
    writing::{
        drafts,
        outbox::{self, Unsent},
    },
};

const TALK: ConversationId = ConversationId(Uuid::from_u128(1));
const EPOCH: Uuid = Uuid::from_u128(9);

fn in_store(test: impl FnOnce(Store)) {
    Owner::new().with(|| {
        let store = Store::new();
        store.open(overview(10));
        test(store);
    });
}

fn overview(number: u64) -> Overview {
    Overview {
        conversations: ConversationPage {
            conversations: Vec::new(),
            more: false,
        },
        status: Status::default(),
        feed: at(number),
        model: "demo@builtin".to_owned(),
        models: Vec::new(),
        version: "1".to_owned(),
        max_upload_bytes: 1,
        queue: true,
        tabs: vec![RefreshKind::Stats],
        starters: Vec::new(),
        fair: true,
        tools: true,
        confirmation: "c0ffee".to_owned(),
    }
}

fn at(number: u64) -> FeedPosition {
    FeedPosition { epoch: EPOCH, number }
}

fn turn(id: u128, state: TurnState, blocks: &[&str]) -> TurnView {
    TurnView {
        id: TurnId(Uuid::from_u128(id)),
        conversation: TALK,
        parent: None,
        versions: Versions::default(),
        message: "Hello".to_owned(),
        files: Vec::new(),
        state,
        answer: String::new(),
        blocks: blocks.iter().map(ToString::to_string).collect(),
        thoughts: Vec::new(),
        thought_ms: None,
        good: None,
        steps: Vec::new(),
        notices: Vec::new(),
        model: String::new(),
        usage: None,
        accepted_at: 0,
        started_at: None,
        ended_at: None,
    }
}

fn block(id: u128, index: usize, html: &str) -> FeedEvent {
    FeedEvent::Block {
        turn: TurnId(Uuid::from_u128(id)),
        conversation: TALK,
        index,
        html: html.to_owned(),
    }
}

fn whole(turns: Vec<TurnView>, number: u64) -> ConversationView {
    let summary = ConversationSummary {
        id: TALK,
        title: String::new(),
        updated_at: 0,
        busy: false,
        asks: false,
        pinned: false,
        archived: false,
    };
    ConversationView {
        summary,
        turns,
        earlier: false,
        choice: Choice::default(),
        behind: Vec::new(),
        feed: at(number),
    }
}

fn hear(store: Store, number: u64, event: FeedEvent) {
    store.hear(FeedMessage::Event { number, event });
}

fn kept(number: u128, conversation: Option<ConversationId>, refused: Option<&str>) -> TurnId {
    let turn = TurnId(Uuid::from_u128(number));
    let message = Unsent {
        conversation,
        text: format!("message {number}"),
        files: Vec::new(),
        choice: Choice::default(),
        at: u64::try_from(number).expect("a small number"),
        refused: refused.map(str::to_owned),
    };
    outbox::put(turn, &message);
    turn
}

fn html(conversation: &Conversation, id: u128) -> Vec<String> {
    let turn = conversation
        .turn(TurnId(Uuid::from_u128(id)))
        .expect("the turn is there");
    turn.blocks
        .0
        .get_untracked()
        .iter()
        .map(|block| block.html.get_untracked())
        .collect()
}

#[test]
fn an_answer_grows_block_by_block_and_keeps_its_nodes() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Running, &["<p>a</p>"])], 10)));
        let conversation = store.conversation(TALK).expect("it was filled");
        let first = conversation.turns.get_untracked()[0].blocks.0.get_untracked()[0]
            .html
            .clone();
        hear(store, 11, block(1, 0, "<p>a b</p>"));
        hear(store, 12, block(1, 1, "<p>c</p>"));
        assert_eq!(html(&conversation, 1), ["<p>a b</p>", "<p>c</p>"]);
        assert_eq!(first.get_untracked(), "<p>a b</p>");
        // A block that takes the place of an earlier one drops those after it.
        hear(store, 13, block(1, 0, "<ul></ul>"));
        assert_eq!(html(&conversation, 1), ["<ul></ul>"]);
        hear(
            store,
            14,
            FeedEvent::Turn(Box::new(turn(1, TurnState::Done, &["<ul></ul>", "<p>d</p>"]))),
        );
        assert_eq!(html(&conversation, 1), ["<ul></ul>", "<p>d</p>"]);
    });
}

fn thought(id: u128, index: usize, html: &str) -> FeedEvent {
    FeedEvent::Thought {
        turn: TurnId(Uuid::from_u128(id)),
        conversation: TALK,
        index,
        html: html.to_owned(),
    }
}

#[test]
fn thoughts_grow_beside_the_answer_and_end_with_those_that_the_server_has() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Running, &[])], 10)));
        let conversation = store.conversation(TALK).expect("it was filled");
        let thoughts = || {
            let turn = conversation.turns.get_untracked().remove(0);
            let blocks = turn.thoughts.0.get_untracked().into_iter();
            blocks.map(|block| block.html.get_untracked()).collect::<Vec<_>>()
        };
        hear(store, 11, thought(1, 0, "<p>in vain</p>"));
        hear(store, 12, thought(1, 1, "<p>too</p>"));
        // The model begins anew.
        hear(store, 13, thought(1, 0, ""));
        assert_eq!(thoughts(), [""; 0]);
        hear(store, 14, thought(1, 0, "<p>Let me see</p>"));
        hear(store, 15, block(1, 0, "<p>a</p>"));
        assert_eq!(thoughts(), ["<p>Let me see</p>"]);
        assert_eq!(html(&conversation, 1), ["<p>a</p>"]);
        let over = TurnView {
            thoughts: vec!["<p>Let me see.</p>".to_owned()],
            ..turn(1, TurnState::Done, &["<p>a</p>"])
        };
        hear(store, 16, FeedEvent::Turn(Box::new(over)));
        assert_eq!(thoughts(), ["<p>Let me see.</p>"]);
    });
}

fn of_model(model: &str) -> Choice {
    Choice {
        model: Some(model.to_owned()),
        ..Choice::default()
    }
}

#[test]
fn the_line_that_is_shown_is_that_of_the_chosen_model() {
    in_store(|store| {
        let line = |model: &str, waiting| LineView {
            name: model.to_owned(),
            events: vec![Event::Chat],
            running: 1,
            mine: 0,
            limit: Some(1),
            waiting,
            newcomer: waiting + 1,
            estimate: None,
            model: Some(model.to_owned()),
            trouble: None,
            ..LineView::default()
        };
        let info = |id: &str, title: Option<&str>| ModelInfo {
            id: id.to_owned(),
            title: title.map(str::to_owned),
            vision: None,
        };
        store.facts.update(|facts| {
            facts.model = "small@cpu".to_owned();
            facts.models = vec![info("small@cpu", None), info("large@gpu", Some("Large"))];
        });
        store.status.set(Status {
            lines: vec![line("small@cpu", 1), line("large@gpu", 3)],
            ..Status::default()
        });
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        let conversation = store.conversation(TALK).expect("it was filled");
        let shown = {
            let conversation = conversation.clone();
            Shown::new(store, Memo::new(move |_| conversation.clone()))
        };
        let waiting = || shown.line.get_untracked().map(|line| line.waiting);
        assert_eq!(
            (shown.model.get_untracked().as_str(), waiting()),
            ("small@cpu", Some(1))
        );
        // Another tab has chosen.
        let chosen = FeedEvent::Chosen {
            conversation: TALK,
            choice: of_model("large@gpu"),
        };
        hear(store, 11, chosen);
        assert_eq!(
            (shown.model.get_untracked().as_str(), waiting()),
            ("large@gpu", Some(3))
        );
        assert_eq!(store.title(&shown.model.get_untracked()), "Large");
        // One that is not offered any more has no line, and no other model's.
        conversation.choose(of_model("gone@gpu"));
        assert_eq!(
            (store.title(&shown.model.get_untracked()).as_str(), waiting()),
            ("gone@gpu", None)
        );
        // Where all wait in one line, that one is shown.
        store.status.update(|status| {
            status.lines.truncate(1);
            status.lines[0].model = None;
        });
        assert_eq!(waiting(), Some(1));
        assert!(!untrack(|| store.offers("gone@gpu")));
    });
}

#[test]
fn what_is_chosen_for_a_conversation_that_has_not_begun_is_kept_with_its_message() {
    in_store(|store| {
        let blank = store.fresh.get_untracked();
        choose(store, &blank, of_model("large@gpu"));
        assert_eq!(drafts::read(None).choice, of_model("large@gpu"));
        assert_eq!(blank.choice.get_untracked(), of_model("large@gpu"));
        // Of one with a message that did not get through, the message keeps it; the next one starts as the site has it.
        drafts::set_choice(Choice::default());
        let unsent = kept(5, None, None);
        unsent::restore(store, u64::MAX);
        let (conversation, _) = store.unsent().remove(0);
        choose(store, &conversation, of_model("small@cpu"));
        let written = outbox::all().into_iter().find(|(id, _)| *id == unsent);
        assert_eq!(written.map(|(_, unsent)| unsent.choice), Some(of_model("small@cpu")));
        assert_eq!(drafts::read(None).choice, Choice::default());
    });
}

#[test]
fn a_block_in_the_place_of_one_that_went_is_another() {
    in_store(|store| {
        store.fill(
            TALK,
            Some(whole(vec![turn(1, TurnState::Running, &["<p>a</p>", "<p>b</p>"])], 10)),
        );
        let conversation = store.conversation(TALK).expect("it was filled");
        let keys = || {
            let turn = &conversation.turns.get_untracked()[0];
            turn.blocks
                .0
                .get_untracked()
                .iter()
                .map(|block| block.key)
                .collect::<Vec<_>>()
        };
        let before = keys();
        hear(store, 11, block(1, 0, "<p>a</p>"));
        hear(store, 12, block(1, 1, "<p>c</p>"));
        assert_eq!(html(&conversation, 1), ["<p>a</p>", "<p>c</p>"]);
        assert_eq!(keys()[0], before[0]);
        assert_ne!(keys()[1], before[1]);
    });
}

#[test]
fn an_event_that_was_seen_changes_nothing() {
    in_store(|store| {
        store.fill(
            TALK,
            Some(whole(vec![turn(1, TurnState::Running, &["<p>new</p>"])], 10)),
        );
        hear(store, 10, block(1, 0, "<p>old</p>"));
        hear(store, 12, block(1, 0, "<p>newer</p>"));
        hear(store, 11, block(1, 0, "<p>old</p>"));
        let conversation = store.conversation(TALK).expect("it was filled");
        assert_eq!(html(&conversation, 1), ["<p>newer</p>"]);
    });
}

#[test]
fn what_comes_while_a_conversation_loads_is_applied_to_what_was_loaded() {
    in_store(|store| {
        let conversation = store.conversation_or_stale(TALK);
        conversation.load.set(Load::Loading);
        hear(store, 11, block(1, 0, "<p>in the view already</p>"));
        hear(store, 13, block(1, 0, "<p>newer</p>"));
        store.fill(
            TALK,
            Some(whole(vec![turn(1, TurnState::Running, &["<p>loaded</p>"])], 12)),
        );
        assert_eq!(html(&conversation, 1), ["<p>newer</p>"]);
        assert_eq!(conversation.load.get_untracked(), Load::Ready);
    });
}

#[test]
fn a_message_on_its_way_survives_a_reload_of_its_conversation() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        let conversation = store.conversation(TALK).expect("it was filled");
        conversation.put(turn(2, TurnState::Waiting, &[]), Delivery::Sending);
        store.invalidate_all();
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 11)));
        let known: Vec<u128> = conversation
            .turns
            .get_untracked()
            .iter()
            .map(|turn| turn.id.0.as_u128())
            .collect();
        assert_eq!(known, [1, 2]);
    });
}

#[test]
fn a_message_that_arrives_while_its_conversation_is_fetched_stays_the_turn_that_is_shown() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        let conversation = store.conversation(TALK).expect("it was filled");
        let after = |id: u128, parent: u128, state| TurnView {
            parent: Some(TurnId(Uuid::from_u128(parent))),
            ..turn(id, state, &[])
        };
        let sent = conversation.put(after(2, 1, TurnState::Waiting), Delivery::Sending);
        store.invalidate_all();
        conversation.begin();
        // Accepted after the view was made, and told of before it is here.
        sent.accept();
        hear(store, 12, FeedEvent::Turn(Box::new(after(2, 1, TurnState::Running))));
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 11)));
        let state = || sent.view.get_untracked().state;
        assert_eq!(state(), TurnState::Running, "what is shown follows the feed");
        hear(store, 13, FeedEvent::Turn(Box::new(after(2, 1, TurnState::Done))));
        assert_eq!(state(), TurnState::Done);
        assert_eq!(conversation.turns.get_untracked().len(), 2);
        // What the server had when it was asked, and does not have any more, goes.
        store.invalidate_all();
        conversation.begin();
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 14)));
        assert_eq!(conversation.turns.get_untracked().len(), 1);
    });
}

#[test]
fn what_another_tab_has_just_written_is_left_to_it() {
    in_store(|store| {
        store.fill(TALK, Some(whole(vec![turn(1, TurnState::Done, &[])], 10)));
        kept(7, Some(TALK), None);
        let restored = unsent::restore(store, 6);
        assert!(restored.more && !restored.has_come, "it is on its way from there");
        assert!(store.is_idle());
        let restored = unsent::restore(store, 7);
        assert!(restored.has_come && !restored.more);
    });
}

#[test]
fn the_first_message_gives_the_fresh_conversation_its_id_whoever_tells_first() {
    in_store(|store| {
        let fresh = store.fresh.get_untracked();
        fresh.put(turn(1, TurnState::Waiting, &[]), Delivery::Sending);
        hear(store, 11, FeedEvent::Turn(Box::new(turn(1, TurnState::Running, &[]))));
        assert_eq!(fresh.id.get_untracked(), Some(TALK));
        assert!(store.conversation(TALK).is_some_and(|known| known == fresh));
        let sent = fresh.turn(TurnId(Uuid::from_u128(1))).expect("it was put");
        assert_eq!(sent.delivery.get_untracked(), Delivery::Accepted);
        // The answer of `send` comes later and changes nothing.
        store.adopt(sent.id, TALK);
        store.renew();
        assert!(store.fresh.get_untracked() != fresh);
    });
}

#[test]
fn another_version_asks_for_a_reload() {
    in_store(|store| {
        let hello = |version: &str| FeedMessage::Hello {
            position: at(10),
            resumed: true,
            version: version.to_owned(),
        };
        store.hear(hello("1"));
        assert_eq!(
            (store.link.get_untracked(), store.outdated.get_untracked()),
            (Link::Live, false)
        );
        store.hear(hello("2"));
        assert!(store.outdated.get_untracked());
    });
}

#[test]
fn what_could_not_be_fetched_is_fetched_again_with_the_next_hello() {
    in_store(|store| {
        let conversation = store.conversation_or_stale(TALK);
        let hello = FeedMessage::Hello {
            position: at(10),
            resumed: true,
            version: "1".to_owned(),
        };
        conversation.begin();
        conversation.fail(Reason::Unreadable);
        assert_eq!(conversation.load.get_untracked(), Load::Failed(Reason::Unreadable));
        store.hear(hello);
        assert_eq!(conversation.load.get_untracked(), Load::Stale);
        conversation.begin();
        conversation.fail(Reason::Unreadable);
        store.invalidate_all();
        assert_eq!(conversation.load.get_untracked(), Load::Stale);
    });
}

#[test]
fn a_view_from_before_the_feed_began_anew_is_not_taken() {
    in_store(|store| {
        let conversation = store.conversation_or_stale(TALK);
        conversation.begin();
        hear(store, 11, block(1, 0, "<p>lost</p>"));
        store.invalidate_all();
        assert!(store.fill(
            TALK,
            Some(whole(vec![turn(1, TurnState::Running, &["<p>old</p>"])], 10))
        ));
        assert_eq!(conversation.load.get_untracked(), Load::Stale);
        assert!(conversation.turns.get_untracked().is_empty());
        conversation.begin();
        assert!(store.fill(TALK, Some(whole(vec![turn(1, TurnState::Running, &["<p>new</p>"])], 9))));
        assert_eq!(html(&conversation, 1), ["<p>new</p>"]);
        assert_eq!(conversation.load.get_untracked(), Load::Ready);
    });
}

#[test]
fn a_view_of_another_epoch_is_shown_and_fetched_again() {
    in_store(|store| {
        let conversation = store.conversation_or_stale(TALK);
        conversation.begin();
        let mut view = whole(vec![turn(1, TurnState::Running, &["<p>a</p>"])], 3);
        view.feed.epoch = Uuid::from_u128(8);
        assert!(!store.fill(TALK, Some(view)));
        assert_eq!(html(&conversation, 1), ["<p>a</p>"]);
        assert_eq!(conversation.load.get_untracked(), Load::Loading);
    });
}

#[test]
fn an_older_overview_takes_back_nothing_that_the_feed_said() {
    in_store(|store| {
        let summary = ConversationSummary {
            id: TALK,
            title: "New".to_owned(),
            updated_at: 5,
            busy: false,
            asks: false,
            pinned: false,
            archived: false,
        };
        let told = Status {
            running: 1,
            ..Status::default()
        };
        let first = store.begin_reload();
        let run = store.begin_reload();
        assert!(!store.ask_again(first), "the later one has taken its place");
        hear(store, 11, FeedEvent::Conversation(summary.clone()));
        store.hear(FeedMessage::Status(told.clone()));
        let mut stranger = overview(10);
        stranger.feed.epoch = Uuid::from_u128(8);
        assert!(!store.end_reload(run, stranger));
        assert!(store.end_reload(run, overview(10)));
        assert_eq!(store.conversations.all.get_untracked(), [summary]);
        assert_eq!(store.status.get_untracked(), told);
        // One that knows of the event decides by itself, and one without a later status brings its own.
        let run = store.begin_reload();
        assert!(store.end_reload(run, overview(11)));
        assert!(store.conversations.all.get_untracked().is_empty());
        assert_eq!(store.status.get_untracked(), Status::default());
    });
}

#[test]
fn a_late_answer_puts_no_running_turn_in_line() {
    in_store(|store| {
        let fresh = store.fresh.get_untracked();
        let sent = fresh.put(turn(1, TurnState::Waiting, &[]), Delivery::Sending);
        let place = Place {
            turn: Some(sent.id),
            event: Event::Chat,
            model: None,
            position: 1,
            waiting: 1,
            estimate: None,
            trouble: None,
        };
        let asked = store.statuses.get_value();
        store.hear(FeedMessage::Status(Status::default()));
        store.join(&sent, place.clone(), asked);
        assert_eq!(store.place(sent.id), None, "a later status knows better");
        let asked = store.statuses.get_value();
        store.join(&sent, place.clone(), asked);
        assert_eq!(store.place(sent.id), Some(place.clone()));
        store.status.set(Status::default());
        hear(store, 11, FeedEvent::Turn(Box::new(turn(1, TurnState::Running, &[]))));
        store.join(&sent, place, asked);
        assert_eq!(store.place(sent.id), None, "it runs");
    });
}
