//! The server's half of the app.

pub mod assets;
