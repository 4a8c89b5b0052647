//! What a first visit takes over the wire, against its budget.

use anyhow::bail;

use crate::site::Size;

/// Most that a first visit may take, in bytes.
const FIRST_VISIT: u64 = 350_000;
/// Of these, what is kept for the page itself, the words of its language, and headers; `app/tests/site/visit.rs` holds them to it.
const PAGE: u64 = 16_700;

/// Prints what a browser loads, file by file, and fails where it is more than the budget.
pub(crate) fn check(files: &[Size]) -> anyhow::Result<()> {
    let row = |what: &str, plain: &str, gzip: &str, brotli: &str| {
        println!("{what:<44} {plain:>12} {gzip:>12} {brotli:>12}");
    };
    println!();
    row("what the browser loads", "plain", "gzip", "brotli");
    for file in files {
        let compressed = |size: Option<u64>| size.map_or_else(|| "-".to_owned(), bytes);
        row(
            &file.path,
            &bytes(file.plain),
            &compressed(file.gzip),
            &compressed(file.brotli),
        );
    }
    let (all, most) = (first_visit(files), FIRST_VISIT - PAGE);
    row("first visit, but for the page itself", "", "", &bytes(all));
    row("its budget", "", "", &bytes(most));
    if all > most {
        bail!(
            "a first visit takes {} more than its budget: see what has grown, or what could be left out",
            bytes(all - most)
        );
    }
    Ok(())
}

/// Not loaded by a visit, but once somebody puts the page on a home screen, asks for what the script does, or opens a tab that needs it: how
/// their paths begin.
const LATER: [&str; 6] = [
    "copy.js",
    "icon-",
    "reading-more.js",
    "sources.js",
    "tabs.js",
    "pkg/tabs.",
];

/// All files that a visit loads, as browsers get them.
fn first_visit(files: &[Size]) -> u64 {
    let later = |file: &&Size| LATER.iter().any(|begin| file.path.starts_with(begin));
    let loaded = files.iter().filter(|file| !later(file));
    loaded.map(|file| file.brotli.unwrap_or(file.plain)).sum()
}

/// A size that a person can read, in units of 1,000.
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0..1_000 => format!("{size} B"),
        1_000..1_000_000 => format!("{}.{} KB", size / 1_000, size % 1_000 / 100),
        _ => format!("{}.{} MB", size / 1_000_000, size % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_000), "1.0 KB");
        assert_eq!(bytes(299_960), "299.9 KB");
        assert_eq!(bytes(12_345_678), "12.3 MB");
    }

    #[test]
    fn a_first_visit_that_is_too_large_is_refused() {
        let files = |wasm| {
            let file = |path: &str, plain, brotli| Size {
                path: path.to_owned(),
                plain,
                brotli,
                gzip: brotli,
            };
            [
                file("pkg/anteroom.wasm", 900_000, Some(wasm)),
                file("icon.svg", 300, None),
            ]
        };
        assert_eq!(first_visit(&files(200_000)), 200_300);
        assert!(check(&files(FIRST_VISIT - PAGE - 300)).is_ok());
        assert!(check(&files(FIRST_VISIT - PAGE - 299)).is_err());
    }
}
