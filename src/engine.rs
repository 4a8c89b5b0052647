//! The engine: every room, put together.
