//! The frame around every page.

use leptos::prelude::*;

use super::{announcer::Announcer, header::Header, notice::Notices, sidebar::Sidebar};
use crate::{
    erase::{Erase as _, effect},
    feed::{self, Store},
};

/// Header, conversations, the page itself, and what has to be told.
#[component]
pub(crate) fn Layout(children: Children) -> impl IntoView {
    let store = expect_context::<Store>();
    effect(move || {
        feed::start(store);
        // From here on the page answers by itself: what stood in for it until now steps back.
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-awake", "true");
        }
    });
    view! {
        <a class="skip" href="#content" rel="external">
            "Skip to the content"
        </a>
        <div class="frame">
            <Header />
            <Sidebar />
            <main class="content" id="content" tabindex="-1">
                <Notices />
                {children()}
            </main>
        </div>
        <Announcer />
    }
    .erase()
}
