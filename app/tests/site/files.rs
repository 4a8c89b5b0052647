//! Files that come with a message.

use anteroom::wire::{FileKind, Refused, TurnState};
use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, StatusCode, header};

use crate::support::{Site, answer_of, english};

/// The smallest picture there is: one transparent pixel.
pub(crate) const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8,
    6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0a, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1,
    0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

#[tokio::test]
async fn text_joins_the_message_and_pictures_come_along() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let notes = browser.uploaded("notes.md", "# Remember the milk\n").await;
    let pixel = browser.uploaded("pixel.png", PIXEL.to_vec()).await;
    assert_eq!((notes.kind, notes.name.as_str()), (FileKind::Text, "notes.md"));
    assert_eq!((pixel.kind, pixel.mime.as_str()), (FileKind::Image, "image/png"));
    let sent = browser
        .send_with(None, "What is in these?", vec![notes.id, pixel.id])
        .await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    assert_eq!((turn.message.as_str(), turn.files.len()), ("What is in these?", 2));
    let record = site.model.record();
    let asked = &record.requests[0];
    assert!(
        asked.question.contains("Remember the milk") && asked.question.contains("notes.md"),
        "{asked:?}"
    );
    assert_eq!(asked.images, 1);
}

#[tokio::test]
async fn files_are_given_back_as_what_they_are_and_never_as_a_page() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let page = browser.uploaded("page.html", "<script>alert(1)</script>").await;
    let pixel = browser.uploaded("pixel.png", PIXEL.to_vec()).await;
    for (file, mime, disposition) in [(page, "text/plain", "attachment"), (pixel, "image/png", "inline")] {
        let response = browser
            .get(&format!("/files/{}", file.id))
            .send()
            .await
            .expect("an answer");
        let header = |name: header::HeaderName| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().expect("text").to_owned())
                .unwrap_or_default()
        };
        assert!(header(header::CONTENT_TYPE).starts_with(mime));
        assert!(header(header::CONTENT_DISPOSITION).starts_with(disposition));
        assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(header(header::CONTENT_SECURITY_POLICY).contains("sandbox"));
    }
}

#[tokio::test]
async fn bad_files_are_refused_and_leave_nothing() {
    let site = Site::start(&[("MAX_UPLOAD_SIZE", "100KB")]).await;
    let browser = site.browser().await;
    for (name, content, status) in [
        ("empty.txt", Vec::new(), StatusCode::BAD_REQUEST),
        (
            "program.png",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        ("noise.txt", vec![0, 159, 146, 150], StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("large.txt", vec![b'x'; 200_000], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = browser.upload(name, content).await;
        assert_eq!(reply.status, status, "{name}: {reply:?}");
        let refused: Refused = serde_json::from_str(&reply.text).expect("a refusal");
        assert_eq!(refused.message, english(&refused.reason));
        assert!(
            refused.message.contains(&format!("“{name}”")) || name.is_empty(),
            "{reply:?}"
        );
    }
    // 1 GB that does not say how long it is: it is stopped at the limit, long before its end.
    let chunk = Bytes::from(vec![b'x'; 1 << 20]);
    let endless = Body::wrap_stream(stream::iter(
        (0..1024).map(move |_| Ok::<_, std::io::Error>(chunk.clone())),
    ));
    let endless = browser.post("/files?name=endless.txt").body(endless).send().await;
    if let Ok(answer) = endless {
        assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    site.until_load(0, 0).await;
    let left = files_in(&site.engine.settings().data_dir.join("files"));
    assert_eq!(left, 0, "nothing is left of them");
    let tricky = browser.uploaded("../../etc/passwd", "x").await;
    assert!(!tricky.name.contains('/') && !tricky.name.contains(".."), "{tricky:?}");
    assert_eq!(files_in(&site.engine.settings().data_dir.join("files")), 1);
}

fn files_in(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| if path.is_dir() { files_in(&path) } else { 1 })
        .sum()
}

#[tokio::test]
async fn uploads_have_a_limit_of_their_own() {
    let site = Site::start(&[("FILE_CONCURRENCY_LIMIT", "1"), ("CHAT_CONCURRENCY_LIMIT", "1")]).await;
    let (one, other) = (site.browser().await, site.browser().await);
    // An upload that has begun and does not go on holds the slot.
    let (send, mut receive) = tokio::sync::mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    send.send(Ok(Bytes::from_static(b"begun"))).await.expect("open");
    let slow = stream::poll_fn(move |context| receive.poll_recv(context));
    let slow = tokio::spawn({
        let one = one.clone();
        async move { one.upload("slow.txt", Body::wrap_stream(slow)).await }
    });
    site.until_load(1, 0).await;
    let waiting = tokio::spawn({
        let other = other.clone();
        async move { other.upload("waits.txt", "waits").await }
    });
    site.until_load(1, 1).await;
    // Chat is not concerned.
    let sent = one.send("hello").await;
    assert_eq!(answer_of(&one, sent.turn).await.state, TurnState::Done);
    assert!(!waiting.is_finished());
    // The slow one hangs up: its slot is free.
    slow.abort();
    assert_eq!(waiting.await.expect("uploaded").status, StatusCode::OK);
    drop(send);
    site.until_load(0, 0).await;
}
