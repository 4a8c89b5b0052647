//! Settings that change while the server runs.

use super::{
    Viewer,
    gather::Given,
    load::{Loaded, rows},
    variables::{VARIABLES, Variable},
};
use crate::wire::{SettingNote, SettingValue};

/// One variable that an edit has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The variable.
    pub name: &'static str,
    /// Its value before and after, secrets hidden.
    pub values: (SettingValue, SettingValue),
    /// It cannot change while the server runs: the value of before stays in force.
    pub needs_restart: bool,
}

impl Loaded {
    /// Takes over what `edited` changes, but for what cannot change while the server runs. Returns what is in force then,
    /// and what was changed compared to now.
    #[must_use]
    pub fn reload(&self, mut edited: Self) -> (Self, Vec<Change>) {
        let mut changes = Vec::new();
        let mut notes = Vec::new();
        for variable in &VARIABLES {
            let field = variable.field;
            let (now, then) = (self.given.get(field), edited.given.get(field));
            if text(now) == text(then) {
                continue;
            }
            let values = (shown(variable, now), shown(variable, then));
            if variable.fixed {
                notes.push((variable, values.1.clone()));
            }
            changes.push(Change {
                name: variable.name,
                values,
                needs_restart: variable.fixed,
            });
            if variable.fixed {
                match now.cloned() {
                    Some(now) => edited.given.insert(field, now),
                    None => edited.given.remove(field),
                };
            }
        }
        let [rows, public_rows] = [Viewer::Operator, Viewer::Everybody].map(|viewer| {
            let mut rows = rows(&edited.given, viewer);
            for (variable, then) in &notes {
                if let Some(row) = rows.iter_mut().find(|row| row.name == variable.name) {
                    let hidden = viewer == Viewer::Everybody && variable.private;
                    row.note = Some(SettingNote::NeedsRestart {
                        then: (!hidden).then(|| then.clone()),
                    });
                }
            }
            rows
        });
        let active = Self {
            settings: self.settings.with_those_that_may_change(edited.settings),
            warnings: edited.warnings,
            rows,
            public_rows,
            given: edited.given,
        };
        (active, changes)
    }
}

fn text(given: Option<&Given>) -> Option<&str> {
    given.map(|one| one.text.as_str())
}

fn shown(variable: &Variable, given: Option<&Given>) -> SettingValue {
    given.map_or(SettingValue::Unset, |one| one.shown(variable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        queue::Order,
        settings::{Faults, Settings, tests::another},
    };

    fn file(text: &str) -> Result<Loaded, Faults> {
        Settings::load([], Some(text))
    }

    #[test]
    fn what_may_change_changes_and_the_rest_says_that_it_needs_a_restart() {
        let before = file(
            "CHAT_CONCURRENCY_LIMIT=2\nSITE_ADDR=127.0.0.1:3000\nSECRET_KEY=0123456789012345678901234567890123456789",
        )
        .expect("good");
        let edited = file("CHAT_CONCURRENCY_LIMIT=4\nSITE_ADDR=127.0.0.1:4000\nQUEUE_ORDER=fifo\nSECRET_KEY=9123456789012345678901234567890123456789").expect("good");
        let (after, changes) = before.reload(edited.clone());
        assert_eq!(after.settings.policy.events[0].limit, Some(4));
        assert_eq!(after.settings.policy.order, Order::Fifo);
        assert_eq!(after.settings.site_addr, before.settings.site_addr);
        let said: Vec<_> = changes
            .iter()
            .map(|change| (change.name, change.needs_restart))
            .collect();
        assert_eq!(
            said,
            [
                ("CHAT_CONCURRENCY_LIMIT", false),
                ("QUEUE_ORDER", false),
                ("SITE_ADDR", true),
                ("SECRET_KEY", true)
            ]
        );
        let row = |name: &str| after.rows.iter().find(|row| row.name == name).expect("a row").clone();
        let restart = |then| Some(SettingNote::NeedsRestart { then });
        let text = |text: &str| SettingValue::Text(text.to_owned());
        assert_eq!(row("SITE_ADDR").value, text("127.0.0.1:3000"));
        assert_eq!(row("SITE_ADDR").note, restart(Some(text("127.0.0.1:4000"))));
        assert_eq!(row("SECRET_KEY").note, restart(Some(SettingValue::Hidden)));
        assert_eq!(row("CHAT_CONCURRENCY_LIMIT").note, None);
        let public = after
            .public_rows
            .iter()
            .find(|row| row.name == "SITE_ADDR")
            .expect("a row");
        assert_eq!((&public.value, &public.note), (&SettingValue::Set, &restart(None)));
        // Read once more it still needs one, and taken back it does not.
        let (again, changes) = after.reload(edited);
        assert_eq!(changes.iter().filter(|change| !change.needs_restart).count(), 0);
        assert_eq!(again.rows, after.rows);
        let (back, changes) = after.reload(before.clone());
        assert_eq!((back.settings, changes.len()), (before.settings, 2));
    }

    #[test]
    fn every_setting_is_on_the_side_that_its_variable_says() {
        let defaults = file("").expect("good");
        for variable in &VARIABLES {
            let name = variable.name;
            let edited = file(&format!("{name}={}", another(variable))).expect(name);
            let (after, changes) = defaults.reload(edited.clone());
            let expected = if variable.fixed { &defaults } else { &edited };
            assert_eq!(after.settings, expected.settings, "{name}");
            assert_ne!(edited.settings, defaults.settings, "{name}");
            assert_eq!(changes.len(), 1, "{name}");
        }
    }

    #[test]
    fn the_environment_wins_and_says_so() {
        let environment = [("CHAT_CONCURRENCY_LIMIT".to_owned(), "2".to_owned())];
        let before = Settings::load(environment.clone(), Some("")).expect("good");
        let edited = Settings::load(environment, Some("# more\nCHAT_CONCURRENCY_LIMIT=4")).expect("good");
        let (after, changes) = before.reload(edited);
        assert_eq!((after.settings.policy.events[0].limit, changes), (Some(2), vec![]));
        let row = after
            .rows
            .iter()
            .find(|row| row.name == "CHAT_CONCURRENCY_LIMIT")
            .expect("a row");
        assert_eq!(row.note, Some(SettingNote::EnvironmentWins { line: 2 }));
    }
}
