//! Tasks of one are nobody else's.

use super::*;
use crate::{
    store::{TaskFilter, TaskState},
    tasks::{Cursor, TaskFault},
};

#[tokio::test]
async fn what_is_anothers_is_not_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let [own, other] = [(); 2].map(|()| Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random())));
    let body = Bytes::from_static(br#"{"tasks":[{"message":"think"},{"message":"think more"}]}"#);
    let accepted = own.take_in(body, Some("key".into())).await.expect("taken in");
    let [(id, _), (later, _)] = accepted.tasks[..] else {
        panic!("{accepted:?}")
    };
    let gone = |fault: ClientError| matches!(fault, ClientError::Task(TaskFault::Gone));
    assert!(gone(other.task(id).await.expect_err("not theirs")));
    assert!(gone(other.cancel_task(id).await.expect_err("not theirs")));
    assert!(gone(other.batch(accepted.batch).await.expect_err("not theirs")));
    assert!(other.follow_task(id, Cursor::default()).await.is_err_and(gone));
    assert!(other.follow_batch(accepted.batch, 0).await.is_err_and(gone));
    assert!(other.tasks(TaskFilter::default(), 10).await.expect("read").is_empty());
    // Neither may it be needed, and a key says nothing to another.
    let needs = Bytes::from(format!(r#"{{"message":"m","depends_on":["{id}"]}}"#));
    let refused = other.take_in(needs, None).await.expect_err("not theirs");
    assert!(matches!(refused, ClientError::Task(TaskFault::Unknown(name)) if name == id.to_string()));
    let body = Bytes::from_static(br#"{"message":"another"}"#);
    let theirs = other.take_in(body, Some("key".into())).await.expect("taken in");
    assert_ne!(theirs.batch, accepted.batch);

    // What deletes everything of theirs deletes these, and stops them.
    own.cancel_task(later).await.expect("theirs");
    assert_eq!(own.task(later).await.expect("read").0.state, TaskState::Cancelled);
    own.forget(&own.confirmation()).await.expect("forgotten");
    assert!(gone(own.task(id).await.expect_err("gone")));
    assert_eq!(other.tasks(TaskFilter::default(), 10).await.expect("read").len(), 1);
    engine.shutdown(Duration::ZERO).await;
}
