//! Requests of one program are nobody else's, and its key says whether it may ask at all.

use super::*;
use crate::{
    accounts::{KeyId, Program, Scope, Scopes},
    agents::Door,
    conversations::ChoiceError,
    programs::{Again, ProgramFault, Request, RequestFault, Step},
};

/// A program with a key of its own.
fn program(engine: &Arc<Engine>, scopes: Scopes) -> Client {
    let key = KeyId(Uuid::new_v4());
    Client::new(Arc::clone(engine), Principal::program(Program { key, scopes }))
}

fn request(model: &str, more: &str) -> Request {
    let body = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"Think."}}]{more}}}"#);
    Request::read(Door::Chat, body.into()).expect("a request")
}

fn named(request: &Request) -> Option<Again> {
    Some(Again {
        key: Some("tonight's report".into()),
        repeats: false,
        resumes: true,
        hash: request.hash(),
    })
}

#[tokio::test]
async fn a_key_that_does_not_let_it_ask_asks_for_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let browser = Client::new(Arc::clone(&engine), Principal::visitor(SessionId::random()));
    for client in [program(&engine, Scopes::NONE.with(Scope::Read)), browser] {
        let refused = client.ask(request("demo", ""), None).err();
        assert!(matches!(refused, Some(ClientError::MayNot(Scope::Chat))), "{refused:?}");
    }
    assert_eq!(engine.programs().unfinished(), 0);
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_nobody_could_answer_is_refused_before_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let client = program(&engine, Scopes::WORK);
    let unknown = client.ask(request("no such model", ""), None).err();
    let is_named =
        matches!(&unknown, Some(ClientError::Choice(ChoiceError::NotOffered(model))) if model == "no such model");
    assert!(is_named, "{unknown:?}");
    let unfit = client.ask(request("demo", r#","logprobs":true"#), None).err();
    let is_named = matches!(&unfit, Some(ClientError::Request(fault)) if fault.param.as_deref() == Some("logprobs"));
    assert!(is_named, "{unfit:?}");
    assert_eq!(engine.programs().unfinished(), 0);
    engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_request_is_found_followed_and_ended_by_its_own_program_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(&folder).await;
    let [own, other] = [(); 2].map(|()| program(&engine, Scopes::WORK));
    let first = request("demo", "");
    let again = named(&first);
    let mut asked = own.ask(first, again.clone()).expect("asked");
    assert!(matches!(asked.next().await, Step::Started));

    // The same one again is the same one; under its name no other one is asked, and of somebody else's name nothing is known.
    let repeated = own.ask(request("demo", ""), again).expect("found");
    assert_eq!(repeated.id(), asked.id());
    let changed = request("demo", r#","user":"u""#);
    let reused = named(&changed);
    let refused = own.ask(changed, reused).err();
    let is_taken = matches!(&refused, Some(ClientError::Request(fault)) if *fault == RequestFault::other_body());
    assert!(is_taken, "{refused:?}");
    let theirs = request("demo", "");
    let again = named(&theirs);
    let mut theirs = other.ask(theirs, again).expect("asked");
    assert_ne!(theirs.id(), asked.id());
    // It waits behind the first, which has the only slot.
    assert!(matches!(theirs.next().await, Step::Waiting));

    assert!(own.request(asked.id()).is_some());
    assert!(other.request(asked.id()).is_none());
    assert!(!other.cancel_request(asked.id()));
    let waits = other.requests();
    assert_eq!(waits.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [theirs.id()]);
    assert!(own.requests().is_empty());

    assert!(own.cancel_request(asked.id()));
    let over = asked.next().await;
    assert!(matches!(over, Step::Over(Err(ProgramFault::Cancelled))), "{over:?}");
    assert_eq!(asked.retry_after(&ProgramFault::Cancelled), None);
    assert!(!own.cancel_request(asked.id()));
    engine.shutdown(Duration::ZERO).await;
}
