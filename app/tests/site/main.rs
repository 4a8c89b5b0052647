//! The whole site over real HTTP and WebSockets, in front of a loopback model server.

mod conversations;
mod doors;
mod endings;
mod faults;
mod feeds;
mod files;
mod incomplete;
mod line;
mod repeats;
mod restart;
mod retuning;
mod sharing;
mod shutdown;
mod support;
mod visit;
