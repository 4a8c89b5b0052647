//! The nodes, on the stats tab.

use anteroom::{
    language::Words,
    say, text,
    wire::{NodeRow, StatsView},
};
use leptos::prelude::*;

use super::table::{Row, none, table};
use crate::{erase::Erase as _, format};

/// How each node is and how far it knows the line, where this one may be one of several.
pub(super) fn nodes(words: &'static Words, view: &StatsView) -> Option<AnyView> {
    let heads = [
        text!(words, "nodes-node"),
        text!(words, "limits-running"),
        text!(words, "backends-state"),
        text!(words, "nodes-log"),
    ];
    let rows: Vec<_> = view.nodes.iter().map(|node| row(words, node)).collect();
    let count = rows.len();
    let note = (count > 1).then(|| text!(words, "nodes-note"));
    let figures = || {
        view! {
            {table(text!(words, "nodes"), "node-row", &heads, rows)}
            <p class="quiet" data-testid="nodes-note">
                {note}
            </p>
        }
        .erase()
    };
    (count > 0).then(figures)
}

fn row(words: &Words, node: &NodeRow) -> Row {
    let this = node.this.then(|| say!(words, "nodes-this"));
    let about: Vec<_> = this.into_iter().chain(node.address.clone()).collect();
    let time = format::whole_duration(words, node.seconds.unwrap_or_default());
    Row {
        name: node.name.clone(),
        about: about.join(" · "),
        cells: vec![
            words.number(node.running),
            say!(words, "nodes-is", state = node.state.name(), time = time),
            match (node.applied, node.lag) {
                (None, _) => none(),
                (Some(number), 0) => words.number(number),
                (Some(number), lag) => format!("{} · −{}", words.number(number), words.number(lag)),
            },
        ],
        ..Row::default()
    }
}

#[cfg(test)]
mod tests {
    use anteroom::{language::Language, wire::NodeState};

    use super::*;

    fn said(language: Language, node: &NodeRow) -> String {
        let Row { name, about, cells, .. } = row(Words::of(language), node);
        format!("{name} ({about}): {}", cells.join(" | "))
    }

    #[test]
    fn a_node_is_told_in_words() {
        let mut node = NodeRow {
            name: "n-0a1b2c".to_owned(),
            this: true,
            address: Some("10.0.0.1:8101".to_owned()),
            state: NodeState::TakesPart,
            seconds: None,
            running: 2,
            applied: Some(1234),
            lag: 0,
        };
        assert_eq!(
            said(Language::English, &node),
            "n-0a1b2c (this one · 10.0.0.1:8101): 2 | takes part | 1,234"
        );
        assert_eq!(
            said(Language::Russian, &node),
            "n-0a1b2c (этот · 10.0.0.1:8101): 2 | участвует | 1\u{a0}234"
        );
        (node.this, node.address, node.state, node.lag) = (false, None, NodeState::Behind, 12);
        assert_eq!(said(Language::English, &node), "n-0a1b2c (): 2 | behind | 1,234 · −12");
        assert_eq!(
            said(Language::Russian, &node),
            "n-0a1b2c (): 2 | отстаёт | 1\u{a0}234 · −12"
        );
        (node.state, node.seconds, node.lag, node.applied) = (NodeState::Silent, Some(11.0), 0, None);
        assert_eq!(
            said(Language::English, &node),
            "n-0a1b2c (): 2 | not heard of for 11 s | –"
        );
        assert_eq!(said(Language::Russian, &node), "n-0a1b2c (): 2 | молчит 11 с | –");
        let states = [NodeState::Leaving, NodeState::CutOff].map(|state| {
            node.state = state;
            [Language::English, Language::Russian].map(|language| row(Words::of(language), &node).cells[1].clone())
        });
        assert_eq!(
            states,
            [
                ["about to end", "завершается"],
                ["cannot reach the database", "нет связи с базой"],
            ]
        );
    }
}
