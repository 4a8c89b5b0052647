//! Keys that are made and revoked: this process knows them as they are once whoever has done it hears of that.

use super::*;
use crate::{
    accounts::{
        Role, Scope, Scopes,
        keys::KeyFault,
        rates::{KeyRates, RatesChange},
    },
    clock::now_ms,
};

#[tokio::test]
async fn what_is_done_to_a_key_is_known_once_it_is_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let operator = Principal {
        role: Role::Operator,
        ..Principal::visitor(SessionId::random())
    };
    let client = Client::new(Arc::clone(&engine), operator);
    let scopes = Scopes::NONE.with(Scope::Chat);
    let made = client.make_key("bot", scopes, None, KeyRates::default()).await;
    let made = made.expect("stored").expect("its name is free");
    let admitted = || engine.keys().admit(made.token.reveal(), now_ms());
    assert_eq!(admitted().expect("it is let in").key, made.key.id);
    let requests = "7".parse().ok();
    let change = RatesChange {
        requests: Some(requests),
        ..RatesChange::default()
    };
    assert!(client.set_key_rates(made.key.id, change).await.expect("stored"));
    assert_eq!(engine.keys().rates(made.key.id).requests, requests);
    assert!(client.revoke_key(made.key.id).await.expect("stored"));
    assert_eq!(admitted(), Err(KeyFault::Revoked));
}
