//! Which models of a back end take no tools, as its server has said: they are asked without them at once, and no question pays for finding that out
//! again.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// How long that is taken as true, unless the settings are edited before: a server may be another version by then.
const TRUE_FOR: Duration = Duration::from_hours(24);

/// Those of one back end, by their names. Never more than it has models.
#[derive(Debug, Default)]
pub(super) struct Toolless(HashMap<String, Instant>);

impl Toolless {
    /// The server has said it of a model. `true`: that is news.
    pub(super) fn add(&mut self, model: &str, now: Instant) -> bool {
        let is_news = !self.has(model, now);
        self.0.insert(model.to_owned(), now);
        is_news
    }

    /// Whether a model is known to take none.
    pub(super) fn has(&self, model: &str, now: Instant) -> bool {
        self.0.get(model).is_some_and(|said| now - *said < TRUE_FOR)
    }

    /// It is to be found out anew.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_true_for_a_while_and_for_that_model() {
        let (mut toolless, now) = (Toolless::default(), Instant::now());
        assert!(!toolless.has("m", now));
        assert!(toolless.add("m", now) && !toolless.add("m", now), "news once");
        assert!(toolless.has("m", now + TRUE_FOR - Duration::from_secs(1)) && !toolless.has("n", now));
        let later = now + TRUE_FOR;
        assert!(
            !toolless.has("m", later) && toolless.add("m", later),
            "and once more after that"
        );
        toolless.forget();
        assert!(!toolless.has("m", later));
    }
}
