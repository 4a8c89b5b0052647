//! What comes of a wait, without any conversation.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::time::{Instant, timeout};

use super::*;
use crate::{
    queue::{EventPolicy, Policy},
    settings::Settings,
};

fn backends(settings: &[(&str, &str)]) -> Backends {
    let variables = settings.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = Settings::load(variables.collect::<Vec<_>>(), None).expect("settings");
    Backends::new(&loaded.settings).expect("back ends")
}

/// A model of a server, and the demo model in its place.
fn with_fallback() -> Backends {
    backends(&[
        ("MODEL", "m@openai"),
        ("OPENAI_BASE_URL", "http://127.0.0.1:1"),
        ("FALLBACK_MODEL", "demo@builtin"),
    ])
}

/// No back end of the default model is in service from now on.
fn fails(backends: &Backends) {
    let policy = backends.fill(Policy::new([EventPolicy::new("chat", 1)]));
    let pool = backends.pool(&backends.default_model()).expect("its pool");
    let pool_policy = &policy.pools[usize::try_from(pool.0).expect("a small number")];
    for backend in &pool_policy.backends {
        // Once or twice may be chance.
        for _ in 0..5 {
            backends.ran_out(*backend);
        }
    }
    assert!(backends.trouble(pool).is_some());
}

/// One that waits for the default model.
async fn wait(
    backends: &Backends,
    admitted: impl Future<Output = Result<Permit, LeaveReason>>,
    change: impl FnOnce(&mut Waiting<'_>),
    may_be_asked: bool,
) -> Waited {
    let model = backends.default_model();
    let mut waiting = Waiting {
        backends,
        model: Some(&model),
        pool: backends.pool(&model),
        tries: Tries::new(),
        outlasts_outages: false,
    };
    change(&mut waiting);
    waiting.until(admitted, |_| may_be_asked).await
}

fn queue() -> Queue {
    Queue::new(Policy::new([EventPolicy::new("chat", 1)]), Arc::new(()))
}

#[tokio::test(start_paused = true)]
async fn a_job_joins_with_its_own_name_and_gets_its_slot() {
    let (queue, backends) = (queue(), backends(&[]));
    let name = Uuid::from_u128(7);
    let ask = || join(&queue, (name, Owner(1)), work(None, None));
    let mut first = ask().await.expect("there is room");
    let slot = wait(&backends, first.admitted(), |_| (), true).await;
    let Waited::Slot(permit) = slot else { panic!("no slot") };
    let mut second = ask().await.expect("there is room");
    assert!(second.granted().is_none());
    drop(permit);
    let slot = wait(&backends, second.admitted(), |_| (), true).await;
    assert!(matches!(slot, Waited::Slot(_)));
    queue.close();
    assert_eq!(ask().await.err(), Some(JoinError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_leaves_the_line_hears_why() {
    let backends = backends(&[]);
    for why in [LeaveReason::Expired, LeaveReason::Cancelled] {
        let waited = wait(&backends, async { Err(why) }, |_| (), true).await;
        assert!(matches!(waited, Waited::Left(left) if left == why));
    }
}

#[tokio::test(start_paused = true)]
async fn another_model_answers_in_place_of_one_that_goes_out_of_service() {
    let backends = with_fallback();
    let mut waits = pin!(wait(&backends, pending(), |_| (), true));
    assert!(waits.as_mut().now_or_never().is_none(), "it is in service");
    fails(&backends);
    let Waited::Instead(model, pool) = waits.await else {
        panic!("nobody answers in its place")
    };
    assert_eq!(
        (model.to_string(), Some(pool)),
        ("demo@builtin".to_owned(), backends.pool(&model))
    );
    // Who comes by then need not wait at all.
    let late = wait(&backends, pending(), |_| (), true);
    assert!(matches!(late.now_or_never(), Some(Waited::Instead(..))));
    // It is asked once, and only where it could answer.
    let been_there = wait(&backends, pending(), |waiting| waiting.tries.fall_back(), true);
    assert!(been_there.now_or_never().is_none());
    assert!(wait(&backends, pending(), |_| (), false).now_or_never().is_none());
    // What has a slot by then takes it: there is none that it could be without.
    let queue = queue();
    let mut ticket = queue.place(1, work(None, None), Owner(1)).await.expect("there is room");
    let slot = wait(&backends, ticket.admitted(), |_| (), false).await;
    assert!(matches!(slot, Waited::Slot(_)));
}

#[tokio::test(start_paused = true)]
async fn a_job_gives_up_once_its_model_has_been_out_of_service_for_long_enough_and_is_in_the_line_still() {
    let backends = backends(&[("MODEL_OUTAGE_WAIT", "60s")]);
    let queue = queue();
    let join = async |job| {
        let joined = join(&queue, (Uuid::from_u128(job), Owner(job)), work(None, None));
        joined.await.expect("there is room")
    };
    let mut first = join(1).await;
    let _runs = first.granted().expect("a slot");
    let mut ticket = join(2).await;
    fails(&backends);
    let began = Instant::now();
    let waited = wait(&backends, ticket.admitted(), |_| (), true).await;
    let Waited::GaveUp(reason) = waited else {
        panic!("it waits on")
    };
    assert_eq!((reason, began.elapsed().as_secs()), (Reason::ModelStalled, 60));
    assert_eq!(queue.waiting(), 1);
    // One that comes later has its own time, and a task has all that there is.
    let later = timeout(
        Duration::from_secs(59),
        wait(&backends, ticket.admitted(), |_| (), true),
    );
    assert!(later.await.is_err());
    let outlasts = wait(
        &backends,
        ticket.admitted(),
        |waiting| waiting.outlasts_outages = true,
        true,
    );
    assert!(timeout(Duration::from_secs(86_400), outlasts).await.is_err());
}
