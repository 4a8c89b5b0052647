//! The store in PostgreSQL, against real servers: what every store promises, and what this one does beside that.

mod appends;
mod between;
mod commits;
mod contents;
mod disks;
mod driven;
mod faults;
mod key;
mod nodes;
mod opening;
mod speed;
mod text;
mod tls;
mod ways;
mod writing;

use std::{fs, path::Path, sync::Arc, time::Duration};

use anteroom_pgtest::Cluster;

use super::{OpenError, Opener, PostgresStore, Tuning};
use crate::{
    nodes::Incarnation,
    settings::Secret,
    store::{
        Store, StoreError, contract as promises,
        testing::{Talk, an_owner, answered},
    },
};

struct Postgres;

impl promises::Kind for Postgres {
    fn present() -> bool {
        anteroom_pgtest::present()
    }

    /// The folder has the address of its database.
    async fn open(folder: &Path) -> Arc<dyn Store> {
        let file = folder.join("address");
        let address = fs::read_to_string(&file).unwrap_or_else(|_| {
            let cluster = anteroom_pgtest::shared().expect("it is present");
            let address = cluster.url(&cluster.database());
            fs::write(&file, &address).expect("written");
            address
        });
        Arc::new(open(&address).await)
    }
}

promises::tests!(Postgres);

/// For tests that wait for what does not come.
const IMPATIENT: Tuning = Tuning {
    start: Duration::from_secs(1),
    connect: Duration::from_secs(5),
    locked: Duration::from_millis(200),
    still: Duration::from_millis(150),
    lock: Duration::from_millis(100),
    patience: Duration::from_secs(1),
    answer: Duration::from_secs(3),
    try_again: Duration::from_millis(50),
    look_after: Duration::from_millis(100),
};

async fn open(address: &str) -> PostgresStore {
    let opened = PostgresStore::open(&Secret(address.to_owned()), &Opener::alone()).await;
    opened.expect("it opens")
}

async fn open_impatiently(address: &str) -> Result<PostgresStore, OpenError> {
    PostgresStore::open_tuned(&Secret(address.to_owned()), &Opener::alone(), IMPATIENT).await
}

/// One of several.
fn node(incarnation: u128, reached_at: &str) -> Opener {
    Opener {
        incarnation: Incarnation(incarnation),
        address: Some(reached_at.to_owned()),
    }
}

/// Opens a database as one of several.
async fn open_as(address: &str, incarnation: u128, reached_at: &str) -> Result<PostgresStore, OpenError> {
    let opener = node(incarnation, reached_at);
    PostgresStore::open_tuned(&Secret(address.to_owned()), &opener, IMPATIENT).await
}

/// Why it does not open; names no password.
async fn refused(address: &str) -> OpenError {
    let error = open_impatiently(address).await.expect_err("it does not open");
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains(anteroom_pgtest::PASSWORD), "{shown}");
    }
    error
}

/// Waits until something is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}");
}
