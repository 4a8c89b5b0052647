//! Who may ask for what: browsers of one account for the same, everybody else for nothing of theirs.

mod answers;
mod behind;
mod choices;
mod keys;
mod polling;
mod programs;
mod steps;
mod tasks;
mod thoughts;
mod uploads;

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::{
    accounts::AccountId,
    agents::{Agent, AgentError, AgentFactory, Answered, Parts, Question},
    logs::Logs,
    sessions::SessionId,
    settings::{Loaded, Settings},
    wire::{FileView, TurnView},
};

/// An agent that thinks until it is stopped.
struct Thinker;

#[async_trait]
impl Agent for Thinker {
    async fn answer(&self, _: Question, _: Parts, cancel: CancellationToken) -> Result<Answered, AgentError> {
        cancel.cancelled().await;
        Ok(Answered::default())
    }
}

impl AgentFactory for Thinker {
    fn model(&self) -> String {
        "thinker".into()
    }

    fn agent(&self) -> Arc<dyn Agent> {
        Arc::new(Self)
    }
}

async fn engine(folder: &TempDir) -> Arc<Engine> {
    engine_of(folder, Arc::new(Thinker)).await
}

/// An engine whose agents are these.
async fn engine_of(folder: &TempDir, agents: Arc<dyn AgentFactory>) -> Arc<Engine> {
    engine_with(folder, agents, &[]).await
}

/// The same with these settings.
async fn engine_with(folder: &TempDir, agents: Arc<dyn AgentFactory>, settings: &[(&str, &str)]) -> Arc<Engine> {
    let agents = |_: &Settings, _| Ok::<_, Infallible>(agents);
    let engine = Engine::start_with(loaded(folder, settings), Logs::default(), agents).await;
    engine.expect("it starts")
}

fn loaded(folder: &TempDir, settings: &[(&str, &str)]) -> Loaded {
    let data = ("DATA_DIR", folder.path().to_str().expect("a path"));
    let variables = settings.iter().chain([&data]);
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(variables.collect::<Vec<_>>(), None).expect("good settings")
}

async fn upload(client: &Client) -> FileView {
    let content = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"some words"))]);
    client.upload("a.txt", None, content).await.expect("taken in")
}

async fn titles(client: &Client) -> Vec<String> {
    let page = client.conversations(None).await.expect("read");
    page.conversations.into_iter().map(|one| one.title).collect()
}

/// Waits until this holds, looking whenever something has happened in their session.
async fn until(client: &Client, what: &str, holds: impl AsyncFn() -> bool) {
    let session = client.session();
    let mut feed = session.journal().follow();
    let waited = tokio::time::timeout(Duration::from_secs(60), async {
        while !holds().await {
            feed.changed().await.expect("the journal lives");
        }
    });
    assert!(waited.await.is_ok(), "waited in vain for {what}");
}

/// The only turn of a conversation.
async fn turn_of(client: &Client, id: ConversationId) -> TurnView {
    let view = client.conversation(id).await.expect("read").expect("there");
    let [turn] = &view.turns[..] else { panic!("{view:?}") };
    turn.clone()
}

fn asks(text: &str, files: &[FileView]) -> SendRequest {
    SendRequest {
        turn: TurnId::new(),
        conversation: None,
        instead_of: None,
        text: text.into(),
        files: files.iter().map(|file| file.id).collect(),
        choice: None,
    }
}

#[tokio::test]
async fn browsers_of_one_account_have_the_same_and_others_none_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let account = Some(AccountId(Uuid::new_v4()));
    let [desk, phone, stranger] = [account, account, None].map(|account| {
        let browser = Principal::visitor(SessionId::random());
        Client::new(Arc::clone(&engine), Principal { account, ..browser })
    });
    let file = upload(&desk).await;
    let sent = desk.send(asks("What is it?", std::slice::from_ref(&file))).await;
    let Sent { turn, conversation, .. } = sent.expect("accepted");

    // The phone, which has sent nothing, may read all of it.
    assert_eq!(titles(&phone).await, ["What is it?"]);
    let seen = phone.conversation(conversation).await.expect("read");
    assert_eq!(seen.expect("it is there").turns[0].id, turn);
    assert!(phone.file(file.id).await.expect("read").is_some());
    assert_eq!(phone.search("what is").await.expect("read").found.len(), 1);
    // A turn's id is the owner's: sent by the other browser, it is the same turn.
    let again = SendRequest {
        turn,
        ..asks("What is it?", &[])
    };
    assert_eq!(phone.send(again).await.expect("known").conversation, conversation);

    // Nobody else may read, change or end any of it, and is not told that it is there.
    assert_eq!(titles(&stranger).await, [""; 0]);
    assert!(stranger.conversation(conversation).await.expect("read").is_none());
    assert!(stranger.earlier(turn).await.expect("read").is_none());
    assert!(stranger.file(file.id).await.expect("read").is_none());
    assert!(stranger.search("what is").await.expect("read").found.is_empty());
    let exported = stranger.export(conversation, Export::Json).await;
    assert!(exported.expect("read").is_none());
    for refused in [
        stranger.rename(conversation, "Mine").await,
        stranger.delete(conversation).await,
        stranger.undelete(conversation).await,
        stranger.show(turn).await,
    ] {
        assert!(matches!(refused, Err(ClientError::NoConversation)), "{refused:?}");
    }
    assert!(stranger.again(turn, TurnId::new()).await.is_err());
    assert!(!stranger.cancel(turn));
    stranger
        .forget(&stranger.confirmation())
        .await
        .expect("nothing to forget");
    assert_eq!(titles(&desk).await, ["What is it?"]);

    // The line counts both browsers as one.
    assert_eq!(desk.principal().owner(), phone.principal().owner());
    // The other browser may end the turn, and change what is stored.
    assert!(phone.cancel(turn));
    phone.rename(conversation, "It").await.expect("renamed");
    assert_eq!(titles(&desk).await, ["It"]);
    phone.forget(&phone.confirmation()).await.expect("forgotten");
    assert_eq!(titles(&desk).await, [""; 0]);
    assert!(desk.file(file.id).await.expect("read").is_none());
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_turn_that_comes_back_after_a_restart_is_in_its_browsers_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let [browser, stranger] = [(); 2].map(|()| Principal::visitor(SessionId::random()));
    let before = engine(&folder).await;
    let sent = Client::new(Arc::clone(&before), browser)
        .send(asks("And now?", &[]))
        .await;
    let Sent { turn, conversation, .. } = sent.expect("accepted");
    before.shutdown(Duration::ZERO).await;
    drop(before);

    let engine = engine(&folder).await;
    let [client, other] = [browser, stranger].map(|who| Client::new(Arc::clone(&engine), who));
    assert_eq!(engine.sessions().len(), 1, "looking has made none");
    let session = engine.sessions().find(browser.session).expect("it is in memory");
    assert!(session.is_conversation_busy(conversation));
    let listed = client.conversations(None).await.expect("read").conversations;
    assert!(listed[0].busy, "{listed:?}");
    // The session's feed tells how it goes on.
    let mut feed = session.journal().follow();
    assert!(!other.cancel(turn));
    assert!(client.cancel(turn));
    feed.wait_for(|&number| number > 0).await.expect("the journal lives");
    engine.shutdown(Duration::ZERO).await;
}
