//! Other processes: one that has the folder already, one that is killed while it writes.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use super::*;
use crate::store::sqlite::OpenError;

/// Tells the test below in which folder to be a server.
const FOLDER: &str = "ANTEROOM_TEST_STORE_FOLDER";

/// Not a test of its own: what the others start as another process. Writes without end, and says what has been acknowledged.
#[tokio::test]
#[ignore = "started by the other tests of this file"]
async fn server() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = match SqliteStore::open(Path::new(&folder)).await {
        Ok(store) => store,
        Err(error) => {
            println!("\nrefused {error}");
            return;
        }
    };
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Title");
    let mut last = None;
    println!("\nowner {}", owner.0);
    loop {
        let mut turn = talk.turn(last, &"kept, whatever happens ".repeat(50));
        turn.files = vec![file("a.txt")];
        talk.accept(&store, &turn, None).await;
        println!("\naccepted {}", turn.id);
        last = Some(turn.id);
        store
            .update(answered(turn.clone(), "an answer"))
            .await
            .expect("updated");
        println!("\nanswered {}", turn.id);
    }
}

fn start(folder: &Path) -> Child {
    let program = std::env::current_exe().expect("this program");
    Command::new(program)
        .args([
            "--exact",
            "store::sqlite::tests::processes::server",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// The lines of a server's output that begin with one of these words.
fn said(child: &mut Child) -> impl Iterator<Item = (String, String)> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let (word, rest) = line.split_once(' ')?;
        ["refused", "owner", "accepted", "answered"]
            .contains(&word)
            .then(|| (word.to_owned(), rest.to_owned()))
    })
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    for count in [1, 2, 7, 40] {
        let mut child = start(folder.path());
        let mut lines = said(&mut child);
        let (word, owner) = lines.next().expect("a first line");
        assert_eq!(word, "owner", "{owner}");
        let owner = Owner(owner.parse().expect("an id"));
        let mut told: Vec<_> = lines.by_ref().take(count).collect();
        let in_use = SqliteStore::open_tuned(folder.path(), faults::IMPATIENT)
            .await
            .expect_err("the other has it");
        assert!(matches!(in_use, OpenError::InUse { .. }), "{in_use:?}");
        assert!(
            in_use.to_string().contains(&format!("process {}", child.id())),
            "{in_use}"
        );
        child.kill().expect("killed");
        child.wait().expect("ended");
        told.extend(lines);

        let store = open(folder.path()).await;
        for (word, id) in &told {
            let id = id.parse().expect("an id");
            let turn = store
                .turn(owner, id)
                .await
                .expect("read")
                .expect("it was acknowledged")
                .turn;
            assert_eq!(turn.files.len(), 1);
            if word == "answered" {
                assert_eq!(turn.answer, "an answer");
            }
        }
        let list = store.conversations(owner, None, 10).await.expect("read");
        let path = store.path(owner, list[0].head, usize::MAX).await.expect("read");
        let accepted = told.iter().filter(|(word, _)| word == "accepted").count();
        assert!(
            path.len() == accepted || path.len() == accepted + 1,
            "{} of {accepted}",
            path.len()
        );
        store.close().await;
    }
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_who_has_it() {
    let Fixture { store, folder } = fixture().await;
    let mut child = start(folder.path());
    let (word, error) = said(&mut child).next().expect("a line");
    child.wait().expect("ended");
    assert_eq!(word, "refused");
    let words = format!("is in use by another Anteroom (process {})", std::process::id());
    assert!(error.contains(&words), "{error}");
    store.close().await;
}
