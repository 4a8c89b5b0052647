//! What came of a refresh, as the feeds of a session are told it.

use std::sync::{Arc, OnceLock};

use crate::{
    language::Language,
    wire::{LogsView, Reason, RefreshKind, StatsView},
};

/// What a tab shows.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    /// The figures.
    Stats(Box<StatsView>),
    /// The records.
    Logs(Box<LogsView>),
}

/// What came of a refresh. All feeds of the session share it, so it is drawn once for each language that its pages are written in.
#[derive(Debug)]
pub struct Answer {
    /// Which it was.
    pub refresh: RefreshKind,
    /// What the tab shows, or why it came to nothing.
    pub outcome: Result<View, Reason>,
    /// In the order of [`Language::ALL`].
    drawn: [OnceLock<Arc<str>>; Language::ALL.len()],
}

impl Answer {
    pub(super) const fn new(refresh: RefreshKind, outcome: Result<View, Reason>) -> Self {
        Self {
            refresh,
            outcome,
            drawn: [const { OnceLock::new() }; Language::ALL.len()],
        }
    }

    /// What it looks like in a language, which `draw` makes where nobody has asked for that before.
    pub fn drawn(&self, language: Language, draw: impl FnOnce() -> String) -> Arc<str> {
        let drawn = self.drawn[language as usize].get_or_init(|| draw().into());
        Arc::clone(drawn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_is_drawn_once() {
        let answer = Answer::new(RefreshKind::Logs, Ok(View::Logs(Box::default())));
        let all = [
            (Language::English, "records", "records"),
            (Language::Russian, "записи", "записи"),
            (Language::English, "again", "records"),
            (Language::Russian, "снова", "записи"),
        ];
        for (language, draws, shows) in all {
            assert_eq!(&*answer.drawn(language, || draws.to_owned()), shows);
        }
    }
}
