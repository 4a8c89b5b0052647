//! Sessions: a cookie, its session, its one agent.

mod answer;
mod cookie;
mod credentials;
mod guest;
mod id;
mod key;
mod link;
mod operator;
mod place;
mod presence;
mod registry;
mod session;
pub mod status;
mod told;

pub use answer::{Answer, View};
pub use cookie::CookieJar;
pub use id::SessionId;
pub use key::{CookieKey, KeyError};
pub use place::Place;
pub use presence::Presence;
pub use registry::{Bounds, Sessions};
pub use session::{Attending, Claim, Relisted, Session};
pub use told::Told;
