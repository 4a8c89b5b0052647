//! OpenAI's API, over real HTTP.

mod alike;
mod answers;
mod clients;
mod faults;
mod libraries;
mod lines;
mod others;
mod pictures;
mod repeats;
