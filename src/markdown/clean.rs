//! The second fence: lets through exactly what [`super::html`] makes, whatever went wrong there.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use ammonia::{Builder, UrlRelative};

use super::highlight;
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
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
        ]))
        .clean_content_tags(HashSet::from(["script", "style"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "title"])),
            ("button", HashSet::from(["data-copy"])),
            ("input", HashSet::from(["checked", "disabled"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .tag_attribute_values(HashMap::from([
            ("button", HashMap::from([("type", HashSet::from(["button"]))])),
            ("div", scrolls(labels::TABLE)),
            ("input", HashMap::from([("type", HashSet::from(["checkbox"]))])),
            ("pre", scrolls(labels::CODE)),
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
            ("button", HashSet::from(["code-copy"])),
            ("div", HashSet::from(["code", "code-bar", "table-wrap"])),
            ("input", HashSet::from(["task-list-item-checkbox"])),
            ("li", HashSet::from(["task-list-item"])),
            ("ol", HashSet::from(["contains-task-list"])),
            ("p", HashSet::from(["raw"])),
            (
                "span",
                highlight::CLASSES.iter().copied().chain(["code-lang"]).collect(),
            ),
            ("ul", HashSet::from(["contains-task-list"])),
        ]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny);
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
