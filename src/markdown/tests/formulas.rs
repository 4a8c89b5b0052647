//! Formulas: whatever marks they stand between, unharmed by Markdown, and what cannot be read stays as it was written.

use proptest::prelude::*;

use super::{fault, render, start_tags, text_of};
use crate::markdown::{Stream, math};

#[test]
fn every_way_to_write_a_formula_is_one() {
    for text in [
        "a \\(x_1 * y_2 * z\\) b",
        "a $x_1 * y_2 * z$ b",
        "a $`x_1 * y_2 * z`$ b",
        "a \\[x_1 * y_2 * z\\] b",
        "a $$x_1 * y_2 * z$$ b",
        "\\[\nx_1\n* y_2\n* z\n\\]",
        "$$\nx_1\n* y_2\n* z\n$$",
        "\\[x_1\n* y_2\n* z\\]",
        "- a\n\n  $$\n  x_1\n  * y_2\n  * z\n  $$",
        "> \\[\n> x_1\n> * y_2\n> * z\n> \\].",
        "```math\nx_1 * y_2 * z\n```",
    ] {
        let html = render(text);
        assert_eq!(html.matches("<math").count(), 1, "{text}: {html}");
        assert_eq!(html.matches("<msub>").count(), 2, "{text}: {html}");
        assert!(
            !html.contains("<em>") && !html.contains("math-source"),
            "{text}: {html}"
        );
        let shown = text_of(&html);
        assert!(!shown.contains(['\\', '$', '_']), "{text}: {shown}");
    }
}

#[test]
fn what_has_lines_of_its_own_is_displayed() {
    for text in ["$$x$$", "\\[x\\]", "$$\nx\n$$", "\\[\nx\n= y\n\\]"] {
        let html = render(text);
        assert!(
            html.contains("display=\"block\"") && html.contains("math-wrap"),
            "{text}: {html}"
        );
    }
    assert!(!render("\\(x\\) $x$").contains("display=\"block\""));
}

#[test]
fn a_line_that_looks_like_markdown_stays_in_its_formula() {
    for sign in ["+", "-", "=", ">", "#", "1.", "*"] {
        let html = render(&format!("before\n\n\\[\na\n{sign} b\n{sign}\nc\n\\]\n\nafter"));
        let tags = start_tags(&html);
        for list in ["ul", "ol", "h1", "h2", "blockquote"] {
            assert!(!tags.contains(&list.to_owned()), "{sign}: {html}");
        }
        assert!(html.ends_with("<p>after</p>"), "{sign}: {html}");
    }
}

#[test]
fn a_broken_formula_is_its_source() {
    for text in [
        "\\(\\frac{\\)",
        "$\\frac{$",
        "$$\\nosuchcommand x$$",
        "\\[\n\\begin{aligned}\n\\]",
        "$\\def\\x{\\x\\x}\\x$",
        "$\\newcommand{\\x}{y}\\x$",
    ] {
        let html = render(text);
        assert!(!html.contains("<math"), "{text}: {html}");
        assert!(html.contains("math-source"), "{text}: {html}");
        assert_eq!(text_of(&html).replace('\n', ""), text.replace('\n', ""), "{text}");
    }
}

#[test]
fn what_never_ends_is_its_source_and_ends_with_its_paragraph() {
    assert_eq!(render("a \\(x and\n\nb"), "<p>a (x and</p><p>b</p>");
    let html = render("\\[\nx\n\n# after");
    assert!(html.ends_with("<h3>after</h3>"), "{html}");
}

#[test]
fn prices_variables_and_code_are_no_formulas() {
    for text in [
        "It is $5 and then $10.",
        "from $5-$10",
        "`\\(x\\)` and `$x$`",
        "```\n\\[\nx\n\\]\n$$\ny\n$$\n```",
        "~~~tex\n\\[\nx\n\\]\n~~~",
        "US$5/CA$6",
        "$PATH:$HOME",
        "a \\$x\\$ b",
        "- ```\n  $$\n  x\n  $$\n  ```",
    ] {
        let html = render(text);
        assert!(
            !html.contains("<math") && !html.contains("math-source"),
            "{text}: {html}"
        );
    }
    assert!(text_of(&render("~~~tex\n\\[\nx\n\\]\n~~~")).contains("\\[\nx\n\\]"));
}

