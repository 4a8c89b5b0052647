//! Where what was read of a document is: among the contents, under ids that follow from that of its file.

use uuid::Uuid;

use crate::wire::FileId;

/// The bit of an id's version that no version of ours has set: the ids of texts are no file's.
const TEXT: u128 = 1 << 79;
/// With it, another one that all of ours have: nor are those of pictures.
const PICTURES: u128 = TEXT | 1 << 76;

/// The id of a document's text, and of a text's document.
pub(crate) const fn beside(id: FileId) -> FileId {
    FileId(Uuid::from_u128(id.0.as_u128() ^ TEXT))
}

/// The id of a document's pictures, and of the pictures' document.
pub(crate) const fn pictures_beside(id: FileId) -> FileId {
    FileId(Uuid::from_u128(id.0.as_u128() ^ PICTURES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_beside_its_file_and_under_no_files_id() {
        let id = FileId::new();
        let (text, pictures) = (beside(id), pictures_beside(id));
        assert_eq!((text.0.get_version_num(), beside(text)), (0xF, id));
        assert_eq!((pictures.0.get_version_num(), pictures_beside(pictures)), (0xE, id));
        let id = id.to_string();
        for read in [text.to_string(), pictures.to_string()] {
            assert_eq!(
                (&id[..14], &id[15..]),
                (&read[..14], &read[15..]),
                "as the sweep of PostgreSQL has it"
            );
        }
    }
}
