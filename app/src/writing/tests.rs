//! What is kept of what somebody writes.

use anteroom::wire::{Choice, ConversationId, FileId, FileKind, FileView, TurnId};
use uuid::Uuid;

use super::{
    drafts::{self, Draft},
    outbox::{self, Unsent},
};
use crate::storage;

const TALK: Option<ConversationId> = Some(ConversationId(Uuid::from_u128(1)));

fn id(number: u128) -> Option<ConversationId> {
    Some(ConversationId(Uuid::from_u128(number)))
}

fn file(number: u128) -> FileView {
    FileView {
        id: FileId(Uuid::from_u128(number)),
        name: format!("{number} “quoted”.txt"),
        kind: FileKind::Text,
        mime: "text/plain".to_owned(),
        size: 3,
        paper: None,
    }
}

fn message(text: &str, at: u64) -> Unsent {
    Unsent {
        conversation: None,
        text: text.to_owned(),
        files: vec![file(1)],
        choice: Choice::default(),
        at,
        refused: None,
    }
}

fn text(of: Option<ConversationId>) -> String {
    drafts::read(of).text
}

#[test]
fn the_other_words_of_a_message_are_kept_beside_the_drafts_until_they_are_nothing() {
    let message = TurnId(Uuid::from_u128(1));
    assert_eq!(drafts::reworded(message), None);
    drafts::set_text(TALK, "the next one");
    drafts::reword(message, "in other words");
    assert_eq!(drafts::reworded(message).as_deref(), Some("in other words"));
    assert_eq!(drafts::reworded(TurnId(Uuid::from_u128(2))), None);
    assert_eq!(text(TALK), "the next one", "a conversation of the same number");
    drafts::reword(message, "");
    assert_eq!(drafts::reworded(message), None);
    drafts::reword(message, "forgotten with all else");
    super::forget();
    assert_eq!(drafts::reworded(message), None);
}

#[test]
fn each_conversation_has_its_own_draft_and_the_next_one_too() {
    drafts::set_text(TALK, "in one");
    drafts::set_text(None, "in the next");
    drafts::set_files(TALK, vec![file(1)]);
    assert_eq!((text(TALK).as_str(), text(None).as_str()), ("in one", "in the next"));
    assert_eq!(drafts::read(TALK).files, [file(1)]);
    assert!(drafts::read(id(2)).is_empty());
    // Of one that has begun, what was typed meanwhile goes along.
    drafts::begun(ConversationId(Uuid::from_u128(3)), "in the next");
    assert_eq!((text(id(3)).as_str(), text(None).as_str()), ("in the next", ""));
    // What another tab has typed for the next one is not taken along.
    drafts::set_text(None, "of the other tab");
    drafts::begun(ConversationId(Uuid::from_u128(4)), "mine");
    assert_eq!(
        (text(id(4)).as_str(), text(None).as_str()),
        ("mine", "of the other tab")
    );
    // What is chosen for the next one goes with its first message.
    let choice = Choice {
        model: Some("large@gpu".to_owned()),
        ..Choice::default()
    };
    drafts::set_choice(choice.clone());
    drafts::set_text(None, "to the large one");
    drafts::set_text(None, "");
    assert_eq!(
        drafts::read(None).choice,
        choice,
        "it stays when there is nothing typed"
    );
    drafts::set_text(None, "to the large one");
    drafts::sent(None, "to the large one");
    assert!(drafts::read(None).is_empty());
    drafts::set_text(TALK, " ");
    assert!(!drafts::read(TALK).is_empty(), "its file is still there");
    drafts::set_files(TALK, Vec::new());
    assert_eq!(drafts::read(TALK), Draft::default());
}

#[test]
fn what_another_tab_has_written_since_is_not_taken_for_what_was_sent() {
    drafts::set_text(TALK, "mine");
    drafts::sent(TALK, "mine");
    assert!(drafts::read(TALK).is_empty());
    drafts::set_text(TALK, "of the other tab");
    drafts::sent(TALK, "mine");
    assert_eq!(text(TALK), "of the other tab");
}

#[test]
fn a_message_that_is_taken_back_stands_before_what_was_typed_since() {
    drafts::set_text(TALK, "typed since");
    drafts::set_files(TALK, vec![file(2)]);
    drafts::give_back(TALK, "taken back".to_owned(), vec![file(1), file(2)]);
    assert_eq!(text(TALK), "taken back\n\ntyped since");
    assert_eq!(drafts::read(TALK).files, [file(1), file(2)]);
}

#[test]
fn drafts_are_bounded_and_the_oldest_leave() {
    for number in 1..=100 {
        drafts::set_text(id(number), "kept");
    }
    let kept = storage::keys(drafts::PREFIX).len();
    assert!((10..100).contains(&kept), "{kept}");
    assert_eq!(text(id(100)), "kept");
    let huge = "x".repeat(1 << 20);
    drafts::set_text(id(100), &huge);
    assert_eq!(text(id(100)), "kept", "what was last short enough");
}

#[test]
fn a_full_storage_costs_the_oldest_drafts_and_then_only_what_outlives_the_page() {
    for number in 1..=3 {
        drafts::set_text(id(number), &"x".repeat(1_000));
    }
    storage::set_room(2_500);
    drafts::set_text(id(4), &"y".repeat(1_000));
    assert_eq!(text(id(4)).len(), 1_000);
    assert!(storage::kept(drafts::PREFIX).len() <= 2);
    // No room at all: it is still there for as long as the page is.
    storage::set_room(0);
    drafts::set_text(id(5), "held");
    assert_eq!(text(id(5)), "held");
    assert!(storage::kept(drafts::PREFIX).is_empty());
    outbox::put(TurnId(Uuid::from_u128(1)), &message("held, too", 1));
    assert_eq!(outbox::all().len(), 1);
}

#[test]
fn unsent_messages_are_kept_in_the_order_in_which_they_were_written() {
    let [first, second] = [1, 2].map(|number| TurnId(Uuid::from_u128(number)));
    outbox::put(second, &message("second", 20));
    outbox::put(first, &message("first \u{1f600}", 10));
    assert_eq!(
        outbox::all(),
        [(first, message("first \u{1f600}", 10)), (second, message("second", 20))]
    );
    outbox::change(first, |unsent| unsent.refused = Some("No.".to_owned()));
    assert_eq!(outbox::all()[0].1.refused.as_deref(), Some("No."));
    outbox::remove(first);
    // Another page has sent it: a late refusal does not bring it back.
    outbox::change(first, |unsent| unsent.refused = Some("No.".to_owned()));
    assert_eq!(outbox::all().len(), 1);
}

#[test]
fn everything_of_it_can_be_forgotten() {
    drafts::set_text(TALK, "a draft");
    outbox::put(TurnId(Uuid::from_u128(1)), &message("unsent", 1));
    storage::write("theme", "dark");
    super::forget();
    assert!(drafts::read(TALK).is_empty() && outbox::all().is_empty());
    assert_eq!(storage::read("theme").as_deref(), Some("dark"));
}
