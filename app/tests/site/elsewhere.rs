//! Programs whose requests come through the doors of nodes that are not their home.

use anteroom::accounts::{Principal, Program as Asker};
use serde_json::json;

use crate::support::{
    Nodes,
    events::{Event, text_of},
    program::{Program, Stream, content_of, saying, streaming},
    soon,
};

const KEY: &str = "idempotency-key";
const LAST: &str = "last-event-id";
/// How many tries there were before this one, as OpenAI's own clients say.
const TRIES: &str = "x-stainless-retry-count";

/// Three nodes, the first of which is everybody's home, and the same program at each door.
async fn three() -> (Nodes, [Program; 3]) {
    let nodes = Nodes::start(3, &[("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let doors = [0, 1, 2].map(|door| Program::new(nodes.site(door).addr));
    (nodes, doors)
}

/// Somebody has the slot.
async fn busy(nodes: &Nodes) {
    let home = nodes.site(0);
    home.model.hold(true);
    home.browser().await.send("The first").await;
    home.until_load(1, 0).await;
    soon("the model", home.model.until(|record| record.now == 1)).await;
}

fn asked(nodes: &Nodes, question: &str) -> usize {
    let sites = (0..3).map(|number| nodes.site(number));
    sites.map(|site| site.model.record().of(question).count()).sum()
}

async fn next(stream: &mut Stream) -> Event {
    stream.event().await.expect("an event")
}

#[tokio::test]
async fn an_answer_in_one_body_comes_through_any_door() {
    let (nodes, doors) = three().await;
    for (door, program) in doors.iter().enumerate() {
        let question = format!("Hello {door}");
        let whole = program.post(
            "/api/v1/chat",
            &json!({ "message": format!("{question} [[tokens=2]]") }),
        );
        let whole = program.ask(whole).await;
        assert_eq!(
            whole.json["text"],
            format!("Answer to: {question}\n\nword1 "),
            "{whole:?}"
        );
        assert_eq!(whole.header("x-anteroom-position"), Some("0"));
        let chat = program.ask(program.chat(&saying(&question))).await;
        assert!(
            chat.content().starts_with(&format!("Answer to: {question}")),
            "{chat:?}"
        );
        assert_eq!(nodes.site(0).model.record().of(&question).count(), 2, "at home");
    }
    // What is refused is refused in the same shape.
    let refused = doors[1]
        .ask(doors[1].post("/api/v1/chat", &json!({ "mesage": "x" })))
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json["reason"]["code"]),
        (400, &json!("request_invalid"))
    );
    let refused = doors[1]
        .ask(doors[1].chat(&json!({ "model": "none", "messages": [] })))
        .await;
    assert_eq!(refused.error()["param"], "messages");
}

#[tokio::test]
async fn a_stream_that_breaks_off_at_one_door_goes_on_at_another() {
    let (nodes, doors) = three().await;
    let body = json!({ "message": "Hello [[tokens=6 gate=middle after=2]]" });
    let ask = |door: usize| doors[door].post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let mut stream = doors[1].stream(ask(1)).await;
    let mut read = vec![next(&mut stream).await, next(&mut stream).await];
    drop(stream);
    let last = read.last().expect("one").id.clone();
    let mut stream = doors[2].stream(ask(2).header(LAST, &last)).await;
    nodes.site(0).model.open("middle");
    read.extend(stream.events().await);
    assert_eq!(text_of(&read), "Answer to: Hello\n\nword1 word2 word3 word4 word5 ");
    let numbers: Vec<_> = read.iter().map(Event::number).collect();
    assert_eq!(
        numbers,
        (1..=read.len() as u64).collect::<Vec<_>>(),
        "no gap and no repeat"
    );
    assert_eq!(asked(&nodes, "Hello"), 1);
    // Whatever door it comes back to, there is nothing after the end.
    let end = &read.last().expect("an end").id;
    for door in 0..3 {
        let response = ask(door).header(LAST, end).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 204, "{door}");
    }
}

