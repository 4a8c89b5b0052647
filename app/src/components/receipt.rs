//! Below an answer that was waited for: how long, who went first, and, for whoever opens it, the way through the line.

use anteroom::{
    language::Words,
    say,
    wire::{Receipt, TurnNotice},
};
use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Look as _, live},
    feed::Turn,
    format::{self, decimal},
    words::words,
};

/// How large the way is drawn. As text too: what writes any number there is would be much for a browser to load.
const BOX: &str = "0 0 320 64";
const FLOOR: &str = "M0 64H320";
const WIDTH: f64 = 320.0;
const HEIGHT: f64 = 64.0;
/// Room for the strokes.
const EDGE: f64 = 3.0;

/// The receipt of a turn, if it has one.
pub(super) fn receipt(turn: Turn) -> AnyView {
    let view = turn.view;
    let shown = move || {
        view.look(|view| {
            let receipt = |notice: &TurnNotice| match notice {
                TurnNotice::Waited(receipt) => Some(drawn(receipt)),
                _ => None,
            };
            view.notices.iter().find_map(receipt)
        })
    };
    live(move || shown().erase()).erase()
}

fn drawn(receipt: &Receipt) -> AnyView {
    let words = words();
    let said = sentence(words, receipt);
    let line = way(receipt);
    let from = say!(
        words,
        "receipt-way",
        place = format::place(words, receipt.position),
        time = format::millis(words, receipt.ms)
    );
    view! {
        <details class="receipt" data-testid="receipt">
            <summary>{said}</summary>
            <svg class="receipt-way" role="img" aria-label=from.clone() viewBox=BOX>
                <path class="receipt-floor" d=FLOOR />
                <path class="receipt-line" d=line />
            </svg>
            <p class="quiet">{from}</p>
        </details>
    }
    .erase()
}

/// `Waited 42 s · passed by nobody · a burst of 20 cost you one place`.
fn sentence(words: &Words, receipt: &Receipt) -> String {
    let Receipt {
        found,
        people,
        own,
        earlier,
        ..
    } = *receipt;
    let before = match (found, people, own) {
        (0, ..) => None,
        // All of one sender, who has had no more of it than others.
        (2.., 1, 0) if earlier < found => Some(say!(words, "receipt-burst", found = found, earlier = earlier)),
        _ => Some(say!(words, "receipt-found", found = found + own, earlier = earlier)),
    };
    [
        Some(say!(words, "receipt-waited", time = format::millis(words, receipt.ms))),
        Some(say!(words, "receipt-passed", count = receipt.later)),
        before,
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ")
}

/// Steps from the first place, at the top left, down to the door.
fn way(receipt: &Receipt) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a drawing")]
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let longest = receipt.path.iter().map(|point| point.position).max().unwrap_or(1);
    let x = |ms: u64| decimal(EDGE + share(ms.min(receipt.ms), receipt.ms) * (WIDTH - 2.0 * EDGE));
    let y = |position: u64| decimal(HEIGHT - EDGE - share(position, longest) * (HEIGHT - 2.0 * EDGE));
    let mut line = format!("M{} {}", x(0), y(receipt.position.min(longest)));
    for point in &receipt.path {
        line.push_str(&format!("H{}V{}", x(point.ms), y(point.position)));
    }
    line.push_str(&format!("H{}V{}", x(receipt.ms), y(0)));
    line
}

#[cfg(test)]
mod tests {
    use anteroom::{language::Language, wire::PathPoint};

    use super::*;

    fn said(receipt: &Receipt) -> String {
        sentence(Words::of(Language::English), receipt)
    }

    #[test]
    fn a_receipt_says_what_was_counted() {
        let burst = Receipt {
            ms: 42_000,
            position: 2,
            found: 20,
            people: 1,
            earlier: 1,
            ..Receipt::default()
        };
        assert_eq!(
            said(&burst),
            "Waited 42 s · passed by nobody · a burst of 20 cost you one place"
        );
        let crowd = Receipt {
            found: 69,
            people: 12,
            earlier: 8,
            later: 0,
            ..burst.clone()
        };
        assert_eq!(
            said(&crowd),
            "Waited 42 s · passed by nobody · of 69 messages before yours, 8 went first"
        );
        let own = Receipt {
            found: 0,
            people: 0,
            own: 3,
            later: 2,
            ..burst
        };
        assert_eq!(
            said(&own),
            "Waited 42 s · 2 who came later went first: it was their turn"
        );
    }

    #[test]
    fn the_way_is_steps_down_to_the_door() {
        let point = |ms, position| PathPoint { ms, position };
        let receipt = Receipt {
            ms: 4_000,
            position: 2,
            path: vec![point(0, 2), point(2_000, 1)],
            ..Receipt::default()
        };
        assert_eq!(way(&receipt), "M3 3H3V3H160V32H317V61");
        assert_eq!(way(&Receipt::default()), "M3 61H3V61");
    }
}
