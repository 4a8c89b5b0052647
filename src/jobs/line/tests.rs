//! What comes of a wait, without any conversation.

use std::{future::ready, time::Duration};

use tokio::time::{Instant, timeout};

use super::*;
use crate::{agents::AgentError, queue::Policy, settings::Settings};

/// Two models, each with a back end of its own.
fn backends(fallback: &str) -> Backends {
    let set = [
        ("MODELS", "one@openai,two@ollama"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1"),
        ("FALLBACK_MODEL", fallback),
        ("MODEL_OUTAGE_WAIT", "10s"),
    ];
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let loaded = Settings::load(set, None).expect("settings");
    Backends::new(&loaded.settings).expect("back ends")
}

fn model(id: &str) -> ModelName {
    ModelName::of_id(id).expect("a model's id")
}

/// Takes the first model's only back end out of service.
fn fail(backends: &Backends) {
    let one = model("one@openai");
    for _ in 0..3 {
        backends.verdict(
            &one,
            BackendIndex(0),
            &AgentError::Unreachable,
            false,
            &mut Tries::new(),
        );
    }
}

async fn wait(
    backends: &Backends,
    outlasts_outages: bool,
    admitted: impl Future<Output = Result<Permit, LeaveReason>>,
    may_be_asked: bool,
) -> Waited {
    let one = model("one@openai");
    let waiting = Waiting {
        backends,
        model: Some(&one),
        pool: backends.pool(&one),
        tries: Tries::new(),
        outlasts_outages,
    };
    waiting.until(admitted, |_| may_be_asked).await
}

#[tokio::test(start_paused = true)]
async fn a_job_joins_with_its_own_name_and_gets_its_slot() {
    let queue = Queue::new(
        Policy::new([crate::queue::EventPolicy::new("chat", 1)]),
        std::sync::Arc::new(()),
    );
    let backends = backends("");
    let name = Uuid::from_u128(7);
    let ask = || join(&queue, (name, Owner(1)), work(None, None));
    let mut first = ask().await.expect("there is room");
    let slot = wait(&backends, false, first.admitted(), true).await;
    let Waited::Slot(permit) = slot else { panic!("no slot") };
    let mut second = ask().await.expect("there is room");
    assert!(second.granted().is_none());
    drop(permit);
    assert!(matches!(
        wait(&backends, false, second.admitted(), true).await,
        Waited::Slot(_)
    ));
    queue.close();
    assert_eq!(ask().await.err(), Some(JoinError::Closed));
}

#[tokio::test(start_paused = true)]
async fn another_model_answers_where_it_may() {
    let backends = backends("two@ollama");
    fail(&backends);
    let instead = wait(&backends, false, pending(), true).await;
    let Waited::Instead(other, pool) = instead else {
        panic!("it has no other")
    };
    assert_eq!(
        (other.clone(), Some(pool)),
        (model("two@ollama"), backends.pool(&other))
    );
    // Whoever cannot be asked there waits on, and hears of what comes of that.
    let left = wait(&backends, false, ready(Err(LeaveReason::Done)), false).await;
    assert!(matches!(left, Waited::Left(LeaveReason::Done)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_model_that_is_out_of_service_ends_unless_it_outlasts_that() {
    let backends = backends("");
    fail(&backends);
    let begun = Instant::now();
    let gone = wait(&backends, false, pending(), true).await;
    assert!(matches!(gone, Waited::GaveUp(Reason::ModelUnreachable)));
    assert_eq!(begun.elapsed(), Duration::from_secs(10));
    let patient = wait(&backends, true, pending(), true);
    assert!(timeout(Duration::from_secs(3600), patient).await.is_err());
}
