//! What is kept of this browser, and how to have it deleted.

use anteroom::text;
use leptos::{ev, prelude::*};

use crate::{
    erase::{Erase as _, Look as _, live},
    feed::{Store, changes},
    route::{OWN_KEYS, Page},
    words::words,
};

/// The page at `/data`. It works without WebAssembly, too.
#[component]
pub(crate) fn DataPage() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let forget = move |event: ev::SubmitEvent| {
        event.prevent_default();
        // A new page, because nothing of this one is true any more.
        changes::forget(store, || drop(window().location().assign("/")));
    };
    let confirmation = live(move || store.facts.look(|facts| facts.confirmation.clone()));
    view! {
        <div class="page" data-testid="data">
            <header class="page-head">
                <h1>{Page::Data.name(words)}</h1>
            </header>
            <section class="panel prose">
                <p>{text!(words, "data-kept")}</p>
                <p>{text!(words, "data-deleted")}</p>
            </section>
            <section class="panel prose own-way">
                <h2>{text!(words, "data-own")}</h2>
                <p>{text!(words, "data-own-what")}</p>
                <p>
                    <a class="button" href=OWN_KEYS rel="external" data-testid="own-keys">
                        {text!(words, "data-own-open")}
                    </a>
                </p>
            </section>
            <section class="panel prose needs-awake">
                <h2>{text!(words, "data-import")}</h2>
                <p>{text!(words, "data-import-what")}</p>
                <label class="button import">
                    {text!(words, "data-import-file")}
                    <input type="file" accept="application/json,.json" data-import="import-failed" data-testid="import" />
                </label>
                <p class="bad" id="import-failed" role="alert" hidden>
                    {text!(words, "reason-not-an-export")}
                </p>
            </section>
            <section class="panel prose">
                <h2>{text!(words, "data-forget")}</h2>
                <p>{text!(words, "data-forget-what")}</p>
                <details class="confirm">
                    <summary class="button" data-testid="forget">
                        {text!(words, "data-forget-begin")}
                    </summary>
                    <form method="post" action="/api/forget" on:submit=forget>
                        <input type="hidden" name="confirmation" value=confirmation autocomplete="off" />
                        <p>{text!(words, "data-forget-really")}</p>
                        <div class="actions">
                            <button class="button button-bad" type="submit" data-testid="forget-really">
                                {text!(words, "data-forget-yes")}
                            </button>
                        </div>
                    </form>
                </details>
            </section>
        </div>
    }
    .erase()
}
