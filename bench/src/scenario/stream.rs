//! Long answers as they grow, in a real browser whose processor is slow: how much the page has to do for them, beside a plain page.

use anyhow::Context as _;
use serde::Deserialize;

use crate::{
    anteroom::Anteroom,
    figures::{Measure, Unit},
    stage::{AT_ONCE, Stage},
    system::{Places, System as _},
};

const SLOTS: usize = 1;
/// Most that Anteroom's page may work for the same words beside the plain page, which makes nothing of them.
const MOST_WORK: f64 = 4.0;

/// What the script prints.
#[derive(Debug, Deserialize)]
struct Read {
    /// The plain page.
    plain: Work,
    /// Anteroom's, by the form that an answer has.
    answers: Vec<Answer>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    /// Such as `one paragraph`.
    form: String,
    #[serde(flatten)]
    work: Work,
}

/// What a page's main thread did from the first word to the last.
#[derive(Debug, Deserialize)]
struct Work {
    /// How many tasks took 50 ms or more of the processor.
    long: f64,
    /// What the longest task took of the processor, in milliseconds.
    longest_ms: f64,
    /// What all of them took of the processor, in milliseconds.
    busy_ms: f64,
    /// How many took as long by the clock, with whatever else the machine did meanwhile.
    felt: f64,
    /// The longest of these, in milliseconds; 0 if there were none.
    felt_longest_ms: f64,
}

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let browser = places.browser.as_ref().context("no browser was set up")?;
    let stage = Stage::<Anteroom>::set(places, SLOTS, AT_ONCE).await?;
    // What the server does once is no part of it.
    drop(stage.system.visit().await?);
    let Read { plain, answers } = browser.play(&browser.stream, stage.system.addr()).await?;
    let mut measures = Vec::new();
    for Answer { form, work } in answers {
        let [long, longest, felt, felt_longest] = of_tasks(&form, &work);
        let share = work.busy_ms / plain.busy_ms;
        measures.extend([
            long.at_most(0.0),
            longest,
            Measure::new(
                format!("{form}: processor time ÷ that of the plain page"),
                share,
                Unit::Times,
            )
            .at_most(MOST_WORK),
            felt,
            felt_longest,
        ]);
    }
    measures.extend(of_tasks("the plain page", &plain));
    measures.push(Measure::new(
        "the plain page: processor time",
        plain.busy_ms,
        Unit::Millis,
    ));
    Ok(measures)
}

fn of_tasks(what: &str, work: &Work) -> [Measure; 4] {
    [
        Measure::new(
            format!("{what}: tasks of 50 ms of processor time or more"),
            work.long,
            Unit::Count,
        ),
        Measure::new(
            format!("{what}: the longest of all, processor time"),
            work.longest_ms,
            Unit::Millis,
        ),
        Measure::new(
            format!("{what}: tasks of 50 ms or more by the clock"),
            work.felt,
            Unit::Count,
        ),
        Measure::new(
            format!("{what}: the longest of these"),
            work.felt_longest_ms,
            Unit::Millis,
        ),
    ]
}
