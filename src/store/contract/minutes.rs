//! The minutes of the line.

use super::*;
use crate::store::{Minute, minutes::KEPT};

fn minute(node: &str, at: u64) -> Minute {
    Minute {
        node: node.to_owned(),
        at,
        running: 2,
        waiting: 7,
        started: 3,
        waited_ms: 4_500,
        ended: 2,
        sessions: 11,
        memory: Some(1 << 40),
    }
}

pub(crate) async fn minutes_come_back_as_they_were_kept<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    assert_eq!(store.minutes(0).await, Ok(Vec::new()));
    let blank = Minute {
        at: 120_000,
        ..Minute::default()
    };
    let kept = [
        minute("", 60_000),
        blank,
        minute("a\u{1f916}", 180_000),
        minute("b", 180_000),
    ];
    for one in kept.iter().rev() {
        assert_eq!(store.keep_minute(one.clone()).await, Ok(()));
    }
    assert_eq!(store.minutes(0).await, Ok(kept.to_vec()));
    assert_eq!(store.minutes(120_001).await, Ok(kept[2..].to_vec()));
    // They are nobody's.
    assert_eq!(store.is_empty().await, Ok(true));
    store.close().await;
    drop(store);
    let again = K::open(folder.path()).await;
    assert_eq!(again.minutes(0).await, Ok(kept.to_vec()));
}

pub(crate) async fn two_parts_of_a_minute_are_one<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let later = Minute {
        running: 1,
        waiting: 9,
        sessions: 4,
        memory: None,
        ..minute("", 60_000)
    };
    store.keep_minute(minute("", 60_000)).await.expect("kept");
    store.keep_minute(later).await.expect("kept");
    let both = Minute {
        running: 2,
        waiting: 9,
        started: 6,
        waited_ms: 9_000,
        ended: 4,
        sessions: 4,
        memory: None,
        ..minute("", 60_000)
    };
    assert_eq!(store.minutes(0).await, Ok(vec![both]));
}

pub(crate) async fn what_is_older_than_a_week_goes<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    for at in [60_000, 120_000, 60_000 + KEPT] {
        store.keep_minute(minute("", at)).await.expect("kept");
    }
    let kept: Vec<u64> = store.minutes(0).await.expect("read").iter().map(|one| one.at).collect();
    assert_eq!(kept, [120_000, 60_000 + KEPT]);
}
