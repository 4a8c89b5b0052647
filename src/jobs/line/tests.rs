//! What comes of a wait, without any conversation.

use super::*;
use crate::{queue::Policy, settings::Settings};

fn backends() -> Backends {
    let loaded = Settings::load([], None).expect("settings");
    Backends::new(&loaded.settings).expect("back ends")
}

async fn wait(backends: &Backends, admitted: impl Future<Output = Result<Permit, LeaveReason>>) -> Waited {
    let model = backends.default_model();
    let waiting = Waiting {
        backends,
        model: Some(&model),
        pool: backends.pool(&model),
        tries: Tries::new(),
        outlasts_outages: false,
    };
    waiting.until(admitted, |_| true).await
}

#[tokio::test(start_paused = true)]
async fn a_job_joins_with_its_own_name_and_gets_its_slot() {
    let queue = Queue::new(
        Policy::new([crate::queue::EventPolicy::new("chat", 1)]),
        std::sync::Arc::new(()),
    );
    let backends = backends();
    let name = Uuid::from_u128(7);
    let ask = || join(&queue, (name, Owner(1)), work(None, None));
    let mut first = ask().await.expect("there is room");
    let slot = wait(&backends, first.admitted()).await;
    let Waited::Slot(permit) = slot else { panic!("no slot") };
    let mut second = ask().await.expect("there is room");
    assert!(second.granted().is_none());
    drop(permit);
    assert!(matches!(wait(&backends, second.admitted()).await, Waited::Slot(_)));
    queue.close();
    assert_eq!(ask().await.err(), Some(JoinError::Closed));
}
