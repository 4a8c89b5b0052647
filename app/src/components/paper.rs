//! What was read of a document: how much, what was left out, and the way to the text itself.

use anteroom::{
    say, text,
    wire::{FileView, PaperUnit},
};
use leptos::prelude::*;

use crate::{erase::Erase as _, words::words};

/// A link to the text, which says how much there is. `None`: it is no document.
pub(super) fn paper(file: &FileView) -> Option<AnyView> {
    let paper = file.paper?;
    let words = words();
    let parts = paper.parts;
    let amount = match paper.unit {
        PaperUnit::Whole => None,
        PaperUnit::Pages => Some(say!(words, "paper-pages", parts = parts)),
        PaperUnit::Sheets => Some(say!(words, "paper-sheets", parts = parts)),
        PaperUnit::Chapters => Some(say!(words, "paper-chapters", parts = parts)),
    };
    let characters = say!(words, "paper-characters", characters = paper.characters);
    let left_out = (paper.left_out > 0).then(|| say!(words, "paper-left-out", parts = paper.left_out));
    let blank = (paper.blank > 0).then(|| say!(words, "paper-blank", parts = paper.blank));
    let cut = paper.cut.then(|| text!(words, "paper-cut").to_owned());
    let pictures = (paper.pictures > 0).then(|| say!(words, "paper-pictures", pictures = paper.pictures));
    let without = paper.pictures_left_out;
    let without = (without > 0).then(|| say!(words, "paper-pictures-left-out", pictures = without));
    let facts = [amount, Some(characters), pictures, without, left_out, blank, cut];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let address = format!("/files/{}/text", file.id);
    let said = say!(words, "paper", facts = facts);
    Some(
        view! {
            <a class="chip-read" href=address target="_blank" rel="external noopener" data-testid="paper">{said}</a>
        }
        .erase(),
    )
}
