//! Databases of before: brought up to date, with all that is in them.

use sqlx::{Connection as _, Row as _};
use uuid::Uuid;

use super::*;
use crate::{
    accounts::{
        KeyId, Scopes,
        rates::{KeyRates, RatesChange},
    },
    store::{Added, CredentialRecord, CredentialStore as _, FollowUpStore as _, KeyRecord, Purged, sqlite::schema},
    wire::{Choice, ConversationId, FileId, FileKind, FileView, FollowUp, Role, Shelf, Shelving, TurnState},
};

/// What a browser without an account had: conversations and files were its session's then.
const BROWSER: Uuid = Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
const CONVERSATION: ConversationId = ConversationId(Uuid::from_u128(2));
const FIRST: TurnId = TurnId(Uuid::from_u128(3));
const SECOND: TurnId = TurnId(Uuid::from_u128(4));
const FILE: FileId = FileId(Uuid::from_u128(5));

/// Tables and columns as they were called when each session had its own.
const KEPT_BY_SESSION: &str = "
INSERT INTO sessions (key, id) VALUES (7, x'0123456789abcdef0123456789abcdef');
INSERT INTO conversations (key, session, id, head, updated_at, title)
    VALUES (9, 7, x'00000000000000000000000000000002', x'00000000000000000000000000000004', 20, 'Apples');
INSERT INTO turns (key, session, conversation, parent, id, state, tag, arrival, attempts, accepted_at, counted, model, message, answer)
    VALUES (1, 7, 9, NULL, x'00000000000000000000000000000003', 'done', NULL, NULL, 1, 10, 0, 'demo', 'red?', 'green'),
           (2, 7, 9, 1, x'00000000000000000000000000000004', 'waiting', 3, 4, 0, 20, 0, 'demo', 'pears?', '');
INSERT INTO files (key, session, id, name, kind, mime, size, uploaded_at)
    VALUES (1, 7, x'00000000000000000000000000000005', 'a.txt', 'text', 'text/plain', 12, 15);
INSERT INTO turn_files (turn, position, file) VALUES (2, 0, 1);
";

/// A data directory with a database of the first migration.
async fn kept_by_session() -> TempDir {
    made_before(1, KEPT_BY_SESSION).await
}

/// A data directory with a database of the first so many migrations, and what is in it.
async fn made_before(migrations: usize, content: &'static str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let options = SqliteConnectOptions::new().filename(folder.path().join("anteroom.db"));
    let mut before = options.create_if_missing(true).connect().await.expect("made");
    schema::migrate_as_before(&mut before, migrations).await;
    sqlx::raw_sql(content).execute(&mut before).await.expect("written");
    before.close().await.expect("closed");
    folder
}

#[tokio::test]
async fn what_was_a_sessions_is_its_owners() {
    let folder = kept_by_session().await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());

    let conversation = store.conversation(owner, CONVERSATION).await.expect("read");
    assert_eq!(
        conversation,
        Some(ConversationRecord {
            id: CONVERSATION,
            owner,
            title: "Apples".into(),
            updated_at: 20,
            head: SECOND,
            shelf: Shelf::default(),
        })
    );
    let file = FileView {
        id: FILE,
        name: "a.txt".into(),
        kind: FileKind::Text,
        mime: "text/plain".into(),
        size: 12,
        paper: None,
    };
    assert_eq!(store.file(owner, FILE).await, Ok(Some(file.clone())));
    let path = store.path(owner, SECOND, 10).await.expect("read");
    let [first, second] = &path[..] else { panic!("{path:?}") };
    assert_eq!(
        (first.turn.id, first.turn.owner, &first.turn.state),
        (FIRST, owner, &TurnState::Done)
    );
    assert_eq!(
        (first.turn.message.as_str(), first.turn.answer.as_str()),
        ("red?", "green")
    );
    assert_eq!((second.turn.owner, second.turn.parent), (owner, Some(FIRST)));
    assert_eq!(second.turn.files, [file]);
    let hits = store.search(owner, "GREEN", 10).await.expect("read");
    assert_eq!(hits[0].turn, Some((FIRST, Role::Agent, "green".into())));

    // It comes back into the line for its owner, in its place.
    let unfinished = store.unfinished().await.expect("read");
    let [waits] = &unfinished[..] else {
        panic!("{unfinished:?}")
    };
    assert_eq!((waits.turn.turn.owner, waits.conversation.owner), (owner, owner));
    assert_eq!(waits.key, Some(OrderKey { tag: 3, arrival: 4 }));

    // What is another's is still not found.
    assert_eq!(store.conversations(an_owner(), None, 10).await, Ok(vec![]));
    assert_eq!(store.turn(an_owner(), FIRST).await, Ok(None));

    // And it can be gone on with: a turn that is there already is not stored twice, a new one follows.
    let mut talk = Talk {
        conversation: conversation.expect("it is there"),
    };
    talk.accept(&store, &second.turn, None).await;
    talk.say(&store, Some(SECOND), "plums?").await;
    assert_eq!(store.turns(owner, CONVERSATION).await.expect("read").len(), 3);
    store.inspect().await;
    assert_eq!(store.damage(), None);
    assert_eq!(store.forget(owner).await, Ok(vec![FILE]));
    assert_eq!(store.is_empty().await, Ok(true));
    let named_again = Purged {
        files: vec![FILE],
        ..Purged::default()
    };
    assert_eq!(store.purge(0, None).await, Ok(named_again));
    store.close().await;
}

