//! What can be done with a piece of code.

use super::{render, start_tags};
use crate::markdown::code::MAX_LINES;

#[test]
fn long_code_begins_folded_and_short_code_does_not() {
    let long = format!("```\n{}```", "x\n".repeat(MAX_LINES + 1));
    let html = render(&long);
    assert!(html.contains("class=\"code long\""), "{html}");
    assert!(html.contains(&format!("({})", MAX_LINES + 1)), "{html}");
    let short = format!("```\n{}```", "x\n".repeat(MAX_LINES));
    assert!(!render(&short).contains("code-more"));
}

#[test]
fn code_is_saved_under_the_ending_of_its_language() {
    for (language, name) in [
        ("python", "code.py"),
        ("Rust", "code.rs"),
        ("", "code.txt"),
        ("x/../y", "code.txt"),
    ] {
        let tags = start_tags(&render(&format!("```{language}\nx\n```")));
        assert!(
            tags.iter().any(|tag| tag.contains(&format!("data-name={name}"))),
            "{language}: {tags:?}"
        );
    }
}
