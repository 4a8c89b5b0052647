//! Jobs: one piece of work from its line to its outcome, no matter who asked.
//!
//! A job joins the line of its model, waits there, holds a [`Permit`](crate::queue::Permit), has an agent answer in typed [`Part`](crate::agents::Part)s, passes them on to its
//! [`Reader`] and ends with an [`Ending`]. What a conversation is, what is stored and what a page shows, it does not know:
//! conversations are one of those who have jobs done.

mod answer;
mod attempts;
mod line;
mod run;

pub(crate) use answer::{Bounds, Ending, Overflow, Reader, answer, within};
pub(crate) use attempts::{Attempt, Course, attempt};
pub(crate) use line::{Waited, Waiting, join, work};
pub(crate) use run::{Heir, Left, Worked, model_first, paused, run};
