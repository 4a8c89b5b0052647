//! What is removed is gone from the disk, too.

use super::*;
use crate::wire::Choice;

#[tokio::test]
async fn what_is_removed_is_gone_from_the_disk() {
    let Fixture { store, folder } = fixture().await;
    let owner = an_owner();
    // Long enough for pages of its own, short enough to share one, an answer that was replaced, a title, a file's name.
    let markers = [
        "marker-of-a-long-message",
        "marker-of-a-short-one",
        "marker-first-answer",
        "marker-title",
        "marker.txt",
        "marker-thought",
        "marker-of-an-instruction",
    ];
    let long = markers[0].repeat(1_000);
    let mut one = Talk::new(owner, markers[3]);
    let mut first = one.turn(None, &long);
    first.files = vec![file(markers[4])];
    one.accept(&store, &first, None).await;
    let mut first = answered(first, markers[2]);
    first.reasoning = markers[5].to_owned();
    store.update(first.clone()).await.expect("updated");
    one.say(&store, Some(first.id), markers[1]).await;
    let choice = Choice {
        instructions: markers[6].repeat(500),
        ..Choice::default()
    };
    store
        .choose(owner, one.id(), choice.clone(), "demo@builtin")
        .await
        .expect("chosen");
    let mut neighbour = Talk::new(an_owner(), "Neighbour");
    neighbour.say(&store, None, "neighbouring text").await;
    for marker in markers {
        assert!(on_disk(folder.path(), marker), "{marker} is not there to begin with");
    }

    store.delete(owner, one.id(), 5).await.expect("deleted");
    assert!(on_disk(folder.path(), markers[0]), "it can still be brought back");
    store.purge(6, None).await.expect("purged");
    for marker in markers {
        assert!(!on_disk(folder.path(), marker), "{marker} is still there");
    }
    assert!(on_disk(folder.path(), "neighbouring text"));

    let mut other = Talk::new(owner, markers[3]);
    other.say(&store, None, &long).await;
    store
        .choose(owner, other.id(), choice, "demo@builtin")
        .await
        .expect("chosen");
    assert!(on_disk(folder.path(), markers[6]));
    assert!(on_disk(folder.path(), markers[0]));
    store.forget(owner).await.expect("forgotten");
    for marker in markers {
        assert!(!on_disk(folder.path(), marker), "{marker} is still there");
    }
}

/// Somebody who reads keeps the old pages. Removing does not fail for that, and is made up for.
#[tokio::test]
async fn a_reader_in_the_way_only_delays_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open_tuned(folder.path(), faults::IMPATIENT)
        .await
        .expect("it opens");
    let owner = an_owner();
    let mut one = Talk::new(owner, "One");
    one.say(&store, None, "marker-kept-by-a-reader").await;
    let mut reader = outside(folder.path()).await;
    sqlx::query("BEGIN").execute(&mut reader).await.expect("begun");
    sqlx::query("SELECT count(*) FROM turns")
        .fetch_one(&mut reader)
        .await
        .expect("read");

    store.forget(owner).await.expect("forgotten");
    assert_eq!(store.conversations(owner, None, 10).await, Ok(vec![]));
    assert!(on_disk(folder.path(), "marker-kept-by-a-reader"));
    sqlx::query("ROLLBACK").execute(&mut reader).await.expect("ended");
    store.close().await;
    assert!(!on_disk(folder.path(), "marker-kept-by-a-reader"));
}
