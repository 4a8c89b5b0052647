//! Waiting for a slot for as long as somebody is there who wants it.

use std::{future::Future, time::Duration};

use crate::{
    queue::{LeaveReason, Permit, Queue, Ticket},
    sessions::Session,
};

/// Waits until `ticket` is admitted, is `cancelled`, or the browser of its session has been gone for as long as
/// `patience` says. A ticket that is not admitted has left the line by then, and gives back a slot that came too late.
///
/// Cancel-safe: dropped before it returns, the ticket leaves the line.
///
/// # Errors
/// [`LeaveReason`]: it left the line without starting.
pub async fn admitted(
    queue: &Queue,
    mut ticket: Ticket,
    session: &Session,
    patience: impl Fn() -> Option<Duration>,
    cancelled: impl Future<Output = ()>,
) -> Result<Permit, LeaveReason> {
    let left = tokio::select! {
        biased;
        () = cancelled => LeaveReason::Cancelled,
        admitted = ticket.admitted() => return admitted,
        () = session.presence().gone(patience) => LeaveReason::Abandoned,
    };
    queue.leave(ticket.id(), left);
    Err(left)
}
