//! Turns: takes a message through: accept, line, agent, journal, store.
