//! What hostile answers become.

use proptest::prelude::*;

use super::{fault, render, start_tags, text_of};
use crate::{
    language::labels::GOES_ON,
    markdown::{MAX_ANSWER_BYTES, Stream},
};

const SNIPPETS: [&str; 54] = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example>",
    "</script><script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/track.gif'>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></mtext><style><img src onerror=alert(1)></style></math>",
    "<a href=\"javascript:alert(1)\" onclick=alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<form action=https://evil.example><input name=q><button>Go</button></form>",
    "<style>*{display:none}</style>",
    "<div style=\"position:fixed;inset:0\" class=\"code\" id=\"app\">x",
    "<button type=\"button\" class=\"code-copy\" data-copy onclick=\"alert(1)\">Copy</button>",
    "<div class=\"code\"><div class=\"code-bar\">",
    "<pre tabindex=\"0\" role=\"alert\" aria-label=\"Your password\">x</pre>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<!-- --><!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php <img src=x onerror=alert(1)> ?>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<xmp><img src=x onerror=alert(1)></xmp>",
    "<textarea></p><img src=x onerror=alert(1)>",
    "<plaintext>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](&#x6A;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](\u{1}javascript:alert(1))",
    "[x](<  javascript:alert(1)>)",
    "[x](%6Aavascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](DATA:text/html,<script>alert(1)</script>)",
    "[x](//evil.example)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    "![x\" onerror=\"alert(1)](https://example.org/x.png \"\\\" onerror=alert(1)\")",
    "[x](https://example.org/\"onmouseover=\"alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "```\"><script>alert(1)</script>\n</code></pre><script>alert(1)</script>\n```",
    "$\\text{<img src=x onerror=alert(1)>}$",
    "\\(\\mathrm{</math><script>alert(1)</script>}\\)",
    "$$\\href{javascript:alert(1)}{x}$$",
    "$\\color{red\" onload=\"alert(1)}x$",
    "\\[\n</math><img src=x onerror=alert(1)>\n\\]",
    "$<mtext><style><img src=x onerror=alert(1)></style></mtext>$",
    "[^<img src=x onerror=alert(1)>]\n\n[^<img src=x onerror=alert(1)>]: <script>alert(1)</script>",
    "```rust class=\"x\" onclick=alert(1)\n</code></pre></div><img src=x onerror=alert(1)>\n```",
];

#[test]
fn nothing_hostile_reaches_the_page() {
    for snippet in SNIPPETS {
        for text in [
            snippet.to_owned(),
            format!("text {snippet} text"),
            format!("- {snippet}\n\n  {snippet}"),
            format!("> {snippet}"),
            format!("| {snippet} |\n|--|\n| {snippet} |"),
            format!("# {snippet}"),
            format!("**{snippet}** [{snippet}](https://example.org) ![{snippet}](https://example.org)"),
            format!("`{snippet}`"),
        ] {
            let html = render(&text);
            let tags = start_tags(&html);
            assert!(
                !tags
                    .iter()
                    .any(|tag| tag.contains("evil.example") || tag.starts_with("img")),
                "{text}: {html}"
            );
        }
    }
}

#[test]
fn only_links_with_a_known_scheme_are_links() {
    let html =
        render("[a](javascript:alert(1)) [b](/settings) [c](#top) [d](x.html) [e](https:evil) [f](mailto:a@b.c)");
    assert_eq!(text_of(&html), "a b c d e f");
    assert_eq!(start_tags(&html).len(), 2, "a paragraph and the last link: {html}");
}

#[test]
fn a_forged_copy_button_is_text() {
    let html =
        render("<button type=\"button\" class=\"code-copy\" data-copy>Copy</button>\n\nx <button data-copy>y</button>");
    assert_eq!(start_tags(&html), ["p", "p"]);
}

#[test]
fn the_cleaner_alone_lets_nothing_else_through() {
    for snippet in SNIPPETS {
        let html = crate::markdown::clean::clean(snippet);
        let tags = start_tags(&html);
        assert!(
            !tags
                .iter()
                .any(|tag| ["script", "javascript:", "on", "style=", "id=", "img", "svg"]
                    .iter()
                    .any(|bad| tag.split(' ').any(|part| part.starts_with(bad)))),
            "{snippet}: {html}"
        );
    }
}