#[tokio::test]
async fn one_that_waits_keeps_its_place_from_door_to_door() {
    let (nodes, doors) = three().await;
    busy(&nodes).await;
    let home = nodes.site(0);
    let body = json!({ "message": "The second" });
    let ask = |door: usize| doors[door].post("/api/v1/chat/stream", &body).header(KEY, "mine");
    let mut stream = doors[1].stream(ask(1)).await;
    assert_eq!(stream.header("x-anteroom-position"), Some("1"));
    let placed = next(&mut stream).await;
    drop(stream);
    home.browser().await.send("The third").await;
    home.until_load(1, 2).await;
    let mut stream = doors[2].stream(ask(2).header(LAST, &placed.id)).await;
    let again = next(&mut stream).await;
    assert_eq!(
        (again.request(), &again.data["position"]),
        (placed.request(), &json!(1))
    );
    // Its end may be asked for at any door.
    let path = format!("/api/v1/chat/{}", placed.request());
    let ended = doors[1].delete(&path).send().await.expect("an answer");
    assert_eq!(ended.status().as_u16(), 204);
    home.until_load(1, 1).await;
    home.model.hold(false);
    home.until_load(0, 0).await;
    assert_eq!(asked(&nodes, "The second"), 0);
}

#[tokio::test]
async fn pieces_come_through_a_door_as_the_model_says_them() {
    let (nodes, doors) = three().await;
    busy(&nodes).await;
    let mut stream = doors[1]
        .stream(doors[1].chat(&streaming("Hello [[tokens=4 gate=rest after=2]]")))
        .await;
    // While it waits, in lines that clients skip.
    let place = stream.comment().await.expect("where it stands");
    assert!(place.starts_with("position=1"), "{place}");
    let home = nodes.site(0);
    home.model.hold(false);
    let mut events = Vec::new();
    while !content_of(&events).contains("word1") {
        let data = stream.data().await.expect("it goes on");
        events.push(serde_json::from_str(&data).expect("JSON"));
    }
    assert_eq!(home.model.record().now, 1, "it is not over yet");
    home.model.open("rest");
    events.extend(stream.rest().await);
    assert_eq!(content_of(&events), "Answer to: Hello\n\nword1 word2 word3 ");
}

#[tokio::test]
async fn a_retry_at_another_door_keeps_its_place() {
    for body in [saying("The second"), streaming("The second")] {
        let (nodes, doors) = three().await;
        busy(&nodes).await;
        let home = nodes.site(0);
        let first = doors[1].chat(&body).header(TRIES, "0");
        let first = tokio::spawn(async move {
            let _open = first.send().await;
            std::future::pending::<()>().await;
        });
        home.until_load(1, 1).await;
        first.abort();
        let _ = first.await;
        home.browser().await.send("The third").await;
        home.until_load(1, 2).await;
        let retry = doors[2].chat(&body).header(TRIES, "1");
        let content = if body["stream"] == true {
            let mut stream = doors[2].stream(retry).await;
            assert_eq!(stream.header("x-anteroom-position"), Some("1"));
            assert_eq!(home.load(), (1, 2), "the retry is no ticket of its own");
            home.model.hold(false);
            stream.content().await
        } else {
            let program = doors[2].clone();
            let answered = tokio::spawn(async move { program.ask(retry).await.content().to_owned() });
            home.model.hold(false);
            soon("the answer", answered).await.expect("an answer")
        };
        assert!(content.starts_with("Answer to: The second"), "{content}");
        home.until_load(0, 0).await;
        assert_eq!(asked(&nodes, "The second"), 1);
    }
}

#[tokio::test]
async fn a_request_whose_home_dies_is_answered_by_the_next_one() {
    let (mut nodes, doors) = three().await;
    busy(&nodes).await;
    let program = doors[1].clone();
    let answered = tokio::spawn(async move { program.ask(program.chat(&saying("The second"))).await });
    nodes.site(0).until_load(1, 1).await;
    nodes.settle_owner(Principal::program(Asker::LOCAL).owner(), Some(2));
    nodes.kill(0);
    let answered = soon("the answer", answered).await.expect("an answer");
    assert!(answered.content().starts_with("Answer to: The second"), "{answered:?}");
    assert_eq!(nodes.site(2).model.record().of("The second").count(), 1);
}
