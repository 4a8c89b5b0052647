//! What a browser is told about the line.

use serde::{Deserialize, Serialize};

use super::{Event, Reason, TurnId};

/// When a ticket is likely to start: from now, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The hopeful end of the range, in seconds.
    pub low: f64,
    /// The careful end of the range, in seconds.
    pub high: f64,
}

/// One ticket's place in its line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// The turn that waits; `None` for tickets that belong to no turn (a refresh, an upload).
    pub turn: Option<TurnId>,
    /// What it waits to do.
    pub event: Event,
    /// The model that it waits for, by its id; `None`: it waits for none.
    pub model: Option<String>,
    /// 1 for the ticket that starts next.
    pub position: u64,
    /// How many wait in this line, this one included.
    pub waiting: u64,
    /// When it is likely to start; `None` is unknown.
    pub estimate: Option<Estimate>,
    /// Why it cannot start for now, whatever slots are free. Of a model that is not offered any more, this is
    /// [`Reason::ModelGone`] until another one is chosen.
    pub trouble: Option<Trouble>,
}

/// Why nothing starts for now: no server of the model is in service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// What is wrong. Those that wait go on by themselves once it has passed.
    pub reason: Reason,
    /// When it is tried again: from now, in seconds; `None` is unknown.
    pub seconds: Option<f64>,
}

/// One line, as anybody may see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LineView {
    /// The limit's name: its `concurrency_id`, or the event's name.
    pub name: String,
    /// The events that share this limit.
    pub events: Vec<Event>,
    /// Slots in use.
    pub running: u64,
    /// Slots that this session's own tickets are in.
    pub mine: u64,
    /// Slots there are; `None` is unlimited.
    pub limit: Option<u64>,
    /// Tickets that wait.
    pub waiting: u64,
    /// The position of a ticket that joined now, of somebody with nothing waiting; 0: it would start at once.
    /// In the order `fair` that is before the second tickets of others.
    pub newcomer: u64,
    /// When a ticket that joined now would start; `None` is unknown.
    pub estimate: Option<Estimate>,
    /// The model that this line leads to, by its id; `None`: it leads to none.
    pub model: Option<String>,
    /// Why nothing of it starts for now.
    pub trouble: Option<Trouble>,
    /// What is in its slots, the eldest first: a few of them, this session's own among them.
    pub inside: Vec<Inside>,
    /// How long a slot is in use, in the mean of the last ones, in seconds; `None`: nothing has come to an end yet.
    pub usual: Option<f64>,
}

/// One slot in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inside {
    /// Tells it from the others of the line while it is in use.
    pub key: u16,
    /// How long it has been in use.
    pub age: Age,
    /// This session's turn that is answered in it.
    pub turn: Option<TurnId>,
}

/// A time that grows by itself, in seconds, as it was when it was told. Whoever has heard it once can go on counting, so a later one is no
/// news: any two are equal.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Age(pub f64);

impl PartialEq for Age {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Where one session stands: sent when it changes, never numbered, the latest counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The lines of `chat`: one a model that is offered, the default one's first.
    pub lines: Vec<LineView>,
    /// This session's waiting tickets, all events, first to start first.
    pub places: Vec<Place>,
    /// How many of this session's own turns are being answered, those included that wait for a tool.
    pub running: u64,
}

impl Status {
    /// The line of the model that is the default.
    #[must_use]
    pub fn line(&self) -> Option<&LineView> {
        self.lines.first()
    }
}