#[test]
fn characters_that_mislead_are_gone() {
    let html = render("a\u{202E}b\u{2066}c\u{2069}\0d\u{FEFF}e\u{1b}[31m `x\u{202E}y`");
    assert_eq!(text_of(&html), "abc\u{FFFD}de[31m xy");
    let code = render("```\u{202E}rust\nif admin\u{202E} { \u{2066}// user\u{2069} }\n```");
    assert!(
        !code
            .chars()
            .any(|c| ('\u{202A}'..='\u{202E}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c))
    );
    assert_eq!(
        text_of(&render("\u{200F}שלום\u{200E}")),
        "\u{200F}שלום\u{200E}",
        "the marks that text needs stay"
    );
}

/// Each of these is slow, or overflows the stack, in one renderer or other. 10,000 deep, or as long as an answer gets.
fn pathological() -> Vec<String> {
    let n = 10_000;
    let mut texts: Vec<String> = [
        ">",
        "> ",
        "*",
        "**a ",
        "*a **b ",
        "_a ",
        "[",
        "![",
        "[a](",
        "[a",
        "`a",
        "``` ",
        "- ",
        "1. ",
        "* * ",
        "<",
        "<a ",
        "<!--",
        "<![CDATA[",
        "<?",
        "</",
        "&",
        "&#",
        "\\",
        "~~a ",
        "~",
        "#",
        "|",
        "a|",
        "(",
        "](",
        "[]()",
        "<b>",
        "<div>\n",
        "> a\n",
        "- a\n",
        "a_b",
        "*a_ ",
        "http://",
        "www.",
        "a@",
        "!",
        "\t",
        "\u{a0}",
        "é*",
        "]",
        "[a]: b\n",
        "[[a]",
        "\"",
    ]
    .iter()
    .map(|part| part.repeat(n))
    .collect();
    texts.push((1..400).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect());
    texts.push((1..300).map(|depth| format!("{}a\n", ">".repeat(depth))).collect());
    texts.push((1..1_000).map(|length| format!("e{}", "`".repeat(length))).collect());
    texts.push(format!("{}a{}", "[".repeat(n), "]".repeat(n)));
    texts.push(format!("{}a{}", "**".repeat(n), "**".repeat(n)));
    texts.push(format!(
        "[a]: <{}>\n\n{}",
        "https://example.org/".repeat(100),
        "[a] ".repeat(n)
    ));
    texts.push(format!("| a |\n|--|\n{}", "| b |\n".repeat(n)));
    texts
}

#[test]
fn deep_and_long_answers_end() {
    for text in pathological() {
        let html = render(&text);
        // What is shown is not beyond all proportion to what was written.
        assert!(
            html.len() <= 200 * text.len() + 10_000,
            "{} from {:.40}",
            html.len(),
            text
        );
    }
}

#[test]
fn deep_nesting_is_shown_as_it_was_written() {
    let text = format!("{} deep\n\nafter", ">".repeat(10_000));
    let blocks = crate::markdown::render(&text);
    assert_eq!(blocks.len(), 2);
    assert_eq!(start_tags(&blocks[0]), ["p class=raw"]);
    assert!(text_of(&blocks[0]) == format!("{} deep", ">".repeat(10_000)));
    assert_eq!(blocks[1], "<p>after</p>");
}

#[test]
fn a_table_cannot_ask_for_millions_of_cells() {
    let columns = 1_000;
    let table = format!(
        "{0}\n{1}\n{2}\n",
        "|a".repeat(columns),
        "|-".repeat(columns),
        "|\n".repeat(400)
    );
    let html = render(&table.repeat(20));
    assert!(!html.contains("<table"));
    assert!(html.len() < 20 * table.len() * 8);
    assert!(
        render("|a|b|\n|-|-|\n|1|\n").contains("<td></td>"),
        "an honest table may leave cells out"
    );
}

#[test]
fn a_megabyte_is_shown_and_more_is_cut_with_a_notice() {
    let whole = "word **bold** and `code`, ".repeat(MAX_ANSWER_BYTES / 26);
    assert_eq!(crate::markdown::render(&whole).len(), 1);
    let long = format!("{}\n\n", "äöü ".repeat(500)).repeat(MAX_ANSWER_BYTES / 3_000);
    let blocks = crate::markdown::render(&long);
    assert!(text_of(blocks.last().expect("there are blocks")).contains(GOES_ON));
    assert!(blocks.iter().map(|block| text_of(block).len()).sum::<usize>() <= MAX_ANSWER_BYTES + 200);
}

#[test]
fn long_text_is_shown_as_it_is() {
    let text = "&ä£ ".repeat(5_000);
    assert!(text_of(&render(&text)) == text.trim());
    assert!(text_of(&render(&format!("`{text}.`"))) == format!("{text}."));
    let buttons = "\u{e000}wrap\u{e001}\u{e000}save\u{e001}\u{e000}copy\u{e001}";
    assert!(text_of(&render(&format!("```\n{text}\n```"))) == format!("{buttons}{text}\n"));
    assert!(text_of(&render(&format!("<b {text}>"))) == format!("<b {text}>"));
    assert!(text_of(&render(&format!("![{text}.](https://example.org)"))) == format!("{text}."));
}

#[test]
fn an_endless_address_is_no_link() {
    let html = render(&format!(
        "[x](https://example.org/?{}) [y](https://example.org/ '{}')",
        "&".repeat(5_000),
        "&".repeat(5_000)
    ));
    assert_eq!(text_of(&html), "x y");
    assert_eq!(
        start_tags(&html).len(),
        2,
        "a paragraph and the second link, without its title"
    );
    assert!(!html.contains("title"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_mixture_gets_through(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(SNIPPETS.as_slice()).prop_map(str::to_owned),
                "[\\x00-\\x7f]{0,6}",
                "\\PC{0,4}",
                proptest::sample::select(vec!["\n", "\n\n", "> ", "- ", "**", "`", "```", "|", "[", "](", ")", "<", "\"", "&"])
                    .prop_map(str::to_owned),
            ],
            0..24,
        ),
        cut in 0.0_f64..1.0,
    ) {
        let text = parts.concat();
        for block in crate::markdown::render(&text) {
            prop_assert_eq!(fault(&block), None, "{}", block);
        }
        // What is shown while it is written has been mended, and must be as harmless.
        let cut = text.floor_char_boundary((text.len() as f64 * cut) as usize);
        let mut stream = Stream::new();
        stream.push(&text[..cut]);
        for (_, block) in stream.changes() {
            prop_assert_eq!(fault(&block), None, "{}", block);
        }
    }
}
