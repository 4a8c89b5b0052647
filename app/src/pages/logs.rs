//! What the logs tab shows: what became of this browser's messages, and, folded away, the records themselves: those of its session, and
//! those of the server's start. `public/tabs.js` filters them, and writes the times in the reader's own zone.

use anteroom::{
    language::Words,
    say, text,
    wire::{Level, LogRecord, LogsView, Told},
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{erase::Erase as _, format};

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

/// The records.
pub(crate) fn logs(words: &'static Words, view: &LogsView) -> AnyView {
    // The last one first.
    let told = view.told.iter().rev().map(|one| row(words, one));
    let nothing = || view! { <p class="quiet">{text!(words, "logs-told-none")}</p> };
    let nothing = view.told.is_empty().then(nothing);
    let older = || {
        let older = say!(words, "logs-dropped", count = view.dropped);
        view! { <p class="record-note">{older}</p> }
    };
    let older = (view.dropped > 0).then(older);
    let not_yours = || view! { <p class="record-note" data-testid="startup-hidden">{text!(words, "logs-hidden")}</p> };
    let not_yours = view.startup.is_empty().then(not_yours);
    view! {
        <section class="panel">
            <h2>{text!(words, "logs-told")}</h2>
            <ul class="told" data-testid="told">
                {told.collect_view()}
            </ul>
            {nothing}
        </section>
        <details class="panel raw">
            <summary data-testid="logs-raw">
                <h2>{text!(words, "logs-raw")}</h2>
            </summary>
            {filters(words)}
            <section class="panel">
                <h3>{text!(words, "logs-session")}</h3>
                <div
                    class="records"
                    tabindex="0"
                    role="log"
                    aria-label=text!(words, "logs-session-records")
                    aria-live="off"
                    data-follows=""
                >
                    {older}
                    {view.session.iter().map(record).collect_view()}
                    <p class="record-note" data-none="">
                        {text!(words, "logs-none")}
                    </p>
                </div>
            </section>
            <details class="panel startup">
                <summary>
                    <h3>{text!(words, "logs-start")}</h3>
                </summary>
                <div class="records" tabindex="0" role="region" aria-label=text!(words, "logs-start-records")>
                    {view.startup.iter().map(record).collect_view()}
                    {not_yours}
                </div>
            </details>
        </details>
    }
    .erase()
}

/// What is asked for of the records.
fn filters(words: &'static Words) -> AnyView {
    let option =
        |level: Level| view! { <option value=name(level) selected=level == Level::Info>{name(level)}</option> };
    view! {
        <form class="filters" role="search">
            <label>
                <span>{text!(words, "logs-level")}</span>
                <select data-testid="log-level" data-least="" autocomplete="off">
                    {LEVELS.map(option).collect_view()}
                </select>
            </label>
            <label class="filter-text">
                <span>{text!(words, "logs-text")}</span>
                <input
                    type="search"
                    placeholder=text!(words, "logs-any")
                    autocomplete="off"
                    data-testid="log-text"
                    data-text=""
                />
            </label>
            <label class="filter-follow">
                <input type="checkbox" checked autocomplete="off" data-testid="log-follow" data-follow="" />
                <span>{text!(words, "logs-follow")}</span>
            </label>
        </form>
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
        <li data-key=told.number>
            <time data-at=told.at></time>
            <span>{sentence}</span>
        </li>
    }
    .erase()
}

/// One record, on one line. It is found by any of its parts, each of which is an element.
fn record(record: &LogRecord) -> AnyView {
    let field = |(name, value): &(String, String)| {
        // Its beginning tells it from others; all of it can be pointed at and copied.
        let id = Uuid::try_parse(value).is_ok().then_some("id");
        view! {
            <span class="field">
                <i>{name.clone()}"="</i>
                <span class=id>{value.clone()}</span>
            </span>
        }
        .erase()
    };
    let level = name(record.level);
    view! {
        <p class="record" data-testid="log-record" data-level=level data-key=record.number>
            <time data-at=record.at></time>
            <b class="level">{level}</b>
            <span class="record-text">
                <span class="target">{record.target.clone()}</span>
                <span>{record.message.clone()}</span>
                {record.fields.iter().map(field).collect_view()}
            </span>
        </p>
    }
    .erase()
}
