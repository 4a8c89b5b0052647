//! Permanent removal.

use super::*;
use crate::{store::Purged, wire::FileView};

/// A conversation with one message that carries files.
async fn talk(store: &dyn Store, owner: Owner, message: &str, used_at: u64, files: &[&FileView]) -> Talk {
    let mut talk = Talk::new(owner, message).at(used_at);
    let mut turn = talk.turn(None, message);
    turn.files = files.iter().copied().cloned().collect();
    talk.accept(store, &turn, None).await;
    store.update(answered(turn, "done")).await.expect("updated");
    talk
}

pub(crate) async fn a_purge_removes_what_was_deleted_long_ago<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let (alone, shared) = (file("alone.txt"), file("shared.txt"));
    let old = talk(&*store, owner, "old", 10, &[&alone, &shared]).await;
    let recent = talk(&*store, owner, "recent", 20, &[&shared]).await;
    let kept = talk(&*store, owner, "kept", 5, &[]).await;
    store.delete(owner, old.id(), 100).await.expect("deleted");
    store.delete(owner, recent.id(), 200).await.expect("deleted");

    assert_eq!(store.purge(100, None).await, Ok(Purged::default()), "before, not at");
    let purged = store.purge(101, None).await.expect("purged");
    assert_eq!(
        purged,
        Purged {
            files: vec![alone.id],
            conversations: vec![]
        }
    );
    assert_eq!(store.undelete(owner, old.id()).await, Ok(None));
    assert_eq!(store.file(owner, alone.id).await, Ok(None));
    assert_eq!(
        store.file(owner, shared.id).await,
        Ok(Some(shared.clone())),
        "the other message carries it"
    );
    assert_eq!(store.turn(owner, old.conversation.head).await, Ok(None));

    // Files are named once more, should the server have ended before it removed their contents.
    let purged = store.purge(201, None).await.expect("purged");
    assert_eq!(purged.files, [alone.id, shared.id]);
    assert_eq!(store.undelete(owner, recent.id()).await, Ok(None));
    assert_eq!(store.purge(201, None).await.expect("purged").files, [shared.id]);
    assert_eq!(store.purge(201, None).await, Ok(Purged::default()));
    assert_eq!(store.conversation(owner, kept.id()).await, Ok(Some(kept.conversation)));
}

pub(crate) async fn a_purge_removes_what_was_not_used_for_long<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (owner, other) = (an_owner(), an_owner());
    let (carried, forgotten, new) = (file("carried.txt"), file("forgotten.txt"), file("new.txt"));
    store.add_file(owner, forgotten.clone(), 50).await.expect("added");
    store.add_file(owner, new.clone(), 100).await.expect("added");
    let old = talk(&*store, owner, "old", 50, &[&carried]).await;
    let theirs = talk(&*store, other, "old as well", 99, &[]).await;
    let deleted = talk(&*store, owner, "deleted by hand", 50, &[]).await;
    store.delete(owner, deleted.id(), 500).await.expect("deleted");
    let used = talk(&*store, owner, "used", 100, &[]).await;
    let mut busy = Talk::new(owner, "busy").at(50);
    let waiting = busy.say(&*store, None, "still waiting").await;

    let mut purged = store.purge(0, Some(100)).await.expect("purged");
    purged.files.sort();
    let mut files = vec![carried.id, forgotten.id];
    files.sort();
    assert_eq!(purged.files, files);
    assert_eq!(purged.conversations, [(owner, old.id()), (other, theirs.id())]);
    assert_eq!(store.undelete(owner, deleted.id()).await, Ok(None));
    assert_eq!(store.file(owner, new.id).await, Ok(Some(new)));
    let left = store.conversations(owner, None, 10).await.expect("read");
    assert_eq!(left, [used.conversation, busy.conversation.clone()]);

    store.update(answered(waiting, "at last")).await.expect("updated");
    let purged = store.purge(0, Some(100)).await.expect("purged");
    assert_eq!(purged.conversations, [(owner, busy.id())]);
}

pub(crate) async fn a_purge_takes_many_a_part_at_a_time<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut writes = Vec::new();
    for _ in 0..450 {
        let mut talk = Talk::new(owner, "old");
        let turn = answered(talk.turn(None, "hello"), "hello");
        talk.conversation.head = turn.id;
        writes.push(store.accept(talk.conversation, turn, None, None));
    }
    for outcome in futures_util::future::join_all(writes).await {
        outcome.expect("accepted");
    }
    let purged = store.purge(0, Some(2_000)).await.expect("purged");
    assert_eq!(purged.conversations.len(), 450);
    assert_eq!(store.conversations(owner, None, 10).await, Ok(vec![]));
}

pub(crate) async fn forgetting_removes_all_of_one_owner<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (mine, other) = (an_owner(), an_owner());
    let (carried, loose) = (file("carried.txt"), file("loose.txt"));
    store.add_file(mine, loose.clone(), 1).await.expect("added");
    let gone = talk(&*store, mine, "mine", 10, &[&carried]).await;
    let deleted = talk(&*store, mine, "mine, deleted", 10, &[]).await;
    store.delete(mine, deleted.id(), 11).await.expect("deleted");
    let stays = talk(&*store, other, "theirs", 10, &[]).await;

    let mut files = store.forget(mine).await.expect("forgotten");
    files.sort();
    let mut expected = vec![carried.id, loose.id];
    expected.sort();
    assert_eq!(files, expected);
    assert_eq!(store.conversations(mine, None, 10).await, Ok(vec![]));
    assert_eq!(store.turn(mine, gone.conversation.head).await, Ok(None));
    assert_eq!(store.undelete(mine, deleted.id()).await, Ok(None));
    assert_eq!(store.file(mine, loose.id).await, Ok(None));
    assert_eq!(
        store.conversation(other, stays.id()).await,
        Ok(Some(stays.conversation))
    );
    assert_eq!(store.forget(mine).await, Ok(vec![]), "there is nothing any more");
    let mut named_again = store.purge(0, None).await.expect("purged").files;
    named_again.sort();
    assert_eq!(named_again, expected);
}
