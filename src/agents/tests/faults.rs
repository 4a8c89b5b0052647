//! Each fault of a model server, as the person is told of it; and when it is asked again.

use std::time::Duration;

use anteroom_loopback::{Config, Ending, Loopback};

use super::*;

async fn loopback() -> Loopback {
    Loopback::start(Config {
        tokens: 5,
        ..Config::default()
    })
    .await
    .unwrap()
}

fn agent_of(loopback: &Loopback, retries: &str, stall: &str) -> Arc<dyn Agent> {
    agent(&[
        ("MODEL", "m@openai"),
        ("OPENAI_BASE_URL", &loopback.base_url()),
        ("MODEL_RETRIES", retries),
        ("MODEL_STALL_TIMEOUT", stall),
    ])
}

#[tokio::test]
async fn each_fault_has_its_error() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback, "0", "30");
    let retry_after = Some(Duration::from_millis(1500));
    for (fault, error, words) in [
        ("status:400", AgentError::Rejected { status: 400 }, 0),
        ("status:401", AgentError::Unauthorized, 0),
        ("status:403", AgentError::Unauthorized, 0),
        (
            "status:404",
            AgentError::UnknownModel {
                model: "m@openai".to_owned(),
            },
            0,
        ),
        ("status:413", AgentError::Rejected { status: 413 }, 0),
        (
            "status:429 retry_after=1.5s",
            AgentError::RateLimited { retry_after },
            0,
        ),
        ("status:500", AgentError::ServerFault { status: 500 }, 0),
        ("status:503", AgentError::ServerFault { status: 503 }, 0),
        ("close", AgentError::CutOff, 0),
        ("close:2", AgentError::CutOff, 2),
        ("end", AgentError::CutOff, 0),
        ("end:2", AgentError::CutOff, 2),
        ("error:1", AgentError::ServerFault { status: 500 }, 1),
        ("garbage", AgentError::InvalidResponse, 0),
        ("garbage:2", AgentError::InvalidResponse, 2),
        ("huge_line", AgentError::InvalidResponse, 1),
        ("empty", AgentError::Empty, 0),
    ] {
        let (text, outcome) = ask(&agent, question(&format!("[[fault={fault}]]q"))).all().await;
        assert_eq!(outcome, Err(error), "{fault}");
        let expected: String = ["Answer to: q\n\n", "word1 "][..words].concat();
        assert_eq!(text, expected, "{fault}: what came before it stands");
    }
    assert_eq!(loopback.record().requests.len(), 17, "none was asked again");
    loopback.until(|record| record.now == 0).await;
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback, "3", "0.1");
    for fault in ["hang", "stall", "stall:2"] {
        let (_, outcome) = ask(&agent, question(&format!("[[fault={fault}]]"))).all().await;
        assert_eq!(outcome, Err(AgentError::Stalled), "{fault}");
        loopback.until(|record| record.now == 0).await;
    }
    let endings: Vec<_> = loopback
        .record()
        .requests
        .iter()
        .map(|request| request.ending)
        .collect();
    assert_eq!(
        endings,
        [Some(Ending::ClientGone); 3],
        "each was closed, none asked again"
    );
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback, "0", "30");
    loopback.stop().await;
    assert_eq!(ask(&agent, question("q")).all().await.1, Err(AgentError::Unreachable));
}

#[tokio::test]
async fn what_may_pass_is_asked_again() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback, "2", "30");
    for fault in [
        "status:500 times=2",
        "status:429 times=2",
        "close times=2",
        "end times=2",
        "error times=2",
    ] {
        let message = format!("[[fault={fault} retry_after=1ms tokens=1]]{fault}");
        let (text, outcome) = ask(&agent, question(&message)).all().await;
        assert!(outcome.is_ok(), "{fault}: {outcome:?}");
        assert_eq!(text, format!("Answer to: {fault}\n\n"));
        assert_eq!(loopback.record().of(fault).count(), 3, "{fault}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_asked_again() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback, "2", "30");
    for (fault, requests) in [
        ("status:401", 1),
        ("status:400", 1),
        ("garbage", 1),
        ("empty", 1),
        // A piece has been shown.
        ("close:1", 1),
        ("error:1", 1),
        // Longer than anybody should wait with a slot in hand.
        ("status:429 retry_after=11s", 1),
        // Twice again is all.
        ("status:500 retry_after=1ms", 3),
    ] {
        ask(&agent, question(&format!("[[fault={fault}]]{fault}")))
            .all()
            .await
            .1
            .unwrap_err();
        assert_eq!(loopback.record().of(fault).count(), requests, "{fault}");
    }
}

#[tokio::test]
async fn a_pause_before_asking_again_can_be_cancelled() {
    let loopback = loopback().await;
    let asked = ask(
        &agent_of(&loopback, "2", "30"),
        question("[[fault=status:503 retry_after=10s]]"),
    );
    loopback.until(|record| record.requests.len() == 1).await;
    asked.cancel.cancel();
    assert!(asked.all().await.1.is_ok());
    assert_eq!(loopback.record().requests.len(), 1);
}
