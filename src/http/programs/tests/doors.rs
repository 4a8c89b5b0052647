//! Who is let in at each door, and what a key is there.

use super::*;

#[tokio::test]
async fn each_door_lets_in_who_may_and_nobody_else() {
    let site = Site::start(&[]).await;
    let cookie = cookie(&site);
    for (method, path, scope) in DOORS {
        let ask = || site.ask(method, path);
        // As long as there are no keys.
        let elsewhere = ask().header("x-forwarded-for", "192.0.2.1");
        assert_eq!(said(elsewhere).await, unauthorized(Reason::NoKey), "{path}");
        let page = ask().header("origin", "http://evil.example");
        let forbidden = Err((StatusCode::FORBIDDEN, Reason::CrossSite));
        assert_eq!(said(page).await, forbidden, "{path}");
        if scope.is_none_or(|scope| Scopes::WORK.has(scope)) {
            let local = ask().send().await.expect("an answer").status();
            assert!(![401, 403].contains(&local.as_u16()), "{path}: {local}");
        }
    }
    let all = Scope::ALL.into_iter().fold(Scopes::NONE, Scopes::with);
    let (good, _) = site.key(all, |_| ()).await;
    let (expired, _) = site.key(all, |key| key.expires_at = Some(1)).await;
    let (revoked, id) = site.key(all, |key| key.revoked_at = Some(1)).await;
    let mut lacking = Vec::new();
    for scope in Scope::ALL {
        let others = Scope::ALL.into_iter().filter(|&other| other != scope);
        lacking.push((scope, site.key(others.fold(Scopes::NONE, Scopes::with), |_| ()).await.0));
    }
    site.known().await;
    for (method, path, scope) in DOORS {
        let ask = || site.ask(method, path);
        for (request, reason) in [
            (ask(), Reason::NoKey),
            (ask().header("cookie", &cookie), Reason::NoKey),
            (with(ask(), &expired), Reason::KeyExpired),
            (with(ask(), &revoked), Reason::KeyRevoked),
            (with(ask(), &Token::random(id)), Reason::KeyUnknown),
            (ask().bearer_auth("sk-nonsense"), Reason::KeyUnknown),
            (ask().basic_auth("me", Some(good.reveal())), Reason::KeyUnknown),
            (with(ask(), &good).header("x-api-key", "other"), Reason::KeyUnknown),
        ] {
            assert_eq!(said(request).await, unauthorized(reason), "{path}");
        }
        for request in [
            with(ask(), &good),
            ask().header("x-api-key", good.reveal()),
            with(ask(), &good).header("x-api-key", good.reveal()),
            // A key is no cookie: no page of another site has it.
            with(ask(), &good).header("origin", "http://evil.example"),
            with(ask(), &good).header("x-forwarded-for", "192.0.2.1"),
        ] {
            let status = request.send().await.expect("an answer").status();
            assert!(![401, 403].contains(&status.as_u16()), "{path}: {status}");
        }
        for (lacks, token) in lacking.iter().filter(|(lacks, _)| Some(*lacks) == *scope) {
            let name = lacks.name().to_owned();
            let refused = Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name }));
            assert_eq!(said(with(ask(), token)).await, refused, "{path}");
        }
    }
}

#[tokio::test]
async fn a_key_is_one_owner_and_so_are_all_programs_of_this_machine() {
    let site = Site::start(&[]).await;
    let local = format!("{} 0", Program::LOCAL.key.0);
    assert_eq!(said(site.get("/test/chat")).await, Ok(local.clone()));
    let cookie = cookie(&site);
    assert_eq!(
        said(site.get("/test/chat").header("cookie", &cookie)).await,
        Ok(local.clone())
    );
    let dummy = site.get("/test/chat").bearer_auth("whatever");
    assert_eq!(said(dummy).await, Ok(local), "many clients cannot do without");
    let (one, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, other_id) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    for (token, id) in [(one, id), (other, other_id)] {
        let request = with(site.get("/test/chat"), &token).header("cookie", &cookie);
        assert_eq!(said(request).await, Ok(format!("{} 0", id.0)));
    }
}

#[tokio::test]
async fn a_site_behind_https_lets_nobody_in_without_a_key() {
    let site = Site::start(&[("SECURE_COOKIES", "true")]).await;
    assert_eq!(said(site.get("/test/chat")).await, unauthorized(Reason::NoKey));
    let dummy = site.get("/test/chat").bearer_auth("whatever");
    assert_eq!(said(dummy).await, unauthorized(Reason::KeyUnknown));
}

#[tokio::test]
async fn a_scope_that_is_lacking_is_named() {
    let site = Site::start(&[]).await;
    let name = "metrics".to_owned();
    let refused = said(site.get("/test/metrics")).await;
    assert_eq!(refused, Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name })));
    let (token, _) = site.key(Scopes::NONE.with(Scope::Metrics), |_| ()).await;
    site.known().await;
    assert!(said(with(site.get("/test/metrics"), &token)).await.is_ok());
    let name = "chat".to_owned();
    let refused = said(with(site.get("/test/chat"), &token)).await;
    assert_eq!(refused, Err((StatusCode::FORBIDDEN, Reason::KeyMayNot { name })));
}

#[tokio::test]
async fn a_program_reads_what_its_key_is() {
    let site = Site::start(&[]).await;
    let read = async |request| -> serde_json::Value {
        serde_json::from_str(&said(request).await.expect("let in")).expect("JSON")
    };
    let local = read(site.get("/api/v1/key")).await;
    assert_eq!(local["name"], serde_json::Value::Null);
    assert_eq!(local["scopes"], serde_json::json!(["chat", "tasks", "read"]));
    let scopes = Scopes::NONE.with(Scope::Read);
    let (token, id) = site.key(scopes, |key| key.expires_at = Some(u64::MAX / 4)).await;
    site.known().await;
    let me = read(with(site.get("/api/v1/key"), &token)).await;
    let known = serde_json::json!({
        "id": id.0, "name": id.0.simple().to_string(), "scopes": ["read"], "expires_at": u64::MAX / 4,
        "requests_per_minute": null, "tokens_per_minute": null,
    });
    assert_eq!(me, known);
}

#[tokio::test]
async fn what_a_revoked_key_had_asked_for_ends() {
    let site = Site::start(&[]).await;
    let (token, id) = site.key(Scopes::WORK, |_| ()).await;
    let (other, _) = site.key(Scopes::WORK, |_| ()).await;
    site.known().await;
    let waiting = tokio::spawn(said(with(site.get("/test/waits"), &token)));
    site.asked.notified().await;
    let begun = async |token: &Token| {
        let mut response = with(site.get("/test/endless"), token).send().await.expect("an answer");
        assert_eq!(response.chunk().await.expect("a part").as_deref(), Some(&b"a part"[..]));
        response
    };
    let (mut answer, mut others) = (begun(&token).await, begun(&other).await);
    site.revoke(id).await;
    assert_eq!(waiting.await.expect("asked"), unauthorized(Reason::KeyRevoked));
    site.gone.notified().await;
    assert!(answer.chunk().await.is_err(), "it breaks off");
    let more = tokio::time::timeout(Duration::from_millis(10), others.chunk());
    assert!(more.await.is_err(), "the others' go on");
}
