//! What is seen of the model servers: on the stats tab, and by a scraper.

use anteroom::wire::{BackendRow, Health, TurnState};

use crate::{
    operator::{ENCODED, KEY, operator, stats},
    support::{Site, answer_of},
};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:9";

/// A site with two model servers, of which one is not there.
async fn half_a_site() -> Site {
    let model = anteroom_loopback::Loopback::start(anteroom_loopback::Config::default());
    let model = model.await.expect("a free port");
    let urls = format!("http://{NOWHERE}/v1,{}", model.base_url());
    let mut site = Site::start(&[("OPENAI_BASE_URL", &urls)]).await;
    site.model = model;
    site
}

#[tokio::test]
async fn a_back_end_that_fails_is_seen_with_its_state_and_its_faults() {
    let site = half_a_site().await;
    let browser = site.browser().await;
    // The slot of the one that works is taken, so the other one is tried.
    site.model.hold(true);
    let sent = [browser.send("one").await, browser.send("two").await];
    site.model.until(|record| record.now == 1).await;
    site.model.hold(false);
    for sent in sent {
        let turn = answer_of(&browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Done, "the other one has answered");
    }

    let view = stats(&browser).await;
    let [away, there] = &view.backends[..] else {
        panic!("{:?}", view.backends)
    };
    assert_eq!((away.name.as_str(), away.place.as_str()), ("openai-1", "openai"));
    assert!(matches!(away.health, Health::Out | Health::Trying), "{away:?}");
    assert_eq!(away.seconds.is_some(), away.health == Health::Out, "{away:?}");
    assert!(
        matches!(&away.faults[..], [(kind, times)] if kind == "unreachable" && *times > 0),
        "{away:?}"
    );
    assert_eq!((away.answers, &away.first_part), (0, &None));
    assert_eq!((there.name.as_str(), there.health), ("openai-2", Health::Ready));
    assert_eq!((there.answers, there.running, there.limit), (2, 0, Some(1)));
    assert!(there.faults.is_empty() && there.first_part.is_some(), "{there:?}");
    let [model] = &view.models[..] else {
        panic!("{:?}", view.models)
    };
    assert_eq!(
        (model.model.as_str(), model.answers, model.cost),
        ("loopback@openai", 2, None)
    );
    // One model, one line: the limit has no rows but its own.
    assert_eq!(view.limits.iter().filter(|row| row.name == "chat").count(), 1);

    let metrics = browser.ask(browser.get("/metrics")).await.text;
    for expected in [
        "anteroom_backend_answers_total{backend=\"openai-2\"} 2",
        "anteroom_backend_state{backend=\"openai-1\",state=\"ready\"} 0",
        "anteroom_backend_state{backend=\"openai-2\",state=\"ready\"} 1",
        "anteroom_backend_first_token_seconds_count{backend=\"openai-2\"} 2",
        "anteroom_model_answers_total{model=\"loopback@openai\"} 2",
    ] {
        assert!(metrics.lines().any(|line| line == expected), "{expected}\n{metrics}");
    }
    let faults = "anteroom_backend_faults_total{backend=\"openai-1\",kind=\"unreachable\"} ";
    assert!(metrics.contains(faults), "{metrics}");
    let told = serde_json::to_string(&view).expect("JSON") + &metrics;
    for address in [NOWHERE, &site.model.base_url()] {
        assert!(!told.contains(address), "{address}: {told}");
    }
}

#[tokio::test]
async fn what_the_operator_has_to_mend_is_told_to_the_operator_alone() {
    let site = Site::start(&[("OPERATOR_KEY", KEY), ("OPENAI_API_KEY", "sk-of-nobody")]).await;
    let visitor = site.browser().await;
    let sent = visitor.send("hello [[fault=status:401]]").await;
    let turn = answer_of(&visitor, sent.turn).await;
    assert!(matches!(turn.state, TurnState::Failed { .. }), "{:?}", turn.state);

    let view = stats(&visitor).await;
    let misfits = |rows: &[BackendRow]| rows.iter().map(|row| row.misfit.clone()).collect::<Vec<_>>();
    assert_eq!(misfits(&view.backends), [None]);
    let faults = vec![("unauthorized".to_owned(), 1)];
    assert_eq!(
        (view.backends[0].health, &view.backends[0].faults),
        (Health::Ready, &faults)
    );
    let whoever = operator(&visitor, ENCODED).await;
    let seen = stats(&whoever).await;
    assert_eq!(misfits(&seen.backends), [Some("unauthorized".to_owned())]);
    // Neither address nor key, not even to the operator.
    let told = serde_json::to_string(&seen.backends).expect("JSON") + &whoever.ask(whoever.get("/metrics")).await.text;
    for hidden in ["sk-of-nobody", &*site.model.base_url()] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }

    // An answer shows that it is mended.
    let sent = visitor.send("and now?").await;
    assert_eq!(answer_of(&visitor, sent.turn).await.state, TurnState::Done);
    assert_eq!(misfits(&stats(&whoever).await.backends), [None]);
}
