//! Turns, their versions and the ways through them.

use super::*;
use crate::{
    store::StoreError,
    wire::{Incomplete, Paper, PaperUnit, Reason, TurnNotice, Usage, Versions},
};

pub(crate) async fn a_turn_comes_back_as_it_was_stored<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "A title");
    let mut turn = talk.turn(None, "What is a queue? 🙂");
    turn.files = vec![file("b.txt"), file("a.txt")];
    turn.files[0].kind = FileKind::Image;
    turn.files[1].kind = FileKind::Document;
    turn.files[1].paper = Some(Paper {
        unit: PaperUnit::Pages,
        parts: 12,
        characters: 34_000,
        left_out: 3,
        blank: 1,
        cut: true,
        pictures: 3,
        pictures_left_out: 1,
    });
    talk.accept(&*store, &turn, Some(OrderKey { tag: 7, arrival: 9 })).await;
    let step = store.turn(owner, turn.id).await.expect("read").expect("there");
    assert_eq!(step.turn, turn);
    assert_eq!(step.versions, Versions::default());

    let incomplete = |cause| TurnState::Incomplete { cause };
    for (state, usage) in [
        (TurnState::Running, None),
        (incomplete(Incomplete::Length), Some(Usage::default())),
        (incomplete(Incomplete::Filter), None),
        (incomplete(Incomplete::Other), None),
        (
            TurnState::Done,
            Some(Usage {
                input: Some(3),
                output: None,
            }),
        ),
        (
            TurnState::Failed {
                reason: Reason::ModelUnknown {
                    model: "a \"b\"".into(),
                },
            },
            None,
        ),
        (
            TurnState::Cancelled,
            Some(Usage {
                input: None,
                output: Some(0),
            }),
        ),
        (
            TurnState::Failed {
                reason: Reason::Told {
                    sentence: "It said so, in words.".into(),
                },
            },
            None,
        ),
        (
            TurnState::Expired {
                reason: Reason::Mistake,
            },
            Some(Usage::default()),
        ),
    ] {
        turn.state = state;
        turn.usage = usage;
        turn.answer.push_str("A line.\0\n");
        turn.started_at = Some(5);
        turn.ended_at = usage.map(|_| 6);
        turn.attempts += 1;
        turn.reasoning.push_str("Hm 🙂. ");
        turn.thought_ms = usage.map(|_| 1_500);
        turn.backend = usage.map(|_| "gpu1".into());
        turn.notices.push(TurnNotice::Trimmed { turns: turn.attempts });
        store.update(turn.clone()).await.expect("updated");
        assert_eq!(
            store.turn(owner, turn.id).await.expect("read").expect("there").turn,
            turn
        );
    }
}

pub(crate) async fn what_is_anothers_is_not_found<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (mine, other) = (an_owner(), an_owner());
    let mut talk = Talk::new(mine, "Mine");
    let mut turn = talk.turn(None, "secret");
    turn.files = vec![file("secret.txt")];
    talk.accept(&*store, &turn, None).await;
    let last = talk.say(&*store, Some(turn.id), "secret too").await;
    // Another owner may have a turn of the same id.
    let mut theirs = Talk::new(other, "Theirs");
    let mut same_id = theirs.turn(None, "not secret");
    same_id.id = turn.id;
    theirs.accept(&*store, &same_id, None).await;

    assert_eq!(
        store.turn(other, turn.id).await.expect("read").expect("there").turn,
        same_id
    );
    assert_eq!(store.turn(other, last.id).await, Ok(None));
    assert_eq!(store.path(other, last.id, 10).await, Ok(vec![]));
    assert_eq!(store.newest_below(other, turn.id).await, Ok(turn.id));
    assert_eq!(store.conversation(other, talk.id()).await, Ok(None));
    assert_eq!(store.turns(other, talk.id()).await, Ok(vec![]));
    assert_eq!(store.file(other, turn.files[0].id).await, Ok(None));
    assert_eq!(store.search(other, "secret", 10).await.expect("read").len(), 1);
    assert_eq!(store.rename(other, talk.id(), "Stolen").await, Ok(false));
    assert_eq!(store.show(other, talk.id(), turn.id).await, Ok(false));
    assert_eq!(store.show(other, theirs.id(), last.id).await, Ok(false));
    assert_eq!(store.delete(other, talk.id(), 1).await, Ok(false));
    assert_eq!(store.undelete(other, talk.id()).await, Ok(None));
    assert_eq!(store.forget(other).await, Ok(vec![]));
    assert_eq!(store.conversation(mine, talk.id()).await, Ok(Some(talk.conversation)));
    assert_eq!(
        store.turn(mine, turn.id).await.expect("read").expect("there").turn,
        turn
    );
}

pub(crate) async fn a_path_is_the_newest_turns_that_lead_to_one<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Long");
    let mut turns = Vec::new();
    for number in 0..6 {
        let parent = turns.last().copied();
        turns.push(talk.say(&*store, parent, &format!("message {number}")).await.id);
    }
    let path = async |last, most| ids(&store.path(owner, last, most).await.expect("read"));
    assert_eq!(path(turns[5], 100).await, turns);
    assert_eq!(path(turns[5], 2).await, turns[4..]);
    assert_eq!(path(turns[2], 2).await, turns[1..3]);
    assert_eq!(path(turns[0], 1).await, turns[..1]);
    assert_eq!(path(turns[0], 0).await, []);
    assert_eq!(path(TurnId::new(), 10).await, []);
}

