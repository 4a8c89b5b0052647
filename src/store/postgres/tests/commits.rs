//! Connections that are cut in the middle of a commit, by somebody in between who knows when that is.

use sqlx::PgConnection;

use super::{
    between::{Between, Cut},
    *,
};
use crate::store::job::Operation;

/// A change that counts, each time that it is made.
pub(super) struct Count;

impl Count {
    pub(super) fn begin(cluster: &Cluster, database: &str) {
        let table = "CREATE TABLE counter (count bigint); INSERT INTO counter VALUES (0)";
        cluster.sql(database, table);
    }
}

impl Operation for Count {
    type Connection = PgConnection;
    type Output = i64;

    async fn run(&self, connection: &mut PgConnection) -> sqlx::Result<i64> {
        sqlx::query_scalar("UPDATE counter SET count = count + 1 RETURNING count")
            .fetch_one(connection)
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_cut_off_is_made_once_whatever_became_of_it() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let database = cluster.database();
    Count::begin(cluster, &database);
    let between = Between::stand(cluster.port()).await;
    let address = between.url(cluster, &database);
    let store = open(&address).await;
    let cuts = [
        Cut::Never,
        Cut::After,
        Cut::Before,
        Cut::After,
        Cut::After,
        Cut::Before,
        Cut::Never,
    ];
    for (made, cut) in (1..).zip(cuts) {
        between.next(cut);
        assert_eq!(store.write(Count).await, Ok(made), "{cut:?}");
        assert_eq!(
            cluster.sql(&database, "SELECT count FROM counter"),
            made.to_string(),
            "{cut:?}"
        );
    }
    // A group of several likewise.
    between.next(Cut::After);
    let counts = futures_util::future::join_all((0..20).map(|_| store.write(Count))).await;
    let expected: Vec<_> = (0..20).map(|number| Ok(8 + number)).collect();
    assert_eq!(counts, expected);
    assert_eq!(cluster.sql(&database, "SELECT count FROM counter"), "27");
}
