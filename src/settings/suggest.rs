//! "Did you mean": a variable's name that was almost hit.

use strsim::damerau_levenshtein;

use super::variables;

/// The variable that `name` is a misspelling of, for a name from `.env`, where every variable is meant for Anteroom.
pub(super) fn misspelt(name: &str) -> Option<&'static str> {
    nearest(name, (name.len() / 5).clamp(1, 3))
}

/// The same for a name from the environment, which is full of other programs' variables: only a near miss of a long
/// name counts there.
pub(super) fn misspelt_in_environment(name: &str) -> Option<&'static str> {
    nearest(name, 2).filter(|known| known.len() >= 10)
}

/// The one of these names that `name` is a misspelling of, written in whichever case.
pub(super) fn among<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let written = name.to_ascii_lowercase();
    let distance = |known: &str| damerau_levenshtein(&written, &known.to_ascii_lowercase());
    closest(known, distance, (name.len() / 3).min(3))
}

fn nearest(name: &str, at_most: usize) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase().replace(['-', '.'], "_");
    closest(variables::names(), |known| damerau_levenshtein(&upper, known), at_most)
}

fn closest<'k>(
    known: impl Iterator<Item = &'k str>,
    distance: impl Fn(&str) -> usize,
    at_most: usize,
) -> Option<&'k str> {
    known
        .map(|known| (distance(known), known))
        .filter(|(distance, _)| *distance <= at_most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_known_for_what_they_are() {
        for (written, meant) in [
            ("CHAT_CONCURENCY_LIMIT", "CHAT_CONCURRENCY_LIMIT"),
            ("CHATS_CONCURENCY_LIMITS", "CHAT_CONCURRENCY_LIMIT"),
            ("chat_timeout", "CHAT_TIMEOUT"),
            ("MODLE", "MODEL"),
            ("GRADIO_ENABLE_QUEU", "GRADIO_ENABLE_QUEUE"),
        ] {
            assert_eq!(misspelt(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn other_names_are_known_in_any_case() {
        let known = ["limit", "models", "key_variable"];
        for (written, meant) in [
            ("Limit", Some("limit")),
            ("limits", Some("limit")),
            ("modles", Some("models")),
            ("keyvariable", Some("key_variable")),
            ("max_running", None),
            ("m", None),
        ] {
            assert_eq!(among(written, known.into_iter()), meant, "{written}");
        }
    }

    #[test]
    fn variables_of_other_programs_are_left_alone() {
        let foreign = [
            "PATH",
            "HOME",
            "MODE",
            "RUST_LIB_BACKTRACE",
            "RUST_BACKTRACE",
            "OLLAMA_HOST",
            "OPENAI_ORG_ID",
            "OPENAI_API_BASE",
            "OPENROUTER_API_KEY",
            "XDG_DATA_DIRS",
            "XDG_DATA_HOME",
            "LOG_LEVEL",
            "SESSION_MANAGER",
            "AWS_SECRET_KEY",
            "GRADIO_SERVER_PORT",
            "GRADIO_SERVER_NAME",
            "GRADIO_SHARE",
            "GRADIO_MAX_FILE_SIZE",
            "LEPTOS_SITE_ADDR",
        ];
        for name in foreign {
            assert_eq!(misspelt_in_environment(name), None, "{name}");
        }
        assert_eq!(misspelt_in_environment("CHAT_TIMEOUTS"), Some("CHAT_TIMEOUT"));
    }

    #[test]
    fn an_old_env_file_may_hold_what_only_gradio_reads() {
        for name in [
            "GRADIO_SERVER_PORT",
            "GRADIO_SERVER_NAME",
            "GRADIO_SHARE",
            "GRADIO_TEMP_DIR",
            "GRADIO_MAX_FILE_SIZE",
            "HF_TOKEN",
        ] {
            assert_eq!(misspelt(name), None, "{name}");
        }
    }
}
