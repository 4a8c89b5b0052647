//! Tasks, from their batch to what programs are told.

use uuid::Uuid;

use super::*;
use crate::{
    store::{CancelledBatch, Ended, NewBatch, NewTask, TakenIn, TaskEnd, TaskFilter, TaskState, Webhook},
    wire::{Reason, Usage},
};

const MOST: u64 = 1_000;

fn task(name: &str) -> NewTask {
    NewTask {
        id: Uuid::new_v4(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        priority: 0,
        model: "demo@builtin".into(),
        metadata: None,
        request: format!(r#"{{"messages":"\u0000 {name}"}}"#),
    }
}

fn batch(owner: Owner, tasks: Vec<NewTask>, needs: &[(usize, usize)]) -> NewBatch {
    NewBatch {
        id: Uuid::new_v4(),
        owner,
        key: None,
        hash: "ab".into(),
        webhook: None,
        created_at: 10,
        needs: needs
            .iter()
            .map(|(task, needs)| (tasks[*task].id, tasks[*needs].id))
            .collect(),
        tasks,
    }
}

fn done(id: Uuid, at: u64) -> TaskEnd {
    TaskEnd {
        id,
        state: TaskState::Done,
        reason: None,
        behind: None,
        result: Some(r#"{"said":"yes"}"#.into()),
        usage: Some(Usage {
            input: Some(3),
            output: None,
        }),
        at,
    }
}

fn failed(id: Uuid, at: u64) -> TaskEnd {
    TaskEnd {
        state: TaskState::Failed,
        reason: Some(Reason::ModelSilent),
        behind: Some(Reason::Mistake),
        result: None,
        usage: None,
        ..done(id, at)
    }
}

async fn take_in(store: &dyn Store, batch: &NewBatch) {
    assert_eq!(store.take_in(batch.clone(), MOST).await, Ok(TakenIn::New));
}

async fn state_of(store: &dyn Store, owner: Owner, id: Uuid) -> TaskState {
    store.task(owner, id).await.expect("read").expect("there").state
}

pub(crate) async fn a_batch_is_kept_whole<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut tasks = vec![task("one"), task("")];
    tasks[0].metadata = Some(r#"{"a":1}"#.into());
    tasks[1].priority = -3;
    let new = batch(owner, tasks, &[(1, 0)]);
    take_in(&*store, &new).await;
    store.close().await;
    let store = K::open(folder.path()).await;
    let listed = store.tasks(owner, TaskFilter::default(), 10).await.expect("read");
    assert_eq!(
        listed.iter().map(|task| task.id).collect::<Vec<_>>(),
        [new.tasks[1].id, new.tasks[0].id]
    );
    let one = store.task(owner, new.tasks[0].id).await.expect("read").expect("there");
    assert_eq!(one, listed[1]);
    assert_eq!((one.name.as_deref(), one.batch), (Some("one"), new.id));
    assert_eq!((one.state, one.blocked, one.attempts), (TaskState::Open, 0, 0));
    assert_eq!(one.metadata.as_deref(), Some(r#"{"a":1}"#));
    assert_eq!((listed[0].priority, listed[0].blocked), (-3, 1));
    let request = store.request_of(one.id).await;
    assert_eq!(request, Ok(Some(new.tasks[0].request.clone())));
    let found = store.batch(owner, new.id).await.expect("read").expect("there");
    assert_eq!((found.count, found.states), (2, vec![(TaskState::Open, 2)]));
    assert_eq!((found.created_at, found.ended_at, found.url), (10, None, None));

    let other = an_owner();
    assert_eq!(store.task(other, one.id).await, Ok(None));
    assert_eq!(store.batch(other, new.id).await, Ok(None));
    assert_eq!(store.tasks(other, TaskFilter::default(), 10).await, Ok(vec![]));
    assert_eq!(store.results(other, vec![one.id]).await, Ok(vec![]));
    assert_eq!(store.owners_of_tasks().await, Ok(vec![owner]));
    store.forget(owner).await.expect("forgotten");
    assert_eq!(store.batch(owner, new.id).await, Ok(None));
    assert_eq!(store.owners_of_tasks().await, Ok(vec![]));
}

pub(crate) async fn what_is_sent_again_is_known<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let first = NewBatch {
        key: Some("k\0".into()),
        ..batch(owner, vec![task("a"), task("")], &[])
    };
    take_in(&*store, &first).await;
    let again = NewBatch {
        key: first.key.clone(),
        ..batch(owner, vec![task("a"), task("")], &[])
    };
    let known = first.tasks.iter().map(|task| (task.id, task.name.clone())).collect();
    assert_eq!(
        store.take_in(again.clone(), MOST).await,
        Ok(TakenIn::Known(first.id, known))
    );
    let other = NewBatch {
        hash: "cd".into(),
        ..again.clone()
    };
    assert_eq!(store.take_in(other, MOST).await, Ok(TakenIn::OtherBatch));
    assert_eq!(
        store.tasks(owner, TaskFilter::default(), 10).await.expect("read").len(),
        2
    );
    // Another owner's keys are its own.
    take_in(
        &*store,
        &NewBatch {
            owner: an_owner(),
            ..again
        },
    )
    .await;
}

pub(crate) async fn a_task_ends_once<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let new = batch(owner, vec![task(""), task("")], &[]);
    take_in(&*store, &new).await;
    let [id, other] = [new.tasks[0].id, new.tasks[1].id];
    assert_eq!(store.begin_task(id, 20).await, Ok(Some(1)));
    assert_eq!(store.begin_task(id, 21).await, Ok(Some(2)));
    store.stop_task(id).await.expect("stopped");
    let stopped = store.open_among(vec![id]).await.expect("read");
    assert_eq!((stopped[0].attempts, stopped[0].stopped), (2, 1));
    assert_eq!(store.begin_task(id, 22).await, Ok(Some(3)));
    assert_eq!(store.end_task(done(id, 30), true).await, Ok(Some(Ended::default())));
    assert_eq!(store.end_task(failed(id, 40), true).await, Ok(None));
    assert_eq!(store.begin_task(id, 50).await, Ok(None));
    assert_eq!(store.end_task(done(Uuid::new_v4(), 30), false).await, Ok(None));
    let over = store.task(owner, id).await.expect("read").expect("there");
    assert_eq!((over.state, over.attempts, over.ordinal), (TaskState::Done, 3, Some(1)));
    assert_eq!((over.started_at, over.ended_at), (Some(22), Some(30)));
    assert_eq!(over.result, done(id, 30).result);
    assert_eq!(over.usage, done(id, 30).usage);
    assert_eq!(store.request_of(id).await, Ok(None));
    assert_eq!(
        store.results(owner, vec![id, other]).await,
        Ok(vec![(id, done(id, 30).result.expect("one"))])
    );
    let cancelled = TaskEnd {
        state: TaskState::Cancelled,
        reason: None,
        result: None,
        ..done(other, 60)
    };
    assert_eq!(store.end_task(cancelled, false).await, Ok(Some(Ended::default())));
    let found = store.batch(owner, new.id).await.expect("read").expect("there");
    assert_eq!(found.ended_at, Some(60));
}

pub(crate) async fn what_needs_a_task_waits_for_it<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let new = batch(
        owner,
        vec![task("a"), task("b"), task("both"), task("a only")],
        &[(2, 0), (2, 1), (3, 0)],
    );
    take_in(&*store, &new).await;
    let id = |at: usize| new.tasks[at].id;
    assert_eq!(store.begin_task(id(2), 1).await, Ok(None), "it waits for others");
    let ended = store.end_task(done(id(0), 2), true).await;
    assert_eq!(ended.expect("stored").expect("was open").ready, [id(3)]);
    let ended = store.end_task(done(id(1), 3), true).await;
    assert_eq!(ended.expect("stored").expect("was open").ready, [id(2)]);
    assert_eq!(store.begin_task(id(2), 4).await, Ok(Some(1)));
}

pub(crate) async fn what_needs_a_task_comes_to_nothing_with_it<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let new = batch(
        owner,
        vec![task("a"), task("b"), task("c"), task("free")],
        &[(1, 0), (2, 1)],
    );
    take_in(&*store, &new).await;
    let id = |at: usize| new.tasks[at].id;
    // Of another batch, and behind it.
    let mut later = batch(owner, vec![task("later")], &[]);
    later.needs = vec![(later.tasks[0].id, id(2))];
    take_in(&*store, &later).await;
    let ended = store.end_task(failed(id(0), 9), true).await;
    let ended = ended.expect("stored").expect("was open");
    assert_eq!(
        (ended.ready, ended.failed),
        (vec![], vec![id(1), id(2), later.tasks[0].id])
    );
    let over = store.outcomes(owner, new.id, 0, 10).await.expect("read");
    let over: Vec<_> = over
        .into_iter()
        .map(|task| (task.ordinal, task.id, task.reason))
        .collect();
    assert_eq!(
        over,
        [
            (Some(1), id(0), Some(Reason::ModelSilent)),
            (Some(2), id(1), Some(Reason::Mistake)),
            (Some(3), id(2), Some(Reason::Mistake)),
        ]
    );
    assert_eq!(store.outcomes(owner, new.id, 2, 10).await.expect("read").len(), 1);
    assert_eq!(store.outcomes(owner, new.id, 0, 1).await.expect("read")[0].id, id(0));
    assert_eq!(state_of(&*store, owner, id(3)).await, TaskState::Open);
    let found = store.batch(owner, later.id).await.expect("read").expect("there");
    assert_eq!(found.ended_at, Some(9));
    let found = store.batch(owner, new.id).await.expect("read").expect("there");
    assert_eq!(found.ended_at, None);
}

pub(crate) async fn a_whole_batch_is_cancelled<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut new = batch(
        owner,
        vec![task("over"), task("runs"), task("waits"), task("")],
        &[(2, 1), (3, 2)],
    );
    new.webhook = Some(Webhook {
        url: "https://example.com".into(),
        secret: "whsec_".into(),
    });
    take_in(&*store, &new).await;
    let id = |at: usize| new.tasks[at].id;
    store.end_task(done(id(0), 2), true).await.expect("stored");
    store.begin_task(id(1), 3).await.expect("begun");
    // Of other batches, and behind it; one of them needs two of it, and one is behind another.
    let mut later = batch(owner, vec![task("a"), task("b"), task("c"), task("free")], &[(1, 0)]);
    let outside = |at: usize, needs: usize| (later.tasks[at].id, id(needs));
    later
        .needs
        .extend([outside(0, 1), outside(0, 2), outside(2, 3), outside(3, 0)]);
    take_in(&*store, &later).await;
    let of_later = |at: usize| later.tasks[at].id;

    assert_eq!(store.cancel_batch(an_owner(), new.id, 9).await, Ok(None));
    assert_eq!(store.cancel_batch(owner, Uuid::new_v4(), 9).await, Ok(None));
    let ended = store
        .cancel_batch(owner, new.id, 9)
        .await
        .expect("stored")
        .expect("there");
    assert_eq!(ended.cancelled, [id(1), id(2), id(3)]);
    assert_eq!(ended.failed, [of_later(0), of_later(2), of_later(1)]);
    let again = store.cancel_batch(owner, new.id, 10).await;
    assert_eq!(again, Ok(Some(CancelledBatch::default())));

    let found = store.batch(owner, new.id).await.expect("read").expect("there");
    assert_eq!(found.ended_at, Some(9));
    assert_eq!(found.untold, 5, "each task, and the batch");
    let over = store.outcomes(owner, new.id, 0, 10).await.expect("read");
    let over: Vec<_> = over.iter().map(|task| (task.ordinal, task.id, task.state)).collect();
    assert_eq!(
        over,
        [
            (Some(1), id(0), TaskState::Done),
            (Some(2), id(1), TaskState::Cancelled),
            (Some(3), id(2), TaskState::Cancelled),
            (Some(4), id(3), TaskState::Cancelled),
        ]
    );
    assert_eq!(store.begin_task(id(1), 11).await, Ok(None));
    assert_eq!(store.end_task(done(id(1), 11), true).await, Ok(None));
    let found = store.outcomes(owner, later.id, 0, 10).await.expect("read");
    let why = |name: String| Some(Reason::TaskNeedsFailed { name });
    let found: Vec<_> = found.into_iter().map(|task| (task.id, task.reason)).collect();
    assert_eq!(
        found,
        [
            (of_later(0), why("runs".into())),
            (of_later(2), why(id(3).to_string())),
            (of_later(1), why("runs".into())),
        ]
    );
    assert_eq!(state_of(&*store, owner, of_later(3)).await, TaskState::Open);
}

