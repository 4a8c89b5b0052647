//! The figures of the stats tab.
