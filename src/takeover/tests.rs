use std::collections::BTreeMap;

use anteroom_pgtest::Cluster;
use tempfile::TempDir;

use super::*;
use crate::{
    accounts::{KeyId, Scopes, rates::KeyRates},
    papers::samples,
    queue::{OrderKey, Owner},
    settings::Loaded,
    store::{
        BatchRecord, CredentialRecord, CredentialStore as _, Delivery, FollowUpStore as _, KeyRecord, NewBatch,
        NewTask, OpenTask, Store, TakenIn, TaskEnd, TaskFilter, TaskRecord, TaskState, TurnRecord, Unfinished, Webhook,
        postgres::{Opener, PostgresStore},
        sqlite::SqliteStore,
        testing::{Talk, a_choice, an_owner, answered},
    },
    wire::{Choice, ConversationId, FileView, FollowUp, TurnState},
};

fn settings(address: &str) -> Loaded {
    let environment = [("DATABASE_URL".to_owned(), address.to_owned())];
    Settings::load(environment, None).expect("right")
}

async fn upload(vault: &Vault, content: &[u8]) -> FileView {
    let mut upload = vault.begin("notes.txt", 10_000_000).await.expect("begun");
    upload.write(content).await.expect("written");
    upload.finish().await.expect("kept")
}

/// What is read of the one document.
const PAGE: &str = "\u{0C}page 1\nA page\n";

/// All that an owner can find out.
type Seen = (
    Vec<(
        crate::store::ConversationRecord,
        Choice,
        Vec<TurnRecord>,
        Vec<crate::store::Step>,
        Vec<FollowUp>,
    )>,
    Option<crate::store::ConversationRecord>,
    Tasks,
);

/// Tasks with their batches, those that are to go on, and what is to be told.
type Tasks = (Vec<TaskRecord>, Vec<BatchRecord>, Vec<OpenTask>, Vec<Delivery>);

async fn tasks(store: &dyn Store, owner: Owner) -> Tasks {
    let (mut tasks, mut batches) = (Vec::new(), Vec::new());
    for task in store.tasks(owner, TaskFilter::default(), 100).await.expect("read") {
        tasks.push(store.task(owner, task.id).await.expect("read").expect("there"));
        let mut batch = store.batch(owner, task.batch).await.expect("read").expect("there");
        batch.states.sort_by_key(|(state, _)| state.name());
        batches.push(batch);
    }
    let open = store.open_tasks(owner).await.expect("read");
    let deliveries = store.deliveries(1_000, 100).await.expect("read");
    (tasks, batches, open, deliveries)
}

async fn seen(store: &dyn Store, owner: Owner, deleted: ConversationId) -> Seen {
    let mut all = Vec::new();
    for conversation in store.conversations(owner, None, 100).await.expect("read") {
        let (_, choice) = store
            .chosen(owner, conversation.id)
            .await
            .expect("read")
            .expect("there");
        let turns = store.turns(owner, conversation.id).await.expect("read");
        let path = store.path(owner, conversation.head, 100).await.expect("read");
        let follow_ups = store.follow_ups(owner, conversation.id).await.expect("read");
        all.push((conversation, choice, turns, path, follow_ups));
    }
    let undeleted = store.undelete(owner, deleted).await.expect("read");
    (all, undeleted, tasks(store, owner).await)
}

struct Site {
    folder: TempDir,
    owner: Owner,
    deleted: ConversationId,
    files: Vec<(FileView, Vec<u8>)>,
}

