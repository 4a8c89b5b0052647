//! That a stream ends where rendering the whole does, and looks sane on the way.

use proptest::prelude::*;

use super::text_of;
use crate::markdown::{Stream, render};

/// The reader's side of a stream.
#[derive(Default)]
struct Reader {
    blocks: Vec<String>,
    received: usize,
}

impl Reader {
    fn apply(&mut self, changes: Vec<(usize, String)>) {
        for (index, html) in changes {
            assert!(
                index <= self.blocks.len(),
                "block {index} after {} blocks",
                self.blocks.len()
            );
            self.received += html.len();
            self.blocks.truncate(index);
            self.blocks.push(html);
        }
    }
}

fn stream(pieces: &[&str]) -> Reader {
    let mut stream = Stream::new();
    let mut reader = Reader::default();
    for piece in pieces {
        stream.push(piece);
        reader.apply(stream.changes());
    }
    reader.apply(stream.finish());
    reader
}

/// `text` cut after every `step` characters.
fn cut(text: &str, step: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.char_indices().nth(step).map_or(rest.len(), |(at, _)| at));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

const TRICKY: &[&str] = &[
    "Title\n=====\n\ntext\n---\nmore",
    "- a\n- b\n\n\n  lazy\nlazy\n\nafter",
    "> a\nlazy\n\n> b\n\n    code\n\n    more code\n\ntext",
    "text\n| a | b |\n|---|---|\n| 1 | 2 |\ntail\n\nend",
    "text\n     | a |\n|--|\n| 1 |\n\nx",
    "text\n2. | a |\n|--|\n| 1 |\n\nx",
    "```rust\nfn main() {}\n```\n```\nopen",
    "~~~\n```\n~~~\n\n- ```js\n  let a = 1;\n  ```\n- x\n",
    "[a]: https://example.org\n\n[a] and [b]\n\n[b]: https://example.com 'title'\n",
    "# h\n[a]: https://example.org\n'title'\n\n[a]\n",
    "1. a\n\n   ```\n   x\n\n   y\n   ```\n2. b\n\n\n3. c",
    "<div>\n\n*a*\n\n</div>\n<!-- x\n\ny -->\nz",
    "a\r\nb\r\rc\n\r\n```\r\nx\r\n```\r\n",
    "***\n___\n- - -\n* * *\n",
    "a  \nb\\\nc\n\n\n\n\n   \nd",
    "\u{FEFF}# a\n\n\u{FEFF}# b",
    "| a |\n|--|\n\n| b |\n",
    "1986\\. A great year\n\n1. one\n1. two",
    "* a\n + b\n  - c\n\n+ d",
    "\tcode\n\n\ttext\n    more\n\nx",
    "\\[\nx\n+ y\n= z\n\\]\n\nafter",
    "- a\n\n  \\[ x\n  + y \\]\n- b\n\n> $$\n> a\n> - b\n> $$\n\nend",
    "$$\nx\n\nnever closed\n\n- a\n  $$\n  y\nleft\n",
    "a \\(x\nnot closed\n# h\n y\\) and $b\n- c$ d",
    "See[^1] and[^b].\n\n[^1]: One.\n[^b]: Two\n    lines.\n\nafter",
];

#[test]
fn tricky_answers_end_as_if_rendered_whole() {
    for text in TRICKY {
        for step in [1, 2, 3, 7, 1_000] {
            assert_eq!(stream(&cut(text, step)).blocks, render(text), "{text:?} by {step}");
        }
    }
}

#[test]
fn the_end_may_come_without_any_changes_asked_for() {
    for text in TRICKY {
        let mut stream = Stream::new();
        stream.push(text);
        let mut reader = Reader::default();
        reader.apply(stream.finish());
        assert_eq!(reader.blocks, render(text), "{text:?}");
    }
}

#[test]
fn too_wide_tables_turn_to_text_as_in_the_whole() {
    let table = format!("{0}\n{1}\n{2}\n", "|a".repeat(200), "|-".repeat(200), "|\n".repeat(400));
    let text = format!("|a|\n|-|\n|b|\n\n{table}");
    assert_eq!(stream(&cut(&text, 500)).blocks, render(&text));
    assert!(!render(&text).concat().contains("<table"));
}

