//! What a screen reader is told, and the page's title: where the first of this browser's turns stands.

use std::time::Duration;

use anteroom::{say, text, wire::Event};
use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use leptos_meta::Title;

use crate::{
    browser,
    erase::{Look as _, memo},
    feed::Store,
    format,
    location::here,
    route::{Page, conversation_of},
    words::words,
};

/// Changes that follow each other faster than this are told once, the last one.
const PAUSE: Duration = Duration::from_millis(1500);
/// Positions are told no more often than this, in milliseconds: whoever listens has other things to hear.
const SELDOM: u64 = 10_000;

/// An unseen place where changes of the position are spoken politely, and the title.
#[component]
pub(crate) fn Announcer() -> impl IntoView {
    let store = expect_context::<Store>();
    let words = words();
    let spoken = RwSignal::new(String::new());
    let place = memo(move || store.first_place(Event::Chat));
    let standing = memo(move || {
        let place = place.look(|place| place.as_ref().map(|place| place.position));
        (place, store.status.look(|status| status.running > 0))
    });
    // When a position was told last.
    let told_at = StoredValue::new(0);
    let waiting_to_speak = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<(Option<u64>, bool)>| {
        let now = standing.get();
        let Some(before) = before else { return now };
        let news = match (before, now) {
            // As it is by then.
            (_, (Some(_), _)) => Some(String::new()),
            ((Some(_), _) | (_, false), (None, true)) => Some(say!(words, "spoken-running")),
            ((_, true), (None, false)) => Some(say!(words, "spoken-done")),
            ((Some(_), false), (None, false)) => Some(say!(words, "spoken-left")),
            _ => None,
        };
        if let Some(news) = news {
            let since = browser::now().saturating_sub(told_at.get_value());
            let pause = match news.is_empty() {
                true => PAUSE.max(Duration::from_millis(SELDOM.saturating_sub(since))),
                false => PAUSE,
            };
            let speak = move || {
                let standing = place.try_get_untracked().flatten().filter(|_| news.is_empty());
                if let Some(place) = &standing {
                    told_at.set_value(browser::now());
                    let time = format::estimate(words, place.estimate.as_ref());
                    spoken.set(say!(
                        words,
                        "spoken-place",
                        rank = format::rank(words, place),
                        time = time
                    ));
                } else if !news.is_empty() {
                    spoken.set(news);
                }
            };
            let speak = set_timeout_with_handle(speak, pause).ok();
            let replaced = waiting_to_speak
                .try_update_value(|waiting| std::mem::replace(waiting, speak))
                .flatten();
            if let Some(replaced) = replaced {
                replaced.clear();
            }
        }
        now
    });

    let path = here().path;
    let title = move || {
        if store.is_lost() {
            return say!(words, "title", page = text!(words, "title-lost"));
        }
        let (place, running) = standing.get();
        if let Some(position) = place {
            let kind = words.ordinal(position);
            return say!(
                words,
                "title",
                page = say!(words, "title-waiting", number = position, kind = kind)
            );
        }
        if store.conversations.all.look(|list| list.iter().any(|one| one.asks)) {
            return say!(words, "title", page = text!(words, "title-asks"));
        }
        if running {
            return say!(words, "title", page = text!(words, "title-running"));
        }
        if store.unseen.get() {
            return say!(words, "title", page = text!(words, "title-over"));
        }
        let path = path.get();
        let page = match Page::of(&path) {
            Page::Chat => conversation_of(&path).and_then(|id| {
                store.conversations.all.look(|list| {
                    list.iter()
                        .find(|known| known.id == id)
                        .map(|known| known.title.clone())
                })
            }),
            page => Some(page.name(words)),
        };
        page.map_or_else(|| "Anteroom".to_owned(), |page| say!(words, "title", page = page))
    };
    // The server asks for the title when all has been rendered, and what the title is made of is gone by then: there it
    // has to be a plain text. And leptos_meta writes that into the page as it is, while the browser's half sets it as text: a
    // conversation's title is somebody's words, so here, and only here, they are escaped.
    #[cfg(feature = "ssr")]
    let title = untrack(title).to_html();
    view! {
        <Title text=title />
        <div class="visually-hidden" role="status" aria-live="polite">
            {spoken}
        </div>
    }
}
