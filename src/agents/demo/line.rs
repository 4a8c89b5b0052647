//! The line: how it stands.

use super::voice::Voice;
use crate::{
    say,
    wire::{Estimate, LineView},
};

/// How things stand.
pub(super) fn now(voice: Voice, line: &LineView) -> String {
    let (how, time) = start(voice, line);
    let mut text = say!(
        voice.demo,
        "demo-line-now",
        limited = limited(line),
        running = line.running,
        limit = line.limit.unwrap_or_default(),
        waiting = line.waiting,
        how = how,
        time = time,
    );
    let mine = (line.running > 0).then(|| say!(voice.demo, "demo-line-mine"));
    let others = (line.waiting > 0).then(|| say!(voice.demo, "demo-line-others"));
    let more: Vec<_> = mine.into_iter().chain(others).collect();
    if !more.is_empty() {
        text.push_str("\n\n");
        text.push_str(&more.join(" "));
    }
    text
}

/// One sentence of it, to go with something else.
pub(super) fn in_short(voice: Voice, line: &LineView) -> String {
    let (how, time) = start(voice, line);
    say!(
        voice.demo,
        "demo-line-short",
        limited = limited(line),
        running = line.running,
        limit = line.limit.unwrap_or_default(),
        waiting = line.waiting,
        how = how,
        time = time,
    )
}

const fn limited(line: &LineView) -> &'static str {
    if line.limit.is_some() { "yes" } else { "no" }
}

/// When a message sent now would start: which sentence, and the time in it.
fn start(voice: Voice, line: &LineView) -> (&'static str, String) {
    let free = line.limit.is_none_or(|limit| line.running < limit);
    match line.estimate {
        _ if free && line.waiting == 0 => ("at-once", String::new()),
        Some(Estimate { low, high }) => ("about", range(voice, low, high)),
        None => ("unknown", String::new()),
    }
}

/// `20–35 s`, `1–3 min`.
fn range(voice: Voice, low: f64, high: f64) -> String {
    let (unit, size) = if high < 90.0 { ("s", 1.0) } else { ("min", 60.0) };
    let (low, high) = ((low / size).round(), (high / size).ceil());
    let count = if low < high {
        format!("{low}–{high}")
    } else {
        high.to_string()
    };
    say!(voice.site, "time", count = count, unit = unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{language::Language, wire::Event};

    fn line(running: u64, limit: Option<u64>, waiting: u64, estimate: Option<Estimate>) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running,
            mine: 0,
            limit,
            waiting,
            newcomer: if limit.is_none_or(|limit| running < limit) {
                0
            } else {
                waiting + 1
            },
            estimate,
            model: None,
            trouble: None,
            ..LineView::default()
        }
    }

    #[test]
    fn the_line_is_told_as_it_is() {
        let english = Voice::of(Language::English);
        let full = now(english, &line(3, Some(3), 7, Some(Estimate { low: 19.6, high: 34.2 })));
        assert!(
            full.contains("3 of 3 busy") && full.contains("| 7 |") && full.contains("in about 20–35 s"),
            "{full}"
        );
        assert!(now(english, &line(1, Some(3), 0, None)).contains("at once"));
        assert!(now(english, &line(3, Some(3), 1, None)).contains("cannot tell yet"));
        assert!(in_short(english, &line(1, None, 0, None)).contains("1 busy slots, nobody waiting"));
    }

    #[test]
    fn the_line_is_told_in_russian() {
        let russian = Voice::of(Language::Russian);
        let full = now(russian, &line(3, Some(3), 7, Some(Estimate { low: 19.6, high: 34.2 })));
        assert!(
            full.contains("| занято 3 из 3 |") && full.contains("| 7 |") && full.contains("примерно через 20–35 с |"),
            "{full}"
        );
        assert!(now(russian, &line(1, Some(3), 0, None)).contains("| начнётся сразу |"));
        assert!(now(russian, &line(3, Some(3), 1, None)).contains("пока неизвестно"));
        for (running, waiting, told) in [
            (1, 0, "занято 1 место из 40, никто не ждёт;"),
            (2, 1, "занято 2 места из 40, 1 ждёт;"),
            (5, 11, "занято 5 мест из 40, 11 ждут;"),
            (11, 21, "занято 11 мест из 40, 21 ждёт;"),
            (21, 2, "занято 21 место из 40, 2 ждут;"),
        ] {
            let short = in_short(russian, &line(running, Some(40), waiting, None));
            assert!(short.contains(told), "{short}");
        }
        let unknown = in_short(russian, &line(3, Some(3), 1, None));
        assert!(
            unknown.contains("; когда начнётся ответ на новое сообщение, пока неизвестно ("),
            "{unknown}"
        );
        let free = in_short(russian, &line(4, None, 0, None));
        assert_eq!(
            free,
            "Сейчас занято 4 места, предела нет, никто не ждёт; ответ на новое сообщение начнётся сразу."
        );
    }

    #[test]
    fn ranges_read_well() {
        let [english, russian] = [Language::English, Language::Russian].map(Voice::of);
        assert_eq!(range(english, 0.2, 0.4), "0–1 s");
        assert_eq!(range(english, 20.0, 20.0), "20 s");
        assert_eq!(range(english, 80.0, 200.0), "1–4 min");
        assert_eq!(range(russian, 80.0, 200.0), "1–4 мин");
    }
}
