//! What a model calls a tool.

use sha2::{Digest as _, Sha256};

/// Longest name that every model's format takes.
const LONGEST: usize = 64;
/// Characters of the mark of a name that is not the tool's own.
const MARK: usize = 8;
/// Between the server's name and the tool's.
const BETWEEN: &str = "__";

/// `server__tool`, of what every format takes. Where that is not the tool's name as it is, or could be another's, it ends with a mark of both
/// names, which are then told apart by it.
pub(super) fn name(server: &str, tool: &str) -> String {
    let whole = format!("{server}{BETWEEN}{tool}");
    let plain: String = whole
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    // Where the first of these ends could not be told.
    let unclear = server.contains(BETWEEN) || server.ends_with('_');
    if plain == whole && whole.len() <= LONGEST && !unclear {
        return whole;
    }
    let digest = Sha256::new()
        .chain_update(server)
        .chain_update([0])
        .chain_update(tool)
        .finalize();
    let mark: String = digest.iter().take(MARK / 2).map(|byte| format!("{byte:02x}")).collect();
    let kept: String = plain.chars().take(LONGEST - MARK - 1).collect();
    format!("{kept}_{mark}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_the_tools_own_where_they_can_be() {
        assert_eq!(name("files", "read_file"), "files__read_file");
        assert_eq!(name("a-b", "c-d_e"), "a-b__c-d_e");
    }

    #[test]
    fn names_fit_every_format_and_differ() {
        let long = "t".repeat(80);
        let other = format!("{}x", "t".repeat(79));
        let pairs = [
            ("a", "b__c"),
            ("a__b", "c"),
            ("a_", "b"),
            ("a", "_b"),
            ("a", "b.c"),
            ("a", "b/c"),
            ("a", "b c"),
            ("a", "б"),
            ("a", ""),
            ("server", long.as_str()),
            ("server", other.as_str()),
        ];
        let names: HashSet<_> = pairs.map(|(server, tool)| name(server, tool)).into_iter().collect();
        assert_eq!(names.len(), pairs.len(), "{names:?}");
        for name in names {
            assert!(name.len() <= LONGEST, "{name}");
            assert!(
                name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
                "{name}"
            );
        }
    }
}
