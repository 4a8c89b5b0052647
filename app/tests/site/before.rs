//! What version 0.1.0 has left goes on: its database, the key beside it, the cookies that it has signed, and its `.env`.

use anteroom::wire::{ConversationId, Reason, TurnId, TurnState};
use uuid::Uuid;

use crate::support::{Site, answer_of, edit};

const DATABASE: &str = include_str!("../../../src/store/sqlite/tests/0.1.0.sql");
const ENV: &str = include_str!("../../../src/settings/tests/0.1.0.env");
/// As 0.1.0 has signed it with the key below.
const COOKIE: &str = "anteroom=HJG10vopVvBgMXM5x/jMwr0/+Q/6ikLoiC48u+azxTg=0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn who_comes_back_after_an_update_finds_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let key: Vec<u8> = (0..64).collect();
    std::fs::write(folder.path().join("secret.key"), key).expect("written");
    std::fs::write(folder.path().join("anteroom.db"), "").expect("made");
    edit(folder.path(), DATABASE).await;

    let lines = ENV.lines().filter(|line| !line.starts_with('#'));
    let set = lines.filter_map(|line| line.split_once('='));
    let data = folder.path().to_str().expect("a path");
    let mut settings: Vec<_> = set
        .filter(|(name, _)| !["MODEL", "OPENAI_BASE_URL", "DATA_DIR", "SITE_ADDR"].contains(name))
        .collect();
    settings.push(("DATA_DIR", data));
    let site = Site::start(&settings).await;
    let mut browser = site.browser().await;
    browser.cookie = COOKIE.to_owned();

    let id = |last: u128| Uuid::from_u128(0x0193_5000_0000_7000_8000_0000_0000_0000 + last);
    let conversation = ConversationId(id(0xa));
    let view = browser.conversation(conversation).await.expect("it is there");
    assert_eq!(view.summary.title, "Which apples keep longest?");
    assert_eq!(view.turns.len(), 5);
    assert!(view.turns[0].answer.contains("Late ones:"), "{view:?}");
    let told = |turn: usize| match &view.turns[turn].state {
        TurnState::Failed {
            reason: Reason::Told { sentence },
        }
        | TurnState::Expired {
            reason: Reason::Told { sentence },
        } => sentence.clone(),
        other => panic!("{other:?}"),
    };
    assert!(told(1).starts_with("The model server cannot be reached."));
    assert!(told(2).starts_with("No slot became free within 10 minutes."));
    // What waited is answered.
    let answered = answer_of(&browser, TurnId(id(6))).await;
    assert_eq!(answered.state, TurnState::Done, "{answered:?}");
    assert!(browser.conversation(ConversationId(id(0xc))).await.is_none());

    // A page shows the sentences as they were written.
    let page = browser
        .get(&format!("/c/{}", conversation.0))
        .header("accept", "text/html");
    let page = browser.ask(page).await.text;
    assert!(page.contains("No slot became free within 10 minutes."), "{page}");
}