/// As the second migration left it: what an answer is, no more.
const KEPT_BY_OWNER: &str = "
INSERT INTO owners (key, id) VALUES (7, x'0123456789abcdef0123456789abcdef');
INSERT INTO conversations (key, owner, id, head, updated_at, title)
    VALUES (9, 7, x'00000000000000000000000000000002', x'00000000000000000000000000000004', 20, 'Apples');
INSERT INTO turns (key, owner, conversation, parent, id, state, tag, arrival, attempts, accepted_at, counted, model, message, answer)
    VALUES (1, 7, 9, NULL, x'00000000000000000000000000000003', 'done', NULL, NULL, 1, 10, 0, 'demo', 'red?', 'green'),
           (2, 7, 9, 1, x'00000000000000000000000000000004', 'waiting', 3, 4, 0, 20, 0, 'demo', 'pears?', '');
";

#[tokio::test]
async fn a_turn_of_before_has_no_thoughts_and_its_conversation_no_choice() {
    let folder = made_before(2, KEPT_BY_OWNER).await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());
    let chosen = store.chosen(owner, CONVERSATION).await.expect("read");
    let (conversation, choice) = chosen.expect("it is there");
    assert_eq!((conversation.title.as_str(), choice), ("Apples", Choice::default()));
    let path = store.path(owner, SECOND, 10).await.expect("read");
    let [first, second] = &path[..] else { panic!("{path:?}") };
    for turn in [&first.turn, &second.turn] {
        assert_eq!((turn.reasoning.as_str(), turn.notices.as_slice()), ("", &[][..]));
        assert_eq!((turn.backend.as_deref(), turn.model.as_str()), (None, "demo"));
        assert_eq!(turn.thought_ms, None);
    }
    assert_eq!(first.turn.answer, "green");
    let unfinished = store.unfinished().await.expect("read");
    assert_eq!(unfinished[0].choice, Choice::default());
    assert_eq!(unfinished[0].key, Some(OrderKey { tag: 3, arrival: 4 }));

    // From here on it is as any other.
    let choice = a_choice("large@gpu");
    let chose = store.choose(owner, CONVERSATION, choice.clone(), "large@gpu").await;
    assert_eq!(chose, Ok(true));
    let mut over = answered(second.turn.clone(), "yellow");
    over.reasoning = "Mostly.".into();
    store.update(over.clone()).await.expect("updated");
    store.close().await;
    let store = open(folder.path()).await;
    let chosen = store.chosen(owner, CONVERSATION).await.expect("read");
    assert_eq!(chosen, Some((conversation, choice)));
    assert_eq!(
        store.turn(owner, SECOND).await.expect("read").map(|step| step.turn),
        Some(over)
    );
    store.close().await;
}

#[tokio::test]
async fn a_database_of_before_there_were_keys_takes_some() {
    let folder = kept_by_session().await;
    let mut before = outside(folder.path()).await;
    schema::migrate_as_before(&mut before, 3).await;
    before.close().await.expect("closed");
    let store = open(folder.path()).await;
    assert_eq!(store.keys().await, Ok(Vec::new()));
    let key = KeyRecord {
        id: KeyId(Uuid::from_u128(6)),
        name: "bot".into(),
        scopes: Scopes::WORK,
        digest: "0f".repeat(32),
        created_at: 5,
        expires_at: None,
        revoked_at: None,
        rates: KeyRates::default(),
    };
    assert_eq!(store.add_key(key.clone()).await, Ok(true));
    let turn = store.turn(Owner(BROWSER.as_u128()), SECOND).await.expect("read");
    assert!(turn.is_some(), "what was there is there");
    store.close().await;
    let store = open(folder.path()).await;
    assert_eq!(store.keys().await, Ok(vec![key]));
    store.close().await;
}

#[tokio::test]
async fn a_key_of_before_keys_had_rates_has_the_sites_and_takes_its_own() {
    const KEY: &str = "INSERT INTO keys (id, name, scopes, digest, created_at) \
         VALUES (x'00000000000000000000000000000006', 'bot', 'chat', printf('%064d', 0), 5)";
    let folder = made_before(13, KEY).await;
    let store = open(folder.path()).await;
    let rates = async || {
        store
            .keys()
            .await
            .expect("read")
            .iter()
            .map(|key| key.rates)
            .collect::<Vec<_>>()
    };
    assert_eq!(rates().await, [KeyRates::default()]);
    let requests = "60".parse().ok();
    let change = RatesChange {
        requests: Some(requests),
        tokens: None,
    };
    assert_eq!(store.set_key_rates(KeyId(Uuid::from_u128(6)), change).await, Ok(true));
    let own = KeyRates { requests, tokens: None };
    assert!(requests.is_some());
    assert_eq!(rates().await, [own]);
    store.close().await;
}

