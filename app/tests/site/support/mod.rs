//! A whole site over real HTTP: the engine and its pages in front of a loopback model server, and browsers that use
//! it as a page does.

mod browser;
pub(crate) mod events;
mod feed;
mod html;
mod log;
mod nodes;
pub(crate) mod program;
pub(crate) mod shapes;
mod site;

pub(crate) use browser::{Browser, Reply, request};
pub(crate) use feed::{Feed, answer_of};
pub(crate) use html::Html;
pub(crate) use log::Log;
pub(crate) use nodes::Nodes;
pub(crate) use site::{Among, Site};

/// Longest time that anything may take in a test before it is given up: far more than it needs.
pub(crate) const GIVE_UP: std::time::Duration = std::time::Duration::from_secs(60);

/// Waits for `work`, or fails the test with what was waited for.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    match tokio::time::timeout(GIVE_UP, work).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for: {what}"),
    }
}

/// What an English reader is told of a reason.
pub(crate) fn english(reason: &anteroom::wire::Reason) -> String {
    anteroom::language::Words::of(anteroom::language::Language::English).reason(reason)
}

/// Edits the database, of a server that has ended or behind the back of one that runs.
pub(crate) async fn edit(data: &std::path::Path, script: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
    let options = SqliteConnectOptions::new().filename(data.join("anteroom.db"));
    let mut connection = options.connect().await.expect("opened");
    sqlx::raw_sql(script).execute(&mut connection).await.expect("edited");
    connection.close().await.expect("closed");
}
