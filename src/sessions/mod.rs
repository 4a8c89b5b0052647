//! Sessions: a cookie, its session, its one agent.

mod cookie;
mod id;
mod operator;
mod presence;
mod registry;
mod session;
mod told;

pub(crate) use cookie::KEY_FILE;
pub use cookie::{CookieJar, CookieKey, KeyError};
pub use id::SessionId;
pub use presence::Presence;
pub use registry::{Bounds, Sessions};
pub use session::{Claim, Registered, Session};
pub use told::Told;
