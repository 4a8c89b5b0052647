//! When a waiting ticket is likely to start.
//!
//! A reader gets a range that at least eight starts of ten are to fall into, also when only twenty turns have been seen, the
//! work is long-tailed and a single slot serves a burst. So it runs from the 6 % quantile of the predicted start to the
//! 96 % one (`LOW` and `HIGH` in `curve`): more above than below, for with long-tailed work the surprises are late ones,
//! and a small window has seen few of them. (A range from the median up to the 90 % quantile would hold four starts of ten.)
//!
//! Method, from the last holding times of the line's events ([`Window`]; every ending counts, for a slot that was held
//! was held):
//! - near the head, a small simulation: what runs gets a remaining time drawn from the samples that are longer than it has
//!   run already, what waits gets drawn times, and each ticket in turn starts on the slot that comes free first (list
//!   scheduling). See [`simulate`];
//! - in the line of a pool the slots belong to back ends, each with its own pace, and the ticket gets the one that comes free first; slots that
//!   other pools use, too, go to their tickets as often as their owners have a share in the turns;
//! - further back, sums of many holding times are close to normal: the mean grows by `mean/slots` a place, the variance by
//!   `variance/slots²`, and the doubt about the mean itself, which grows with the distance, dominates in the end.
//!
//! A window is a small sample, and both parts say so: the mean is taken as known to within its standard error only, and a
//! longer time than any seen has the chance that the rule of succession gives it (one in n + 1).
//!
//! Unknown until [`LEAST`] holding times have been seen. The curve of a line is computed once and read by all who wait there, until
//! something starts or ends; the seed is fixed, so equal situations show equal figures.

mod curve;
mod random;
mod service;
mod simulate;
mod window;

use std::time::Duration;

use super::Time;

pub(in crate::queue) use curve::{Curve, CurveKey};
pub(super) use window::Window;

/// Places whose starts are simulated; those behind are extrapolated.
pub(super) const NEAR: usize = 32;

/// Fewest holding times that an estimate is made from.
const LEAST: usize = 3;

/// When a ticket is likely to start: durations from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartRange {
    /// Hopeful: fewer than one start of ten is earlier.
    pub low: Duration,
    /// Careful: fewer than one start of ten is later.
    pub high: Duration,
}

/// What an estimate rests on: a copy, so that nothing is computed under the queue's lock.
pub(in crate::queue) struct Situation {
    pub(super) now: Time,
    /// Slots that this line can use. 0: the first that anybody gives back.
    pub(super) slots: usize,
    pub(super) running: Vec<RunningFor>,
    /// By kind of work: the events of the line; in the line of a pool, what it is at each of its back ends, and then what others do there.
    pub(super) windows: Vec<Window>,
    /// The kinds of the tickets at the head, as places in `windows`; empty where there is only one, or the back end decides.
    pub(super) ahead: Vec<usize>,
    /// By kind, how many wait.
    pub(super) waiting: Vec<usize>,
    /// Slots of each back end, the first kinds of `windows` in their order; empty where the work needs none.
    pub(super) servers: Vec<usize>,
    pub(super) rivals: Rivals,
}

/// Who else could use the slots of this line.
#[derive(Clone, Copy, Default)]
pub(super) struct Rivals {
    /// Their tickets.
    pub(super) tickets: usize,
    /// The part of the turns that is theirs, from 0 to 1.
    pub(super) share: f64,
}

/// Something that runs.
pub(super) struct RunningFor {
    /// Its kind as a place in `windows`; `None` for an event of another line.
    pub(super) service: Option<usize>,
    /// The back end whose slot comes free with it, as a place in `servers`.
    pub(super) server: usize,
    pub(super) age: Duration,
}
