//! The keys of programs.

use uuid::Uuid;

use super::*;
use crate::{
    accounts::{
        KeyId, Scope, Scopes,
        rates::{KeyRates, RatesChange, RequestRate, TokenRate},
    },
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
        rates: KeyRates::default(),
    }
}

async fn version(store: &dyn Store) -> (u64, u64) {
    let KeysVersion { made, revoked, .. } = store.keys_version().await.expect("read");
    (made, revoked)
}

async fn changes(store: &dyn Store) -> u64 {
    store.keys_version().await.expect("read").changes
}

pub(crate) async fn a_key_comes_back_as_it_was_made<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    assert_eq!(store.keys().await, Ok(Vec::new()));
    assert_eq!(version(&*store).await, (0, 0));
    let one = key("The bot's\0 \u{1f916}");
    let other = KeyRecord {
        scopes: Scopes::NONE.with(Scope::Metrics),
        expires_at: Some(u64::try_from(i64::MAX).expect("not negative")),
        rates: KeyRates {
            requests: "60".parse().ok(),
            tokens: "1000000000".parse().ok(),
        },
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

pub(crate) async fn a_key_is_given_other_rates_and_whoever_looks_finds_out<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let (one, other) = (key("bot"), key("other"));
    for key in [&one, &other] {
        assert_eq!(store.add_key(key.clone()).await, Ok(true));
    }
    assert_eq!(changes(&*store).await, 0);
    let rates = async || {
        store
            .keys()
            .await
            .expect("read")
            .iter()
            .map(|key| key.rates)
            .collect::<Vec<_>>()
    };
    let set = async |change| store.set_key_rates(one.id, change).await;
    let (requests, tokens): (Option<RequestRate>, Option<TokenRate>) = ("5".parse().ok(), "700".parse().ok());
    assert!(requests.is_some() && tokens.is_some());
    let change = RatesChange {
        requests: Some(requests),
        tokens: None,
    };
    assert_eq!(set(change).await, Ok(true));
    let so_far = KeyRates { requests, tokens: None };
    assert_eq!(rates().await, [so_far, KeyRates::default()], "nobody else's");
    let change = RatesChange {
        requests: None,
        tokens: Some(tokens),
    };
    assert_eq!(set(change).await, Ok(true));
    assert_eq!(
        rates().await[0],
        KeyRates { requests, tokens },
        "what is not named stays"
    );
    let change = RatesChange {
        requests: Some(None),
        tokens: None,
    };
    assert_eq!(set(change).await, Ok(true));
    let rest = KeyRates { requests: None, tokens };
    assert_eq!(rates().await[0], rest);
    assert_eq!(changes(&*store).await, 3);
    // Of one that is revoked or was never there nothing changes.
    assert_eq!(store.revoke_key(one.id, 7).await, Ok(true));
    assert_eq!(set(change).await, Ok(false));
    assert_eq!(store.set_key_rates(key("none").id, change).await, Ok(false));
    assert_eq!(changes(&*store).await, 3);
    store.close().await;
    drop(store);
    let again = K::open(folder.path()).await;
    assert_eq!(again.keys().await.expect("read")[0].rates, rest);
    assert_eq!(changes(&*again).await, 3);
}