pub(crate) async fn what_is_needed_of_before_has_to_be_there<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let before = batch(owner, vec![task("done"), task("failed"), task("open")], &[]);
    take_in(&*store, &before).await;
    let id = |at: usize| before.tasks[at].id;
    store.end_task(done(id(0), 2), true).await.expect("stored");
    store.end_task(failed(id(1), 2), true).await.expect("stored");
    let of = |owner, needs: Vec<Uuid>| {
        let mut new = batch(owner, vec![task("new")], &[]);
        new.needs = needs.into_iter().map(|needs| (new.tasks[0].id, needs)).collect();
        new
    };
    let stranger = an_owner();
    let taken = store.take_in(of(stranger, vec![id(0)]), MOST).await;
    assert_eq!(taken, Ok(TakenIn::Unknown(vec![id(0)])));
    let taken = store.take_in(of(owner, vec![id(0), id(1)]), MOST).await;
    assert_eq!(taken, Ok(TakenIn::Failed(vec![id(1)])));
    assert_eq!(
        store.tasks(owner, TaskFilter::default(), 10).await.expect("read").len(),
        3
    );
    let new = of(owner, vec![id(0), id(2)]);
    take_in(&*store, &new).await;
    let waits = store.task(owner, new.tasks[0].id).await.expect("read").expect("there");
    assert_eq!(waits.blocked, 1);
    let ended = store.end_task(done(id(2), 3), true).await;
    assert_eq!(ended.expect("stored").expect("was open").ready, [waits.id]);
}

