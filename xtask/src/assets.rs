//! A file of the site: its name by its content, and its compressed forms.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};

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

    /// The file in Brotli, as small as it gets.
    pub(crate) fn brotli(&self) -> std::io::Result<Self> {
        let parameters = brotli::enc::BrotliEncoderParams {
            quality: 11,
            lgwin: 24,
            ..Default::default()
        };
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut self.bytes.as_slice(), &mut out, &parameters)?;
        Ok(Self {
            path: format!("{}.br", self.path),
            bytes: out,
        })
    }

    /// The file in gzip, as small as it gets; the same bytes for the same content.
    pub(crate) fn gzip(&self) -> std::io::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&self.bytes)?;
        Ok(Self {
            path: format!("{}.gz", self.path),
            bytes: encoder.finish()?,
        })
    }
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
    fn compressed_forms_hold_the_same() -> std::io::Result<()> {
        let plain = asset("x.js", 5000);
        let (brotli, gzip) = (plain.brotli()?, plain.gzip()?);
        assert_eq!((brotli.path.as_str(), gzip.path.as_str()), ("x.js.br", "x.js.gz"));
        let (mut from_brotli, mut from_gzip) = (Vec::new(), Vec::new());
        brotli::BrotliDecompress(&mut brotli.bytes.as_slice(), &mut from_brotli)?;
        flate2::read::GzDecoder::new(gzip.bytes.as_slice()).read_to_end(&mut from_gzip)?;
        assert_eq!(from_brotli, plain.bytes);
        assert_eq!(from_gzip, plain.bytes);
        assert!(brotli.bytes.len() < 100 && gzip.bytes.len() < 100);
        Ok(())
    }

    #[test]
    fn only_what_gains_by_it_is_compressed() {
        assert!(asset("a.wasm", 600).compressible());
        assert!(!asset("a.wasm", 500).compressible());
        assert!(!asset("a.png", 60_000).compressible());
    }
}
