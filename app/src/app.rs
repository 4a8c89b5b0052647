//! The root component: the routes, and the data that every page starts with.
#![expect(
    unreachable_pub,
    reason = "leptos writes a public struct of properties for every component"
)]

use anteroom::{say, wire::RefreshKind};
use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
#[cfg(feature = "ssr")]
use leptos_router::{
    components::{FlatRoutes, Route, Router},
    path,
};

use crate::{
    components::{broken::Broken, layout::Layout},
    erase::{Erase as _, Look as _, live, memo},
    feed::{Shown, Store},
    initial::{InitialData, Preloaded},
    location::here,
    pages::{chat::ChatPage, data::DataPage, drawn::DrawnPage, missing::MissingPage},
    route::{Page, conversation_of},
    words::words,
};

/// Anteroom's pages, on the server and in the browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    provide_context(Store::new());
    routes()
}

/// The addresses that there are; any other is answered with 404.
#[cfg(feature = "ssr")]
fn routes() -> AnyView {
    let routes = || {
        view! {
            <FlatRoutes fallback=Routes>
                <Route path=path!("/") view=Routes />
                <Route path=path!("/c/:id") view=Routes />
                <Route path=path!("/stats") view=Routes />
                <Route path=path!("/logs") view=Routes />
                <Route path=path!("/data") view=Routes />
            </FlatRoutes>
        }
        .erase()
    };
    view! { <Router>{routes()}</Router> }.erase()
}

/// In the browser every address leads to the same view, which stays while its pages change.
#[cfg(not(feature = "ssr"))]
fn routes() -> AnyView {
    provide_context(crate::location::Here::follow());
    view! { <Routes /> }.erase()
}

/// The pages, once the store holds what they show.
#[component]
fn Routes() -> impl IntoView {
    let store = expect_context::<Store>();
    let path = here().path;
    // Of an address that leads nowhere, nobody needs to be known.
    if path.peek(|path| Page::of(path)) == Page::Missing {
        let words = words();
        // Nothing that tells of the line, and so of a title, is there.
        return view! {
            <Title text=say!(words, "title", page = Page::Missing.name(words)) />
            <main id="content">
                <MissingPage />
            </main>
        }
        .erase();
    }
    let shown = memo(move || path.look(|path| Page::of(path)));
    let page = move || match shown.get() {
        page if !store.shows(page) => view! { <MissingPage /> }.erase(),
        Page::Chat => view! { <ChatPage /> }.erase(),
        Page::Stats => view! { <DrawnPage kind=RefreshKind::Stats /> }.erase(),
        Page::Logs => view! { <DrawnPage kind=RefreshKind::Logs /> }.erase(),
        Page::Data => view! { <DataPage /> }.erase(),
        Page::Missing => view! { <MissingPage /> }.erase(),
    };
    match Preloaded::read() {
        Ok(InitialData { overview, conversation }) => {
            store.open(overview);
            if let Some((id, view)) = conversation {
                store.fill(id, view);
            }
            let conversation = memo(move || match path.look(|path| conversation_of(path)) {
                Some(id) => store.conversation_or_stale(id),
                None => store.fresh.get(),
            });
            provide_context(Shown::new(store, conversation));
            view! { <Layout>{live(page)}</Layout> }.erase()
        }
        Err(reason) => view! { <Broken reason=words().reason(&reason) /> }.erase(),
    }
}