/// A data directory with something of everything.
async fn site() -> Site {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path()).await.expect("it opens");
    CookieKey::load(None, folder.path()).expect("made");
    let vault = Vault::open(folder.path()).await.expect("a vault");
    let owner = an_owner();
    let long: Vec<u8> = (0..100_000)
        .flat_map(|number| format!("{number:08}\n").into_bytes())
        .collect();
    let mut files = Vec::new();
    for content in [b"short".to_vec(), long, samples::pdf_with_picture("A page")] {
        files.push((upload(&vault, &content).await, content));
    }

    let mut talk = Talk::new(owner, "Tabs\tand\\slashes\r\n\0").at(100);
    let mut first = talk.turn(None, "\\N is not nothing\u{1a}");
    first.files = vec![files[1].0.clone(), files[0].0.clone(), files[2].0.clone()];
    talk.accept(&store, &first, None).await;
    store.update(answered(first.clone(), "ä\n🙂\0")).await.expect("updated");
    let again = talk.say(&store, None, "another version").await;
    store.update(answered(again, "yes")).await.expect("updated");
    assert_eq!(
        store.choose(owner, talk.id(), a_choice("large@gpu"), "large@gpu").await,
        Ok(true)
    );
    let waits = talk.turn(Some(first.id), "waits");
    talk.accept(&store, &waits, Some(OrderKey { tag: 3, arrival: 8 })).await;
    let follow_up = FollowUp {
        id: crate::wire::TurnId::new(),
        message: "\\N follows\t\0".into(),
        files: vec![files[0].0.clone()],
        at: 6,
        held: Some(crate::wire::Reason::BeforeFailed),
    };
    let added = store.add_follow_up(owner, talk.id(), follow_up, 10).await;
    assert_eq!(added, Ok(crate::store::Added::Kept));
    // Of the same time: what was stored later comes first.
    for title in ["a", "b"] {
        let mut other = Talk::new(owner, title).at(200);
        let turn = other.turn(None, title);
        other.accept(&store, &turn, Some(OrderKey { tag: 2, arrival: 9 })).await;
    }
    let mut deleted = Talk::new(owner, "deleted");
    deleted.say(&store, None, "and to be brought back").await;
    assert_eq!(store.delete(owner, deleted.id(), 7).await, Ok(true));
    // Somebody else, and a file that nobody's message carries.
    let mut running = Talk::new(an_owner(), "theirs").say(&store, None, "runs").await;
    running.state = TurnState::Running;
    running.started_at = Some(5);
    store.update(running).await.expect("updated");
    store
        .add_file(owner, upload(&vault, b"not sent").await, 5)
        .await
        .expect("added");
    let key = KeyRecord {
        id: KeyId(uuid::Uuid::from_u128(9)),
        name: "a \\N bot".into(),
        scopes: Scopes::WORK,
        digest: "0f".repeat(32),
        created_at: 5,
        expires_at: Some(6),
        revoked_at: None,
        rates: KeyRates {
            requests: "60".parse().ok(),
            tokens: None,
        },
    };
    assert_eq!(store.add_key(key).await, Ok(true));
    leave_tasks(&store, owner).await;
    store.keep_credential(owner, credential()).await.expect("kept");
    store.close().await;
    Site {
        folder,
        owner,
        deleted: deleted.id(),
        files,
    }
}

fn credential() -> CredentialRecord {
    CredentialRecord {
        server: "a \\N server".into(),
        sealed: "AQ-_".into(),
        given_at: 5,
    }
}

/// Tasks: one that is done and told of, one that runs, one that waits for it.
async fn leave_tasks(store: &dyn Store, owner: Owner) {
    let task = |request: &str| NewTask {
        id: Uuid::new_v4(),
        name: Some(request.to_owned()),
        priority: -2,
        model: "demo@builtin".into(),
        metadata: Some("{}".into()),
        request: request.to_owned(),
    };
    let new = vec![task("done\t"), task("runs\0"), task("\\N waits")];
    let [done, runs, waits] = [0, 1, 2].map(|at: usize| new[at].id);
    let batch = NewBatch {
        id: Uuid::new_v4(),
        owner,
        key: Some("again".into()),
        hash: "0f".into(),
        webhook: Some(Webhook {
            url: "https://example.com".into(),
            secret: "whsec_".into(),
        }),
        created_at: 3,
        tasks: new,
        needs: vec![(waits, runs)],
    };
    assert_eq!(store.take_in(batch, 10).await, Ok(TakenIn::New));
    store.begin_task(runs, 4).await.expect("begun");
    let end = TaskEnd {
        id: done,
        state: TaskState::Done,
        reason: None,
        behind: None,
        result: Some("{}".into()),
        usage: None,
        at: 5,
    };
    store.end_task(end, true).await.expect("ended");
}