pub(crate) async fn an_owner_has_so_many_open_tasks<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let first = batch(owner, vec![task(""), task("")], &[]);
    assert_eq!(store.take_in(first.clone(), 3).await, Ok(TakenIn::New));
    let more = batch(owner, vec![task(""), task("")], &[]);
    assert_eq!(store.take_in(more.clone(), 3).await, Ok(TakenIn::TooMany(2)));
    assert_eq!(store.batch(owner, more.id).await, Ok(None));
    store.end_task(done(first.tasks[0].id, 1), true).await.expect("stored");
    assert_eq!(store.take_in(more, 3).await, Ok(TakenIn::New));
    // Others are not counted.
    let others = batch(an_owner(), vec![task(""), task("")], &[]);
    assert_eq!(store.take_in(others, 3).await, Ok(TakenIn::New));
}

pub(crate) async fn open_tasks_come_in_their_order<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut tasks: Vec<_> = ["first", "urgent", "second", "ran", "over"].map(task).into();
    tasks[1].priority = 7;
    let new = batch(owner, tasks, &[(2, 0)]);
    take_in(&*store, &new).await;
    let id = |at: usize| new.tasks[at].id;
    store.begin_task(id(3), 5).await.expect("begun");
    store.end_task(done(id(4), 5), true).await.expect("stored");
    let open = store.open_tasks(owner).await.expect("read");
    let order: Vec<_> = open.iter().map(|task| (task.id, task.ran, task.blocked)).collect();
    assert_eq!(
        order,
        [
            (id(3), true, 0),
            (id(1), false, 0),
            (id(0), false, 0),
            (id(2), false, 1)
        ]
    );
    let among = store
        .open_among(vec![id(4), id(1), Uuid::new_v4()])
        .await
        .expect("read");
    assert_eq!(among, [open[1].clone()]);
    assert_eq!((among[0].owner, among[0].priority), (owner, 7));
}

