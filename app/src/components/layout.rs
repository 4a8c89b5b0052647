//! The frame around every page.

use anteroom::text;
use leptos::prelude::*;

use super::{
    anchors, announcer::Announcer, attachments::Uploads, beacon, call, header::Header, line::Doors, notice::Notices,
    plain, sidebar::Sidebar,
};
use crate::{
    browser,
    erase::{Erase as _, Look as _, effect},
    feed::{self, Store, unsent},
    words::words,
    writing::drafts,
};

/// On the start page, what was written there last and has not been sent stands where it stood: unless something else is being written
/// there by now.
fn show_unsent(store: Store) {
    let at_start = location().pathname().is_ok_and(|path| path == "/");
    let blank = drafts::read(None).is_empty() && browser::typed(anchors::COMPOSER).is_empty();
    if let Some(last) = store.unbegun.peek(|unbegun| unbegun.last().cloned())
        && at_start
        && blank
    {
        store.fresh.set(last);
    }
}

/// Header, conversations, the page itself, and what has to be told.
#[component]
pub(crate) fn Layout(children: Children) -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    provide_context(Uploads::new(store));
    provide_context(Doors::new());
    provide_context(call::Calls::new());
    beacon::light(store);
    call::start(store);
    effect(move || {
        unsent::watch(store);
        show_unsent(store);
        feed::clock::start(store);
        feed::start(store);
        // From here on the page answers by itself: what stood in for it until now steps back.
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-awake", "true");
        }
    });
    view! {
        <a class="skip" href="#content" rel="external">
            {text!(words, "skip")}
        </a>
        <div class="frame">
            <Header />
            <Sidebar />
            <main class="content" id=anchors::CONTENT tabindex="-1">
                <Notices />
                {plain::notice()}
                {children()}
            </main>
        </div>
        <Announcer />
    }
    .erase()
}
