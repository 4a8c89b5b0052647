//! Messages that stand behind another one.

use super::*;
use crate::{
    store::Added,
    wire::{FollowUp, Reason},
};

fn follow_up(message: &str) -> FollowUp {
    FollowUp {
        id: TurnId::new(),
        message: message.to_owned(),
        files: Vec::new(),
        at: 2_000,
        held: None,
    }
}

/// A conversation with a message that runs.
async fn talk(store: &dyn Store, owner: Owner) -> (Talk, TurnRecord) {
    let mut talk = Talk::new(owner, "apples");
    let first = talk.say(store, None, "first").await;
    (talk, first)
}

async fn of(store: &dyn Store, talk: &Talk) -> Vec<FollowUp> {
    let read = store.follow_ups(talk.conversation.owner, talk.id()).await;
    read.expect("read")
}

pub(crate) async fn they_come_back_in_their_order_with_their_files_after_a_restart<K: Kind>() {
    let fixture = fixture::<K>().await;
    let (store, owner) = (&*fixture.store, an_owner());
    let (talk, _) = talk(store, owner).await;
    let (mut one, two) = (follow_up("one, \u{1f600}\0"), follow_up("two"));
    one.files = vec![file("b.txt"), file("a.txt")];
    for one in [&one, &two, &one] {
        let added = store.add_follow_up(owner, talk.id(), one.clone(), 2).await;
        assert_eq!(added, Ok(Added::Kept), "also what is there");
    }
    let third = store.add_follow_up(owner, talk.id(), follow_up("three"), 2).await;
    assert_eq!(third, Ok(Added::TooMany));
    let nowhere = store
        .add_follow_up(owner, ConversationId::new(), follow_up("lost"), 2)
        .await;
    assert_eq!(nowhere, Ok(Added::NoConversation));
    let theirs = store
        .add_follow_up(an_owner(), talk.id(), follow_up("strange"), 2)
        .await;
    assert_eq!(theirs, Ok(Added::NoConversation));
    assert_eq!(of(store, &talk).await, [one.clone(), two.clone()]);
    store.close().await;
    let again = K::open(fixture.folder.path()).await;
    assert_eq!(of(&*again, &talk).await, [one, two]);
    assert_eq!(again.followed().await, Ok(vec![(owner, talk.id())]));
}

pub(crate) async fn one_is_changed_withdrawn_and_a_turn_from_one_change_on<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let (mut talk, first) = talk(&*store, owner).await;
    let [mut one, two, three] = ["one", "two", "three"].map(follow_up);
    one.files = vec![file("a.txt")];
    for one in [&one, &two, &three] {
        let added = store.add_follow_up(owner, talk.id(), one.clone(), 10).await;
        assert_eq!(added, Ok(Added::Kept));
    }
    let mine = Ok(Some(talk.id()));
    assert_eq!(store.reword_follow_up(owner, one.id, "other words").await, mine);
    assert_eq!(store.reword_follow_up(an_owner(), one.id, "stolen").await, Ok(None));
    assert_eq!(store.withdraw_follow_up(an_owner(), two.id).await, Ok(None));
    assert_eq!(store.withdraw_follow_up(owner, two.id).await, mine);
    assert_eq!(store.withdraw_follow_up(owner, two.id).await, Ok(None));
    one.message = "other words".into();
    assert_eq!(of(&*store, &talk).await, [one.clone(), three.clone()]);
    // Its file goes along.
    let mut turn = talk.turn(Some(first.id), &one.message);
    (turn.id, turn.files) = (one.id, one.files.clone());
    talk.accept(&*store, &turn, None).await;
    assert_eq!(of(&*store, &talk).await, std::slice::from_ref(&three));
    let stored = store.turn(owner, one.id).await.expect("read").expect("there").turn;
    assert_eq!(stored.files, one.files);
    // The same id of somebody else is another message.
    let (mut other, _) = self::talk(&*store, an_owner()).await;
    let mut same = other.turn(None, "theirs");
    same.id = three.id;
    other.accept(&*store, &same, None).await;
    assert_eq!(of(&*store, &talk).await, [three]);
    // A turn is put in other words for as long as it is not over.
    assert_eq!(store.reword(owner, one.id, "once more").await, Ok(true));
    let stored = store.turn(owner, one.id).await.expect("read").expect("there").turn;
    assert_eq!(stored.message, "once more");
    store.update(answered(stored, "yes")).await.expect("updated");
    assert_eq!(store.reword(owner, one.id, "too late").await, Ok(false));
}

pub(crate) async fn they_are_held_together_and_let_go_together<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let (talk, _) = talk(&*store, owner).await;
    let add = async |message: &str| {
        let added = store.add_follow_up(owner, talk.id(), follow_up(message), 10).await;
        assert_eq!(added, Ok(Added::Kept));
    };
    let held = async || {
        let all = of(&*store, &talk).await.into_iter();
        all.map(|one| one.held).collect::<Vec<_>>()
    };
    add("one").await;
    let why = Some(Reason::TooManyOfYours);
    store
        .hold_follow_ups(owner, talk.id(), why.clone())
        .await
        .expect("held");
    add("two").await;
    assert_eq!(held().await, [why.clone(), why]);
    assert_eq!(store.followed().await, Ok(Vec::new()));
    store.hold_follow_ups(owner, talk.id(), None).await.expect("let go");
    assert_eq!(held().await, [None, None]);
    assert_eq!(store.followed().await, Ok(vec![(owner, talk.id())]));
    // What is deleted stands behind nothing, until it is brought back.
    assert_eq!(store.delete(owner, talk.id(), 5_000).await, Ok(true));
    assert_eq!(
        (of(&*store, &talk).await, store.followed().await),
        (Vec::new(), Ok(Vec::new()))
    );
    store.undelete(owner, talk.id()).await.expect("undeleted");
    assert_eq!(held().await, [None, None]);
}

pub(crate) async fn their_files_stay_for_as_long_as_they_do<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let (talk, _) = talk(&*store, owner).await;
    let mut one = follow_up("one");
    one.files = vec![file("a.txt")];
    store.add_file(owner, one.files[0].clone(), 5).await.expect("added");
    let added = store.add_follow_up(owner, talk.id(), one.clone(), 10).await;
    assert_eq!(added, Ok(Added::Kept));
    // The turn that runs keeps the conversation; the file is older than what may be unused.
    let purged = store.purge(0, Some(10_000)).await.expect("purged");
    assert_eq!(purged.files, []);
    assert_eq!(of(&*store, &talk).await, [one.clone()]);
    assert_eq!(store.delete(owner, talk.id(), 5_000).await, Ok(true));
    let purged = store.purge(6_000, None).await.expect("purged");
    assert_eq!(purged.files, [one.files[0].id]);
    assert_eq!(store.withdraw_follow_up(owner, one.id).await, Ok(None));
    let (talk, _) = self::talk(&*store, owner).await;
    let added = store.add_follow_up(owner, talk.id(), one.clone(), 10).await;
    assert_eq!(added, Ok(Added::Kept));
    assert_eq!(store.forget(owner).await, Ok(vec![one.files[0].id]));
    assert_eq!(store.withdraw_follow_up(owner, one.id).await, Ok(None));
}
