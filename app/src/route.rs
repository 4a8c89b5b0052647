//! The addresses of the site, and what they are called. A page is added here, and shown in `app.rs`.

use anteroom::{
    language::Words,
    say,
    wire::{ConversationId, RefreshKind},
};

/// What an address shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// A conversation, or the start of one.
    Chat,
    Stats,
    Logs,
    /// What is kept of this browser.
    Data,
    Missing,
}

impl Page {
    /// Those that have a tab, in this order.
    pub(crate) const TABS: [Self; 3] = [Self::Chat, Self::Stats, Self::Logs];

    pub(crate) fn of(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "" => Self::Chat,
            "/stats" => Self::Stats,
            "/logs" => Self::Logs,
            "/data" => Self::Data,
            path if path.starts_with("/c/") => Self::Chat,
            _ => Self::Missing,
        }
    }

    /// Its own address. (A conversation's begins with `/c/`.)
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat | Self::Missing => "/",
            Self::Stats => "/stats",
            Self::Logs => "/logs",
            Self::Data => "/data",
        }
    }

    /// What it shows, where that is figures or records, which the settings may keep from people.
    pub(crate) const fn refreshed(self) -> Option<RefreshKind> {
        match self {
            Self::Stats => Some(RefreshKind::Stats),
            Self::Logs => Some(RefreshKind::Logs),
            Self::Chat | Self::Data | Self::Missing => None,
        }
    }

    /// What it is called, on its tab and in the browser's title.
    pub(crate) fn name(self, words: &Words) -> String {
        match self {
            Self::Chat => say!(words, "page-chat"),
            Self::Stats => say!(words, "page-stats"),
            Self::Logs => say!(words, "page-logs"),
            Self::Data => say!(words, "page-data"),
            Self::Missing => say!(words, "page-missing"),
        }
    }
}

/// Where people give keys of their own for tools: a page that the server makes by itself.
pub(crate) const OWN_KEYS: &str = "/data/tools";

/// The path of an address of this site.
#[cfg(not(feature = "ssr"))]
pub(crate) fn path_of(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// The conversation that an address names.
pub(crate) fn conversation_of(path: &str) -> Option<ConversationId> {
    path.strip_prefix("/c/")?.trim_end_matches('/').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_conversation_or_none() {
        let id = "0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f";
        assert_eq!(
            conversation_of(&format!("/c/{id}")).map(|id| id.to_string()).as_deref(),
            Some(id)
        );
        assert_eq!(conversation_of("/"), None);
        assert_eq!(
            ["/", "/c/1", "/stats", "/logs/", "/log"].map(Page::of),
            [Page::Chat, Page::Chat, Page::Stats, Page::Logs, Page::Missing]
        );
        assert_eq!(conversation_of("/c/../../etc"), None);
    }

    #[test]
    fn a_pages_own_address_leads_to_it() {
        for page in Page::TABS.into_iter().chain([Page::Data]) {
            assert_eq!(Page::of(page.path()), page);
        }
    }
}
