//! The doors that are not the UI.
