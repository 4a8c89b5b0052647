//! Sessions: a cookie, its session, its one agent.

mod cookie;
mod id;
mod presence;
mod registry;
mod session;

pub use cookie::{CookieJar, CookieKey, KEY_FILE, KeyError};
pub use id::SessionId;
pub use presence::Presence;
pub use registry::{Bounds, Sessions};
pub use session::{Claim, Registered, Session};
