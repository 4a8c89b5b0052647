//! The whole site over real HTTP and WebSockets, in front of a loopback model server.

mod addresses;
mod choices;
mod conversations;
mod doors;
mod endings;
mod faults;
mod feeds;
mod files;
mod forms;
mod hostile;
mod incomplete;
mod line;
mod nodes;
mod openai;
mod operator;
mod pools;
mod repeats;
mod restart;
mod retuning;
mod seen;
mod sharing;
mod shutdown;
mod support;
mod tasks;
mod visit;
mod webhooks;