/// What is in the folder, file by file, but for what comes and goes beside an open database.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") && !path.to_string_lossy().contains("anteroom.db-") {
                found.insert(path.clone(), std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

fn database() -> Option<(&'static Cluster, String)> {
    let cluster = anteroom_pgtest::shared()?;
    Some((cluster, cluster.url(&cluster.database())))
}

#[tokio::test]
async fn everything_is_there_as_it_was_and_the_source_is_left_alone() {
    let Some((_, address)) = database() else { return };
    let site = site().await;
    let loaded = settings(&address);
    let before = content(site.folder.path());
    let summary = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect("taken over");
    let (document, _) = &site.files[2];
    let kept = Vault::unswept(site.folder.path());
    let pictures = kept.read(pictures_beside(document.id), u64::MAX).await.expect("there");
    let read = (PAGE.len() + pictures.len()) as u64;
    let bytes = site.files.iter().map(|(view, _)| view.size).sum::<u64>() + 8 + read;
    let expected = TakeoverSummary {
        conversations: 5,
        turns: 7,
        unfinished: 5,
        files: 4,
        bytes,
        missing: 0,
        key: Some(site.folder.path().join("secret.key")),
    };
    assert_eq!(summary, expected);
    assert!(content(site.folder.path()) == before, "the source has been changed");

    let address = loaded.settings.database_url.clone().expect("set");
    let taken = PostgresStore::open(&address, &Opener::alone()).await.expect("it opens");
    let source = SqliteStore::open(site.folder.path()).await.expect("it opens");
    let all: Vec<Unfinished> = source.unfinished().await.expect("read");
    assert_eq!(taken.unfinished().await, Ok(all));
    let here = seen(&source, site.owner, site.deleted).await;
    assert_eq!(here.0.len(), 3);
    assert_eq!(here.0.iter().map(|one| one.4.len()).sum::<usize>(), 1);
    assert!(here.1.is_some());
    assert_eq!(seen(&taken, site.owner, site.deleted).await, here);
    let vault = Vault::over(taken.contents());
    for (view, content) in &site.files {
        assert_eq!(taken.file(site.owner, view.id).await, Ok(Some(view.clone())));
        assert!(vault.read(view.id, u64::MAX).await.expect("there") == *content);
        if view.paper.is_some() {
            assert_eq!(vault.text(view.id).await.expect("there"), PAGE);
            assert_eq!(vault.pictures(view.id).await.expect("there").len(), 1);
        }
    }
    let key = CookieKey::load_for_database(None, site.folder.path()).expect("there");
    assert_eq!(taken.admits_key(&key.fingerprint()).await, Ok(true));
    assert_eq!(taken.admits_key("another").await, Ok(false));
    assert_eq!(taken.credentials(site.owner).await, Ok(vec![credential()]));
    let keys = taken.keys().await.expect("read");
    assert_eq!(keys.len(), 1);
    assert!(keys[0].rates.requests.is_some(), "with its rates");
    assert_eq!(source.keys().await, Ok(keys.clone()));
    // What comes now gets keys of its own.
    let again = KeyRecord {
        id: KeyId(uuid::Uuid::from_u128(10)),
        name: "another".into(),
        ..keys[0].clone()
    };
    assert_eq!(taken.add_key(again).await, Ok(true));
    let mut talk = Talk::new(site.owner, "new").at(1_000);
    talk.say(&taken, None, "hello").await;
    let titles = taken.conversations(site.owner, None, 1).await.expect("read");
    assert_eq!(titles[0].title, "new", "stored last, it comes first");
}

#[tokio::test]
async fn only_an_empty_database_is_filled_and_only_from_a_folder_that_nobody_uses() {
    let Some((cluster, address)) = database() else { return };
    let site = site().await;
    let loaded = settings(&address);
    let server = SqliteStore::open(site.folder.path()).await.expect("it opens");
    let error = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect_err("in use");
    assert!(error.to_string().contains("is in use by another Anteroom"), "{error}");
    server.close().await;
    drop(server);

    let other = PostgresStore::open(loaded.settings.database_url.as_ref().expect("set"), &Opener::alone())
        .await
        .expect("it opens");
    Talk::new(an_owner(), "theirs").say(&other, None, "hello").await;
    let error = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect_err("in use");
    assert!(error.to_string().contains("is in use by another Anteroom"), "{error}");
    other.close().await;
    let error = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect_err("it is not empty");
    assert!(matches!(error, TakeoverError::NotEmpty { .. }), "{error}");
    assert!(!error.to_string().contains(anteroom_pgtest::PASSWORD), "{error}");

    let nowhere = tempfile::tempdir().expect("a folder");
    let error = take_over(nowhere.path(), &loaded.settings)
        .await
        .expect_err("nothing there");
    assert!(matches!(error, TakeoverError::NothingThere(_)), "{error}");
    // Without its key nobody would find anything.
    std::fs::remove_file(site.folder.path().join("secret.key")).expect("removed");
    let fresh = settings(&cluster.url(&cluster.database()));
    let error = take_over(site.folder.path(), &fresh.settings)
        .await
        .expect_err("no key");
    assert!(matches!(error, TakeoverError::Key(KeyError::Needed { .. })), "{error}");
}

#[tokio::test]
async fn what_breaks_off_leaves_nothing_and_a_content_that_has_gone_is_counted() {
    let Some((cluster, _)) = database() else { return };
    let site = site().await;
    let database = cluster.database();
    let loaded = settings(&cluster.url(&database));
    let address = loaded.settings.database_url.clone().expect("set");
    PostgresStore::open(&address, &Opener::alone())
        .await
        .expect("it opens")
        .close()
        .await;
    cluster.sql(&database, "ALTER TABLE pieces ADD CHECK (number < 1)");
    let error = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect_err("it breaks off");
    assert!(matches!(error, TakeoverError::BrokeOff { .. }), "{error}");
    assert_eq!(cluster.sql(&database, "SELECT count(*) FROM owners"), "0");

    cluster.sql(&database, "ALTER TABLE pieces DROP CONSTRAINT pieces_number_check");
    let place = crate::files::place_in_data_dir(site.files[1].0.id);
    std::fs::remove_file(site.folder.path().join(place)).expect("removed");
    let summary = take_over(site.folder.path(), &loaded.settings)
        .await
        .expect("taken over");
    assert_eq!((summary.files, summary.missing), (3, 1));
}