#[test]
fn common_commands_are_known() {
    for latex in [
        "\\boxed{x = 42}",
        "\\bm{x} \\boldsymbol{\\beta}",
        "x = 1 \\tag{1}",
        "\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}",
        "\\begin{cases} a & x > 0 \\\\ b & \\text{otherwise} \\end{cases}",
        "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
        "\\left\\{ x \\mid x \\in \\mathbb{R} \\right\\}",
        "\\sum\\limits_{i=1}^n i = \\dfrac{n(n+1)}{2}",
        "\\lim_{x \\to 0} \\frac{\\sin x}{x} \\implies \\nabla f \\cdot \\vec v",
        "\\operatorname{softmax}(z)_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}",
        "\\underbrace{a + b}_{c} \\overset{!}{=} \\sqrt[3]{x} \\quad \\text{при } x < 1",
    ] {
        assert!(math::mathml(latex, true).is_some(), "{latex}");
    }
}

#[test]
fn what_is_shown_is_what_was_written() {
    assert_eq!(text_of(&render("$a < b$")).trim(), "a<b");
    assert!(text_of(&render("$\\text{<b>x</b>}$")).contains('x'));
}

#[test]
fn a_formula_is_bounded() {
    let deep = format!("${}x{}$", "{".repeat(5_000), "}".repeat(5_000));
    let long = format!("$x{}$", "+x".repeat(10_000));
    let nested = format!("${}x$", "\\sqrt".repeat(1_500));
    for text in [deep, long, nested] {
        assert!(!render(&text).contains("<math"), "{text:.40}");
    }
    // Many formulas: those beyond the bound are shown as they were written.
    let many = "$x^2+y$ ".repeat(30_000);
    let html = render(&many);
    let read = html.matches("<math").count();
    assert!(read > 1_000 && read * 5 <= math::MAX_ANSWER_BYTES, "{read}");
    assert!(html.contains("math-source"));
}

#[test]
fn a_formula_that_grows_shows_no_half_of_itself() {
    let text = "so \\(\\frac{a}{b}\\) and $x_1$ hold\n\n$$\n\\frac{a}\n{b}\n$$\n\nend";
    let mut stream = Stream::new();
    let mut shown: Vec<String> = Vec::new();
    for (at, c) in text.char_indices() {
        stream.push(c.encode_utf8(&mut [0; 4]));
        for (index, html) in stream.changes() {
            shown.truncate(index);
            assert_eq!(fault(&html), None, "{html}");
            shown.push(html);
        }
        // The source of one in a line is never seen; of one with lines of its own, until its end has come.
        assert!(!text_of(&shown[0]).contains(['\\', '$']), "{at}: {shown:?}");
        assert!(!shown[0].contains("math-source"), "{at}: {shown:?}");
    }
}

proptest! {
    #[test]
    fn whatever_a_formula_says_the_page_is_safe(
        latex in proptest::collection::vec(proptest::sample::select(vec![
            "\\frac", "{", "}", "x", "^", "_", "\\left(", "\\right)", "&", "\\\\", "\\begin{aligned}", "\\end{aligned}",
            "\\begin{array}{c|c}", "\\end{array}", "\\text{", "<", ">", "\"", "'", "\\color{red}", "\\sqrt", "[", "]", "\\hline",
            "\\boxed{", "\\tag{", "\\sum", "\\limits", "\\mathbb", "\\not", "\\u", "#1", "%", "~", "\\,", "\\hspace{1em}", "é", "😀",
            "\\begin{cases}", "\\end{cases}", "\\middle|", "\\overbrace", "\\rule{1em}{2em}", "\\prime", "''", "\\ ",
        ]), 0..30).prop_map(|parts| parts.concat()),
    ) {
        for text in [format!("a \\({latex}\\) b"), format!("$$\n{latex}\n$$")] {
            for block in crate::markdown::render(&text) {
                prop_assert_eq!(fault(&block), None, "{}", block);
            }
        }
    }
}
