//! The logs tab: what became of this browser's messages, and, on request, the records themselves: those of its session, and those of the
//! server's start.

use anteroom::{
    language::Words,
    say, text,
    wire::{Event, Level, LogRecord, RefreshKind, Told},
};
use leptos::{html, prelude::*};
use uuid::Uuid;

use super::refreshing::{Freshness, keep_fresh};
use crate::{
    browser,
    erase::{Erase as _, Look as _, each, effect, live, memo, when},
    feed::Store,
    format,
    route::Page,
    words::words,
};

const LEVELS: [Level; 5] = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error];

const fn name(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}

/// Whether a record is asked for. `text` is in lower case.
fn matches(record: &LogRecord, least: Level, text: &str) -> bool {
    let holds = |part: &str| browser::lower_case(part).contains(text);
    record.level >= least
        && (text.is_empty()
            || holds(&record.message)
            || holds(&record.target)
            || record
                .fields
                .iter()
                .any(|(name, value)| holds(&format!("{name}={value}"))))
}

/// The logs tab.
#[component]
pub(crate) fn LogsPage() -> impl IntoView {
    let store = expect_context::<Store>();
    let refresh = store.logs;
    let words = words();
    keep_fresh(store, RefreshKind::Logs, refresh);
    let least = RwSignal::new(Level::Info);
    let text = RwSignal::new(String::new());
    let follow = RwSignal::new(true);
    let end = NodeRef::<html::Div>::new();

    let records = move |startup: bool| {
        let (least, text) = (least.get(), text.look(|text| browser::lower_case(text.trim())));
        refresh.view.look(|view| {
            let Some(view) = view.as_deref() else { return Vec::new() };
            let all = if startup { &view.startup } else { &view.session };
            all.iter()
                .filter(|record| matches(record, least, &text))
                .cloned()
                .collect()
        })
    };
    let session = memo(move || records(false));
    let startup = memo(move || records(true));
    let dropped = move || refresh.view.look(|view| view.as_deref().map_or(0, |view| view.dropped));
    let here = move || refresh.view.look(Option::is_some);
    effect(move || {
        session.track();
        if follow.get() {
            request_animation_frame(move || {
                if let Some(end) = end.get_untracked() {
                    end.set_scroll_top(end.scroll_height());
                }
            });
        }
    });
    // Reading further up is not following.
    let scrolled = move |_| {
        if let Some(end) = end.get_untracked() {
            let at_end = end.scroll_height() - end.scroll_top() - end.client_height() < 24;
            if at_end != follow.get_untracked() {
                follow.set(at_end);
            }
        }
    };
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some(level) = LEVELS.into_iter().find(|level| name(*level) == chosen) {
            least.set(level);
        }
    };
    // The last one first.
    let told = move || {
        refresh.view.look(|view| {
            let told = view.as_deref().map(|view| view.told.iter().rev().cloned());
            told.into_iter().flatten().collect::<Vec<_>>()
        })
    };
    let nothing = move || {
        refresh
            .view
            .look(|view| view.as_deref().is_some_and(|view| view.told.is_empty()))
    };
    let older = move || {
        let count = live(move || say!(words, "logs-dropped", count = dropped()));
        view! { <p class="record-note">{count}</p> }.erase()
    };
    let none = move || {
        let note = move || match here() {
            true => text!(words, "logs-none"),
            false => text!(words, "logs-asking"),
        };
        view! { <p class="record-note needs-awake">{live(note)}</p> }.erase()
    };
    let not_yours =
        move || view! { <p class="record-note" data-testid="startup-hidden">{text!(words, "logs-hidden")}</p> }.erase();
    let hidden = move || {
        refresh
            .view
            .look(|view| view.as_deref().is_some_and(|view| view.startup.is_empty()))
    };
    let options = LEVELS
        .into_iter()
        .map(|level| view! { <option value=name(level) selected=level == Level::Info>{name(level)}</option> }.erase())
        .collect_view();
    view! {
        <div class="page page-logs">
            <header class="page-head">
                <h1>{Page::Logs.name(words)}</h1>
                <Freshness event=Event::LogsRefresh refusal=refresh.refusal />
            </header>
            <section class="panel">
                <h2>{text!(words, "logs-told")}</h2>
                <ul class="told" data-testid="told">
                    {each(told, |told| told.number.to_string(), move |one| row(words, &one))}
                </ul>
                {when(nothing, move || view! { <p class="quiet">{text!(words, "logs-told-none")}</p> }.erase())}
                {when(move || !here(), move || view! { <p class="quiet needs-awake">{text!(words, "logs-asking")}</p> }.erase())}
            </section>
            <details class="panel raw">
                <summary data-testid="logs-raw">
                    <h2>{text!(words, "logs-raw")}</h2>
                </summary>
                <form class="filters" role="search" on:submit=|event| event.prevent_default()>
                    <label>
                        <span>{text!(words, "logs-level")}</span>
                        <select data-testid="log-level" on:change=choose>
                            {options}
                        </select>
                    </label>
                    <label class="filter-text">
                        <span>{text!(words, "logs-text")}</span>
                        <input
                            type="search"
                            placeholder=text!(words, "logs-any")
                            autocomplete="off"
                            data-testid="log-text"
                            on:input=move |event| text.set(event_target_value(&event))
                        />
                    </label>
                    <label class="filter-follow">
                        <input
                            type="checkbox"
                            prop:checked=follow
                            data-testid="log-follow"
                            on:change=move |event| follow.set(event_target_checked(&event))
                        />
                        <span>{text!(words, "logs-follow")}</span>
                    </label>
                </form>
                <section class="panel">
                    <h3>{text!(words, "logs-session")}</h3>
                    <div
                        class="records"
                        tabindex="0"
                        role="log"
                        aria-label=text!(words, "logs-session-records")
                        aria-live="off"
                        node_ref=end
                        on:scroll=scrolled
                    >
                        {when(move || dropped() > 0, older)}
                        <Records records=session />
                        {when(move || session.look(Vec::is_empty), none)}
                    </div>
                </section>
                <details class="panel startup">
                    <summary>
                        <h3>{text!(words, "logs-start")}</h3>
                    </summary>
                    <div class="records" tabindex="0" role="region" aria-label=text!(words, "logs-start-records")>
                        <Records records=startup />
                        {when(hidden, not_yours)}
                    </div>
                </details>
            </details>
        </div>
    }
    .erase()
}

