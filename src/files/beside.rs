//! Where the text of a document is: among the contents, under an id that follows from that of its file.

use uuid::Uuid;

use crate::wire::FileId;

/// The bit of an id's version that no version of ours has set: the ids of texts are no file's.
const TEXT: u128 = 1 << 79;

/// The id of a document's text, and of a text's document.
pub(crate) const fn beside(id: FileId) -> FileId {
    FileId(Uuid::from_u128(id.0.as_u128() ^ TEXT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_beside_its_file_and_under_no_files_id() {
        let id = FileId::new();
        let text = beside(id);
        assert_eq!((text.0.get_version_num(), beside(text)), (0xF, id));
        let (id, text) = (id.to_string(), text.to_string());
        assert_eq!(
            (&id[..14], &id[15..]),
            (&text[..14], &text[15..]),
            "as the sweep of PostgreSQL has it"
        );
    }
}
