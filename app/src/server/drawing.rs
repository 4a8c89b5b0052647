//! The stats and the logs tab, drawn for pages: the same components as ever, but made here, so that no browser needs to have them.

use anteroom::{
    http::Draws,
    language::{Language, Words},
    wire::{LogsView, StatsView},
};
use leptos::prelude::*;

use super::assets;
use crate::pages::{logs::logs, stats::stats};

/// Draws both tabs.
pub(super) struct Tabs;

impl Draws for Tabs {
    fn stats(&self, view: &StatsView, language: Language) -> String {
        html(|| stats(Words::of(language), view))
    }

    fn logs(&self, view: &LogsView, language: Language) -> String {
        html(|| logs(Words::of(language), view))
    }
}

/// With the style sheet that only these tabs need, which `public/tabs.js` moves to where style sheets stand.
fn html(view: impl FnOnce() -> AnyView) -> String {
    let drawn = Owner::new().with(|| {
        let view = view();
        view! {
            <link rel="stylesheet" href=assets::sheet_of_tabs() />
            {view}
        }
        .to_html()
    });
    // What leptos would find its way by in the browser, where it has no hand in this. In a text none of it stands like this.
    drawn.replace("<!>", "")
}

#[cfg(test)]
mod tests {
    use anteroom::wire::{Level, LogRecord, Told};

    use super::*;

    fn record(message: &str) -> LogRecord {
        LogRecord {
            number: 7,
            at: 1_796_047_200_000,
            level: Level::Warn,
            target: "anteroom::turns".to_owned(),
            message: message.to_owned(),
            fields: vec![
                ("turn".to_owned(), "0190a3c2-7e0b-7c5e-8d6d-1d3a5b7c9e0f".to_owned()),
                ("model".to_owned(), "<b onclick=\"x()\">".to_owned()),
            ],
        }
    }

    #[test]
    fn what_others_have_written_is_text_and_never_markup() {
        let view = LogsView {
            session: vec![record("</span><script>alert(1)</script> <!> & more")],
            ..LogsView::default()
        };
        let html = Tabs.logs(&view, Language::English);
        assert!(!html.contains("<script") && !html.contains("<b onclick"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
        assert!(html.contains("&lt;!&gt; &amp; more"), "{html}");
        assert!(!html.contains("<!"), "{html}");
    }

    #[test]
    fn a_record_has_its_time_its_level_and_all_its_parts() {
        let view = LogsView {
            startup: vec![record("The turn was cancelled")],
            dropped: 2,
            ..LogsView::default()
        };
        let html = Tabs.logs(&view, Language::English);
        for part in [
            "data-level=\"warn\"",
            "data-key=\"7\"",
            "<time data-at=\"1796047200000\">",
            "<span class=\"target\">anteroom::turns</span>",
            "<span>The turn was cancelled</span>",
            "<i>turn=</i>",
            "<span class=\"id\">0190a3c2",
            "2 older records had to make room",
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        assert!(!html.contains("startup-hidden"), "{html}");
        let visitor = Tabs.logs(&LogsView::default(), Language::Russian);
        assert!(visitor.contains("startup-hidden"), "{visitor}");
    }

    #[test]
    fn each_language_has_its_own_words_and_the_last_message_comes_first() {
        let told = |number, what: &str| Told {
            number,
            at: 1,
            what: what.to_owned(),
            waited: 42_000,
            took: 3_000,
            characters: 21,
        };
        let view = LogsView {
            told: vec![told(1, "answered"), told(2, "left")],
            ..LogsView::default()
        };
        let english = Tabs.logs(&view, Language::English);
        let (last, first) = (
            english.find("You left the line after 42 s"),
            english.find("21 characters"),
        );
        assert!(last.is_some() && last < first, "{english}");
        let russian = Tabs.logs(&view, Language::Russian);
        assert!(
            russian.contains("42 с") && !russian.contains("Your message"),
            "{russian}"
        );
    }
}
