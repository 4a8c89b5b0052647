//! What stands in place of a page while there is no connection. The worker keeps it, and puts in what it knows.

use anteroom::{
    language::{Language, Words},
    say,
};
use leptos::prelude::*;

use crate::components::brand::Wordmark;

const SCRIPT: &str = include_str!("page.js");

/// The document, with places for what the worker puts in: its style, what was read, and a nonce, without which no script in it runs.
pub(super) fn shell(language: Language) -> String {
    Owner::new().with(|| document(Words::of(language)).to_html())
}

/// A sentence with a time in it, which the page fills in.
fn with_time(sentence: &str) -> impl IntoView + use<> {
    let (before, behind) = sentence.split_once(TIME).unwrap_or((sentence, ""));
    view! { {before.to_owned()}<time></time>{behind.to_owned()} }
}

/// Stands for the time in a sentence until then: nothing that is said has it.
const TIME: &str = "\u{fffc}";

fn document(words: &'static Words) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang=words.language().code()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#f6f8f4" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#0e1513" media="(prefers-color-scheme: dark)" />
                <title>{format!("{} · Anteroom", say!(words, "offline"))}</title>
                <link rel="icon" href="/icon.svg" r#type="image/svg+xml" />
                <style>"/*STYLE*/"</style>
            </head>
            <body>
                <header class="along-head">
                    <Wordmark />
                    <a class="button" href="" data-testid="try-again">{say!(words, "offline-try")}</a>
                </header>
                <main class="along offline" id="content">
                    <section class="along-way" data-testid="no-connection">
                        <h1>{say!(words, "offline")}</h1>
                        <p id="since">{with_time(&say!(words, "offline-since", time = TIME))}</p>
                        <p role="status">
                            <span id="looking">{say!(words, "offline-looking")}</span>
                            <strong id="back" hidden>{say!(words, "offline-back")}</strong>
                        </p>
                    </section>
                    <section id="unsent" hidden>
                        <h2>{say!(words, "offline-unsent")}</h2>
                        <p class="quiet">{say!(words, "offline-unsent-what")}</p>
                        <ul></ul>
                    </section>
                    <section id="read" hidden data-testid="read-last">
                        <h2 dir="auto"></h2>
                        <p class="quiet">{with_time(&say!(words, "offline-read-at", time = TIME))}</p>
                        <p class="quiet" id="cut" hidden>{say!(words, "offline-cut")}</p>
                    </section>
                    <p class="quiet" id="missing" hidden>{say!(words, "offline-missing")}</p>
                    <section id="others" hidden>
                        <h2>{say!(words, "offline-others")}</h2>
                        <ul></ul>
                    </section>
                </main>
                <template id="message">
                    <li class="unsent">
                        <p class="message-text" dir="auto"></p>
                        <ul class="chips"></ul>
                        <p class="bad" hidden></p>
                    </li>
                </template>
                <template id="file">
                    <li class="chip">
                        <span class="chip-name" dir="auto"></span>
                    </li>
                </template>
                <template id="turn">
                    <article class="turn" data-testid="turn">
                        <div class="message">
                            <h3 class="who">{say!(words, "you")}</h3>
                            <div class="message-body">
                                <p class="message-text" dir="auto"></p>
                                <ul class="chips"></ul>
                            </div>
                        </div>
                        <div class="reply">
                            <h3 class="who">
                                <span class="visually-hidden">{say!(words, "answer")}</span>
                            </h3>
                            <div class="reply-body">
                                <div class="answer" data-testid="answer"></div>
                                <p class="ended" hidden>{say!(words, "offline-unfinished")}</p>
                            </div>
                        </div>
                    </article>
                </template>
                <script type="application/json" id="told" nonce="NONCE">"/*TOLD*/"</script>
                <script nonce="NONCE">{SCRIPT}</script>
            </body>
        </html>
    }
}
