//! The edge of the queue within one process: the clock, the lock, wakers and timers around a [`Machine`](super::machine::Machine).
//!
//! - `handle`, `ticket`, `permit`: what callers hold. `shared`: the lock, and the wakes and calls that follow it.
//! - `seats`: what the lock guards: the machine, and who is to be woken when a ticket's state changes.
//! - `curves`: estimates, computed outside the lock. `clock`: tokio's time and the machine's. `changes`: who hears of them.

mod changes;
mod clock;
mod curves;
mod few;
mod handle;
mod permit;
mod seats;
mod shared;
mod ticket;

pub use changes::Changes;
pub use handle::Queue;
pub use permit::{Ended, Permit};
pub use ticket::Ticket;
