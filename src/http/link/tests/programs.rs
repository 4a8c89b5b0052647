//! What is asked for programs: their answers come from the line, or from a model, and may take as long as they like.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Extension, Request},
    http::Method,
    routing::{any, post},
};
use futures_util::{StreamExt as _, stream};
use tokio::{sync::Notify, time::sleep};
use uuid::Uuid;

use super::*;
use crate::{
    accounts::{KeyId, Principal, Program, Scope, Scopes},
    http::{
        link::{Content, Vouched, content},
        programs::MAX_PROGRAM_BODY,
    },
    sessions::SessionId,
};

fn chat() -> Asked {
    asked(Request::post("/v1/chat").body("Hello").expect("a request")).patient()
}

#[tokio::test]
async fn the_home_hears_which_program_asks_and_nobody_else_can_say_so() {
    let says = async |Extension(Vouched(program, address)): Extension<Vouched>| format!("{program:?} {address:?}");
    let node = Node::start(1, Router::new().route("/x", any(says))).await;
    let link = link(&Moving::new(node.home()));
    let program = Program {
        key: KeyId(Uuid::new_v4()),
        scopes: Scopes::NONE.with(Scope::Chat),
    };
    let forged = || {
        let request = Request::get("/x").header("x-anteroom-program", format!("{} read", Uuid::nil().simple()));
        request.header("x-anteroom-address", "192.0.2.9")
    };
    let address = "192.0.2.1".parse().ok();
    let there = Principal {
        address,
        ..Principal::program(program)
    };
    for (who, heard, from) in [
        (Some(Principal::program(program)), Some(program), None),
        (Some(there), Some(program), address),
        (Some(Principal::visitor(SessionId::random())), None, None),
        (None, None, None),
    ] {
        let mut request = forged().body("").expect("a request");
        if let Some(who) = who {
            request.extensions_mut().insert(who);
        }
        let (_, said) = answered(link.forward(OWNER, asked(request)).await).await;
        assert_eq!(said, format!("{heard:?} {from:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_and_its_parts_may_take_long() {
    let slow = post(async |body: String| {
        sleep(Duration::from_secs(3_600)).await;
        let parts = stream::iter([body, "!".to_owned()]).then(async |part| {
            sleep(Duration::from_secs(3_600)).await;
            Ok::<_, Infallible>(part)
        });
        Body::from_stream(parts)
    });
    let node = Node::start(1, Router::new().route("/v1/chat", slow)).await;
    let link = link(&Moving::new(node.home()));
    assert_eq!(answered(link.forward(OWNER, chat()).await).await.1, "Hello!");
}

#[tokio::test(start_paused = true)]
async fn a_home_that_ends_after_a_long_time_is_looked_for_elsewhere() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
    let other = Node::start(2, says("two")).await;
    let link = link(&homes);
    let ending = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        sleep(Duration::from_secs(600)).await;
        // As a kill ends it: nobody has been told anything.
        drop((stream, listener));
        sleep(Duration::from_secs(10)).await;
        homes.to(other.home());
    };
    let (outcome, ()) = tokio::join!(link.forward(OWNER, chat()), ending);
    assert_eq!(answered(outcome).await.1, "two true 0 /v1/chat");
}

#[tokio::test(start_paused = true)]
async fn what_ends_one_home_after_another_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let homes = Moving::new(there(1, &listener.local_addr().expect("an address").to_string()));
    let link = link(&homes);
    let ending = async {
        for number in 1.. {
            let (stream, _) = listener.accept().await.expect("a connection");
            sleep(Duration::from_secs(100)).await;
            drop(stream);
            assert!(number <= 4, "it has ended enough of them");
        }
    };
    tokio::select! {
        outcome = link.forward(OWNER, chat()) => assert!(matches!(outcome, Outcome::Failed(..))),
        () = ending => unreachable!(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_home_that_leaves_ends_what_it_has_begun_and_one_that_is_gone_does_not() {
    for gone in [false, true] {
        let begun = Arc::new(Notify::new());
        let told = Arc::clone(&begun);
        let slow = any(async move || {
            told.notify_one();
            sleep(Duration::from_secs(25)).await;
            "one"
        });
        let one = Node::start(1, Router::new().route("/v1/chat", slow)).await;
        let other = Node::start(2, says("two")).await;
        let homes = Moving::new(one.home());
        homes.meet(vec![one.peer(), other.peer()]);
        let link = link(&homes);
        let leaving = async {
            begun.notified().await;
            homes.to(other.home());
            if gone {
                homes.meet(vec![other.peer()]);
            }
        };
        let (outcome, ()) = tokio::join!(link.forward(OWNER, chat()), leaving);
        let said = if gone { "two true 0 /v1/chat" } else { "one" };
        assert_eq!(answered(outcome).await.1, said);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_answer_is_given_up_once_its_home_is_elsewhere() {
    let silent = any(async || {
        let parts = stream::iter([Ok::<_, Infallible>("a part")]);
        Body::from_stream(parts.chain(stream::pending()))
    });
    let one = Node::start(1, Router::new().route("/v1/chat", silent)).await;
    let homes = Moving::new(one.home());
    let Outcome::Answered(response) = link(&homes).forward(OWNER, chat()).await else {
        panic!("it has begun")
    };
    let mut reading = tokio::spawn(to_bytes(response.into_body(), 100));
    let longer = tokio::time::timeout(Duration::from_secs(7_200), &mut reading).await;
    assert!(longer.is_err(), "it is at home there");
    homes.to(there(2, &deserted().await));
    assert!(reading.await.expect("it ends").is_err());
}

#[test]
fn programs_may_send_more_than_pages_and_with_every_method() {
    let (page, program) = (
        Principal::visitor(SessionId::random()),
        Principal::program(Program::LOCAL),
    );
    let most = |who, method: Method, path| match content(who, &method, path) {
        Content::Upload => usize::MAX,
        Content::Whole(most) => most,
        Content::Nothing => 0,
    };
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(most(program, method.clone(), "/v1/models"), 0);
        assert_eq!(most(page, method, "/"), 0);
    }
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(most(program, method, "/v1/x"), MAX_PROGRAM_BODY);
    }
    assert_eq!(most(program, Method::POST, "/api/v1/files"), usize::MAX);
    assert_eq!(most(page, Method::POST, "/files"), usize::MAX);
    assert_eq!(most(page, Method::POST, "/api/send"), crate::http::MAX_BODY);
}
