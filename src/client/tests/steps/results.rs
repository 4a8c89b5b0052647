//! What becomes of results: pictures, kept answers, saved conversations.

use super::*;

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89,
];

#[tokio::test]
async fn pictures_are_files_of_their_owner_for_as_long_as_the_answer_is_there() {
    let site = Site::of(Model::one_call("draw", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("draw", Leave::Allow, true);
    site.tools.returns("draw", |_| {
        let picture = |bytes: &'static [u8]| Content::Picture {
            mime: "image/png".into(),
            bytes: Bytes::from_static(bytes),
        };
        Ok(ToolOutput {
            content: vec![
                picture(PIXEL),
                picture(b"no picture at all"),
                Content::Link {
                    uri: "https://example.org/".into(),
                    name: "more".into(),
                },
                Content::Text("x".repeat(100 * 1024)),
            ],
            failed: false,
        })
    });
    let client = site.visitor();
    let turn = site.answered(&client, "Draw.").await;
    let [
        StepContent::Picture { file, mime },
        StepContent::Text(none),
        StepContent::Link { .. },
        StepContent::Text(long),
        StepContent::Text(cut),
    ] = &turn.steps[0].content[..]
    else {
        panic!("{:?}", turn.steps[0].content.len());
    };
    assert_eq!(mime, "image/png");
    assert!(
        none.contains("left out") && cut.contains("left out") && long.len() <= 64 * 1024,
        "{none} {cut}"
    );
    assert!(client.file(*file).await.expect("read").is_some());
    assert!(site.visitor().file(*file).await.expect("read").is_none());
    assert_eq!(
        site.model.asked()[1].messages[2].results[0].images.len(),
        1,
        "the model sees it, too"
    );

    // A copy of the conversation keeps it, and so does what is saved and read again.
    let branch = client.branch(turn.id).await.expect("made");
    let (_, saved) = client
        .export(turn.conversation, crate::conversations::Export::Json)
        .await
        .expect("read")
        .expect("there");
    let imported = client.import(saved.as_bytes()).await.expect("made");
    for copy in [branch, imported] {
        let copied = turn_of(&client, copy).await;
        assert_eq!(
            (&copied.steps[0].content, &copied.answer),
            (&turn.steps[0].content, &turn.answer)
        );
    }
    client.delete(turn.conversation).await.expect("deleted");
    let purged = site.engine.store().purge(u64::MAX, None).await.expect("purged");
    assert!(!purged.files.contains(file), "others have it");
    for copy in [branch, imported] {
        client.delete(copy).await.expect("deleted");
    }
    let purged = site.engine.store().purge(u64::MAX, None).await.expect("purged");
    assert!(purged.files.contains(file));
}

#[tokio::test]
async fn an_answer_with_tools_is_kept_for_nobody() {
    let settings = [("ANSWER_CACHE_SIZE", "1MB"), ("ANSWER_CACHE_ANY_TEMPERATURE", "true")];
    let site = Site::of(Model::script(|_, _| vec![says("Hm.")]), &settings).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    for _ in 0..2 {
        site.answered(&client, "The same.").await;
    }
    assert_eq!(site.model.asked().len(), 2);
    assert_eq!(site.engine.conversations().answer_figures().entries, 0);
}

#[tokio::test]
async fn a_saved_conversation_says_which_tools_were_used() {
    let site = Site::of(Model::one_call("read", r#"{"path":"x"}"#), &[]).await;
    site.tools.tool("read", Leave::Allow, true);
    let client = site.visitor();
    let turn = site.answered(&client, "Read it.").await;
    let english = crate::conversations::Export::Markdown(crate::language::Language::English);
    let (_, saved) = client
        .export(turn.conversation, english)
        .await
        .expect("read")
        .expect("there");
    let tool = saved.find("> *used the tool “read” of files*").expect("the tool");
    assert!(tool < saved.find("Done.").expect("the answer"), "{saved}");
    let (_, saved) = client
        .export(turn.conversation, crate::conversations::Export::Json)
        .await
        .expect("read")
        .expect("there");
    let saved: serde_json::Value = serde_json::from_str(&saved).expect("JSON");
    assert_eq!(saved["turns"][0]["steps"][0]["tool"], json!("read"));
    // Not found by what a tool has returned.
    let found = client.search("path").await.expect("searched");
    assert_eq!(found.found.len(), 0);
}

#[test]
fn a_part_that_is_a_call_is_one() {
    let Part::ToolCall(call) = calls("a", "read", "{}") else {
        panic!()
    };
    assert_eq!(call.name, "files__read");
}
