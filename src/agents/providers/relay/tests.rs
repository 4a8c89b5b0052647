use super::*;

const RELAY: Relay<'static> = Relay {
    door: Door::Chat,
    body: Bytes::new(),
    called: "mine",
    display: "m@p",
    streams: true,
    usage: false,
    images: false,
    stall: Duration::from_secs(1),
};

/// What goes back of a stream that comes in pieces of this size; and whether it has said anything, and that it is complete.
fn passed_on(relay: &Relay<'_>, body: &str, size: usize) -> (String, bool, bool) {
    let mut frames = Frames::new(Framing::Events);
    let (mut reading, mut state) = (Reading::new(relay), RelayState::default());
    for piece in body.as_bytes().chunks(size) {
        frames
            .push(piece, |frame| reading.take(frame, &mut state))
            .expect("it is sound");
    }
    let complete = reading.over || reading.is_finished();
    let events = String::from_utf8(reading.events).expect("text");
    (events, reading.told, complete)
}

#[test]
fn whatever_is_in_an_event_goes_back_but_for_the_models_name() {
    let body = "data: {\"id\":\"1\",\"model\":\"m\",\"odd\":[1e400,{\"model\":\"m\"}],\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"model\\\":\\\"m\\\"\"},\"logprobs\":null}]}\n\n\
        : a comment\n\nevent: x\ndata: { \"choices\" : [ ],\ndata: \"model\" : \"m\" }\n\ndata: [DONE]\n\n";
    let expected = "data: {\"id\":\"1\",\"model\":\"mine\",\"odd\":[1e400,{\"model\":\"m\"}],\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"model\\\":\\\"m\\\"\"},\"logprobs\":null}]}\n\n\
        event: x\ndata: { \"choices\" : [ ], \"model\" : \"mine\" }\n\n";
    for size in [1, 7, 1000] {
        assert_eq!(passed_on(&RELAY, body, size), (expected.to_owned(), true, true));
    }
}

#[test]
fn an_event_of_nothing_but_a_role_says_nothing_yet() {
    for (delta, tells) in [
        (r#"{"role":"assistant","content":""}"#, false),
        (r#"{"role":"assistant","content":null,"tool_calls":[],"x":{}}"#, false),
        ("{}", false),
        ("null", false),
        (r#"{"content":"a"}"#, true),
        (r#"{"role":"assistant","tool_calls":[{"index":0}]}"#, true),
        (r#"{"reasoning_content":"a"}"#, true),
        // Half a pair, which is no text for serde.
        (r#"{"content":"\ud83d"}"#, true),
    ] {
        let body = format!("data: {{\"model\":\"m\",\"choices\":[{{\"delta\":{delta}}}]}}\n\n");
        let (events, told, complete) = passed_on(&RELAY, &body, 1000);
        assert_eq!((told, complete), (tells, false), "{delta}");
        assert_eq!(events, body.replace("\"m\"", "\"mine\""), "it is kept for later");
    }
}

#[test]
fn usage_goes_back_to_those_who_asked_for_it() {
    let body =
        "data: {\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"more\":5}}\n\n";
    assert_eq!(passed_on(&RELAY, body, 1000).0, "");
    let relay = Relay { usage: true, ..RELAY };
    assert_eq!(passed_on(&relay, body, 1000).0, body.replace("\"m\"", "\"mine\""));
}

#[test]
fn each_choice_has_to_end() {
    let choice = |index: u32, end: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":{index},\"delta\":{{\"content\":\"a\"}},\"finish_reason\":{end}}}]}}\n\n"
        )
    };
    let half = [choice(0, "null"), choice(1, "\"stop\"")].concat();
    assert!(!passed_on(&RELAY, &half, 1000).2);
    let whole = [half, choice(0, "\"length\"")].concat();
    assert!(passed_on(&RELAY, &whole, 1000).2);
}

#[test]
fn a_name_with_escapes_is_replaced_too() {
    let body = r#"{"model":"a\"b","choices":[]}"#;
    let mut out = Vec::new();
    rename(body, &Said::read(body).expect("JSON"), r#"c\"d"#, &mut out).expect("renamed");
    let value: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(value["model"], "c\"d");
}
