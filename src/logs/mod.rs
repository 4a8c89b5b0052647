//! Log records: to the terminal, and a bounded record per session.
