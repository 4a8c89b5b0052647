//! The pictures of documents: they go along where the model is known to see, and the reader is told.

use anteroom::wire::{FileView, TurnNotice, TurnState, TurnView};
use anteroom_loopback::Fleet;

use crate::support::{Browser, Site, answer_of};

/// A PDF whose pages are pictures, and a word below the first if there is one. The pictures are no more than their heads, which is as far as
/// anybody here looks.
fn scan(pages: usize, word: &str) -> Vec<u8> {
    let kids: String = (0..pages).map(|page| format!("{} 0 R ", 4 + 3 * page)).collect();
    let object = |about: String, content: &[u8]| {
        let mut object = format!("<< {about} /Length {} >>\nstream\n", content.len()).into_bytes();
        object.extend_from_slice(content);
        object.extend_from_slice(b"\nendstream");
        object
    };
    let mut objects = vec![
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        format!("<< /Type /Pages /Count {pages} /Kids [{kids}] /MediaBox [0 0 612 792] >>").into_bytes(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    for page in 0..pages {
        let (content, picture) = (5 + 3 * page, 6 + 3 * page);
        let resources = format!("<< /Font << /F1 3 0 R >> /XObject << /P {picture} 0 R >> >>");
        objects.push(
            format!("<< /Type /Page /Parent 2 0 R /Contents {content} 0 R /Resources {resources} >>").into_bytes(),
        );
        let says = if page == 0 { word } else { "" };
        let drawn = format!("q 612 0 0 792 0 0 cm /P Do Q BT /F1 12 Tf 72 700 Td ({says}) Tj ET");
        objects.push(object(String::new(), drawn.as_bytes()));
        let jpeg =
            b"\xFF\xD8\xFF\xC0\x00\x11\x08\x03\x00\x02\x00\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01\xFF\xDA\xFF\xD9";
        let about = "/Type /XObject /Subtype /Image /Width 512 /Height 768 /Filter /DCTDecode";
        objects.push(object(about.to_owned(), jpeg));
    }
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let trailer = format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{}\n%%EOF\n",
        objects.len() + 1,
        file.len()
    );
    [file, table.into_bytes(), trailer.into_bytes()].concat()
}

/// A site before a model of which this is known.
async fn site(vision: &str) -> (Site, Fleet, tempfile::TempDir) {
    let fleet = Fleet::start(["eyes".to_owned()]).await.expect("a free port");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("backends.toml");
    let more = format!("models = [\"eyes\"]\n{vision}");
    std::fs::write(&file, fleet.servers()[0].backend_toml(&more)).expect("written");
    let file = file.display().to_string();
    let site = Site::start(&[("BACKENDS_FILE", &file), ("MODEL", "eyes@eyes")]).await;
    (site, fleet, folder)
}

async fn asked(browser: &Browser, file: &FileView) -> TurnView {
    let sent = browser.send_with(None, "What does it show?", vec![file.id]).await;
    let turn = answer_of(browser, sent.turn).await;
    assert_eq!(turn.state, TurnState::Done, "{turn:?}");
    turn
}

/// How many pictures of it the reader was told of, and of how many.
fn told(turn: &TurnView) -> Option<(u32, u32)> {
    turn.notices.iter().find_map(|notice| match notice {
        TurnNotice::Pictures { taken, of, .. } => Some((*taken, *of)),
        _ => None,
    })
}

#[tokio::test]
async fn a_model_that_sees_is_shown_the_pages_of_a_scan() {
    let (site, fleet, _folder) = site("vision = true").await;
    let browser = site.browser().await;
    let file = browser.uploaded("scan.pdf", scan(3, "")).await;
    let paper = file.paper.expect("read");
    assert_eq!((paper.characters, paper.pictures, paper.pictures_left_out), (0, 3, 0));
    let turn = asked(&browser, &file).await;
    assert_eq!(told(&turn), Some((3, 3)));
    let record = fleet.servers()[0].record();
    let request = &record.requests[0];
    assert_eq!(request.images, 3);
    let in_order = "3 of the 3 pictures in this file come with this message, in this order: page 1, page 2, page 3";
    assert!(request.question.contains(in_order), "{}", request.question);

    // A page says so, without scripts too; and a later question has them again, for what it is about may be in them.
    let page = browser.get(&format!("/c/{}", turn.conversation));
    let page = browser.ask(page.header(reqwest::header::ACCEPT, "text/html")).await;
    assert!(
        page.text
            .contains("Pictures of scan.pdf that the model was shown: 3 of 3."),
        "{}",
        page.text
    );
    assert!(page.text.contains("3 pictures"));
    let next = browser
        .send_with(Some(turn.conversation), "And the second page?", vec![])
        .await;
    assert_eq!(told(&answer_of(&browser, next.turn).await), Some((3, 3)));
    assert_eq!(fleet.servers()[0].record().requests[1].images, 3);
}

#[tokio::test]
async fn one_that_may_not_see_is_asked_without_them_and_only_a_scan_needs_a_word_of_it() {
    for vision in ["vision = false", ""] {
        let (site, fleet, _folder) = site(vision).await;
        let browser = site.browser().await;
        let only_pictures = browser.uploaded("scan.pdf", scan(2, "")).await;
        assert_eq!(told(&asked(&browser, &only_pictures).await), Some((0, 2)), "{vision}");
        let with_text = browser.uploaded("report.pdf", scan(2, "Words")).await;
        assert_eq!(told(&asked(&browser, &with_text).await), None, "{vision}");
        let record = fleet.servers()[0].record();
        assert!(record.requests.iter().all(|request| request.images == 0), "{vision}");
        assert!(
            record.requests[0]
                .question
                .contains("2 pictures, which you are not shown")
        );
        assert!(record.requests[1].question.contains("Words"));
    }
}
