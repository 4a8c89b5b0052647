//! A file of the site: its name by its content, and its compressed forms.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::step;

/// Digits of the content hash in a name. `app/src/server/assets.rs` tells a hash from a word by their number.
const HASH_DIGITS: usize = 16;
/// Files below this many bytes fit one packet with their headers; compressing them gains nothing.
const WORTH_COMPRESSING: usize = 512;

/// A file of the site.
pub(crate) struct Asset {
    /// Path below the site's folder, with forward slashes.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
}

impl Asset {
    /// A file whose name tells its content: `pkg/anteroom.js` becomes `pkg/anteroom.<hash>.js`.
    pub(crate) fn hashed(path: &str, bytes: Vec<u8>) -> Self {
        Self {
            path: hashed_path(path, &digest(&bytes)),
            bytes,
        }
    }

    /// Whether compressing is of use: not for what is compressed already, nor for what is tiny.
    pub(crate) fn compressible(&self) -> bool {
        const TEXTS: [&str; 10] = [
            "css",
            "html",
            "ico",
            "js",
            "json",
            "mjs",
            "svg",
            "txt",
            "wasm",
            "webmanifest",
        ];
        let extension = self.path.rsplit('.').next().unwrap_or_default();
        self.bytes.len() >= WORTH_COMPRESSING && TEXTS.contains(&extension)
    }
}

/// Writes the compressed forms of a file beside it. Node.js has both compressors, and a release needs it anyway.
pub(crate) fn compress(file: &Path) -> anyhow::Result<()> {
    let mut node = Command::new("node");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("npm/compress.mjs");
    step::run(node.arg(script).arg(file)).context("this needs Node.js 20 or later (https://nodejs.org)")
}

/// SHA-256, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn hashed_path(path: &str, digest: &str) -> String {
    let hash = &digest[..HASH_DIGITS];
    match path.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
        None => format!("{path}.{hash}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read as _;

    fn asset(path: &str, size: usize) -> Asset {
        Asset {
            path: path.to_owned(),
            bytes: vec![b'a'; size],
        }
    }

    #[test]
    fn a_name_tells_the_content() {
        let a = Asset::hashed("pkg/anteroom.js", b"a".to_vec());
        // The first digits of the SHA-256 of "a".
        assert_eq!(a.path, "pkg/anteroom.ca978112ca1bbdca.js");
        assert_eq!(a.path, Asset::hashed("pkg/anteroom.js", b"a".to_vec()).path);
        assert_ne!(a.path, Asset::hashed("pkg/anteroom.js", b"b".to_vec()).path);
    }

    #[test]
    fn compressed_forms_hold_the_same() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("x.js");
        let text = "a".repeat(5_000);
        fs::write(&file, &text)?;
        compress(&file)?;
        let mut read = String::new();
        flate2::read::GzDecoder::new(fs::File::open(folder.path().join("x.js.gz"))?).read_to_string(&mut read)?;
        assert_eq!(read, text);
        let script = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))";
        let mut node = Command::new("node");
        node.args(["--eval", script])
            .stdin(fs::File::open(folder.path().join("x.js.br"))?);
        assert_eq!(step::output(&mut node)?, text);
        for ending in ["br", "gz"] {
            assert!(fs::metadata(folder.path().join(format!("x.js.{ending}")))?.len() < 100);
        }
        Ok(())
    }

    #[test]
    fn only_what_gains_by_it_is_compressed() {
        assert!(asset("a.wasm", 600).compressible());
        assert!(!asset("a.wasm", 500).compressible());
        assert!(!asset("a.png", 60_000).compressible());
    }
}
