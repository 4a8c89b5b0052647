//! Loopback
