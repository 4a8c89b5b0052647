//! Where a ticket stands, and what the machine remembers of one that runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Time, Wait, arena::Key};
use crate::queue::{BackendIndex, LeaveReason, OrderKey, Owner, TicketId, Work};

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// It is in its line.
    Waiting,
    /// It holds a slot.
    Running(Grant),
    /// It is in no line and holds no slot until it resumes.
    Parked,
    /// It left the line without starting. The machine has forgotten it.
    Left(LeaveReason),
}

/// A slot, given to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// From joining to the start.
    pub waited: Duration,
    /// The place that the ticket started from, or would have had.
    pub order: OrderKey,
    /// The back end whose slot it is, too; `None` for work that needs none.
    pub backend: Option<BackendIndex>,
    /// What the wait was like; `None`: there was none, or it is not known.
    pub wait: Option<Wait>,
}

/// Where the record of a ticket is.
#[derive(Clone, Copy)]
pub(super) enum Record {
    Waiter(Key),
    Running(Key),
    /// Beside, under its id.
    Parked,
}

/// A ticket that holds a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) id: TicketId,
    pub(super) work: Work,
    pub(super) backend: Option<BackendIndex>,
    pub(super) owner: Owner,
    pub(super) joined: Time,
    pub(super) started: Time,
    pub(super) order: OrderKey,
    /// What the wait was like.
    pub(super) wait: Option<Wait>,
    /// It has been parked before.
    #[serde(default)]
    pub(super) resumed: bool,
}

impl Running {
    pub(super) fn grant(&self) -> Grant {
        Grant {
            waited: self.started.saturating_since(self.joined),
            order: self.order,
            backend: self.backend,
            wait: self.wait,
        }
    }
}
