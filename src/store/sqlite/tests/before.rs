//! A database that version 0.1.0 has left: `0.1.0.sql`, which says its tables by itself, so that no change of today's can make it another.

use super::*;
use crate::{
    store::Purged,
    wire::{ConversationId, FileId, Incomplete, Reason, TurnState, Usage},
};

const FIRST: &str = include_str!("0.1.0.sql");
const BROWSER: Owner = Owner(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);

/// The ids in it have a common beginning.
const fn id(last: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0000 + last)
}

async fn left_by_the_first() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteConnectOptions::new().filename(folder.path().join("anteroom.db"));
    let mut made = options.create_if_missing(true).connect().await.expect("made");
    sqlx::raw_sql(FIRST).execute(&mut made).await.expect("written");
    sqlx::Connection::close(made).await.expect("closed");
    folder
}

#[tokio::test]
async fn a_database_of_0_1_0_opens_with_all_that_is_in_it() {
    let folder = left_by_the_first().await;
    let store = open(folder.path()).await;
    let told = |sentence: &str| Reason::Told {
        sentence: sentence.to_owned(),
    };
    let path = store.path(BROWSER, TurnId(id(5)), 10).await.expect("read");
    let states: Vec<_> = path.iter().map(|step| step.turn.state.clone()).collect();
    assert_eq!(
        states,
        [
            TurnState::Done,
            TurnState::Failed {
                reason: told(
                    "The model server cannot be reached. It may be starting or stopped; try again in a moment."
                )
            },
            TurnState::Expired {
                reason: told("No slot became free within 10 minutes. Try again when the line is shorter.")
            },
            TurnState::Incomplete {
                cause: Incomplete::Length
            },
            TurnState::Cancelled,
        ]
    );
    let first = &path[0].turn;
    assert_eq!(
        (first.message.as_str(), first.answer.as_str()),
        ("Which apples keep longest?", "Late ones: **Boskoop**, for example.")
    );
    let usage = Usage {
        input: Some(12),
        output: Some(34),
    };
    assert_eq!(first.usage, Some(usage));
    assert_eq!(
        first.files.iter().map(|file| file.id).collect::<Vec<_>>(),
        [FileId(id(0xf01))]
    );

    // What waited waits, in its place.
    let unfinished = store.unfinished().await.expect("read");
    let [waiting] = &unfinished[..] else {
        panic!("{unfinished:?}")
    };
    assert_eq!(
        (waiting.turn.turn.id, waiting.turn.turn.owner),
        (TurnId(id(6)), BROWSER)
    );
    assert_eq!(waiting.key, Some(OrderKey { tag: 6, arrival: 5 }));

    // And it is a database like any other from here on.
    let listed = store
        .conversation(BROWSER, ConversationId(id(0xa)))
        .await
        .expect("read");
    assert_eq!(listed.expect("it is there").title, "Which apples keep longest?");
    assert_eq!(store.conversation(BROWSER, ConversationId(id(0xc))).await, Ok(None));
    store.close().await;
    let store = open(folder.path()).await;
    assert_eq!(store.path(BROWSER, TurnId(id(5)), 10).await.expect("read").len(), 5);
    assert_eq!(store.purge(0, None).await, Ok(Purged::default()));
}