#[tokio::test]
async fn a_database_of_before_answers_were_rated_takes_ratings() {
    let folder = made_before(5, KEPT_BY_OWNER).await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());
    let turn = async |store: &SqliteStore| {
        let step = store.turn(owner, FIRST).await.expect("read").expect("there");
        (step.turn.answer, step.turn.good)
    };
    assert_eq!(turn(&store).await, ("green".to_owned(), None));
    assert_eq!(store.rate(owner, FIRST, Some(true)).await, Ok(true));
    store.close().await;
    let store = open(folder.path()).await;
    assert_eq!(turn(&store).await, ("green".to_owned(), Some(true)));
    store.close().await;
}

#[tokio::test]
async fn a_conversation_of_before_stands_among_the_days_and_can_be_put_elsewhere() {
    let folder = made_before(11, KEPT_BY_OWNER).await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());
    let shelf = async |store: &SqliteStore| {
        let all = store.conversations(owner, None, 10).await.expect("read");
        all.iter().map(|one| one.shelf).collect::<Vec<_>>()
    };
    assert_eq!(shelf(&store).await, [Shelf::default()]);
    let archived = Shelving {
        archived: Some(true),
        ..Shelving::default()
    };
    let now = Shelf {
        archived: true,
        ..Shelf::default()
    };
    assert_eq!(store.shelve(owner, CONVERSATION, archived).await, Ok(Some(now)));
    store.close().await;
    let store = open(folder.path()).await;
    assert_eq!(shelf(&store).await, [now]);
    store.close().await;
}

/// Every table with its columns and what they refer to, every index with its columns.
async fn layout(connection: &mut SqliteConnection) -> Vec<String> {
    const LAYOUT: &str = "SELECT m.type || ' ' || m.name
            || coalesce((SELECT group_concat(c.name) FROM pragma_table_xinfo(m.name) c), '')
            || coalesce((SELECT ' -> ' || group_concat(f.\"from\" || ' in ' || f.\"table\") FROM pragma_foreign_key_list(m.name) f), '')
            || coalesce((SELECT ' of ' || group_concat(i.name) FROM pragma_index_info(m.name) i), '') AS line
        FROM sqlite_schema m ORDER BY m.name";
    let rows = sqlx::query(LAYOUT).fetch_all(connection).await.expect("read");
    rows.iter().map(|row| row.get("line")).collect()
}

#[tokio::test]
async fn references_and_indices_come_along() {
    let folder = kept_by_session().await;
    open(folder.path()).await.close().await;
    let mut connection = outside(folder.path()).await;
    let layout = layout(&mut connection).await;
    assert!(!layout.concat().contains("session"), "{layout:#?}");
    for of_owner in [
        "index conversations_listed of owner,updated_at,key",
        "index sqlite_autoindex_conversations_1 of owner,id",
        "index sqlite_autoindex_files_1 of owner,id",
        "index sqlite_autoindex_turns_1 of owner,id",
    ] {
        assert!(layout.iter().any(|line| line == of_owner), "{of_owner}: {layout:#?}");
    }
    let refers = layout.iter().filter(|line| line.contains("owner in owners"));
    assert_eq!(refers.count(), 8, "{layout:#?}");

    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await;
    assert_eq!(broken.expect("read").len(), 0);
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .expect("read");
    assert_eq!(whole, "ok");
}

#[tokio::test]
async fn behind_a_message_of_before_another_may_stand() {
    let folder = kept_by_session().await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());
    assert_eq!(store.follow_ups(owner, CONVERSATION).await, Ok(Vec::new()));
    let follow_up = FollowUp {
        id: TurnId::new(),
        message: "and plums?".into(),
        files: Vec::new(),
        at: 30,
        held: None,
    };
    let added = store.add_follow_up(owner, CONVERSATION, follow_up.clone(), 10).await;
    assert_eq!(added, Ok(Added::Kept));
    assert_eq!(store.follow_ups(owner, CONVERSATION).await, Ok(vec![follow_up]));
}

#[tokio::test]
async fn who_was_there_before_may_give_a_key_of_their_own() {
    let folder = kept_by_session().await;
    let store = open(folder.path()).await;
    let owner = Owner(BROWSER.as_u128());
    assert_eq!(store.credentials(owner).await, Ok(Vec::new()));
    let given = CredentialRecord {
        server: "tickets".into(),
        sealed: "AQ".into(),
        given_at: 30,
    };
    store.keep_credential(owner, given.clone()).await.expect("kept");
    assert_eq!(store.credentials(owner).await, Ok(vec![given]));
    assert!(store.conversation(owner, CONVERSATION).await.expect("read").is_some());
}
