//! The keys of programs.

use uuid::Uuid;

use super::*;
use crate::{
    accounts::{KeyId, Scope, Scopes},
    store::{KeyRecord, KeysVersion},
};

fn key(name: &str) -> KeyRecord {
    KeyRecord {
        id: KeyId(Uuid::new_v4()),
        name: name.to_owned(),
        scopes: Scopes::WORK,
        digest: "0f".repeat(32),
        created_at: 100,
        expires_at: None,
        revoked_at: None,
    }
}

async fn version(store: &dyn Store) -> (u64, u64) {
    let KeysVersion { made, revoked } = store.keys_version().await.expect("read");
    (made, revoked)
}

pub(crate) async fn a_key_comes_back_as_it_was_made<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    assert_eq!(store.keys().await, Ok(Vec::new()));
    assert_eq!(version(&*store).await, (0, 0));
    let one = key("The bot's\0 \u{1f916}");
    let other = KeyRecord {
        scopes: Scopes::NONE.with(Scope::Metrics),
        expires_at: Some(u64::try_from(i64::MAX).expect("not negative")),
        ..key("other")
    };
    assert_eq!(store.add_key(one.clone()).await, Ok(true));
    assert_eq!(store.add_key(other.clone()).await, Ok(true));
    assert_eq!(store.keys().await, Ok(vec![one.clone(), other.clone()]));
    assert_eq!(version(&*store).await, (2, 0));
    // Nobody's conversations go with them, nor they with those.
    assert_eq!(store.is_empty().await, Ok(true));
    let owner = Owner(one.id.0.as_u128());
    Talk::new(owner, "its own").say(&*store, None, "hello").await;
    store.forget(owner).await.expect("forgotten");
    store.close().await;
    drop(store);
    let again = K::open(folder.path()).await;
    assert_eq!(again.keys().await, Ok(vec![one, other]));
}

pub(crate) async fn a_name_is_free_again_once_its_key_is_revoked<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (one, other) = (key("bot"), key("bot"));
    assert_eq!(store.add_key(one.clone()).await, Ok(true));
    assert_eq!(store.add_key(other.clone()).await, Ok(false));
    assert_eq!(version(&*store).await, (1, 0));
    assert_eq!(store.revoke_key(other.id, 7).await, Ok(false), "it was not made");
    assert_eq!(store.revoke_key(one.id, 7).await, Ok(true));
    assert_eq!(store.revoke_key(one.id, 8).await, Ok(false), "once is for ever");
    assert_eq!(version(&*store).await, (1, 1));
    assert_eq!(store.add_key(other.clone()).await, Ok(true));
    let revoked = KeyRecord {
        revoked_at: Some(7),
        ..one
    };
    assert_eq!(store.keys().await, Ok(vec![revoked, other]));
}
