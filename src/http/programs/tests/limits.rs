//! How much may be asked for: with a key, and from an address.

use super::*;

/// An answer's status, its pause, and what it says of limits.
async fn limits(request: RequestBuilder) -> (u16, Option<u64>, String) {
    let response = request.send().await.expect("an answer");
    let headers = response.headers();
    let pause = headers
        .get(header::RETRY_AFTER)
        .map(|value| value.to_str().expect("text"));
    let pause = pause.map(|pause| pause.parse().expect("whole seconds"));
    let said = |name| {
        let lines = headers.get_all(name).iter();
        lines
            .map(|line| line.to_str().expect("text"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let said = format!("{} | {}", said("ratelimit-policy"), said("ratelimit"));
    (response.status().as_u16(), pause, said)
}

#[tokio::test]
async fn a_key_may_send_so_many_requests_a_minute_and_what_is_refused_counts_for_nothing() {
    let site = Site::start(&[("KEY_REQUESTS_PER_MINUTE", "1")]).await;
    let (token, _) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |path, token| limits(with(site.get(path), token));
    for _ in 0..3 {
        let (status, pause, said) = ask("/test/metrics", &token).await;
        assert_eq!((status, pause), (403, None));
        assert!(
            said.starts_with("\"key-requests\";q=1;w=60 | \"key-requests\";r=1;t=0"),
            "{said}"
        );
    }
    let (status, pause, told) = ask("/test/chat", &token).await;
    assert_eq!((status, pause), (200, None));
    assert!(told.contains("\"key-requests\";r=0;t=60"), "{told}");
    let (status, pause, _) = ask("/test/chat", &token).await;
    assert_eq!(status, 429);
    assert!((1..=60).contains(&pause.expect("it says when")), "{pause:?}");
    let (_, reason) = said(with(site.get("/test/chat"), &token)).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::KeyTooManyRequests { most: 1, .. }),
        "{reason:?}"
    );
    assert_eq!(ask("/test/chat", &other).await.0, 200, "each has its own");
    let (status, _, told) = limits(site.get("/test/chat")).await;
    assert_eq!((status, told.as_str()), (401, " | "));
}

#[tokio::test]
async fn a_key_may_use_so_many_tokens_a_minute() {
    let site = Site::start(&[("KEY_TOKENS_PER_MINUTE", "100")]).await;
    let (token, id) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = || limits(with(site.get("/test/chat"), &token));
    let (status, _, said) = ask().await;
    assert_eq!(status, 200);
    assert!(said.contains("\"key-tokens\";r=100;t=0"), "{said}");
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    site.engine.charge((Uuid::nil(), Owner(id.0.as_u128())), usage);
    let (status, pause, said) = ask().await;
    assert_eq!(
        (status, pause),
        (429, Some(120)),
        "some minutes, but not longer than that"
    );
    assert!(said.contains("\"key-tokens\";r=0;t=600"), "{said}");
    site.engine
        .charge((Uuid::nil(), Owner(id.0.as_u128())), Usage::default());
}

#[tokio::test]
async fn a_key_with_rates_of_its_own_is_held_to_those_and_a_change_holds_without_a_new_key() {
    let site = Site::start(&[("KEY_REQUESTS_PER_MINUTE", "1")]).await;
    let (token, id) = site
        .key(Scopes::WORK, |key| {
            key.rates = KeyRates {
                requests: "3".parse().ok(),
                tokens: "100".parse().ok(),
            };
        })
        .await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |token| limits(with(site.get("/test/chat"), token));
    let (status, _, told) = ask(&token).await;
    assert_eq!(status, 200);
    for part in [
        "\"key-requests\";q=3;w=60",
        "\"key-requests\";r=2;",
        "\"key-tokens\";q=100;w=60",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (_, _, told) = ask(&other).await;
    assert!(told.contains("q=1;w=60") && !told.contains("key-tokens"), "{told}");
    let me = said(with(site.get("/api/v1/key"), &token)).await.expect("let in");
    assert!(
        me.contains("\"requests_per_minute\":3,\"tokens_per_minute\":100"),
        "{me}"
    );
    // What an answer takes is taken of the key's own.
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    site.engine.charge((Uuid::nil(), Owner(id.0.as_u128())), usage);
    let (_, reason) = said(with(site.get("/test/chat"), &token)).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::KeyTooManyTokens { most: 100, .. }),
        "{reason:?}"
    );
    let store = site.engine.store();
    let change = RatesChange {
        requests: Some("4".parse().ok()),
        tokens: Some(None),
    };
    assert_eq!(store.set_key_rates(id, change).await, Ok(true));
    site.known().await;
    let (status, _, told) = ask(&token).await;
    assert_eq!(status, 200, "the site sets no tokens");
    assert!(told.contains("q=4;w=60") && !told.contains("key-tokens"), "{told}");
    // And the site's own again.
    let change = RatesChange {
        requests: Some(None),
        ..RatesChange::default()
    };
    assert_eq!(store.set_key_rates(id, change).await, Ok(true));
    site.known().await;
    let (_, _, told) = ask(&token).await;
    assert!(told.contains("q=1;w=60"), "{told}");
}

