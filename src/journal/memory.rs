//! A journal in memory.

/// Keeps a session's events in memory.
pub struct MemoryJournal;
