//! What a guest sees, in pieces: each an element with an id, so that a page that follows gets those that have changed.

use std::collections::BTreeMap;

use anteroom::{
    client::GuestView,
    language::Words,
    say,
    wire::{FileKind, FileView, Place, StepState, TurnState, TurnView},
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::format;

/// The id of the element that the turns stand in.
const TURNS: &str = "along-turns";
/// Most places that are drawn.
const MOST_PLACES: u64 = 12;

/// The pieces of a page, in the order in which they stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pieces {
    title: String,
    line: String,
    turns: Vec<(String, String)>,
}

impl Pieces {
    /// Of what there is to see.
    pub(super) fn of(words: &'static Words, pass: Uuid, view: &GuestView) -> Self {
        let turns = view.conversation.turns.iter();
        Self {
            title: title(&view.conversation.summary.title),
            line: line(words, view),
            turns: turns.map(|one| (turn_id(one), turn(words, pass, one))).collect(),
        }
    }

    /// All of them, as they stand in the page.
    pub(super) fn whole(&self) -> String {
        format!("{}{}{}", self.title, self.line, self.all_turns())
    }

    fn all_turns(&self) -> String {
        let turns: String = self.turns.iter().map(|(_, html)| html.as_str()).collect();
        format!("<div id=\"{TURNS}\">{turns}</div>")
    }

    /// What a page that shows these has to put in the place of the elements of the same ids, or behind the turns where it has none.
    pub(super) fn to(&self, now: &Self) -> Vec<(String, String)> {
        let mut changes = Vec::new();
        for (id, before, html) in [
            ("along-title", &self.title, &now.title),
            ("along-line", &self.line, &now.line),
        ] {
            if before != html {
                changes.push((id.to_owned(), html.clone()));
            }
        }
        let ids = |pieces: &Self| pieces.turns.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
        if !ids(now).starts_with(&ids(self)) {
            // Another version is shown, or earlier turns have gone: then all of it.
            changes.push((TURNS.to_owned(), now.all_turns()));
            return changes;
        }
        let before: BTreeMap<_, _> = self.turns.iter().map(|(id, html)| (id, html)).collect();
        let changed = now.turns.iter().filter(|(id, html)| before.get(id) != Some(&html));
        changes.extend(changed.cloned());
        changes
    }
}

fn turn_id(turn: &TurnView) -> String {
    format!("turn-{}", turn.id)
}

fn title(title: &str) -> String {
    let title = title.to_owned();
    view! { <h1 id="along-title" dir="auto">{title}</h1> }.to_html()
}

/// Where its last message stands.
fn line(words: &'static Words, view: &GuestView) -> String {
    let last = view.conversation.turns.last().map(|turn| &turn.state);
    let (said, time) = match (&view.place, last) {
        (Some(place), _) => (format::short_rank(words, place), Some(time(words, place))),
        (None, Some(TurnState::Waiting)) => (say!(words, "along-joining"), None),
        (None, Some(TurnState::Running)) if view.conversation.turns.last().is_some_and(asks) => {
            (say!(words, "along-asks"), None)
        }
        (None, Some(TurnState::Running)) => (say!(words, "along-running"), None),
        (None, Some(TurnState::Done | TurnState::Incomplete { .. })) => (say!(words, "along-done"), None),
        (None, Some(_)) => (say!(words, "along-no-answer"), None),
        (None, None) => (String::new(), None),
    };
    let state = last.map_or("none", TurnState::name);
    let places = view.place.as_ref().map(places);
    // Only what is said of the place is read out: the time changes every other moment.
    view! {
        <div id="along-line" data-state=state data-testid="along-line">
            {places}
            <p role="status"><strong>{said}</strong></p>
            {time.map(|time| view! { <p class="quiet">{time}</p> })}
        </div>
    }
    .to_html()
}

/// Whether its answer waits for its owner, whom guests cannot speak for.
fn asks(turn: &TurnView) -> bool {
    turn.steps.iter().any(|step| step.state == StepState::Asks)
}

