//! Connections that are cut in the middle of a commit, by somebody in between who knows when that is.

use std::sync::Mutex;

use sqlx::PgConnection;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::store::job::Operation;

/// What becomes of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Never,
    /// The server never hears of it.
    Before,
    /// The server makes it, and nobody hears of that.
    After,
}

/// Stands between a store and the server, and passes everything on.
struct Between {
    port: u16,
    cut: Arc<Mutex<Cut>>,
}

impl Between {
    async fn stand(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let cut = Arc::new(Mutex::new(Cut::Never));
        let shared = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await.expect("it is there");
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, cut }
    }

    fn next(&self, cut: Cut) {
        *self.cut.lock().expect("no panic") = cut;
    }
}

/// Ends with the connection, or where it is cut.
async fn pass(mut client: TcpStream, mut server: TcpStream, cut: Arc<Mutex<Cut>>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            Ok(bytes) = client.read(&mut asked) => {
                let said = &asked[..bytes];
                let commits = said.windows(7).any(|window| window == b"COMMIT\0");
                let now = if commits {
                    std::mem::replace(&mut *cut.lock().expect("no panic"), Cut::Never)
                } else {
                    Cut::Never
                };
                if bytes == 0 || now == Cut::Before || server.write_all(said).await.is_err() {
                    return;
                }
                if now == Cut::After {
                    // It is made once this comes.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            Ok(bytes) = server.read(&mut answered) => {
                if bytes == 0 || client.write_all(&answered[..bytes]).await.is_err() {
                    return;
                }
            }
            else => return,
        }
    }
}

/// A change that counts, each time that it is made.
struct Count;

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
    cluster.sql(
        &database,
        "CREATE TABLE counter (count bigint); INSERT INTO counter VALUES (0)",
    );
    let between = Between::stand(cluster.port()).await;
    let address = cluster
        .url(&database)
        .replace(&cluster.port().to_string(), &between.port.to_string());
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