pub(crate) async fn pages_of_tasks_follow_each_other<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let one = batch(owner, (0..3).map(|_| task("")).collect(), &[]);
    let two = batch(owner, (0..2).map(|_| task("")).collect(), &[]);
    take_in(&*store, &one).await;
    take_in(&*store, &two).await;
    store.end_task(done(one.tasks[1].id, 1), true).await.expect("stored");
    let page = async |filter: TaskFilter, most| -> Vec<Uuid> {
        let tasks = store.tasks(owner, filter, most).await.expect("read");
        tasks.into_iter().map(|task| task.id).collect()
    };
    let all: Vec<Uuid> = one.tasks.iter().chain(&two.tasks).map(|task| task.id).rev().collect();
    let mut filter = TaskFilter::default();
    assert_eq!(page(filter, 2).await, all[..2]);
    filter.before = Some(all[1]);
    assert_eq!(page(filter, 10).await, all[2..]);
    let filter = TaskFilter {
        batch: Some(one.id),
        state: Some(TaskState::Done),
        before: None,
    };
    assert_eq!(page(filter, 10).await, [one.tasks[1].id]);
}

pub(crate) async fn programs_are_told_until_they_have_been<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let webhook = Webhook {
        url: "https://example.com/hook".into(),
        secret: "whsec_c2VjcmV0".into(),
    };
    let new = NewBatch {
        webhook: Some(webhook.clone()),
        ..batch(owner, vec![task(""), task("")], &[(1, 0)])
    };
    take_in(&*store, &new).await;
    let silent = batch(owner, vec![task("")], &[]);
    take_in(&*store, &silent).await;
    assert_eq!(store.deliveries(u64::MAX >> 1, 10).await, Ok(vec![]));
    store.end_task(done(silent.tasks[0].id, 4), true).await.expect("stored");
    store.end_task(failed(new.tasks[0].id, 5), true).await.expect("stored");
    assert_eq!(
        store.deliveries(4, 10).await,
        Ok(vec![]),
        "none is due before it is over"
    );
    let due = store.deliveries(5, 10).await.expect("read");
    let told: Vec<_> = due.iter().map(|one| (one.batch, one.task, one.attempts)).collect();
    assert_eq!(
        told,
        [
            (new.id, Some(new.tasks[0].id), 0),
            (new.id, Some(new.tasks[1].id), 0),
            (new.id, None, 0)
        ]
    );
    assert_eq!((due[0].owner, &due[0].webhook, due[0].created_at), (owner, &webhook, 5));
    assert_eq!(store.deliveries(5, 1).await.expect("read").len(), 1);
    store.delivered(due[0].key).await.expect("removed");
    store.put_off(due[1].key, Some(50)).await.expect("put off");
    store.put_off(due[2].key, None).await.expect("given up");
    assert_eq!(store.deliveries(49, 10).await, Ok(vec![]));
    let again = store.deliveries(50, 10).await.expect("read");
    assert_eq!((again.len(), again[0].key, again[0].attempts), (1, due[1].key, 1));
    let found = store.batch(owner, new.id).await.expect("read").expect("there");
    assert_eq!((found.untold, found.given_up), (2, 1));
    assert_eq!(store.untold().await, Ok(1), "what is given up is told no more");
}

