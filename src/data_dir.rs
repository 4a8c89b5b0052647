//! The names of what several rooms look for in a data directory, so that none of them has to import another for it.

/// Where the key that signs the cookies is kept when `SECRET_KEY` is unset.
pub(crate) const KEY_FILE: &str = "secret.key";
/// The folder of the contents of uploaded files. It is made at every start that gets that far.
pub(crate) const FILES_FOLDER: &str = "files";
