//! Model servers for tests and benches. They speak OpenAI's wire format on loopback addresses, answer at the pace they are
//! told to, fail in the ways they are told to, and record what they saw.
//!
//! [`Loopback`] is one server, [`Fleet`] several in one process. `POST /v1/chat/completions` (streamed or not), `POST /v1/embeddings`, `GET /v1/models`
//! and `GET /health` are the model server. Every answer repeats its question, so that a test can see that each got the
//! answer to its own.
//!
//! How requests are answered is set by [`Knobs`]: for all requests through [`Config`], [`Loopback::set`] or `POST /control`, and
//! for one request by a directive in its last user message, such as
//! `[[first_token=200ms pace=10ms tokens=50 fault=status:500 times=1]]`. What the server itself is like, no message can say:
//! [`Traits`] are turned in the same ways but for that, also while it runs.
//!
//! | a server that | knobs |
//! | --- | --- |
//! | has room for so many at once | `limit=4`, beyond it `over=429` (`retry_after=2s`, or `none`), `503`, or `slower` |
//! | is fast or slow | `first_token=200ms`, `prefill=1ms` (for each token of the prompt), `pace=20ms` or `rate=50` |
//! | has some models only | `models=small,large`, `context=8192` |
//! | reasons first | `reasoning=10` |
//! | calls a tool, however often | `reply=tool` |
//! | says something before it calls | `before=3` |
//! | takes no tools | `tools=false` |
//! | takes no pictures | `vision=false` |
//! | says what it was asked | `reply=request` |
//! | is dead, comes back | `door=closed`, `door=open` ([`Loopback::kill`], [`Loopback::revive`]) |
//! | flaps | `door=2s:500ms` |
//! | takes requests and never answers | `fault=hang` |
//! | sends a byte a second | `fault=drip` |
//! | answers 429 for ever | `fault=status:429` |
//! | is loading its model for a while | `fault=loading lasts=3s` |
//! | fails three times, then is well | `fault=status:500 first=3` |
//! | fails now and then | `fault=status:429 every=10` |
//! | breaks off after three pieces | `fault=close:3` |
//! | resets connections before the first byte | `fault=reset` |
//! | says that another model has answered | `called=other` |
//! | says that it is unwell, and works | `unwell=true` |
//!
//! Where tools are offered, words of the last user message have it call some: `use tool add with {"x": 1} and use tool now, then use tool sub with
//! {"x": 2}` calls two side by side, and a third in a second round; then the answer says what they returned. What stands behind `with` and is no JSON
//! is sent as it is, to the end of the line.
//!
//! | `/control` | |
//! | --- | --- |
//! | `GET /control/record` | the [`Record`] |
//! | `POST /control` | a JSON object of knobs; answers with all of them |
//! | `POST /control/reset` | everything as after the start |
//! | `POST /control/open/{name}` | opens the gate of that name |
//! | `POST /control/release` | lets one held request go on |
//!
//! A fleet has the same on a port of its own, for each server below `/servers/{name}/control`; there `GET /control/record` is the
//! [`FleetRecord`], and `POST /control/reset` resets all.

mod calls;
mod chat;
mod control;
mod door;
mod fault;
mod fleet;
mod gates;
mod knobs;
mod record;
mod reply;
mod request;
mod script;
mod server;
mod shared;
mod traits;
mod values;
mod wire;

pub use fault::Fault;
pub use fleet::{Fleet, FleetError, FleetRecord};
pub use knobs::{Knobs, Reply, RetryAfter};
pub use record::{Change, Ending, Record, RequestRecord};
pub use server::{Config, Loopback};
pub use traits::{Door, Over, Spell, Traits};
pub use values::KnobError;
