//! Names and their places.

use super::*;

fn pools(policy: &Policy) -> Vec<(&str, &[BackendIndex])> {
    let pools = policy.pools.iter();
    pools.map(|pool| (pool.name.as_str(), &*pool.backends)).collect()
}

fn limits(policy: &Policy) -> Vec<(&str, Option<usize>, u32)> {
    let backends = policy.backends.iter();
    backends
        .map(|backend| (backend.name.as_str(), backend.limit, backend.weight))
        .collect()
}

#[test]
fn each_model_has_a_pool_of_those_that_have_it() {
    let mut both = backend("both", NOWHERE);
    both.models = Some(vec!["m".to_owned(), "large".to_owned()]);
    both.weight = 3;
    let mut any = backend("any", NOWHERE);
    (any.models, any.limit) = (None, BackendLimit::Slots(None));
    let mut other = backend("other", NOWHERE);
    other.pool = "elsewhere".to_owned();
    let mut draining = backend("draining", NOWHERE);
    draining.drain = true;
    let all = catalog(
        vec![backend("one", NOWHERE), both, any, other, draining],
        &["large@gpu", "m@gpu"],
    );
    let backends = Backends::new(&settings(all)).unwrap();
    let policy = backends.fill(no_policy());
    let [one, both, any] = [0, 1, 2].map(BackendIndex);
    assert_eq!(
        pools(&policy),
        [("large@gpu", &[both, any][..]), ("m@gpu", &[one, both, any])]
    );
    assert_eq!(
        limits(&policy),
        [
            ("one", Some(2), 1),
            ("both", Some(2), 3),
            ("any", None, 1),
            ("other", Some(2), 1),
            ("draining", Some(2), 1)
        ]
    );
    assert_eq!(policy.balance, crate::queue::Balance::RoundRobin);
    assert_eq!(policy.events, no_policy().events);
    assert_eq!(backends.pool(&model("m@gpu")), Some(PoolIndex(1)));
    assert_eq!(backends.pool(&model("m@elsewhere")), None, "nobody may choose it");
    let offered: Vec<_> = backends
        .models()
        .into_iter()
        .map(|offered| offered.name.to_string())
        .collect();
    assert_eq!(offered, ["large@gpu", "m@gpu"]);
}

#[test]
fn what_is_edited_keeps_its_place_and_what_is_gone_leaves_it_empty() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let mut changes = backends.changes();
    let mut grown = backend("two", NOWHERE);
    grown.limit = BackendLimit::Slots(Some(5));
    let edited = catalog(vec![backend("three", NOWHERE), grown], &["other@gpu", "m@gpu"]);
    backends.retune(&settings(edited)).unwrap();
    assert!(changes.has_changed().unwrap());
    assert_eq!(changes.borrow_and_update().shape, 1);
    let policy = backends.fill(no_policy());
    let three = BackendIndex(2);
    assert_eq!(pools(&policy), [("m@gpu", &[TWO, three][..]), ("other@gpu", &[])]);
    assert_eq!(
        limits(&policy),
        [("one", Some(0), 1), ("two", Some(5), 1), ("three", Some(2), 1)]
    );
    assert_eq!((backends.name_of(ONE), backends.named("three")), (None, Some(three)));
    assert_eq!(backends.default_model(), model("other@gpu"));

    backends.retune(&settings(pair())).unwrap();
    let policy = backends.fill(no_policy());
    assert_eq!(pools(&policy), [("m@gpu", &[ONE, TWO][..]), ("other@gpu", &[])]);
    assert_eq!(backends.pool(&model("other@gpu")), None);
}

#[tokio::test(start_paused = true)]
async fn one_that_has_another_address_is_another_one_and_one_with_another_limit_is_not() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let caps = governed(&backends);
    for backend in [ONE, TWO] {
        fail(&backends, backend, &REFUSED);
    }
    let mut edited = pair();
    edited.backends[0].address = Some("http://127.0.0.1:2".to_owned());
    edited.backends[1].limit = BackendLimit::Slots(Some(9));
    backends.retune(&settings(edited)).unwrap();
    backends.settle();
    assert_eq!((cap(&caps, ONE), cap(&caps, TWO)), (None, Some(0)));
    let pool = backends.pool(&model("m@gpu")).unwrap();
    assert_eq!(backends.trouble(pool), None);
}

#[test]
fn an_edit_that_cannot_work_changes_nothing() {
    let backends = Backends::new(&settings(pair())).unwrap();
    let mut keyless = backend("two", NOWHERE);
    keyless.address = None;
    let mut astray = backend("two", "ftp://here");
    astray.origin = "OLLAMA_URL".to_owned();
    let mut bad_key = backend("two", NOWHERE);
    bad_key.key = Some(crate::settings::Secret("sk-secret\nb".to_owned()));
    let origin = || "backends.toml, two".to_owned();
    for (bad, expected) in [
        (keyless, FactoryError::MissingKey { origin: origin() }),
        (
            astray,
            FactoryError::BadUrl {
                origin: "OLLAMA_URL".to_owned(),
            },
        ),
        (bad_key, FactoryError::BadKey { origin: origin() }),
    ] {
        let edited = catalog(vec![backend("one", NOWHERE), bad], &["other@gpu"]);
        let error = backends.retune(&settings(edited.clone())).unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("sk-secret"));
        assert_eq!(Backends::new(&settings(edited)).unwrap_err(), error);
    }
    assert_eq!(backends.default_model(), model("m@gpu"));
    assert_eq!(backends.changes().borrow().shape, 0);
    // Ollama asks for no key.
    let mut ollama = backend("two", NOWHERE);
    (ollama.provider, ollama.address) = (Provider::Ollama, None);
    backends.retune(&settings(catalog(vec![ollama], &["m@gpu"]))).unwrap();
}

#[test]
fn the_fallback_has_a_pool_and_is_offered_only_where_it_is_named() {
    let mut with = pair();
    with.fallback = Some(model("small@cloud"));
    let mut cloud = backend("cloud", NOWHERE);
    (cloud.pool, cloud.models) = ("cloud".to_owned(), None);
    with.backends.push(cloud);
    let backends = Backends::new(&settings(with)).unwrap();
    assert_eq!(backends.models().len(), 1);
    assert_eq!(backends.pool(&model("small@cloud")), Some(PoolIndex(1)));
    let policy = backends.fill(no_policy());
    assert_eq!(pools(&policy)[1], ("small@cloud", &[BackendIndex(2)][..]));
    backends.retune(&settings(pair())).unwrap();
    assert_eq!(backends.pool(&model("small@cloud")), None);
}