/// What became of a message, as a sentence.
fn row(words: &Words, told: &Told) -> AnyView {
    let sentence = say!(
        words,
        "told",
        what = &told.what,
        waited = format::millis(words, told.waited),
        took = format::millis(words, told.took),
        characters = told.characters
    );
    view! {
        <li>
            <time>{browser::clock(told.at)}</time>
            <span>{sentence}</span>
        </li>
    }
    .erase()
}

/// Records, one a line. Known ones keep their nodes.
#[component]
fn Records(records: Memo<Vec<LogRecord>>) -> impl IntoView {
    let row = |record: LogRecord| {
        let level = name(record.level);
        let fields = record
            .fields
            .into_iter()
            .map(|(name, value)| {
                // Its beginning tells it from others; all of it can be pointed at and copied.
                let id = Uuid::try_parse(&value).is_ok();
                let whole = id.then(|| value.clone());
                view! {
                    <span class="field">
                        <i>{name} "="</i>
                        <span class:id=id title=whole>{value}</span>
                    </span>
                }
                .erase()
            })
            .collect_view();
        view! {
            <p class="record" data-testid="log-record" data-level=level>
                <time>{browser::clock(record.at)}</time>
                <b class="level">{level}</b>
                <span class="record-text">
                    <span class="target">{record.target}</span>
                    {record.message}
                    {fields}
                </span>
            </p>
        }
        .erase()
    };
    each(move || records.get(), |record| record.number.to_string(), row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_found_by_level_and_by_any_part() {
        let record = LogRecord {
            number: 1,
            at: 0,
            level: Level::Warn,
            target: "anteroom::turns".to_owned(),
            message: "The turn was Cancelled".to_owned(),
            fields: vec![("turn".to_owned(), "0190".to_owned())],
        };
        assert!(matches(&record, Level::Info, "cancelled"));
        assert!(matches(&record, Level::Warn, "turn=0190"));
        assert!(matches(&record, Level::Warn, "::turns"));
        assert!(!matches(&record, Level::Error, ""));
        assert!(!matches(&record, Level::Trace, "session"));
    }
}
