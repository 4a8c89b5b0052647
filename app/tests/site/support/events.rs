//! An event stream of Anteroom's own API, as a program reads it.

use serde_json::Value;

use super::program::Stream;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Event {
    /// How far in the stream it is.
    pub(crate) fn number(&self) -> u64 {
        let (_, number) = self.id.rsplit_once('-').expect("an id with a number");
        number.parse().expect("a number")
    }

    /// The request that it is of.
    pub(crate) fn request(&self) -> &str {
        self.id.rsplit_once('-').expect("an id with a number").0
    }
}

impl Stream {
    /// The next event; `None`: there is none.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        let mut fields = std::collections::BTreeMap::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                if fields.is_empty() {
                    continue;
                }
                let mut field = |name: &str| -> String { fields.remove(name).unwrap_or_default() };
                return Some(Event {
                    id: field("id"),
                    name: field("event"),
                    data: serde_json::from_str(&field("data")).expect("JSON"),
                });
            }
            let (name, value) = line.split_once(':').expect("a field");
            if !name.is_empty() {
                let before = fields.insert(name.to_owned(), value.trim_start().to_owned());
                assert_eq!(before, None, "a field comes once");
            }
        }
    }

    /// All events to come.
    pub(crate) async fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.event().await {
            events.push(event);
        }
        events
    }
}

/// What the model says in them.
pub(crate) fn text_of(events: &[Event]) -> String {
    let parts = events.iter().filter(|event| event.name == "part");
    parts.filter_map(|event| event.data["text"].as_str()).collect()
}
