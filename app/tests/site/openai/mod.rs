//! OpenAI's API, over real HTTP.

mod answers;
mod clients;
mod faults;
mod lines;
mod others;
mod repeats;
