//! Models that take no tools, or see no pictures: asked without them.

use super::*;

#[tokio::test]
async fn a_model_that_takes_no_tools_is_asked_again_without_them_and_that_is_told() {
    for (model, status, said, answer) in [
        (
            "m@ollama",
            400,
            "registry.ollama.ai/library/m does not support tools",
            json!({ "message": { "content": "Hi" }, "done": true }).to_string() + "\n",
        ),
        (
            "m@openai",
            404,
            "No endpoints found that support tool use.",
            events(&[json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] })]),
        ),
    ] {
        let stub = Stub::start(move |got| {
            let has_tools = got.body.get("tools").is_some();
            let (status, body) = if has_tools {
                (status, json!({ "error": said }).to_string())
            } else {
                (200, answer.clone())
            };
            Response::builder().status(status).body(Body::from(body)).unwrap()
        })
        .await;
        let talker = agent_at(model, &stub.url);
        let (heard, outcome) = parts(&talker, offering(used())).await;
        outcome.unwrap();
        assert_eq!(
            heard,
            [Part::Notice(Notice::ToolsLeftOut), Part::Text("Hi".into())],
            "{model}"
        );
        let got = std::mem::take(&mut *stub.got.lock().unwrap());
        assert_eq!(got.len(), 2);
        let asked = got[1].body["messages"].to_string();
        assert!(
            !asked.contains("tool_calls") && asked.contains("I used the tool `add`"),
            "{asked}"
        );
        // Nothing of tools in it: the refusal is of something else.
        let (_, outcome) = parts(&talker, question("q")).await;
        assert!(outcome.is_ok());
    }
}

#[tokio::test]
async fn that_a_model_takes_no_tools_is_remembered_until_the_settings_are_edited() {
    let stub = Stub::start(|got| {
        let refuses = got.body["model"] == "m" && got.body.get("tools").is_some();
        let (status, body) = match refuses {
            true => (400, json!({ "error": "m does not support tools" }).to_string()),
            false => {
                let answer = json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] });
                (200, events(&[answer]))
            }
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let loaded = || {
        load(&[
            ("MODEL", "m@openai"),
            ("MODELS", "m@openai,n@openai"),
            ("OPENAI_BASE_URL", &stub.url),
            ("OPENAI_API_KEY", "k"),
        ])
    };
    let talker = talker(loaded()).unwrap();
    let left_out = [Part::Notice(Notice::ToolsLeftOut), Part::Text("Hi".into())];
    let with_tools = || {
        let got = std::mem::take(&mut *stub.got.lock().unwrap());
        let asked = got.iter().filter(|got| got.path.contains("chat"));
        asked.map(|got| got.body.get("tools").is_some()).collect::<Vec<_>>()
    };
    for asked in [&[true, false][..], &[false], &[false]] {
        let (heard, outcome) = parts(&talker, offering(used())).await;
        assert_eq!((&heard[..], outcome.is_ok()), (&left_out[..], true));
        assert_eq!(with_tools(), asked);
    }
    // Another model of the same server is told of them.
    let other = Question {
        model: ModelName::of_id("n@openai").unwrap(),
        ..offering(used())
    };
    let (heard, _) = parts(&talker, other).await;
    assert_eq!((&heard[..], with_tools()), (&left_out[1..], vec![true]));
    talker.backends.retune(&loaded().settings).unwrap();
    parts(&talker, offering(used())).await.1.unwrap();
    assert_eq!(with_tools(), [true, false]);
}

#[tokio::test]
async fn a_refusal_of_tools_is_not_remembered_of_a_model_that_does_not_answer_without_them_either() {
    let stub = Stub::start(|_| {
        let body = json!({ "error": "m does not support tools, or anything else" }).to_string();
        Response::builder().status(400).body(Body::from(body)).unwrap()
    })
    .await;
    let talker = agent_at("m@openai", &stub.url);
    for _ in 0..2 {
        let (heard, outcome) = parts(&talker, offering(used())).await;
        assert_eq!(
            (heard, outcome.is_err()),
            (vec![Part::Notice(Notice::ToolsLeftOut)], true)
        );
        assert_eq!(std::mem::take(&mut *stub.got.lock().unwrap()).len(), 2);
    }
}

#[tokio::test]
async fn a_picture_that_a_tool_returned_is_left_out_for_a_model_that_does_not_see() {
    let stub = Stub::start(|got| {
        let (status, body) = if got.body.to_string().contains("image_url") {
            (400, json!({ "error": "m is not a multimodal model" }).to_string())
        } else {
            let answer = json!({ "choices": [{ "delta": { "content": "Hi" }, "finish_reason": "stop" }] });
            (200, events(&[answer]))
        };
        Response::builder().status(status).body(Body::from(body)).unwrap()
    })
    .await;
    let talker = agent_at("m@openai", &stub.url);
    let (heard, outcome) = parts(&talker, offering(used())).await;
    let expected = vec![Part::Notice(Notice::PicturesLeftOut), Part::Text("Hi".into())];
    assert_eq!((heard, outcome.is_ok()), (expected, true));
    let asked = stub.got.lock().unwrap()[1].body["messages"].to_string();
    assert!(asked.contains("sum.png, which you cannot see"), "{asked}");
    // One that stands in a document is left out as well, one of the person's is not.
    let mut documents = used();
    documents[0].images.push(Image {
        found: true,
        ..picture("scan.pdf, page 1")
    });
    let (_, outcome) = parts(&talker, offering(documents)).await;
    assert!(outcome.is_ok());
    let asked = stub.got.lock().unwrap()[3].body["messages"].to_string();
    assert!(
        asked.contains("not shown to you after all, as you see none: 1"),
        "{asked}"
    );
    let mut own = used();
    own[0].images.push(picture("own.png"));
    assert_eq!(
        parts(&talker, offering(own)).await.1,
        Err(AgentError::VisionUnsupported)
    );
}
