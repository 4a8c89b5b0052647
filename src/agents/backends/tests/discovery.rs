//! Servers that are asked which models they have.

use axum::response::Response;
use serde_json::json;

use super::*;
use crate::agents::tests::providers::Stub;

/// A server with this list, which may be changed; `None`: it tells nothing.
type List = Arc<Mutex<Option<Vec<&'static str>>>>;

async fn server(names: &[&'static str]) -> (Stub, List) {
    let list: List = Arc::new(Mutex::new(Some(names.to_vec())));
    let told = Arc::clone(&list);
    let stub = Stub::start(move |got| {
        assert_eq!(got.path, "/v1/models");
        let Some(names) = &*told.lock().unwrap() else {
            return Response::builder().status(500).body("my password is x".into()).unwrap();
        };
        let data: Vec<_> = names
            .iter()
            .map(|name| json!({ "id": name, "max_model_len": 4096 }))
            .collect();
        Response::new(json!({ "data": data }).to_string().into())
    })
    .await;
    (stub, list)
}

fn asked(name: &str, url: &str) -> BackendSettings {
    BackendSettings {
        models: None,
        ..backend(name, url)
    }
}

fn asking(backends: Vec<BackendSettings>) -> Settings {
    let mut all = catalog(backends, &["default@gpu"]);
    all.asked = vec!["gpu".to_owned()];
    all.described = vec![ModelSettings {
        title: Some("The large one".to_owned()),
        ..ModelSettings::new(model("large@gpu"))
    }];
    settings(all)
}

fn offered(backends: &Backends) -> Vec<(String, Vec<BackendIndex>)> {
    let policy = backends.fill(no_policy());
    let of = |PoolIndex(at): PoolIndex| policy.pools[at as usize].backends.clone();
    let models = backends.models().into_iter();
    models.map(|offered| (offered.name.name, of(offered.pool))).collect()
}

fn named(name: &str, backends: &[BackendIndex]) -> (String, Vec<BackendIndex>) {
    (name.to_owned(), backends.to_vec())
}

#[tokio::test]
async fn all_that_they_have_is_offered_and_each_is_asked_for_its_own() {
    let (one, list) = server(&["small", "large", "default"]).await;
    let (two, _) = server(&["large"]).await;
    let both = vec![asked("one", &one.url), asked("two", &two.url)];
    let backends = Backends::new(&asking(both)).unwrap();
    assert_eq!(
        offered(&backends),
        [named("default", &[ONE, TWO])],
        "nothing has been told yet"
    );
    backends.discover().await;
    let all = [
        named("default", &[ONE]),
        named("large", &[ONE, TWO]),
        named("small", &[ONE]),
    ];
    assert_eq!(offered(&backends), all);
    let large = &backends.models()[1];
    assert_eq!(
        (large.title.as_deref(), large.context),
        (Some("The large one"), Some(4096))
    );
    let shape = backends.changes().borrow().shape;
    backends.discover().await;
    assert_eq!(backends.changes().borrow().shape, shape, "nothing is new");

    *list.lock().unwrap() = None;
    backends.discover().await;
    assert_eq!(offered(&backends), all, "what was told last is true");
    assert_eq!(backends.figures().backends[0].health, Health::Ready);

    *list.lock().unwrap() = Some(vec!["default"]);
    backends.discover().await;
    assert_eq!(offered(&backends), [named("default", &[ONE]), named("large", &[TWO])]);
    assert_eq!(backends.pool(&model("small@gpu")), None);
}

#[tokio::test]
async fn the_operators_own_list_bounds_what_is_taken_over() {
    let (one, _) = server(&["small", "large"]).await;
    let bounded = BackendSettings {
        models: Some(vec!["large".to_owned(), "default".to_owned()]),
        ..backend("one", &one.url)
    };
    let backends = Backends::new(&asking(vec![bounded])).unwrap();
    backends.discover().await;
    assert_eq!(
        offered(&backends),
        [named("default", &[ONE]), named("large", &[ONE])],
        "the default has nobody else"
    );
}

#[tokio::test]
async fn they_are_asked_at_once_and_after_an_edit() {
    let (one, _) = server(&["small"]).await;
    let (two, _) = server(&["other"]).await;
    let backends = Arc::new(Backends::new(&asking(vec![asked("one", &one.url)])).unwrap());
    let (keeper, closing) = (Arc::clone(&backends), CancellationToken::new());
    let kept = {
        let closing = closing.clone();
        tokio::spawn(async move { keeper.keep(closing).await })
    };
    let mut changes = backends.changes();
    changes.wait_for(|revision| revision.shape == 1).await.unwrap();
    assert_eq!(backends.models().len(), 2);
    // Another server under the same name has told nothing yet.
    backends.retune(&asking(vec![asked("one", &two.url)])).unwrap();
    changes.wait_for(|revision| revision.shape == 3).await.unwrap();
    assert_eq!(offered(&backends), [named("default", &[ONE]), named("other", &[ONE])]);
    closing.cancel();
    kept.await.unwrap();
}
