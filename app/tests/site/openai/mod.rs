//! OpenAI's API, over real HTTP.

mod answers;
mod faults;
mod lines;
mod others;
mod repeats;
