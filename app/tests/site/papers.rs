//! Documents that come with a message: read in a process of the real server's program.

use anteroom::wire::{FileKind, PaperUnit, Reason, Refused, TurnNotice, TurnState};
use anteroom_loopback::Fleet;
use reqwest::{StatusCode, header};

use crate::support::{Site, answer_of, english};

/// A PDF whose pages say these lines.
pub(crate) fn pdf(pages: &[String]) -> Vec<u8> {
    let kids = (0..pages.len())
        .map(|page| format!("{} 0 R", 4 + 2 * page))
        .collect::<Vec<_>>()
        .join(" ");
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (page, text) in pages.iter().enumerate() {
        let lines = text
            .lines()
            .map(|line| format!("({line}) Tj T*"))
            .collect::<Vec<_>>()
            .join("\n");
        let content = format!("BT /F1 10 Tf 12 TL 50 740 Td {lines} ET");
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            5 + 2 * page
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let mut file = "%PDF-1.4\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
        objects.len() + 1,
        file.len()
    );
    (file + &table + &trailer).into_bytes()
}

/// One of so many pages, each with much to say, and a word of its own.
pub(crate) fn long(pages: usize) -> Vec<u8> {
    let page = |number| {
        let line = "The committee met and nothing of any note was said by anybody who was present.\n";
        format!("{}The code here is zebra{number}.", line.repeat(40))
    };
    pdf(&(1..=pages).map(page).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_document_joins_the_message_with_its_pages() {
    let site = Site::start(&[]).await;
    let browser = site.browser().await;
    let file = pdf(&["The first word is tea.".to_owned(), "The last word is milk.".to_owned()]);
    let report = browser.uploaded("report.pdf", file.clone()).await;
    assert_eq!(
        (report.kind, report.mime.as_str()),
        (FileKind::Document, "application/pdf")
    );
    let paper = report.paper.expect("read");
    assert_eq!(
        (paper.unit, paper.parts, paper.left_out, paper.cut),
        (PaperUnit::Pages, 2, 0, false)
    );
    let sent = browser.send_with(None, "What is it about?", vec![report.id]).await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    assert_eq!(
        (turn.files[0].paper, turn.notices.as_slice()),
        (Some(paper), [].as_slice())
    );
    let record = site.model.record();
    let asked = &record.requests[0].question;
    for said in [
        "`report.pdf`",
        "[page 1]\nThe first word is tea.",
        "[page 2]\nThe last word is milk.",
    ] {
        assert!(asked.contains(said), "{asked}");
    }

    // Given back as it came; beside it, what was read.
    let given = browser
        .get(&format!("/files/{}", report.id))
        .send()
        .await
        .expect("an answer");
    assert_eq!(given.headers()[header::CONTENT_TYPE], "application/pdf");
    assert!(
        given.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .expect("text")
            .starts_with("attachment")
    );
    assert!(given.bytes().await.expect("all") == file);
    let read = browser
        .get(&format!("/files/{}/text", report.id))
        .send()
        .await
        .expect("an answer");
    assert_eq!(read.headers()[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert!(
        read.headers()[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .expect("text")
            .contains("sandbox")
    );
    let read = read.text().await.expect("text");
    assert_eq!(
        read,
        "[page 1]\nThe first word is tea.\n\n[page 2]\nThe last word is milk.\n"
    );
    // Nobody else's, and not of what is no document.
    let notes = browser.uploaded("notes.md", "# Notes").await;
    let stranger = site.browser().await;
    for (who, id) in [(&stranger, report.id), (&browser, notes.id)] {
        let answer = who.get(&format!("/files/{id}/text")).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn of_a_long_document_what_the_question_is_about_is_read() {
    let fleet = Fleet::start(["small".to_owned()]).await.expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backends.toml");
    let server = &fleet.servers()[0];
    std::fs::write(&file, server.backend_toml("models = [\"small\"]\ncontext = 8000")).expect("written");
    let file = file.display().to_string();
    let site = Site::start(&[("BACKENDS_FILE", &file), ("MODEL", "small@small")]).await;
    let browser = site.browser().await;
    let report = browser.uploaded("long.pdf", long(214)).await;
    let sent = browser
        .send_with(None, "Where is zebra177 spoken of?", vec![report.id])
        .await;
    let turn = answer_of(&browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    let [TurnNotice::Excerpt { name, unit, read, of }] = &turn.notices[..] else {
        panic!("{:?}", turn.notices)
    };
    assert_eq!((name.as_str(), *unit, *of), ("long.pdf", PaperUnit::Pages, 214));
    assert!((1..10).contains(read), "{read}");
    let record = server.record();
    let asked = &record.requests[0].question;
    assert!(asked.contains("zebra177.") && asked.contains("[page 177]\n"));
    assert!(asked.len() < 8000 * 3, "{}", asked.len());

    // And so in the next question of the same conversation, which is about something else.
    let next = browser.send_with(Some(sent.conversation), "And zebra9?", vec![]).await;
    let turn = answer_of(&browser, next.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    assert!(
        matches!(turn.notices.last(), Some(TurnNotice::Excerpt { .. })),
        "{:?}",
        turn.notices
    );
}

#[tokio::test]
async fn a_bad_document_is_refused_with_a_reason_and_its_slot_is_free() {
    let site = Site::start(&[("FILE_CONCURRENCY_LIMIT", "1")]).await;
    let browser = site.browser().await;
    let unread = StatusCode::UNPROCESSABLE_ENTITY;
    let scan = pdf(&[String::new()]);
    let name = || "a.pdf".to_owned();
    for (content, status, reason) in [
        (
            b"%PDF-1.7 and nothing else".to_vec(),
            unread,
            Reason::FileDamaged { name: name() },
        ),
        (scan, unread, Reason::FileNoText { name: name() }),
        (
            b"all text".to_vec(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::FileNotADocument { name: name() },
        ),
        (
            b"\x7fELF\x02\x01\x01\0\0\0\0\0".to_vec(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::FileNotADocument { name: name() },
        ),
    ] {
        let reply = browser.upload("a.pdf", content).await;
        assert_eq!(reply.status, status, "{reply:?}");
        let refused: Refused = serde_json::from_str(&reply.text).expect("a refusal");
        assert_eq!(refused.reason, reason);
        assert_eq!(refused.message, english(&refused.reason));
        site.until_load(0, 0).await;
    }
    assert_eq!(
        browser.uploaded("b.pdf", pdf(&["Well".to_owned()])).await.kind,
        FileKind::Document
    );
}
