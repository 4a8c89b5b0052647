//! The root component: the routes, and the data that every page starts with.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

use anteroom::wire::ConversationId;
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    hooks::use_location,
    path,
};

use crate::{
    components::{broken::Broken, layout::Layout},
    erase::{Erase as _, live, memo},
    feed::Store,
    first::{Carried, First},
    pages::{chat::ChatPage, data::DataPage, logs::LogsPage, missing::MissingPage, stats::StatsPage},
};

/// Anteroom's pages, on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Store::new());
    view! {
        <Router>
            {routes()}
        </Router>
    }
    .erase()
}

/// The addresses that there are; any other is answered with 404.
#[cfg(feature = "ssr")]
fn routes() -> AnyView {
    view! {
        <FlatRoutes fallback=Furnished>
            <Route path=path!("/") view=Furnished />
            <Route path=path!("/c/:id") view=Furnished />
            <Route path=path!("/stats") view=Furnished />
            <Route path=path!("/logs") view=Furnished />
            <Route path=path!("/data") view=Furnished />
        </FlatRoutes>
    }
    .erase()
}

/// In the browser every address leads to the same view, which stays while its pages change.
#[cfg(not(feature = "ssr"))]
fn routes() -> AnyView {
    view! {
        <FlatRoutes fallback=|| ()>
            <Route path=path!("/*any") view=Furnished />
        </FlatRoutes>
    }
    .erase()
}

/// What an address shows.
#[derive(Clone, Copy, Debug, PartialEq)]
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
}

/// The conversation that an address names.
pub(crate) fn conversation_of(path: &str) -> Option<ConversationId> {
    path.strip_prefix("/c/")?.trim_end_matches('/').parse().ok()
}

/// The pages, once the store holds what they show.
#[component]
fn Furnished() -> impl IntoView {
    let store = expect_context::<Store>();
    let path = use_location().pathname;
    // Of an address that leads nowhere, nobody needs to be known.
    if path.with_untracked(|path| Page::of(path)) == Page::Missing {
        return view! {
            <main id="content">
                <MissingPage />
            </main>
        }
        .erase();
    }
    let shown = memo(move || path.with(|path| Page::of(path)));
    let page = move || match shown.get() {
        Page::Chat => view! { <ChatPage /> }.erase(),
        Page::Stats => view! { <StatsPage /> }.erase(),
        Page::Logs => view! { <LogsPage /> }.erase(),
        Page::Data => view! { <DataPage /> }.erase(),
        Page::Missing => view! { <MissingPage /> }.erase(),
    };
    match Carried::read() {
        Ok(First { house, conversation }) => {
            store.open(house);
            if let Some((id, view)) = conversation {
                store.fill(id, view);
            }
            view! { <Layout>{live(page)}</Layout> }.erase()
        }
        Err(reason) => view! { <Broken reason /> }.erase(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, conversation_of};

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
}
