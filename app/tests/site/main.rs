//! The whole site over real HTTP and WebSockets, in front of a loopback model server.

mod addresses;
mod along;
mod api;
mod choices;
mod conversations;
mod doors;
#[path = "../drawn/mod.rs"]
mod drawn;
mod elsewhere;
mod endings;
mod faults;
mod feeds;
mod files;
mod forms;
mod hostile;
mod incomplete;
#[path = "../installed/mod.rs"]
mod installed;
mod line;
mod nodes;
mod offline;
mod openai;
mod operator;
mod order;
mod own;
mod papers;
mod pictures;
mod pools;
mod program_keys;
mod programs;
mod repeats;
mod restart;
mod retuning;
mod seen;
mod sharing;
mod shelves;
mod shutdown;
mod support;
mod tabs;
mod tasks;
mod titles;
mod visit;
mod webhooks;
