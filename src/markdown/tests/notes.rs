//! Footnotes.

use super::{render, start_tags, text_of};

#[test]
fn a_mark_and_its_note_lead_to_each_other() {
    let html = render("It is so[^why]. And so[^2].\n\n[^why]: Because of *that*.\n[^2]: And that.\n\nAfter.");
    let tags = start_tags(&html);
    for number in ["1", "2"] {
        for button in [
            format!("class=note-mark data-note={number}"),
            format!("class=note-back data-note-back={number}"),
        ] {
            assert!(tags.iter().any(|tag| tag.contains(&button)), "{button}: {html}");
        }
    }
    assert!(html.contains("Because of <em>that</em>."), "{html}");
    assert!(!html.contains("↩") && !html.contains("<section"), "{html}");
    let text = text_of(&html);
    assert!(text.find("After.") < text.find("Because of"), "notes come last: {text}");
}

#[test]
fn what_has_no_note_is_text() {
    assert_eq!(render("so[^1] it is"), "<p>so[^1] it is</p>");
}
