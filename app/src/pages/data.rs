//! What is kept of this browser, and how to have it deleted.

use leptos::{ev, prelude::*};

use crate::{
    erase::{Erase as _, live},
    feed::{Store, changes},
};

/// The page at `/data`. It works without WebAssembly, too.
#[component]
pub(crate) fn DataPage() -> impl IntoView {
    let store = expect_context::<Store>();
    let forget = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // A new page, because nothing of this one is true any more.
        changes::forget(store, || drop(window().location().assign("/")));
    };
    let confirmation = live(move || store.facts.with(|facts| facts.confirmation.clone()));
    view! {
        <div class="page" data-testid="data">
            <header class="page-head">
                <h1>"Your data"</h1>
            </header>
            <section class="panel prose">
                <p>
                    "This server keeps your conversations and the files in them, so that nothing is lost when you close the page or the "
                    "server restarts. They belong to this browser, which it knows by a cookie: there is no account, and no other "
                    "browser can read them. Whoever runs this server can. Messages also go to the model that answers them."
                </p>
                <p>
                    "A conversation that you delete can be brought back for a moment, then it is removed from the disk. To take "
                    "one along, save it from its menu in the list first."
                </p>
            </section>
            <section class="panel prose">
                <h2>"Delete everything of mine"</h2>
                <p>
                    "All conversations and files of this browser go, from the disk too, and with them this browser's cookie. What waits or "
                    "is being answered is ended. This cannot be undone. Back-ups that were made before still have it."
                </p>
                <details class="confirm">
                    <summary class="button" data-testid="forget">
                        "Delete everything…"
                    </summary>
                    <form method="post" action="/api/forget" on:submit=forget>
                        <input type="hidden" name="confirmation" value=confirmation autocomplete="off" />
                        <p>"Really everything?"</p>
                        <div class="actions">
                            <button class="button button-bad" type="submit" data-testid="forget-really">
                                "Yes, delete everything of mine"
                            </button>
                        </div>
                    </form>
                </details>
            </section>
        </div>
    }
    .erase()
}
