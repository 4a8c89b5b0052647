//! A model server for tests and benches. It speaks OpenAI's wire format on a loopback address, answers at the pace
//! it is told to, fails in the ways it is told to, and records what it saw.
//!
//! `POST /v1/chat/completions` (streamed or not) and `GET /v1/models` are the model server. Every answer repeats its
//! question, so that a test can see that each got the answer to its own.
//!
//! How it answers is set by [`Knobs`]: for all requests through [`Config`], [`Loopback::set`] or `POST /control`, and
//! for one request by a directive in its last user message, such as
//! `[[first_token=200ms pace=10ms tokens=50 fault=status:500 times=1]]`.
//!
//! | `/control` | |
//! | --- | --- |
//! | `GET /control/record` | the [`Record`] |
//! | `POST /control` | a JSON object of knobs; answers with all of them |
//! | `POST /control/reset` | everything as after the start |
//! | `POST /control/open/{name}` | opens the gate of that name |
//! | `POST /control/release` | lets one held request go on |

mod chat;
mod control;
mod fault;
mod gates;
mod knobs;
mod record;
mod reply;
mod request;
mod script;
mod server;

pub use fault::Fault;
pub use knobs::{KnobError, Knobs, Reply};
pub use record::{Ending, Record, RequestRecord};
pub use server::{Config, Loopback};
