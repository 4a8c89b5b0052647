//! Settings that change while the server runs.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    BackendLimit, BackendSettings, ModelSettings, ToolServer, ToolSettings, ToolTransport, Viewer,
    gather::{Given, printable},
    load::{Loaded, rows},
    prompts::Prompt,
    variables::{VARIABLES, Variable},
};
use crate::wire::{SettingNote, SettingValue};

/// One variable that an edit has changed, or one entry of the file of back ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The variable; of an entry the file and its name.
    pub name: String,
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
                name: variable.name.to_owned(),
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
        changes.extend(self.changes_of_file(&edited));
        let (before, after) = (&self.settings.prompts, &edited.settings.prompts);
        if before != after && changes.iter().all(|change| change.name != "PROMPTS_FILE") {
            let count = |prompts: &[Prompt]| SettingValue::Text(prompts.len().to_string());
            changes.push(Change {
                name: "prompts of PROMPTS_FILE".to_owned(),
                values: (count(before), count(after)),
                needs_restart: false,
            });
        }
        changes.extend(tool_servers(&self.settings.tools, &edited.settings.tools));
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
            in_file: edited.in_file,
        };
        (active, changes)
    }

    /// What has changed in the file of back ends, an entry each.
    fn changes_of_file(&self, edited: &Self) -> Vec<Change> {
        let (now, then) = (&self.settings.catalog, &edited.settings.catalog);
        let change = |name: String, before: Option<String>, after: Option<String>| {
            let value = |text: Option<String>| text.map_or(SettingValue::Unset, SettingValue::Text);
            Change {
                name,
                values: (value(before), value(after)),
                needs_restart: false,
            }
        };
        let mut changes = Vec::new();
        let names: BTreeSet<_> = self.in_file.union(&edited.in_file).collect();
        for name in names {
            let in_file = |loaded: &Self| {
                let backends = loaded.settings.catalog.backends.iter();
                let mut backends = backends.filter(|backend| backend.name == *name && loaded.in_file.contains(name));
                backends.next().cloned()
            };
            let (before, after) = (in_file(self), in_file(edited));
            if before != after
                && let Some(origin) = after.as_ref().or(before.as_ref()).map(|backend| backend.origin.clone())
            {
                changes.push(change(
                    origin,
                    before.as_ref().map(backend),
                    after.as_ref().map(backend),
                ));
            }
        }
        let names: BTreeSet<_> = now
            .described
            .iter()
            .chain(&then.described)
            .map(|model| &model.name)
            .collect();
        for name in names {
            let [before, after] = [now, then].map(|catalog| catalog.described.iter().find(|model| model.name == *name));
            if before != after {
                changes.push(change(name.to_string(), before.map(model), after.map(model)));
            }
        }
        changes
    }
}

/// What has changed in the file of tool servers, a server each.
fn tool_servers(before: &ToolSettings, after: &ToolSettings) -> Vec<Change> {
    let names: BTreeSet<_> = before
        .servers
        .iter()
        .chain(&after.servers)
        .map(|server| &server.name)
        .collect();
    let changes = names.into_iter().filter_map(|name| {
        let [before, after] = [before, after].map(|all| all.servers.iter().find(|server| server.name == *name));
        let value = |server: Option<&Arc<ToolServer>>| {
            server.map_or(SettingValue::Unset, |server| SettingValue::Text(tool_server(server)))
        };
        (before != after).then(|| Change {
            name: format!("tool server {name}, of MCP_FILE"),
            values: (value(before), value(after)),
            needs_restart: false,
        })
    });
    changes.collect()
}

/// A server of tools on one line. Where it is, and what it gets, may be secret.
fn tool_server(server: &ToolServer) -> String {
    let mut text = format!("type = {}", server.transport.name());
    if let ToolTransport::Program { command, .. } = &server.transport {
        text.push_str(&format!(", command = {command}"));
    }
    if let Some(limit) = server.limit {
        text.push_str(&format!(", limit = {limit}"));
    }
    if server.is_persons() {
        let inputs = server.own.inputs.iter().map(|input| input.id.as_str());
        text.push_str(&format!(", inputs = {}", inputs.collect::<Vec<_>>().join(" ")));
    }
    printable(&text)
}

/// A back end on one line, as in the file. Its key is hidden.
fn backend(backend: &BackendSettings) -> String {
    let mut text = format!("pool = {}, provider = {}", backend.pool, backend.provider.name());
    let mut say = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(", {key} = {value}"));
        }
    };
    say("url", backend.address.clone());
    say("key", backend.key.as_ref().map(|_| SettingValue::Hidden.to_string()));
    say("models", backend.models.as_ref().map(|models| models.join(" ")));
    say(
        "limit",
        Some(match backend.limit {
            BackendLimit::Slots(slots) => slots.map_or_else(|| "none".to_owned(), |slots| slots.to_string()),
            BackendLimit::Auto => "auto".to_owned(),
        }),
    );
    say("weight", Some(backend.weight.to_string()));
    say("vision", backend.vision.map(|vision| vision.to_string()));
    say("tools", backend.tools.map(|tools| tools.to_string()));
    say("context", backend.context.map(|tokens| tokens.to_string()));
    say("drain", Some(backend.drain.to_string()));
    printable(&text)
}

/// What is said of a model, on one line.
fn model(model: &ModelSettings) -> String {
    let all = [
        ("title", model.title.clone()),
        ("context", model.context.map(|tokens| tokens.to_string())),
        ("input_price", model.input_price.map(|price| price.to_string())),
        ("output_price", model.output_price.map(|price| price.to_string())),
    ];
    let said = all
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key} = {}", value?)));
    printable(&said.collect::<Vec<_>>().join(", "))
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
        settings::{
            Faults, Settings,
            tests::{WHAT_OTHERS_NEED, another, one_back_end},
        },
    };

    fn file(text: &str) -> Result<Loaded, Faults> {
        Settings::load_with([], Some(text), &one_back_end)
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
            .map(|change| (&*change.name, change.needs_restart))
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
        let before: String = WHAT_OTHERS_NEED.map(|(name, text)| format!("{name}={text}\n")).concat();
        let defaults = file(&before).expect("good");
        for variable in &VARIABLES {
            let name = variable.name;
            let edited = file(&format!("{before}{name}={}", another(variable))).expect(name);
            let (after, changes) = defaults.reload(edited.clone());
            let expected = if variable.fixed { &defaults } else { &edited };
            assert_eq!(after.settings, expected.settings, "{name}");
            assert_ne!(edited.settings, defaults.settings, "{name}");
            let (of_entries, of_variables): (Vec<_>, Vec<_>) =
                changes.iter().partition(|change| change.name.contains(", "));
            assert_eq!(of_variables.len(), 1, "{name}");
            let has_entries = matches!(name, "BACKENDS_FILE" | "MCP_FILE");
            assert_eq!(of_entries.len(), usize::from(has_entries), "{changes:?}");
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
