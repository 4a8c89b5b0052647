//! Passes.

use uuid::Uuid;

use super::*;
use crate::store::{PassKind, PassRecord};

/// How long a pass of these tests is good, in milliseconds.
const LIVES: u64 = 10_000;
const MOST: usize = 2;

fn pass(talk: &Talk, kind: PassKind, now: u64) -> PassRecord {
    PassRecord {
        id: Uuid::new_v4(),
        owner: talk.conversation.owner,
        conversation: talk.id(),
        kind,
        digest: digest(),
        created_at: now,
        expires_at: now + LIVES,
        used_at: None,
        revoked_at: None,
        guest: None,
    }
}

fn digest() -> String {
    format!("{:064x}", rand::random::<u128>())
}

async fn talk(store: &dyn Store, owner: Owner) -> Talk {
    let mut talk = Talk::new(owner, "apples");
    talk.say(store, None, "first").await;
    talk
}

async fn of(store: &dyn Store, talk: &Talk) -> Vec<PassRecord> {
    let read = store.passes(talk.conversation.owner, talk.id()).await;
    read.expect("read")
}

pub(crate) async fn a_pass_is_used_once_whoever_comes_first<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let talk = talk(&*store, an_owner()).await;
    let made = pass(&talk, PassKind::Watch, 1_000);
    assert_eq!(store.add_pass(made.clone(), MOST).await, Ok(true));
    assert_eq!(store.pass_of(&made.digest).await, Ok(Some(made.clone())));
    assert_eq!(store.pass(made.id).await, Ok(Some(made.clone())));
    let (one, other) = (digest(), digest());
    assert_eq!(store.use_pass(&digest(), &one, 2_000).await, Ok(None));
    let used = PassRecord {
        used_at: Some(2_000),
        guest: Some(one.clone()),
        ..made.clone()
    };
    assert_eq!(store.use_pass(&made.digest, &one, 2_000).await, Ok(Some(used.clone())));
    // A change that is made again, because its end was not heard, comes to the same.
    assert_eq!(store.use_pass(&made.digest, &one, 2_001).await, Ok(Some(used.clone())));
    assert_eq!(store.use_pass(&made.digest, &other, 2_001).await, Ok(None));
    store.close().await;
    drop(store);
    let again = K::open(folder.path()).await;
    assert_eq!(again.pass(made.id).await, Ok(Some(used)));
    assert_eq!(again.use_pass(&made.digest, &other, 2_002).await, Ok(None));
}

pub(crate) async fn of_two_at_once_one_uses_it<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let talk = talk(&*store, an_owner()).await;
    let made = pass(&talk, PassKind::Move, 1_000);
    assert_eq!(store.add_pass(made.clone(), MOST).await, Ok(true));
    let guests = [digest(), digest()];
    let [one, other] = [0, 1].map(|at| store.use_pass(&made.digest, &guests[at], 2_000));
    let (one, other) = tokio::join!(one, other);
    let used = [one, other].map(|used| used.expect("asked").is_some());
    assert_eq!(used.into_iter().filter(|used| *used).count(), 1, "{used:?}");
}

pub(crate) async fn what_is_over_or_revoked_is_of_no_use<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let talk = talk(&*store, owner).await;
    let (one, other) = (pass(&talk, PassKind::Watch, 1_000), pass(&talk, PassKind::Move, 1_001));
    for made in [&one, &other] {
        assert_eq!(store.add_pass(made.clone(), MOST).await, Ok(true));
    }
    assert_eq!(of(&*store, &talk).await, [other.clone(), one.clone()]);
    assert_eq!(store.passes(an_owner(), talk.id()).await, Ok(Vec::new()));
    // As many are out as may be, until one of them is not any more.
    let third = pass(&talk, PassKind::Watch, 1_002);
    assert_eq!(store.add_pass(third.clone(), MOST).await, Ok(false));
    assert_eq!(store.pass(third.id).await, Ok(None));
    assert_eq!(
        store.revoke_pass(an_owner(), other.id, 1_500).await,
        Ok(false),
        "not theirs"
    );
    assert_eq!(store.revoke_pass(owner, other.id, 1_500).await, Ok(true));
    assert_eq!(store.revoke_pass(owner, other.id, 1_600).await, Ok(false), "it is");
    let revoked = store.pass(other.id).await.expect("read").expect("there");
    assert_eq!(revoked.revoked_at, Some(1_500));
    assert_eq!(store.use_pass(&other.digest, &digest(), 1_501).await, Ok(None));
    assert_eq!(store.add_pass(third.clone(), MOST).await, Ok(true));
    assert_eq!(store.use_pass(&one.digest, &digest(), one.expires_at).await, Ok(None));
    // One that has been over for a day is let go of when another one is made.
    let late = pass(&talk, PassKind::Watch, one.expires_at + 24 * 3600 * 1000 + 1);
    assert_eq!(store.add_pass(late.clone(), MOST).await, Ok(true));
    let left: Vec<_> = of(&*store, &talk).await.into_iter().map(|pass| pass.id).collect();
    assert_eq!(left, [late.id, third.id, other.id]);
}

pub(crate) async fn they_go_with_their_conversation_and_with_their_owner<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let (talk, kept) = (talk(&*store, owner).await, talk(&*store, owner).await);
    let (gone, stays) = (pass(&talk, PassKind::Watch, 1_000), pass(&kept, PassKind::Watch, 1_000));
    for made in [&gone, &stays] {
        assert_eq!(store.add_pass(made.clone(), MOST).await, Ok(true));
    }
    store.delete(owner, talk.id(), 5_000).await.expect("deleted");
    // Until it is brought back, it leads nowhere.
    assert_eq!(store.pass(gone.id).await, Ok(None));
    assert_eq!(store.use_pass(&gone.digest, &digest(), 5_001).await, Ok(None));
    let another = pass(&talk, PassKind::Watch, 5_001);
    assert_eq!(store.add_pass(another, MOST).await, Ok(false));
    store.undelete(owner, talk.id()).await.expect("brought back");
    assert_eq!(store.pass(gone.id).await, Ok(Some(gone.clone())));
    store.delete(owner, talk.id(), 5_000).await.expect("deleted");
    store.purge(5_001, None).await.expect("purged");
    assert_eq!(store.undelete(owner, talk.id()).await, Ok(None));
    assert_eq!(store.pass_of(&gone.digest).await, Ok(None));
    assert_eq!(store.pass(stays.id).await, Ok(Some(stays.clone())));
    store.forget(owner).await.expect("forgotten");
    assert_eq!(store.pass_of(&stays.digest).await, Ok(None));
}
