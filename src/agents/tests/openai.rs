//! OpenAI's format, against the loopback model server.

use anteroom_loopback::{Config, Ending, Loopback};

use super::*;
use crate::wire::Incomplete;

async fn loopback() -> Loopback {
    Loopback::start(Config {
        tokens: 3,
        ..Config::default()
    })
    .await
    .unwrap()
}

fn agent_of(loopback: &Loopback) -> Talker {
    agent(&[("MODEL", "m@openai"), ("OPENAI_BASE_URL", &loopback.base_url())])
}

#[tokio::test]
async fn an_answer_comes_with_its_usage() {
    let loopback = loopback().await;
    let agent = agent(&[
        ("MODEL", "org/m-high@openai"),
        ("OPENAI_BASE_URL", &format!("http://{}/", loopback.addr)),
        ("OPENAI_API_KEY", "sk-1"),
    ]);
    let history = vec![
        said(Role::User, "one"),
        said(Role::Agent, "two"),
        said(Role::User, "three?"),
    ];
    let (text, outcome) = ask(&agent, question_of(history, kind())).all().await;
    assert_eq!(text, "Answer to: three?\n\nword1 word2 ");
    let usage = outcome.unwrap().usage;
    assert_eq!((usage.input, usage.output), (Some(5), Some(3)));
    let request = loopback.record().requests.remove(0);
    assert_eq!(
        (request.model.as_str(), request.system.as_deref()),
        ("org/m-high", Some("Be kind."))
    );
    assert_eq!(
        (request.messages, request.key, request.ending),
        (4, true, Some(Ending::Complete))
    );
}

#[tokio::test]
async fn a_server_of_ones_own_needs_no_key() {
    let loopback = loopback().await;
    ask(&agent_of(&loopback), question("q")).all().await.1.unwrap();
    let request = loopback.record().requests.remove(0);
    assert_eq!((request.key, request.system, request.messages), (false, None, 1));
}

#[tokio::test]
async fn cancelling_stops_the_request() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback);
    for stage in ["gate=never", "fault=stall", "fault=hang"] {
        let mut asked = ask(&agent, question(&format!("[[{stage}]]")));
        loopback.until(|record| record.now == 1).await;
        if stage == "gate=never" {
            assert_eq!(asked.parts.recv().await.unwrap(), Part::Text("Answer to: \n\n".into()));
        }
        asked.cancel.cancel();
        assert!(asked.all().await.1.is_ok());
        loopback.until(|record| record.now == 0).await;
    }
    assert!(
        loopback
            .record()
            .requests
            .iter()
            .all(|request| request.ending == Some(Ending::ClientGone))
    );
}

#[tokio::test]
async fn a_reader_that_goes_stops_the_request_too() {
    let loopback = loopback().await;
    let asked = ask(&agent_of(&loopback), question("[[gate=never]]"));
    loopback.until(|record| record.now == 1).await;
    drop(asked.parts);
    assert!(asked.outcome.await.unwrap().is_ok());
    loopback.until(|record| record.now == 0).await;
    assert_eq!(loopback.record().requests[0].ending, Some(Ending::ClientGone));
}

#[tokio::test]
async fn agents_of_one_factory_answer_at_once() {
    let loopback = loopback().await;
    loopback.hold(true);
    let one = agent_of(&loopback);
    let other = Talker {
        agent: one.agents.agent(),
        ..one.clone()
    };
    let asked: Vec<_> = [(&one, "first"), (&other, "second")]
        .map(|(agent, text)| ask(agent, question(text)))
        .into();
    loopback.until(|record| record.now == 2).await;
    loopback.hold(false);
    for (asked, text) in asked.into_iter().zip(["first", "second"]) {
        assert!(asked.all().await.0.starts_with(&format!("Answer to: {text}\n")));
    }
    assert_eq!(loopback.record().max, 2);
}

#[tokio::test]
async fn pictures_go_along() {
    let loopback = loopback().await;
    let mut question = question("which is nicer?");
    question.messages[0].images = vec![picture("a.png"), picture("b.png")];
    let (text, outcome) = ask(&agent_of(&loopback), question).all().await;
    outcome.unwrap();
    assert!(
        text.starts_with("Answer to: which is nicer?\nPicture a.png:\nPicture b.png:"),
        "{text}"
    );
    assert_eq!(loopback.record().requests[0].images, 2);
}

#[tokio::test]
async fn every_byte_of_an_answer_arrives() {
    let loopback = loopback().await;
    let hostile = "<script>alert(1)</script>\n\n  - é 💡 \u{202e}x\n```\n[a](javascript:b)";
    let (text, _) = ask(&agent_of(&loopback), question(&format!("[[reply=echo]]{hostile}")))
        .all()
        .await;
    assert_eq!(text, hostile);
}

#[tokio::test]
async fn connections_are_used_again() {
    let loopback = loopback().await;
    let agent = agent_of(&loopback);
    for n in 0..5 {
        ask(&agent, question(&n.to_string())).all().await.1.unwrap();
    }
    assert_eq!(loopback.record().connections, 1);
}

#[tokio::test]
async fn characters_that_come_in_halves_are_put_together() {
    let loopback = loopback().await;
    let text = "\u{1f9d1}\u{200d}\u{1f4bb} \u{e9} \u{5b57} \u{1f600}";
    let asked = ask(
        &agent_of(&loopback),
        question(&format!("[[reply=echo fault=units]]{text}")),
    );
    let (heard, outcome) = asked.all().await;
    outcome.unwrap();
    assert_eq!(heard, text);
}

#[tokio::test]
async fn a_byte_that_is_no_text_costs_one_character_and_not_the_answer() {
    let loopback = loopback().await;
    let asked = ask(&agent_of(&loopback), question("[[fault=bad_byte:1]]q"));
    let (heard, outcome) = asked.all().await;
    outcome.unwrap();
    assert_eq!(heard, "Answer to: q\n\n\u{fffd}word1 word2 ");
}

#[tokio::test]
async fn why_an_answer_is_not_whole_is_told() {
    let loopback = loopback().await;
    for (finish, cause, silence) in [
        ("stop", None, AgentError::Empty),
        ("length", Some(Incomplete::Length), AgentError::Spent),
        ("content_filter", Some(Incomplete::Filter), AgentError::Filtered),
        ("abort", Some(Incomplete::Other), AgentError::Empty),
    ] {
        let message = format!("[[finish={finish}]]q");
        let (heard, outcome) = ask(&agent_of(&loopback), question(&message)).all().await;
        assert_eq!(heard, "Answer to: q\n\nword1 word2 ");
        assert_eq!(outcome.unwrap().incomplete, cause, "{finish}");
        let message = format!("[[finish={finish} fault=empty]]q");
        let outcome = ask(&agent_of(&loopback), question(&message)).all().await.1;
        assert_eq!(outcome, Err(silence), "{finish}");
    }
}
