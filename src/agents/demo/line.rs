//! The line: how it stands, and how it works.

use std::fmt::Write as _;

use crate::wire::{Estimate, LineView};

/// How things stand.
pub(super) fn now(line: &LineView) -> String {
    let mut text = String::from("Here is the line as I see it while I answer you:\n\n");
    let slots = match line.limit {
        Some(limit) => format!("{} of {limit} busy", line.running),
        None => format!("{} busy, without a limit", line.running),
    };
    let _infallible = writeln!(text, "| the line | now |\n| --- | --- |\n| slots | {slots} |");
    let _infallible = writeln!(text, "| waiting | {} |", people(line.waiting));
    let _infallible = writeln!(text, "| a message sent now would start | {} |", start(line));
    if line.running > 0 {
        text.push_str("\nOne of the busy slots is this answer: it is free again as soon as I stop talking.");
    }
    if line.waiting > 0 {
        text.push_str(" Those who wait see their own place and estimate on their page, and both move by themselves.");
    }
    text
}

/// One sentence of it, to go with something else.
pub(super) fn in_short(line: &LineView) -> String {
    let slots = line.limit.map_or_else(
        || format!("{} busy slots", line.running),
        |limit| format!("{} of {limit} slots busy", line.running),
    );
    format!(
        "Right now: {slots}, {} waiting; a message sent now would start {}.",
        people(line.waiting),
        start(line)
    )
}

fn people(count: u64) -> String {
    if count == 0 {
        "nobody".to_owned()
    } else {
        count.to_string()
    }
}

fn start(line: &LineView) -> String {
    let free = line.limit.is_none_or(|limit| line.running < limit);
    match line.estimate {
        _ if free && line.waiting == 0 => "at once".to_owned(),
        Some(Estimate { low, high }) => format!("in about {}", range(low, high)),
        None => "at a time that I cannot tell yet (too few answers have ended)".to_owned(),
    }
}

/// `20–35 s`, `1–3 min`.
fn range(low: f64, high: f64) -> String {
    let (unit, size) = if high < 90.0 { ("s", 1.0) } else { ("min", 60.0) };
    let (low, high) = ((low / size).round(), (high / size).ceil());
    if low < high {
        format!("{low}–{high} {unit}")
    } else {
        format!("{high} {unit}")
    }
}

/// How the line works.
pub(super) const WORKS: &str = "\
A model can serve only a few people at a time, so Anteroom lets a few in and keeps the others in a line that is fair.

1. **Slots.** Every kind of work has a limit: how many may run at once. While a slot is free, nobody waits.
2. **The order.** Browsers take turns, one message a round. Whoever sends ten messages in a burst delays everybody \
else by at most one message a round, not by ten. (`QUEUE_ORDER=fifo` makes it plain arrival instead.)
3. **Your position** is exact: 1 means that you are next. The position of your first waiting message never grows; it \
falls when somebody before you starts, gives up or closes the page for good.
4. **The estimate** comes from how long recent answers took and how far the running ones are. It is a range, because \
answers differ; where there is nothing to go by, it says so.
5. **Leaving and coming back.** Your place belongs to the server. Reload, open a second tab, lose the network for a \
minute: the place is still yours. *Cancel* gives it up at once, and those behind move up at once.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Event;

    fn line(running: u64, limit: Option<u64>, waiting: u64, estimate: Option<Estimate>) -> LineView {
        LineView {
            name: "chat".to_owned(),
            events: vec![Event::Chat],
            running,
            limit,
            waiting,
            newcomer: if limit.is_none_or(|limit| running < limit) {
                0
            } else {
                waiting + 1
            },
            estimate,
        }
    }

    #[test]
    fn the_line_is_told_as_it_is() {
        let full = now(&line(3, Some(3), 7, Some(Estimate { low: 19.6, high: 34.2 })));
        assert!(
            full.contains("3 of 3 busy") && full.contains("| 7 |") && full.contains("in about 20–35 s"),
            "{full}"
        );
        assert!(now(&line(1, Some(3), 0, None)).contains("at once"));
        assert!(now(&line(3, Some(3), 1, None)).contains("cannot tell yet"));
        assert!(in_short(&line(1, None, 0, None)).contains("1 busy slots, nobody waiting"));
    }

    #[test]
    fn ranges_read_well() {
        assert_eq!(range(0.2, 0.4), "0–1 s");
        assert_eq!(range(20.0, 20.0), "20 s");
        assert_eq!(range(80.0, 200.0), "1–4 min");
    }
}
