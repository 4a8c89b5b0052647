//! Each fault of a model server, as the person is told of it.

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

/// An agent that has met no fault yet.
fn agent_of(loopback: &Loopback, stall: &str) -> Talker {
    agent(&[
        ("MODEL", "m@openai"),
        ("OPENAI_BASE_URL", &loopback.base_url()),
        ("MODEL_STALL_TIMEOUT", stall),
    ])
}

#[tokio::test]
async fn each_fault_has_its_error() {
    let loopback = loopback().await;
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
        ("status:502", AgentError::ServerFault { status: 502 }, 0),
        (
            "status:503 retry_after=1.5s",
            AgentError::Overloaded {
                status: 503,
                retry_after,
            },
            0,
        ),
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
        let agent = agent_of(&loopback, "30");
        let (text, outcome) = ask(&agent, question(&format!("[[fault={fault}]]q"))).all().await;
        assert_eq!(outcome, Err(error), "{fault}");
        let expected: String = ["Answer to: q\n\n", "word1 "][..words].concat();
        assert_eq!(text, expected, "{fault}: what came before it stands");
    }
    assert_eq!(loopback.record().requests.len(), 18, "none was asked again");
    loopback.until(|record| record.now == 0).await;
}

#[tokio::test]
async fn silence_is_not_waited_out() {
    let loopback = loopback().await;
    for fault in ["hang", "stall", "stall:2"] {
        let agent = agent_of(&loopback, "0.1");
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
    let agent = agent_of(&loopback, "30");
    loopback.stop().await;
    assert_eq!(ask(&agent, question("q")).all().await.1, Err(AgentError::Unreachable));
}
