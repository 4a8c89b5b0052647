//! What is seen of the model servers: on the stats tab, and by a scraper.

use anteroom::wire::TurnState;

use crate::{
    drawn::{Drawn, Row},
    operator::{ENCODED, KEY, operator, stats},
    support::{Site, answer_of},
};

/// Nobody listens there.
const NOWHERE: &str = "127.0.0.1:9";
const FIRST: &str = "First token p50 / p95";

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
    let back_ends = view.rows("backend-row");
    let [away, there] = &back_ends[..] else {
        panic!("{back_ends:?}")
    };
    assert_eq!((away.name.as_str(), away.about.as_str()), ("openai-1", "openai"));
    let left_alone = |state: &str| {
        let time = state.strip_prefix("out of service for ");
        time.is_some_and(|time| time.starts_with(|first: char| first.is_ascii_digit()))
    };
    let state = away.cell("State");
    assert!(state == "being tried" || left_alone(state), "{away:?}");
    let times = away.cell("Faults").strip_prefix("not reachable: ");
    assert!(
        times.is_some_and(|times| times.parse().is_ok_and(|times: u64| times > 0)),
        "{away:?}"
    );
    assert_eq!((away.cell("Answers"), away.cell(FIRST)), ("0", "–"));
    assert_eq!((there.name.as_str(), there.cell("State")), ("openai-2", "ready"));
    assert_eq!((there.cell("Answers"), there.cell("Running")), ("2", "0 of 1"));
    assert!(there.cell("Faults") == "0" && there.cell(FIRST) != "–", "{there:?}");
    let models = view.rows("model-row");
    let [model] = &models[..] else { panic!("{models:?}") };
    assert_eq!(
        (model.name.as_str(), model.cell("Answers"), model.cell("Cost")),
        ("loopback@openai", "2", "–")
    );
    // One model, one line: the limit has no rows but its own.
    let limits = view.rows("stats-row").into_iter();
    assert_eq!(limits.filter(|row| row.name == "chat").count(), 1);

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
    let told = view.html + &metrics;
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
    let misfits = |view: &Drawn| {
        view.rows("backend-row")
            .into_iter()
            .map(|row| row.wrong)
            .collect::<Vec<_>>()
    };
    assert_eq!(misfits(&view), [""]);
    let back_end: Row = view.rows("backend-row").remove(0);
    assert_eq!(
        (back_end.cell("State"), back_end.cell("Faults")),
        ("ready", "key not accepted: 1")
    );
    let whoever = operator(&visitor, ENCODED).await;
    let seen = stats(&whoever).await;
    assert_eq!(misfits(&seen), ["It does not accept its key: mend the key."]);
    // Neither address nor key, not even to the operator.
    let told = format!("{:?}", seen.rows("backend-row")) + &whoever.ask(whoever.get("/metrics")).await.text;
    for hidden in ["sk-of-nobody", &*site.model.base_url()] {
        assert!(!told.contains(hidden), "{hidden}: {told}");
    }

    // An answer shows that it is mended.
    let sent = visitor.send("and now?").await;
    assert_eq!(answer_of(&visitor, sent.turn).await.state, TurnState::Done);
    assert_eq!(misfits(&stats(&whoever).await), [""]);
}
