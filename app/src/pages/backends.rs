//! Back ends and models, on the stats tab.

use anteroom::{
    language::Words,
    say, text,
    wire::{BackendRow, ModelRow, StatsView},
};
use leptos::prelude::*;

use super::table::{Row, durations, none, pair, slots, table};
use crate::{erase::Erase as _, format};

/// How each back end is, what it has done, and what each model has read and written.
pub(super) fn backends(words: &'static Words, view: &StatsView) -> AnyView {
    let backends = view.backends.iter().map(|row| backend(words, row)).collect();
    let heads = [
        text!(words, "backends-name"),
        text!(words, "limits-running"),
        text!(words, "backends-state"),
        text!(words, "backends-first"),
        text!(words, "backends-speed"),
        text!(words, "backends-answers"),
        text!(words, "backends-retries"),
        text!(words, "backends-faults"),
    ];
    let models = view.models.iter().map(|row| model(words, row)).collect();
    let heads_of_models = [
        text!(words, "model"),
        text!(words, "backends-answers"),
        text!(words, "models-input"),
        text!(words, "models-output"),
        text!(words, "models-cost"),
    ];
    view! {
        {table(text!(words, "backends"), "backend-row", &heads, backends)}
        {table(text!(words, "models"), "model-row", &heads_of_models, models)}
    }
    .erase()
}

fn backend(words: &Words, row: &BackendRow) -> Row {
    let (mut running, share) = slots(words, row.running, row.limit);
    if row.auto {
        running = say!(words, "backends-auto", running = running);
    }
    let time = format::whole_duration(words, row.seconds.unwrap_or_default());
    let faults: Vec<_> = row
        .faults
        .iter()
        .map(|(kind, count)| say!(words, "backends-fault", kind = kind, count = *count))
        .collect();
    Row {
        name: row.name.clone(),
        about: row.place.clone(),
        wrong: row
            .misfit
            .as_ref()
            .map(|fault| say!(words, "backends-mend", fault = fault))
            .unwrap_or_default(),
        share,
        cells: vec![
            running,
            match &row.outage {
                Some(outage) => say!(words, "backends-found", outage = outage),
                None => say!(words, "backends-is", state = row.health.name(), time = time),
            },
            durations(words, row.first_part.as_ref()),
            pair(words, row.speed.as_ref(), rate),
            words.number(row.answers),
            words.number(row.retries),
            if faults.is_empty() {
                words.number(0)
            } else {
                faults.join(", ")
            },
        ],
    }
}

/// Tokens a second.
fn rate(words: &Words, rate: f64) -> String {
    if rate < 9.95 {
        words.tenths(format::whole(rate * 10.0))
    } else {
        words.number(format::whole(rate))
    }
}

/// In whatever the prices are counted, to two decimals; what is less than the last of them is not nothing.
fn cost(words: &Words, cost: f64) -> String {
    match format::whole(cost * 100.0) {
        0 if cost > 0.0 => format!("< {}", words.hundredths(1)),
        hundredths => words.hundredths(hundredths),
    }
}

fn model(words: &Words, row: &ModelRow) -> Row {
    Row {
        name: row.model.clone(),
        cells: vec![
            words.number(row.answers),
            words.number(row.input),
            words.number(row.output),
            row.cost.map_or_else(none, |all| cost(words, all)),
        ],
        ..Row::default()
    }
}

#[cfg(test)]
mod tests {
    use anteroom::{language::Language, wire::Health};

    use super::*;

    fn cells(language: Language, row: &BackendRow) -> Vec<String> {
        backend(Words::of(language), row).cells
    }

    #[test]
    fn a_back_end_is_told_in_words() {
        let mut row = BackendRow {
            name: "rack".to_owned(),
            place: "gpu".to_owned(),
            health: Health::Cooling,
            seconds: Some(8.0),
            outage: None,
            running: 3,
            limit: Some(4),
            auto: true,
            first_part: None,
            speed: None,
            answers: 1234,
            retries: 2,
            faults: vec![("rate_limited".to_owned(), 2), ("stalled".to_owned(), 1)],
            misfit: Some("unauthorized".to_owned()),
        };
        assert_eq!(
            cells(Language::English, &row).join(" | "),
            "3 of 4 · auto | cooling for 8 s | – | – | 1,234 | 2 | too many requests: 2, fell silent: 1"
        );
        assert_eq!(
            cells(Language::Russian, &row).join(" | "),
            "3 из 4 · авто | отдыхает ещё 8 с | – | – | 1\u{a0}234 | 2 | слишком много запросов: 2, замолчал: 1"
        );
        let told = backend(Words::of(Language::English), &row);
        assert_eq!(
            (told.share, told.wrong.as_str()),
            (Some(75), "It does not accept its key: mend the key.")
        );
        (row.health, row.seconds, row.auto, row.faults) = (Health::Trying, None, false, Vec::new());
        let found = |language, row: &mut BackendRow, outage: &str| {
            row.outage = Some(outage.to_owned());
            cells(language, row).swap_remove(1)
        };
        let outages = ["away", "failing", "rate_limited", "overloaded"];
        assert_eq!(
            outages
                .map(|outage| found(Language::English, &mut row, outage))
                .join(" | "),
            "out of service: not reachable | out of service: it fails | cooling: too many requests | cooling: overloaded"
        );
        assert_eq!(
            outages
                .map(|outage| found(Language::Russian, &mut row, outage))
                .join(" | "),
            "не используется: нет связи | не используется: даёт сбои | отдыхает: слишком много запросов | отдыхает: перегружен"
        );
        row.outage = None;
        (row.running, row.limit) = (1, Some(0));
        let told = cells(Language::English, &row);
        assert_eq!((&*told[0], &*told[1], &*told[6]), ("1 of 0", "being tried", "0"));
    }

    #[test]
    fn costs_and_speeds_are_no_longer_than_they_have_to_be() {
        let english = Words::of(Language::English);
        assert_eq!(
            [0.0, 0.001, 0.25, 1234.5].map(|all| cost(english, all)).join(" "),
            "0.00 < 0.01 0.25 1,234.50"
        );
        assert_eq!([4.24, 40.4].map(|speed| rate(english, speed)).join(" "), "4.2 40");
    }
}
