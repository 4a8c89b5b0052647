//! What people have given for servers of tools.

use uuid::Uuid;

use super::*;
use crate::{
    accounts::{KeyId, Scopes, rates::KeyRates},
    store::{CredentialRecord, KeyRecord},
};

fn given(server: &str, sealed: &str, given_at: u64) -> CredentialRecord {
    CredentialRecord {
        server: server.to_owned(),
        sealed: sealed.to_owned(),
        given_at,
    }
}

pub(crate) async fn what_is_given_is_kept_replaced_and_removed<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let (one, other) = (an_owner(), an_owner());
    assert_eq!(store.credentials(one).await, Ok(Vec::new()));
    assert_eq!(store.remove_credential(one, "a").await, Ok(false));
    // Nobody needs a conversation for it.
    for (owner, record) in [
        (one, given("b", "1", 10)),
        (one, given("a", "2", 11)),
        (other, given("a", "3", 12)),
        (one, given("b", "4", 13)),
    ] {
        store.keep_credential(owner, record).await.expect("kept");
    }
    assert_eq!(
        store.credentials(one).await,
        Ok(vec![given("a", "2", 11), given("b", "4", 13)])
    );
    // The key that it is encrypted with is not made anew.
    assert_eq!(store.is_empty().await, Ok(false));
    store.close().await;
    drop(store);
    let again = K::open(folder.path()).await;
    assert_eq!(again.remove_credential(one, "a").await, Ok(true));
    assert_eq!(again.remove_credential(one, "a").await, Ok(false));
    assert_eq!(again.credentials(one).await, Ok(vec![given("b", "4", 13)]));
    assert_eq!(again.credentials(other).await, Ok(vec![given("a", "3", 12)]));
}

pub(crate) async fn what_a_key_was_given_stays_until_it_is_revoked<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let key = |name: &str| KeyRecord {
        id: KeyId(Uuid::new_v4()),
        name: name.to_owned(),
        scopes: Scopes::WORK,
        digest: "0f".repeat(32),
        created_at: 100,
        expires_at: None,
        revoked_at: None,
        rates: KeyRates::default(),
    };
    let keys = [key("one"), key("other")];
    let owners = keys.clone().map(|key| Owner(key.id.0.as_u128()));
    for (key, owner) in keys.iter().zip(owners) {
        assert_eq!(store.add_key(key.clone()).await, Ok(true));
        store.keep_credential(owner, given("a", "1", 10)).await.expect("kept");
    }
    // A program may have no conversation for long.
    store.purge(0, Some(1000)).await.expect("purged");
    assert_eq!(store.credentials(owners[0]).await, Ok(vec![given("a", "1", 10)]));
    assert_eq!(store.revoke_key(KeyId(Uuid::new_v4()), 7).await, Ok(false));
    assert_eq!(store.revoke_key(keys[0].id, 7).await, Ok(true));
    assert_eq!(store.credentials(owners[0]).await, Ok(Vec::new()));
    assert_eq!(store.credentials(owners[1]).await, Ok(vec![given("a", "1", 10)]));
    assert_eq!(store.revoke_key(keys[0].id, 8).await, Ok(false));
}

pub(crate) async fn what_was_given_goes_with_its_owner<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (gone, away, here) = (an_owner(), an_owner(), an_owner());
    for owner in [gone, away, here] {
        store.keep_credential(owner, given("a", "1", 10)).await.expect("kept");
    }
    let mut talk = Talk::new(here, "hello").at(100);
    talk.say(&*store, None, "hello").await;
    store.forget(gone).await.expect("forgotten");
    assert_eq!(store.credentials(gone).await, Ok(Vec::new()));
    // For ever, where nothing becomes too old.
    store.purge(0, None).await.expect("purged");
    store.purge(0, Some(10)).await.expect("purged");
    assert_eq!(store.credentials(away).await, Ok(vec![given("a", "1", 10)]));
    store.purge(0, Some(11)).await.expect("purged");
    assert_eq!(store.credentials(away).await, Ok(Vec::new()));
    assert_eq!(store.credentials(here).await, Ok(vec![given("a", "1", 10)]));
}
