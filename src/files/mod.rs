//! Files that people upload: checked by content, kept apart from their names.
//!
//! An upload goes `Vault::begin` → `Upload::write` for each piece → `Upload::finish`. What a file is, is told by its
//! content; its name decides no more than which sort of text it is called. Text is kept as UTF-8 without a byte order
//! mark. A document is kept as it is, and beside it the text and the pictures that `papers` reads of it. Whose a file is, the store knows: the vault is asked only for files that the store has found for a session.

mod beside;
mod contents;
mod error;
mod folder;
mod inspect;
mod name;
mod vault;

pub(crate) use beside::{beside, pictures_beside};
pub use contents::FileContent;
pub(crate) use contents::{Contents, Draft};
pub use error::FileError;
pub(crate) use folder::place_in_data_dir;
pub use inspect::Inspector;
pub(crate) use inspect::image_mime;
pub use name::{harmless, titled};
pub use vault::{Upload, Vault};