#[test]
fn a_cut_answer_ends_as_if_rendered_whole() {
    let text = format!("{}\n\n", "some text, and ä ".repeat(300)).repeat(super::super::MAX_ANSWER_BYTES / 5_000);
    assert_eq!(stream(&cut(&text, 40_000)).blocks, render(&text));
}

#[test]
fn finished_blocks_are_never_sent_again() {
    let paragraph = "A paragraph with **some** `marks` in it.\n\n```rust\nfn main() {}\n```\n\n";
    let text = paragraph.repeat(100);
    let reader = stream(&cut(&text, 16));
    let whole: usize = reader.blocks.iter().map(String::len).sum();
    assert_eq!(reader.blocks, render(&text));
    // Each block is sent again while it is open, about six times here; were all sent, it would be hundreds of times.
    assert!(reader.received < 12 * whole, "{} for {whole}", reader.received);
}

#[test]
fn only_the_open_block_is_rendered_anew() {
    let mut stream = Stream::new();
    for _ in 0..1_000 {
        stream.push("A paragraph.\n\n```rust\nfn main() {}\n```\n# heading\n");
        stream.changes();
        assert_eq!(stream.open_len(), 0);
    }
    stream.push("open");
    assert_eq!(stream.open_len(), 4);
    let last = stream.changes();
    assert_eq!(last, [(3_000, "<p>open</p>".to_owned())]);
    assert_eq!(stream.changes(), [], "nothing new");
}

#[test]
fn code_is_highlighted_once_its_fence_is_closed() {
    let mut stream = Stream::new();
    stream.push("```rust\nfn main() {\n");
    assert!(!stream.changes()[0].1.contains("h-key"));
    stream.push("}\n``");
    let changes = stream.changes();
    assert_eq!(
        text_of(&changes[0].1),
        "rust\u{e000}wrap\u{e001}\u{e000}save\u{e001}\u{e000}copy\u{e001}fn main() {\n}\n",
        "the fence is held back"
    );
    stream.push("`\n");
    assert!(stream.changes()[0].1.contains("h-key"));
    assert_eq!(stream.open_len(), 0);
}

#[test]
fn nothing_but_the_end_of_code_changes_while_it_is_long_and_grows() {
    let mut stream = Stream::new();
    stream.push("```\n");
    stream.push(&"line\n".repeat(60));
    let before = stream.changes().remove(0).1;
    stream.push(&"another\n".repeat(10));
    let after = stream.changes().remove(0).1;
    assert!(before.contains("code-more"), "there is more than is shown: {before}");
    assert_eq!(after.replace("another\n", ""), before);
    stream.push("```\n");
    assert!(stream.changes()[0].1.contains("(70)"), "now it is known how many");
}

#[test]
fn what_is_half_written_looks_like_what_it_becomes() {
    let cases = [
        ("a **bo", "<p>a <strong>bo</strong></p>"),
        ("a **bold*", "<p>a <strong>bold</strong></p>"),
        ("a **", "<p>a</p>"),
        ("a *it", "<p>a <em>it</em></p>"),
        ("a **b *c", "<p>a <strong>b <em>c</em></strong></p>"),
        ("***a** b", "<p><em><strong>a</strong> b</em></p>"),
        ("a ~~str", "<p>a <del>str</del></p>"),
        ("a `co", "<p>a <code>co</code></p>"),
        ("a `", "<p>a</p>"),
        ("a [te", "<p>a te</p>"),
        ("a [text]", "<p>a text</p>"),
        ("a [text](https://exam", "<p>a text</p>"),
        ("a ![alt](https://exam", "<p>a alt</p>"),
        ("a **[", "<p>a</p>"),
        ("2 * 3 = 6, snake_case_name", "<p>2 * 3 = 6, snake_case_name</p>"),
        ("text\n-", "<p>text</p>"),
        ("text\n==", "<p>text</p>"),
        ("text\n\n``", "<p>text</p>"),
        ("text\n\n```ru", "<p>text</p>"),
        ("text\n\n##", "<p>text</p>"),
        ("- **a", "<ul>\n<li><strong>a</strong></li>\n</ul>"),
        ("- a\n- [", "<ul>\n<li>a</li>\n<li></li>\n</ul>"),
        ("a \\(x_", "<p>a</p>"),
        ("a $x^", "<p>a</p>"),
        ("a $$x", "<p>a</p>"),
        ("for $5 or", "<p>for $5 or</p>"),
        ("# **a", "<h3><strong>a</strong></h3>"),
        ("> *a", "<blockquote>\n<p><em>a</em></p>\n</blockquote>"),
    ];
    for (text, html) in cases {
        let mut stream = Stream::new();
        stream.push(text);
        let shown: String = stream.changes().into_iter().map(|(_, html)| html).collect();
        assert_eq!(shown, html, "{text:?}");
    }
}

