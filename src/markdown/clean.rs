//! The second fence: lets through exactly what [`super::html`] makes, whatever went wrong there.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use super::{highlight, math};
use crate::language::labels;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "button",
            "code",
            "del",
            "div",
            "em",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "input",
            "li",
            "ol",
            "p",
            "pre",
            "span",
            "strong",
            "sup",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .add_tags(math::TAGS)
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            (
                "button",
                HashSet::from(["aria-label", "data-copy", "data-name", "data-note", "data-note-back"]),
            ),
            ("input", HashSet::from(["checked", "disabled"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .tag_attribute_values(HashMap::from([
            (
                "button",
                HashMap::from([
                    ("aria-expanded", HashSet::from(["false"])),
                    ("aria-pressed", HashSet::from(["false"])),
                    ("data-tool", HashSet::from(["more", "save", "wrap"])),
                    ("type", HashSet::from(["button"])),
                ]),
            ),
            ("div", scrolls(labels::TABLE)),
            ("input", HashMap::from([("type", HashSet::from(["checkbox"]))])),
            ("pre", {
                let mut attributes = scrolls(labels::CODE);
                attributes.insert("dir", HashSet::from(["ltr"]));
                attributes
            }),
            ("span", {
                let mut attributes = scrolls(labels::FORMULA);
                attributes.insert("dir", HashSet::from(["ltr"]));
                attributes
            }),
            (
                "td",
                HashMap::from([("align", HashSet::from(["left", "center", "right"]))]),
            ),
            (
                "th",
                HashMap::from([("align", HashSet::from(["left", "center", "right"]))]),
            ),
        ]))
        .set_tag_attribute_values(HashMap::from([
            ("a", HashMap::from([("target", "_blank")])),
            // A screen reader says whether it is checked; without a name it could not say what.
            ("input", HashMap::from([("aria-label", labels::DONE)])),
        ]))
        .allowed_classes(HashMap::from([
            (
                "button",
                HashSet::from(["code-copy", "code-more", "code-tool", "note-back", "note-mark"]),
            ),
            ("code", HashSet::from(["math-source"])),
            (
                "div",
                HashSet::from(["code", "code-bar", "long", "note", "note-text", "table-wrap"]),
            ),
            ("input", HashSet::from(["task-list-item-checkbox"])),
            ("li", HashSet::from(["task-list-item"])),
            ("ol", HashSet::from(["contains-task-list"])),
            ("p", HashSet::from(["raw"])),
            (
                "span",
                highlight::CLASSES
                    .iter()
                    .copied()
                    .chain(["code-all", "code-fewer", "code-lang", "math-wrap"])
                    .collect(),
            ),
            ("ul", HashSet::from(["contains-task-list"])),
            ("mrow", math::CLASSES.into_iter().collect()),
            ("mtable", math::CLASSES.into_iter().collect()),
            ("mtd", math::CLASSES.into_iter().collect()),
            ("mtr", math::CLASSES.into_iter().collect()),
        ]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny);
    for tag in math::TAGS {
        cleaner.add_tag_attributes(tag, math::ATTRIBUTES);
    }
    cleaner
});

/// The attributes of what may be wider than the page: it can be scrolled by keyboard, and says what it is.
fn scrolls(label: &'static str) -> HashMap<&'static str, HashSet<&'static str>> {
    HashMap::from([
        ("aria-label", HashSet::from([label])),
        ("role", HashSet::from(["group"])),
        ("tabindex", HashSet::from(["0"])),
    ])
}

/// `html` without anything that is not ours.
pub(super) fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}
