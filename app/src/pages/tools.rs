//! The servers of tools, on the stats tab.

use anteroom::{
    language::Words,
    say, text,
    wire::{StatsView, ToolServerRow},
};
use leptos::prelude::*;

use super::table::{Row, none, table};
use crate::format;

/// How each server of tools is, where there are some, for the operator.
pub(super) fn tools(words: &'static Words, view: &StatsView) -> Option<AnyView> {
    let heads = [
        text!(words, "tool-servers-server"),
        text!(words, "limits-running"),
        text!(words, "backends-state"),
        text!(words, "tool-servers"),
    ];
    let rows: Vec<_> = view.tools.iter().map(|server| row(words, server)).collect();
    let some = !rows.is_empty();
    some.then(|| table(text!(words, "tool-servers"), "tool-server-row", &heads, rows))
}

fn row(words: &Words, server: &ToolServerRow) -> Row {
    let time = format::whole_duration(words, server.seconds);
    let trouble = server.trouble.as_deref();
    Row {
        name: server.name.clone(),
        wrong: trouble.map_or_else(String::new, |trouble| {
            say!(words, "tool-servers-trouble", trouble = trouble)
        }),
        cells: vec![
            words.number(server.running),
            say!(words, "tool-servers-is", state = server.state.as_str(), time = time),
            server.tools.map_or_else(none, |tools| words.number(tools)),
        ],
        ..Row::default()
    }
}

#[cfg(test)]
mod tests {
    use anteroom::language::Language;

    use super::*;

    fn said(server: &ToolServerRow) -> [String; 2] {
        [Language::English, Language::Russian].map(|language| {
            let Row { name, wrong, cells, .. } = row(Words::of(language), server);
            format!("{name} ({wrong}): {}", cells.join(" | "))
        })
    }

    #[test]
    fn a_server_of_tools_is_told_in_words() {
        let mut server = ToolServerRow {
            name: "files".to_owned(),
            state: "connected".to_owned(),
            seconds: 0.0,
            trouble: None,
            tools: Some(14),
            running: 2,
        };
        assert_eq!(
            said(&server),
            ["files (): 2 | connected | 14", "files (): 2 | подключён | 14"]
        );
        (server.state, server.tools) = ("idle".to_owned(), None);
        assert_eq!(
            said(&server),
            ["files (): 2 | not in use | –", "files (): 2 | не используется | –"]
        );
        server.state = "connecting".to_owned();
        assert_eq!(
            said(&server),
            ["files (): 2 | connecting | –", "files (): 2 | подключается | –"]
        );
        (server.state, server.seconds, server.trouble) = ("out".to_owned(), 63.0, Some("ended".to_owned()));
        assert_eq!(
            said(&server),
            [
                "files (it has ended by itself): 2 | out of service for 1 min 3 s | –",
                "files (завершился сам): 2 | не работает 1 мин 3 с | –"
            ]
        );
        // Each has a sentence of its own.
        let troubles = [
            "cannot_start",
            "ended",
            "too_slow",
            "no_answer",
            "unauthorized",
            "redirected",
            "refused",
            "protocol",
            "closing",
        ];
        let all: std::collections::HashSet<_> = troubles
            .into_iter()
            .map(|trouble| {
                server.trouble = Some(trouble.to_owned());
                said(&server)
            })
            .collect();
        assert_eq!(all.len(), troubles.len());
    }
}