pub(crate) async fn versions_are_turns_that_follow_the_same_one<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Versions");
    let first = talk.say(&*store, None, "first").await.id;
    let second = talk.say(&*store, Some(first), "second").await.id;
    let again = talk.say(&*store, Some(first), "second, again").await.id;
    let once_more = talk.say(&*store, Some(first), "second, once more").await.id;
    let third = talk.say(&*store, Some(again), "third").await.id;
    let rewritten = talk.say(&*store, None, "first, rewritten").await.id;
    // Begins a conversation, too, but another one.
    let mut other = Talk::new(owner, "Other");
    let alone = other.say(&*store, None, "alone").await.id;

    let versions = async |id| store.turn(owner, id).await.expect("read").expect("there").versions;
    let expected = |number, count, earlier, later| Versions {
        number,
        count,
        earlier,
        later,
    };
    assert_eq!(versions(first).await, expected(1, 2, None, Some(rewritten)));
    assert_eq!(versions(rewritten).await, expected(2, 2, Some(first), None));
    assert_eq!(versions(second).await, expected(1, 3, None, Some(again)));
    assert_eq!(versions(again).await, expected(2, 3, Some(second), Some(once_more)));
    assert_eq!(versions(once_more).await, expected(3, 3, Some(again), None));
    assert_eq!(versions(third).await, Versions::default());
    assert_eq!(versions(alone).await, Versions::default());

    assert_eq!(
        ids(&store.path(owner, third, 10).await.expect("read")),
        [first, again, third]
    );
    assert_eq!(store.newest_below(owner, first).await, Ok(once_more));
    assert_eq!(store.newest_below(owner, again).await, Ok(third));
    assert_eq!(store.newest_below(owner, third).await, Ok(third));
    let nowhere = TurnId::new();
    assert_eq!(store.newest_below(owner, nowhere).await, Ok(nowhere));

    let all: Vec<_> = store
        .turns(owner, talk.id())
        .await
        .expect("read")
        .into_iter()
        .map(|turn| turn.id)
        .collect();
    assert_eq!(all, [first, second, again, once_more, third, rewritten]);

    assert_eq!(store.show(owner, talk.id(), third).await, Ok(true));
    let shown = store
        .conversation(owner, talk.id())
        .await
        .expect("read")
        .expect("there");
    assert_eq!(shown.head, third);
    assert_eq!(store.show(owner, talk.id(), alone).await, Ok(false));
    assert_eq!(store.show(owner, talk.id(), TurnId::new()).await, Ok(false));
    assert_eq!(store.show(owner, ConversationId::new(), third).await, Ok(false));
}

pub(crate) async fn accepting_again_makes_no_second_turn<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Once");
    let mut turn = talk.turn(None, "hello");
    turn.files = vec![file("a.txt"), file("b.txt")];
    talk.accept(&*store, &turn, None).await;
    turn.files.remove(0);
    turn.message = "hello again".into();
    turn.reasoning = "Hm.".into();
    turn.thought_ms = Some(2_500);
    turn.backend = Some("gpu2".into());
    turn.notices = vec![
        TurnNotice::Cached,
        TurnNotice::Fallback {
            model: "small@cpu".into(),
        },
    ];
    talk.accept(&*store, &turn, Some(OrderKey { tag: 1, arrival: 2 })).await;
    assert_eq!(store.turns(owner, talk.id()).await, Ok(vec![turn]));
}

pub(crate) async fn a_turn_that_follows_none_that_is_there_is_refused_whole<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut other = Talk::new(owner, "Other");
    let elsewhere = other.say(&*store, None, "elsewhere").await.id;
    let talk = Talk::new(owner, "New");
    for parent in [TurnId::new(), elsewhere] {
        let turn = talk.turn(Some(parent), "hello");
        let refused = store.accept(talk.conversation.clone(), turn.clone(), None, None).await;
        assert!(matches!(refused, Err(StoreError::Other(_))), "{refused:?}");
        assert_eq!(store.turn(owner, turn.id).await, Ok(None));
        assert_eq!(store.conversation(owner, talk.id()).await, Ok(None));
    }
    assert_eq!(store.fault(), None, "one bad turn is no fault of the store");
}

pub(crate) async fn an_update_of_what_is_not_there_is_no_error<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let talk = Talk::new(an_owner(), "Never stored");
    let turn = talk.turn(None, "hello");
    assert_eq!(store.update(turn.clone()).await, Ok(()));
    assert_eq!(store.turn(turn.owner, turn.id).await, Ok(None));
}

pub(crate) async fn files_belong_to_their_owner<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let view = file("notes.txt");
    assert_eq!(store.file(owner, view.id).await, Ok(None));
    store.add_file(owner, view.clone(), 5).await.expect("added");
    store.add_file(owner, view.clone(), 6).await.expect("added once more");
    assert_eq!(store.file(owner, view.id).await, Ok(Some(view)));
}
