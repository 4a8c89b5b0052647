//! A use of a tool, as its owner's browser shows it: what a tool has returned is drawn here, as text that can do nothing.

use std::fmt::Write as _;

use comrak::html::escape;
use serde_json::Value;

use crate::{
    language::labels::IMAGE,
    store::ToolStep,
    wire::{StepContent, StepState, StepView},
};

/// Most of what a tool was told that is shown, in bytes.
const MOST_ARGUMENTS: usize = 8 * 1024;
/// Most text of what it has returned that is shown, likewise.
const MOST_RESULT: usize = 32 * 1024;

/// A step before which so many blocks of the answer stand.
pub(super) fn of(step: &ToolStep, after: usize) -> StepView {
    StepView {
        server: step.server.clone(),
        tool: named(step),
        arguments: told(&step.arguments),
        state: step.state.clone(),
        result: drawn(&step.content),
        began_at: step.began_at,
        ms: step
            .began_at
            .zip(step.ended_at)
            .map(|(began, ended)| ended.saturating_sub(began)),
        round: step.round,
        after,
        content: step.content.clone(),
    }
}

/// What stands for a step while its servers are being connected to.
pub(super) fn connecting(servers: String, round: u32, after: usize) -> StepView {
    StepView {
        server: servers,
        tool: String::new(),
        arguments: String::new(),
        state: StepState::Connects,
        result: String::new(),
        began_at: None,
        ms: None,
        round,
        after,
        content: Vec::new(),
    }
}

/// A tool, as people should see it.
pub(super) fn named(step: &ToolStep) -> String {
    let title = step.title.as_deref().filter(|title| !title.trim().is_empty());
    let name = if step.tool.is_empty() { &step.name } else { &step.tool };
    title.unwrap_or(name).to_owned()
}

/// What a tool was told, as text that people can read.
fn told(arguments: &str) -> String {
    let pretty = serde_json::from_str::<Value>(arguments)
        .ok()
        .filter(|value| value.as_object().is_none_or(|object| !object.is_empty()))
        .and_then(|value| serde_json::to_string_pretty(&value).ok());
    let empty = matches!(arguments.trim(), "" | "{}");
    let text = pretty.unwrap_or_else(|| if empty { String::new() } else { arguments.to_owned() });
    cut(&text, MOST_ARGUMENTS).into_owned()
}

fn cut(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    format!("{}\n…", &text[..text.floor_char_boundary(most)]).into()
}

fn drawn(content: &[StepContent]) -> String {
    let (mut html, mut room) = (String::new(), MOST_RESULT);
    // Writing to a string cannot fail.
    for one in content {
        match one {
            StepContent::Text(text) if room > 0 => {
                html.push_str("<pre class=\"step-text\" dir=\"auto\" tabindex=\"0\">");
                let _ = escape(&mut html, &cut(text, room));
                html.push_str("</pre>");
                room = room.saturating_sub(text.len());
            }
            StepContent::Text(_) => {}
            StepContent::Picture { file, .. } => {
                let _ = write!(
                    html,
                    "<a class=\"step-picture\" href=\"/files/{file}\" target=\"_blank\" rel=\"external noopener\">\
                     <img src=\"/files/{file}\" alt=\"{IMAGE}\" loading=\"lazy\"></a>"
                );
            }
            StepContent::Link { uri, name } => {
                let name = if name.trim().is_empty() { uri } else { name };
                let leads = uri.starts_with("https://") || uri.starts_with("http://");
                html.push_str("<p class=\"step-link\" dir=\"auto\">");
                if leads {
                    html.push_str("<a href=\"");
                    let _ = escape(&mut html, uri);
                    html.push_str("\" target=\"_blank\" rel=\"external noopener noreferrer nofollow\">");
                    let _ = escape(&mut html, name);
                    html.push_str("</a>");
                } else {
                    let _ = escape(&mut html, &format!("{name} ({uri})"));
                }
                html.push_str("</p>");
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::{super::live_steps::tests::asking, *};
    use crate::wire::FileId;

    #[test]
    fn what_a_tool_returns_is_text_and_leads_nowhere_but_to_the_web() {
        let mut step = asking("read", "1");
        step.content = vec![
            StepContent::Text("<script>alert(1)</script> & \"more\"".to_owned()),
            StepContent::Link {
                uri: "javascript:alert(1)".to_owned(),
                name: "<b>click</b>".to_owned(),
            },
            StepContent::Link {
                uri: "https://example.org/?a=1&b=\"><script>".to_owned(),
                name: " ".to_owned(),
            },
        ];
        let html = of(&step, 2).result;
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(!html.contains("href=\"javascript"), "{html}");
        assert!(
            html.contains("href=\"https://example.org/?a=1&amp;b=&quot;&gt;&lt;script&gt;\""),
            "{html}"
        );
        assert!(html.contains("noopener"), "{html}");
    }

    #[test]
    fn long_texts_have_an_end_and_pictures_stay() {
        let file = FileId::new();
        let mut step = asking("read", "1");
        step.arguments = format!("{{\"text\":\"{}\"}}", "ü".repeat(MOST_ARGUMENTS));
        let text = || StepContent::Text("ü".repeat(MOST_RESULT));
        let picture = StepContent::Picture {
            file,
            mime: "image/png".to_owned(),
        };
        step.content = vec![text(), text(), picture];
        let view = of(&step, 0);
        assert!(view.arguments.len() < MOST_ARGUMENTS + 10 && view.arguments.ends_with('…'));
        assert!(view.result.len() < MOST_RESULT + 400 && view.result.contains("…</pre>"));
        assert!(view.result.contains(&format!("src=\"/files/{file}\"")));
    }

    #[test]
    fn arguments_are_shown_as_they_can_be_read() {
        for (written, shown) in [
            ("", ""),
            ("{}", ""),
            ("{\"a\":1}", "{\n  \"a\": 1\n}"),
            ("{\"a\":", "{\"a\":"),
        ] {
            assert_eq!(told(written), shown);
        }
    }
}
