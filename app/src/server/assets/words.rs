//! The words of each language as a file of the site, which a browser keeps for ever: its name holds a hash of them.

use std::{io::Write as _, sync::LazyLock};

use anteroom::language::{Language, Words};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};

use super::{HASH_DIGITS, Source, made::source};

static TABLES: LazyLock<[(String, Vec<u8>); Language::ALL.len()]> = LazyLock::new(|| {
    Language::ALL.map(|language| {
        let table = serde_json::to_vec(Words::of_pages(language)).unwrap_or_default();
        let hash: String = Sha256::digest(&table)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        (
            format!("pkg/words-{}.{}.json", language.code(), &hash[..HASH_DIGITS]),
            table,
        )
    })
});

/// Where the browser finds them, in the order of [`Language::ALL`].
pub(super) fn urls() -> [String; Language::ALL.len()] {
    std::array::from_fn(|index| format!("/{}", TABLES[index].0))
}

/// The files, each also compressed.
pub(super) fn sources() -> impl Iterator<Item = Source> {
    TABLES.iter().flat_map(|(name, table)| {
        [
            source(name.clone(), table.clone()),
            source(format!("{name}.gz"), compressed(table)),
        ]
    })
}

/// In gzip.
pub(super) fn compressed(table: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(table);
    encoder.finish().unwrap_or_default()
}