fn time(words: &Words, place: &Place) -> String {
    match &place.trouble {
        Some(trouble) => words.reason(&trouble.reason),
        None => format::estimate(words, place.estimate.as_ref()),
    }
}

/// The line, drawn: those before, and the own place lit.
fn places(place: &Place) -> impl IntoView + use<> {
    let (waiting, position) = (place.waiting.max(place.position), place.position);
    let from = position.saturating_sub(MOST_PLACES).saturating_add(1).min(position);
    let drawn = (from..=waiting).take(usize::try_from(MOST_PLACES).unwrap_or(usize::MAX));
    let drawn = drawn.map(|at| {
        let class = if at == position {
            "along-place lit"
        } else {
            "along-place"
        };
        view! { <span class=class></span> }
    });
    view! { <div class="along-places" aria-hidden="true">{drawn.collect_view()}</div> }
}

/// One message and its answer so far.
fn turn(words: &'static Words, pass: Uuid, turn: &TurnView) -> String {
    let files = turn.files.iter().map(|file| attached(pass, file)).collect_view();
    let blocks = turn.blocks.iter().map(|html| {
        let html = words.labelled(html).to_string();
        view! { <div class="block" dir="auto" inner_html=html></div> }
    });
    let outcome = match &turn.state {
        TurnState::Waiting | TurnState::Done => None,
        TurnState::Running if !turn.blocks.is_empty() || asks(turn) => None,
        TurnState::Running => Some(say!(words, "answer-begins")),
        TurnState::Incomplete { cause } => Some(words.incomplete(*cause).to_string()),
        TurnState::Failed { reason } | TurnState::Expired { reason } => Some(words.reason(reason)),
        TurnState::Cancelled => Some(match turn.started_at {
            Some(_) => say!(words, "turn-stopped"),
            None => say!(words, "turn-left"),
        }),
    };
    let (id, state, message) = (turn_id(turn), turn.state.name(), turn.message.clone());
    view! {
        <article class="turn" id=id data-state=state data-testid="turn">
            <div class="message">
                <h2 class="who">{say!(words, "along-asked")}</h2>
                <div class="message-body">
                    <p class="message-text" dir="auto">{message}</p>
                    <ul class="along-files">{files}</ul>
                </div>
            </div>
            <div class="reply">
                <h2 class="who"><span class="visually-hidden">{say!(words, "answer")}</span></h2>
                <div class="reply-body">
                    <div class="answer" data-testid="answer">{blocks.collect_view()}</div>
                    {outcome.map(|said| view! { <p class="ended">{said}</p> })}
                </div>
            </div>
        </article>
    }
    .to_html()
}

fn attached(pass: Uuid, file: &FileView) -> impl IntoView + use<> {
    let (address, name) = (format!("/along/{pass}/files/{}", file.id), file.name.clone());
    let picture = (file.kind == FileKind::Image).then(|| view! { <img src=address.clone() alt="" /> });
    view! {
        <li>
            <a href=address target="_blank" dir="auto">{picture}{name}</a>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(turns: &[(&str, &str)]) -> Pieces {
        Pieces {
            title: "title".to_owned(),
            line: "line".to_owned(),
            turns: turns
                .iter()
                .map(|(id, html)| ((*id).to_owned(), (*html).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_page_is_told_what_has_changed_and_all_turns_where_some_have_gone() {
        let before = pieces(&[("a", "1"), ("b", "1")]);
        assert_eq!(before.to(&before), []);
        let grown = pieces(&[("a", "1"), ("b", "2"), ("c", "1")]);
        let told = [("b", "2"), ("c", "1")].map(|(id, html)| (id.to_owned(), html.to_owned()));
        assert_eq!(before.to(&grown), told);
        let other = pieces(&[("a", "1"), ("d", "1")]);
        assert_eq!(
            before.to(&other),
            [(TURNS.to_owned(), "<div id=\"along-turns\">11</div>".to_owned())]
        );
        let named = Pieces {
            title: "another".to_owned(),
            ..before.clone()
        };
        assert_eq!(before.to(&named), [("along-title".to_owned(), "another".to_owned())]);
    }
}