pub(crate) async fn old_batches_are_removed_unless_something_needs_them<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let old = batch(owner, vec![task("")], &[]);
    let needed = batch(owner, vec![task("")], &[]);
    let open = batch(owner, vec![task("")], &[]);
    for new in [&old, &needed, &open] {
        take_in(&*store, new).await;
    }
    let mut needs = batch(owner, vec![task("")], &[]);
    needs.needs = vec![(needs.tasks[0].id, needed.tasks[0].id)];
    take_in(&*store, &needs).await;
    store.end_task(done(old.tasks[0].id, 100), true).await.expect("stored");
    store
        .end_task(done(needed.tasks[0].id, 100), true)
        .await
        .expect("stored");
    assert_eq!(store.purge_tasks(100).await, Ok(0));
    assert_eq!(store.purge_tasks(101).await, Ok(1));
    assert_eq!(store.batch(owner, old.id).await, Ok(None));
    assert_eq!(store.task(owner, old.tasks[0].id).await, Ok(None));
    store
        .end_task(done(needs.tasks[0].id, 300), true)
        .await
        .expect("stored");
    assert_eq!(store.purge_tasks(200).await, Ok(1));
    assert_eq!(store.batch(owner, needed.id).await, Ok(None));
    assert_eq!(state_of(&*store, owner, open.tasks[0].id).await, TaskState::Open);
}
