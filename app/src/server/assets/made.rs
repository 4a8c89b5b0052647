//! Files that the server makes at its start, answered as those that were built: compressed, and asked for again by their ETag.

use axum::{body::Bytes, http::HeaderMap, response::Response};
use sha2::{Digest as _, Sha256};

use super::{Files, Source, words::compressed};

/// One such file.
pub(in crate::server) struct Made {
    path: String,
    files: Files,
}

impl Made {
    /// The file at `/name`.
    pub(in crate::server) fn new(name: &str, text: String) -> Self {
        let plain = text.into_bytes();
        let gzip = source(format!("{name}.gz"), compressed(&plain));
        Self {
            path: format!("/{name}"),
            files: Files::new([source(name.to_owned(), plain), gzip].into_iter()),
        }
    }

    /// Its address.
    pub(in crate::server) fn path(&self) -> &str {
        &self.path
    }

    /// What is answered to a request with these headers.
    pub(in crate::server) fn answer(&self, headers: &HeaderMap) -> Response {
        self.files.answer(&self.path, headers)
    }
}

/// A file as if it had been built.
pub(super) fn source(name: String, body: Vec<u8>) -> Source {
    Source {
        name,
        sha256: Sha256::digest(&body).into(),
        modified: 0,
        body: Bytes::from(body),
    }
}
