//! A message that is stored, and of which nobody knows for longer than anybody waits whether it has a place in the line.

use std::{thread, time::Duration};

use anteroom_loopback::{Config, Loopback};
use tokio::time::{sleep, timeout};

use crate::{browser::Browser, nodes::Node};

/// Far more than anything here needs.
const GIVE_UP: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_millis(20);

/// Lets nobody write into the log, until somebody has the lock of this number.
const HOLD: &str = "LOCK TABLE log IN SHARE MODE; DO $$ BEGIN \
    WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$";
const LET_GO: &str = "SELECT pg_advisory_lock(7), pg_sleep(1)";
const HELD: &str = "SELECT count(*) FROM pg_locks WHERE relation = 'log'::regclass AND mode = 'ShareLock' AND granted";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_accepted_is_answered_however_long_its_place_is_not_known() {
    let Some(cluster) = anteroom_pgtest::shared() else {
        return;
    };
    let model = Loopback::start(Config::default()).await.expect("a free port");
    let base = model.base_url();
    let settings = [("MODEL", "loopback@openai"), ("OPENAI_BASE_URL", base.as_str())];
    let database = cluster.database();
    let mut node = Node::new(cluster, &database, &settings);
    node.start();
    let browser = Browser::visit(node.addr).await;

    let holder = thread::spawn({
        let database = database.clone();
        move || cluster.sql(&database, HOLD)
    });
    let held = async {
        while cluster.sql(&database, HELD) != "1" {
            sleep(AGAIN).await;
        }
    };
    assert!(timeout(GIVE_UP, held).await.is_ok(), "the log is not held");
    let accepted = browser.send(None, "adrift end".to_owned()).await;
    let waits = browser.conversation(accepted.conversation).await;
    assert!(!waits.turns[0].state.is_over(), "{waits:?}");
    assert!(!holder.is_finished(), "nothing was written into the log by then");
    cluster.sql(&database, LET_GO);
    holder.join().expect("it was let go");

    let answered = async {
        loop {
            let view = browser.conversation(accepted.conversation).await;
            if view.turns.iter().all(|turn| turn.state.is_over()) {
                return view;
            }
            sleep(AGAIN).await;
        }
    };
    let view = timeout(GIVE_UP, answered).await.expect("it is answered");
    browser.check(&accepted, &view);
    assert_eq!(model.record().requests.len(), 1, "the model was asked once");
}
