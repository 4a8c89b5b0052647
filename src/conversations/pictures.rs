//! The pictures of documents: those that go along with a question, where its model sees.

use bytes::Bytes;
use tracing::warn;

use super::{Conversations, question::Room};
use crate::{
    agents::Image,
    files::FileError,
    wire::{FileView, Paper, TurnNotice},
};

/// Most pictures of documents in one question, its history included. With more, models are asked with less of each.
pub(super) const MOST: usize = crate::papers::MAX_PICTURES;

impl Conversations {
    /// The pictures of a document, in the order of its pages, as far as there is room; with them, what its model has to be told of them. What
    /// went along is noted for the reader, and that nothing did where there is nothing else in the document.
    pub(super) async fn pictures_of(&self, file: &FileView, paper: Paper, room: &mut Room) -> (Vec<Image>, String) {
        let of = paper.pictures.saturating_add(paper.pictures_left_out);
        if of == 0 {
            return (Vec::new(), String::new());
        }
        let found = match room.sees && paper.pictures > 0 && room.found > 0 {
            true => self.deps.vault.pictures(file.id).await,
            false => Ok(Vec::new()),
        };
        let found = found.unwrap_or_else(|error| {
            if !matches!(error, FileError::Gone) {
                warn!(file = %file.id, %error, "the pictures of a document of this turn cannot be read");
            }
            Vec::new()
        });
        let (mut images, mut pages) = (Vec::new(), Vec::new());
        for picture in found {
            let bytes = picture.bytes.len() as u64;
            if room.found == 0 || bytes > room.pictures {
                break;
            }
            room.found -= 1;
            room.pictures -= bytes;
            pages.push(format!("page {}", picture.page));
            images.push(Image {
                name: format!("{}, page {}", file.name, picture.page),
                mime: picture.format.mime().to_owned(),
                // Of its own, or each would keep all of them.
                bytes: Bytes::copy_from_slice(&picture.bytes),
                found: true,
            });
        }
        let taken = u32::try_from(images.len()).unwrap_or(u32::MAX);
        if taken > 0 || paper.characters == 0 {
            room.notices.push(TurnNotice::Pictures {
                name: file.name.clone(),
                taken,
                of,
            });
        }
        let said = match taken {
            0 => format!("\n(this file has {of} pictures, which you are not shown)"),
            _ => format!(
                "\n({taken} of the {of} pictures in this file come with this message, in this order: {})",
                pages.join(", ")
            ),
        };
        (images, said)
    }
}
