//! What the pages are made of, one component a file.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

pub(crate) mod anchors;
pub(crate) mod announcer;
pub(crate) mod answer;
pub(crate) mod attachments;
mod beacon;
mod behind;
pub(crate) mod brand;
pub(crate) mod broken;
pub(crate) mod button;
mod call;
pub(crate) mod choice;
pub(crate) mod composer;
pub(crate) mod conversation_row;
pub(crate) mod days;
pub(crate) mod facts;
pub(crate) mod header;
pub(crate) mod icon;
pub(crate) mod language;
pub(crate) mod layout;
pub(crate) mod line;
pub(crate) mod message;
pub(crate) mod more;
pub(crate) mod notice;
mod opening;
mod paper;
pub(crate) mod plain;
pub(crate) mod rating;
mod receipt;
pub(crate) mod search;
pub(crate) mod sidebar;
pub(crate) mod steps;
pub(crate) mod theme;
mod thoughts;
pub(crate) mod transcript;
pub(crate) mod trouble;
pub(crate) mod turn;
pub(crate) mod turn_notices;
pub(crate) mod unfinished;
#[cfg(feature = "ssr")]
pub(crate) mod unsent;
pub(crate) mod waiting;
pub(crate) mod welcome;