#[test]
fn a_table_is_a_table_from_its_first_row_on() {
    let text = "| a | b |\n| --- | --- |\n| 1 | **2** |\n";
    for end in 3..=text.len() {
        let mut stream = Stream::new();
        stream.push(&text[..end]);
        let html = stream.changes().into_iter().map(|(_, html)| html).collect::<String>();
        assert!(html.contains("<th>a</th>"), "{:?}: {html}", &text[..end]);
        assert!(!text_of(&html).contains(['|', '*', '-']), "{:?}: {html}", &text[..end]);
    }
}

#[test]
fn what_vanishes_is_dropped_at_the_reader() {
    let mut stream = Stream::new();
    let mut reader = Reader::default();
    stream.push("text\n\n[ab");
    reader.apply(stream.changes());
    assert_eq!(reader.blocks.len(), 2);
    stream.push("]: https://example.org\n");
    reader.apply(stream.changes());
    assert_eq!(reader.blocks.concat(), "<p>text</p>");
    reader.apply(stream.finish());
    assert_eq!(reader.blocks, ["<p>text</p>"]);
}

/// Texts made of what Markdown is made of, with no definition of a link: then even without a look at the whole, the
/// finished blocks have to be right.
fn markdownish(definitions: bool) -> impl Strategy<Value = String> {
    let mut parts = vec![
        "\n",
        "\n",
        "\n\n",
        "\n\n",
        " ",
        "  ",
        "    ",
        "\t",
        "a",
        "word ",
        "ä",
        "# ",
        "## x\n",
        "- ",
        "* ",
        "+ ",
        "1. ",
        "2) ",
        "> ",
        ">",
        "```\n",
        "```",
        "~~~\n",
        "```rust\n",
        "    code\n",
        "---",
        "===",
        "***",
        "**",
        "*",
        "_",
        "~~",
        "`",
        "``",
        "|",
        "| a | b |\n",
        "|---|---|\n",
        "|-|\n",
        "a | b\n",
        "[",
        "]",
        "(",
        ")",
        "[a](https://b.c)",
        "![",
        "<div>",
        "</div>\n",
        "<!--",
        "-->",
        "<b>",
        "<pre>\n",
        "\\",
        "&amp;",
        "\r\n",
        "\r",
        "- [ ] ",
        "- [x] t\n",
        "https://example.org ",
        "\u{FEFF}",
        "  \n",
        "\\\n",
        "1986. ",
        "<?",
        "?>",
        "\u{a0}",
        "\u{b}",
        "\u{c}",
        "\\(",
        "\\)",
        "\\[",
        "\\]",
        "\\[\n",
        "\\]\n",
        "$",
        "$$",
        "$$\n",
        "x^2",
        "[^a]",
    ];
    if definitions {
        parts.extend([
            "[a]: https://example.org\n",
            "[a]:",
            "[a]",
            "[a]: <x> 'y'\n",
            "\"title\"\n",
            "[^a]: note\n",
        ]);
    }
    proptest::collection::vec(proptest::sample::select(parts), 0..40)
        .prop_map(|parts| parts.concat())
        .prop_map(move |text| if definitions { text } else { text.replace("]:", "] :") })
}

fn pieces(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let mut at: Vec<usize> = cuts
        .iter()
        .map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)))
        .collect();
    at.extend([0, text.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| text[pair[0]..pair[1]].to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, ..ProptestConfig::default() })]

    #[test]
    fn however_it_is_cut_the_end_is_the_same(
        text in prop_oneof![markdownish(false), markdownish(true)],
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let pieces = pieces(&text, &cuts);
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        prop_assert_eq!(stream(&pieces).blocks, render(&text));
    }

    #[test]
    fn cut_at_every_character_the_end_is_the_same(text in markdownish(false)) {
        prop_assert_eq!(stream(&cut(&text, 1)).blocks, render(&text));
    }
}
