//! The root component: the routes, and the data that every page starts with.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

use std::{fmt, str::FromStr};

use anteroom::wire::{ConversationId, ConversationView};
use leptos::prelude::*;
use leptos_meta::provide_meta_context;
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    hooks::use_location,
    path,
};
use serde::{Deserialize, Serialize};

use crate::{
    api::{self, House},
    components::{broken::Broken, layout::Layout},
    erase::{Erase as _, live, memo},
    feed::Store,
    format,
    pages::{chat::ChatPage, logs::LogsPage, missing::MissingPage, stats::StatsPage},
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
            <Route path=path!("/") view=Furnished ssr=leptos_router::SsrMode::Async />
            <Route path=path!("/c/:id") view=Furnished ssr=leptos_router::SsrMode::Async />
            <Route path=path!("/stats") view=Furnished ssr=leptos_router::SsrMode::Async />
            <Route path=path!("/logs") view=Furnished ssr=leptos_router::SsrMode::Async />
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

/// What the first page is made of. Later pages get theirs from the store.
#[derive(Clone, Serialize, Deserialize)]
struct First {
    house: House,
    /// Of a page that shows one; `None` inside: there is none of this id.
    conversation: Option<(ConversationId, Option<ConversationView>)>,
}

impl First {
    async fn ask(id: Option<ConversationId>) -> Result<Self, ServerFnError> {
        // The house first: its feed number is then no later than the conversation's, and nothing is missed.
        let house = api::house().await?;
        let conversation = match id {
            Some(id) => Some((id, api::conversation(id).await?)),
            None => None,
        };
        Ok(Self { house, conversation })
    }
}

/// [`First`], or the sentence why there is none, on its way from the server to the browser within the page.
/// It is read from bytes, as the answers of server functions are: one set of deserialisers serves both.
#[derive(Clone, Serialize, Deserialize)]
struct Carried(Result<First, String>);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Carried {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_slice(text.as_bytes())
    }
}

/// What an address shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Page {
    /// A conversation, or the start of one.
    Chat,
    Stats,
    Logs,
    Missing,
}

impl Page {
    fn of(path: &str) -> Self {
        match path.trim_end_matches('/') {
            "" => Self::Chat,
            "/stats" => Self::Stats,
            "/logs" => Self::Logs,
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
        Page::Missing => view! { <MissingPage /> }.erase(),
    };
    let first = Resource::new_str_blocking(
        || (),
        move |()| {
            let id = conversation_of(&path.get_untracked());
            async move { Carried(First::ask(id).await.map_err(|error| format::fault(&error))) }
        },
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match first.await.0 {
                    Ok(First { house, conversation }) => {
                        store.open(house);
                        if let Some((id, view)) = conversation {
                            store.fill(id, view);
                        }
                        view! { <Layout>{live(page)}</Layout> }.erase()
                    }
                    Err(reason) => view! { <Broken reason /> }.erase(),
                }
            })}
        </Transition>
    }
    .erase()
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
