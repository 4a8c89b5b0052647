//! Names that cannot do harm, wherever they are shown or saved.

/// Longest name, in characters.
const MAX_CHARS: usize = 100;
/// Longest ending that is kept when a name is cut, in characters.
const MAX_ENDING_CHARS: usize = 12;

/// `name` without folders, characters that mislead or that some system reserves; never empty, never long.
#[must_use]
pub fn harmless(name: &str) -> String {
    let last = name
        .rsplit(['/', '\\'])
        .find(|part| !part.trim().is_empty())
        .unwrap_or_default();
    let name = last.replace(['<', '>', ':', '"', '|', '?', '*'], "_");
    shorten(&tidy(&name).unwrap_or_else(|| "file".to_owned()))
}

/// The name of a file that is called by a title, with this ending. A title is no path: a slash in it stays where it is, as a dash.
#[must_use]
pub fn titled(title: &str, ending: &str) -> String {
    let shown = title.chars().filter_map(|c| match c {
        '/' | '\\' | ':' | '|' => Some('-'),
        '"' => Some('\''),
        '<' => Some('('),
        '>' => Some(')'),
        '*' => Some('_'),
        '?' => None,
        other => Some(other),
    });
    let shown: String = shown.collect();
    // What begins with a dot is hidden.
    let stem = tidy(shown.trim_start_matches(|c: char| c == '.' || c.is_whitespace() || is_invisible(c)));
    shorten(&format!("{}.{ending}", stem.as_deref().unwrap_or("conversation")))
}

/// `name` without what cannot be seen or stands at its ends for nothing, and not called as a device is; `None`: nothing is left.
fn tidy(name: &str) -> Option<String> {
    let name: String = name.chars().filter(|&c| !is_invisible(c)).collect();
    let name = name
        .trim_start()
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    let marked = if is_reserved(name) { "_" } else { "" };
    (!name.is_empty()).then(|| format!("{marked}{name}"))
}

/// The ending of a name, in lower case and without its dot; empty where there is none.
pub(super) fn ending(name: &str) -> String {
    name.rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase())
        .unwrap_or_default()
}

/// Controls, and what changes how the characters around it are shown.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

fn shorten(name: &str) -> String {
    let length = name.chars().count();
    if length <= MAX_CHARS {
        return name.to_owned();
    }
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending)
        .filter(|e| e.chars().count() <= MAX_ENDING_CHARS);
    let ending = ending.map(|ending| format!(".{ending}")).unwrap_or_default();
    let start: String = name.chars().take(MAX_CHARS - 1 - ending.chars().count()).collect();
    format!("{}…{ending}", start.trim_end())
}

/// Names that Windows gives to devices, with whatever ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim().to_ascii_uppercase();
    let device = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || device.is_some_and(|number| {
            matches!(
                number,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_names_are_made_harmless() {
        for (name, shown) in [
            ("notes.md", "notes.md"),
            ("../../x", "x"),
            ("..\\..\\x.txt", "x.txt"),
            ("/etc/passwd", "passwd"),
            ("C:\\autoexec.bat", "autoexec.bat"),
            ("a/", "a"),
            ("..", "file"),
            ("../..", "file"),
            ("", "file"),
            (" \t\n", "file"),
            ("...", "file"),
            (".gitignore", ".gitignore"),
            ("a\0b\nc\u{7f}\u{1b}[31m.txt", "abc[31m.txt"),
            ("invoice\u{202E}fdp.exe", "invoicefdp.exe"),
            ("a\u{200B}\u{FEFF}b.md", "ab.md"),
            ("a<b>:\"|?*.txt", "a_b______.txt"),
            ("CON", "_CON"),
            ("nul.txt", "_nul.txt"),
            ("com1.log.txt", "_com1.log.txt"),
            ("LPT9", "_LPT9"),
            ("console.log", "console.log"),
            ("trailing. . ", "trailing"),
            ("trailing\u{2006} \u{2006}.", "trailing"),
            ("Übersicht 2024 – 最終.csv", "Übersicht 2024 – 最終.csv"),
        ] {
            assert_eq!(harmless(name), shown, "{name:?}");
        }
    }

    #[test]
    fn a_title_becomes_a_name_that_still_says_it() {
        for (title, name) in [
            ("TCP/IP: a \"guide\"", "TCP-IP- a 'guide'.md"),
            ("What does </title> do in HTML?", "What does (-title) do in HTML.md"),
            ("../../etc/passwd", "-..-etc-passwd.md"),
            ("C:\\autoexec.bat", "C--autoexec.bat.md"),
            ("1 < 2 * 3 | x", "1 ( 2 _ 3 - x.md"),
            ("v1.2 of it…", "v1.2 of it….md"),
            ("etc.", "etc.md"),
            ("nul", "_nul.md"),
            ("…", "….md"),
            ("???", "conversation.md"),
            (". .", "conversation.md"),
            ("\u{202E}\0", "conversation.md"),
            ("a\u{202E}b\nc", "abc.md"),
            ("Übersicht – 最終 😀", "Übersicht – 最終 😀.md"),
        ] {
            assert_eq!(titled(title, "md"), name, "{title:?}");
        }
        let long = titled(&"ä/".repeat(5_000), "json");
        assert_eq!(long.chars().count(), MAX_CHARS);
        assert!(long.ends_with("….json"), "{long}");
    }

    #[test]
    fn long_names_keep_their_ending() {
        let name = harmless(&format!("{}.csv", "ä".repeat(5_000)));
        assert_eq!(name.chars().count(), MAX_CHARS);
        assert!(name.ends_with("ä….csv"));
        assert_eq!(harmless(&format!("a.{}", "b".repeat(5_000))).chars().count(), MAX_CHARS);
        assert_eq!(harmless(&"/".repeat(100_000)), "file");
        let device = harmless(&format!("con.{}", "b".repeat(500)));
        assert_eq!(device.chars().count(), MAX_CHARS);
        assert_eq!(harmless(&device), device);
    }

    proptest::proptest! {
        /// So that a name may be made harmless wherever it is about to do harm.
        #[test]
        fn what_is_harmless_stays_as_it_is(
            name in "(con|nul\\.)?([ab]{0,60}|[ ._\u{2006}\u{200B}\u{A0}/:…\\t]{0,4}|\\PC){0,6}(\\.[ab. ]{0,14})?"
        ) {
            let shown = harmless(&name);
            proptest::prop_assert_eq!(harmless(&shown), shown);
            let titled = titled(&name, "md");
            proptest::prop_assert_eq!(harmless(&titled), titled);
        }
    }
}
