//! What honest answers look like.

use super::{render, start_tags, text_of};

const LINK: &str = "rel=noopener noreferrer nofollow target=_blank";

fn sorted(tag: &str) -> String {
    let mut parts: Vec<&str> = tag.split(' ').collect();
    parts.sort_unstable();
    parts.join(" ")
}

#[test]
fn headings_begin_below_those_of_the_page() {
    let blocks = crate::markdown::render("# One\n\nTwo\n---\n\n### Three\n\n#### Four\n\n###### *Six*\n");
    assert_eq!(
        blocks,
        [
            "<h3>One</h3>",
            "<h4>Two</h4>",
            "<h5>Three</h5>",
            "<h6>Four</h6>",
            "<h6><em>Six</em></h6>"
        ]
    );
}

#[test]
fn one_entry_for_each_block_of_the_top_level() {
    let blocks = crate::markdown::render("# Title\n\nText *with* **marks**.\n\n- a\n\n  more\n- b\n\n---\n> quote\n");
    assert_eq!(blocks.len(), 5);
    assert_eq!(blocks[0], "<h3>Title</h3>");
    assert_eq!(blocks[1], "<p>Text <em>with</em> <strong>marks</strong>.</p>");
    assert_eq!(
        text_of(&blocks[2]).split_whitespace().collect::<Vec<_>>(),
        ["a", "more", "b"]
    );
    assert_eq!(blocks[3], "<hr>");
    assert!(crate::markdown::render("").is_empty());
    assert!(crate::markdown::render(" \n\t\n").is_empty());
}

#[test]
fn an_answer_of_definitions_is_one_empty_block() {
    assert_eq!(crate::markdown::render("[a]: https://example.org\n"), [""]);
}

#[test]
fn code_has_a_bar_with_its_language_and_a_copy_button() {
    let html = render("```rust,ignore\nfn main() { println!(\"<b>\"); } // done\n```");
    assert!(html.starts_with(
        "<div class=\"code\"><div class=\"code-bar\"><span class=\"code-lang\" dir=\"ltr\">rust</span>\
         <button type=\"button\" class=\"code-tool\" data-tool=\"wrap\" aria-pressed=\"false\">\u{e000}wrap\u{e001}</button>\
         <button type=\"button\" class=\"code-tool\" data-tool=\"save\" data-name=\"code.rs\">\u{e000}save\u{e001}</button>\
         <button type=\"button\" class=\"code-copy\" data-copy=\"\">\u{e000}copy\u{e001}</button></div>\
         <pre tabindex=\"0\" role=\"group\" aria-label=\"\u{e000}code\u{e001}\" dir=\"ltr\"><code>"
    ));
    assert!(html.ends_with("</code></pre></div>"));
    assert_eq!(
        text_of(&html),
        "rust\u{e000}wrap\u{e001}\u{e000}save\u{e001}\u{e000}copy\u{e001}fn main() { println!(\"<b>\"); } // done\n"
    );
    for (class, token) in [("h-key", "fn"), ("h-fn", "main"), ("h-com", "// done")] {
        assert!(
            html.contains(&format!("<span class=\"{class}\">{token}")),
            "{token} in {html}"
        );
    }
}

#[test]
fn code_of_many_languages_is_highlighted() {
    let samples = [
        ("python", "def f(x):\n    return f\"a{x}\"  # c\n"),
        ("ts", "const a: number = 1; // c\n"),
        ("bash", "for f in *.txt; do echo \"$f\"; done # c\n"),
        ("json", "{\"a\": [1, true, \"x\"]}\n"),
        ("html", "<a href=\"x\">y</a><!-- c -->\n"),
        ("css", "a { color: red; } /* c */\n"),
        ("sql", "SELECT 1 -- c\n"),
        ("yaml", "a: 1 # c\n"),
        ("diff", "-a\n+b\n"),
        ("C++", "int main() { return 0; } // c\n"),
        ("go", "func main() {} // c\n"),
        ("java", "class A {} // c\n"),
    ];
    for (language, code) in samples {
        let html = render(&format!("```{language}\n{code}```\n"));
        assert!(html.contains("<span class=\"h-"), "{language}: {html}");
        assert_eq!(
            text_of(&html),
            format!("{language}\u{e000}wrap\u{e001}\u{e000}save\u{e001}\u{e000}copy\u{e001}{code}"),
            "{language}"
        );
    }
}

#[test]
fn code_beyond_the_bounds_is_shown_plain() {
    let long_line = format!("```js\nlet a = \"{}\";\n```", "x".repeat(2_500));
    let long_block = format!("```js\n{}```", "let a = 1;\n".repeat(3_500));
    let unknown = "```nosuchlanguage\nlet a = 1;\n```".to_owned();
    for text in [long_line, long_block, unknown] {
        assert!(!render(&text).contains("h-"), "{text:.80}");
    }
    // Of five blocks of 30 KB each, four fit in what is highlighted of one answer.
    let many = format!("```js\n{}```\n", "let a = 1;\n".repeat(2_800)).repeat(5);
    let blocks = crate::markdown::render(&many);
    let highlighted: Vec<bool> = blocks.iter().map(|block| block.contains("h-")).collect();
    assert_eq!(highlighted, [true, true, true, true, false]);
}

#[test]
fn links_lead_out_without_telling_where_from() {
    let html = render("[a](https://example.org/?a=1&b=2 \"title\") and www.example.com, me@example.org");
    let links: Vec<String> = start_tags(&html)
        .iter()
        .filter(|tag| tag.starts_with("a "))
        .map(|tag| sorted(tag))
        .collect();
    assert_eq!(
        links[0],
        sorted(&format!("a href=https://example.org/?a=1&b=2 title=title {LINK}"))
    );
    assert_eq!(links[1], sorted(&format!("a href=http://www.example.com {LINK}")));
    assert_eq!(links[2], sorted(&format!("a href=mailto:me@example.org {LINK}")));
}

#[test]
fn a_picture_becomes_a_link() {
    let html = render("![a *cat*](https://example.org/cat.png) ![](https://example.org/x.png)");
    assert_eq!(text_of(&html), "a cat \u{e000}image\u{e001}");
    assert_eq!(
        start_tags(&html)
            .iter()
            .filter(|tag| tag.starts_with("a href=https://example.org/"))
            .count(),
        2
    );
    let nested = render("[![badge](https://example.org/b.svg)](https://example.org/)");
    assert_eq!(start_tags(&nested).len(), 2, "a paragraph and one link: {nested}");
}

#[test]
fn tables_and_tasks() {
    let html = render("| a | b |\n|:-:|--|\n| 1<br>2 | ~~3~~ |\n\n- [x] done\n- [ ] open\n");
    assert!(
        html.starts_with(
            "<div class=\"table-wrap\" tabindex=\"0\" role=\"group\" aria-label=\"\u{e000}table\u{e001}\">"
        )
    );
    assert!(html.contains("<th align=\"center\">a</th>"));
    assert!(html.contains("<td align=\"center\">1<br>2</td>"));
    assert!(html.contains("<del>3</del>"));
    assert_eq!(
        start_tags(&html).iter().filter(|tag| tag.starts_with("input")).count(),
        2
    );
}

#[test]
fn html_is_shown_as_text() {
    let html = render("<details>\n<summary>More</summary>\n</details>\n\nand <b>bold</b>");
    assert_eq!(
        text_of(&html),
        "<details>\n<summary>More</summary>\n</details>and <b>bold</b>"
    );
}