#[tokio::test]
async fn an_address_may_send_so_many_requests_a_minute() {
    let site = Site::start(&[("ADDRESS_REQUESTS_PER_MINUTE", "1"), ("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (token, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask = |from: &str| limits(with(site.get("/test/chat"), &token).header("x-forwarded-for", from));
    assert_eq!(ask("192.0.2.1").await.0, 200);
    let (status, pause, said) = ask("6.6.6.6, 192.0.2.1").await;
    assert_eq!(status, 429);
    assert!(pause.is_some() && said.contains("\"address-requests\";r=0"), "{said}");
    assert_eq!(ask("192.0.2.2").await.0, 200);
    assert_eq!(ask("2001:db8::1").await.0, 200);
    assert_eq!(ask("2001:db8::2").await.0, 429, "a network is one");
    assert_eq!(ask("192.0.2.3").await.0, 200);
    // Who is not let in does not use anything up.
    for _ in 0..3 {
        assert_eq!(
            limits(site.get("/test/chat").header("x-forwarded-for", "192.0.2.4"))
                .await
                .0,
            401
        );
    }
    assert_eq!(ask("192.0.2.4").await.0, 200);
}

#[tokio::test]
async fn programs_at_an_address_may_use_so_many_tokens_a_minute_with_whatever_keys() {
    let site = Site::start(&[
        ("ADDRESS_TOKENS_PER_MINUTE", "100"),
        ("KEY_REQUESTS_PER_MINUTE", "5"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ])
    .await;
    let (one, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let ask =
        |token: &Token, from: &str| with(site.get("/test/chat"), token).header("x-forwarded-for", from.to_owned());
    let (status, _, told) = limits(ask(&one, "192.0.2.1")).await;
    assert_eq!(status, 200);
    for part in ["\"address-tokens\";q=100;w=60", "\"address-tokens\";r=100;t=0"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let request = Uuid::from_u128(7);
    let owner = Owner(id.0.as_u128());
    let usage = Usage {
        input: Some(900),
        output: Some(100),
    };
    // Of what nobody knows who has asked for it, nobody's address pays.
    site.engine.charge((Uuid::from_u128(8), owner), usage);
    site.engine
        .rates()
        .note_payer((request, owner), "192.0.2.1".parse().expect("an address"));
    site.engine.charge((request, owner), usage);
    // Another key at the same address is refused as well, and neither key pays for that.
    for token in [&one, &other, &other, &other, &other, &other, &other] {
        let (status, pause, told) = limits(ask(token, "192.0.2.1")).await;
        assert_eq!((status, pause), (429, Some(120)), "{told}");
        assert!(told.contains("\"address-tokens\";r=0;t=600"), "{told}");
    }
    let (_, reason) = said(ask(&other, "192.0.2.1")).await.expect_err("refused");
    assert!(
        matches!(reason, Reason::AddressTooManyTokens { most: 100, .. }),
        "{reason:?}"
    );
    let (status, _, told) = limits(ask(&other, "192.0.2.2")).await;
    assert_eq!(status, 200, "another address has its own");
    assert!(told.contains("\"key-requests\";r=4"), "{told}");
    // What anybody could have written says nothing.
    assert_eq!(limits(ask(&other, "6.6.6.6, 192.0.2.1")).await.0, 429);
}
