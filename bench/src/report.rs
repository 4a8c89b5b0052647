//! What came of it, on the screen and as `docs/BENCHMARKS.md`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    cli::Options,
    figures::{Figure, Measure, gather},
    machine::Machine,
    scenario::Scenario,
};

/// The rounds of one scenario with one system.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rounds {
    measured: Vec<Vec<Measure>>,
    faults: Vec<String>,
}

impl Rounds {
    pub(crate) fn add(&mut self, outcome: anyhow::Result<Vec<Measure>>) {
        match outcome {
            Ok(measures) => self.measured.push(measures),
            Err(fault) => self.faults.push(format!("{fault:#}")),
        }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.measured.len() + self.faults.len()
    }

    pub(crate) fn side(self) -> Side {
        Side {
            figures: gather(&self.measured),
            rounds: self.count(),
            faults: self.faults,
        }
    }
}

/// What came of one scenario with one system.
#[derive(Debug)]
pub(crate) struct Side {
    figures: Vec<Figure>,
    rounds: usize,
    faults: Vec<String>,
}

impl Side {
    fn figure(&self, what: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.what == what)
    }

    /// How many rounds came to nothing, and why the first did.
    fn complaint(&self) -> Option<String> {
        let first = self.faults.first()?;
        Some(format!(
            "failed in {} of {} rounds: {first}",
            self.faults.len(),
            self.rounds
        ))
    }

    /// The median of a figure.
    fn value(&self, what: &str) -> Option<f64> {
        self.figure(what).and_then(Figure::value)
    }
}

/// What came of one scenario.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) anteroom: Side,
    pub(crate) gradio: Side,
}

impl Outcome {
    pub(crate) fn print(&self) {
        if self.anteroom.rounds > 0 {
            println!("  Anteroom");
            for figure in &self.anteroom.figures {
                println!("    {figure}{}", self.verdict(figure));
            }
            self.anteroom
                .complaint()
                .iter()
                .for_each(|complaint| println!("    {complaint}"));
        }
        if self.gradio.rounds > 0 {
            println!("  Gradio");
            self.gradio.figures.iter().for_each(|figure| println!("    {figure}"));
            self.gradio
                .complaint()
                .iter()
                .for_each(|complaint| println!("    {complaint}"));
        }
    }

    /// Whether a figure of Anteroom keeps its budget.
    fn is_met(&self, figure: &Figure) -> Option<bool> {
        figure.is_met(self.gradio.value(&figure.what))
    }

    /// The same in words.
    fn verdict(&self, figure: &Figure) -> String {
        let Some(budget) = figure.budget() else {
            return String::new();
        };
        let word = match self.is_met(figure) {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "not compared",
        };
        format!("; budget {}: {word}", budget.show(figure.unit))
    }
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    build: String,
    rounds: usize,
    outcomes: Vec<(Scenario, Outcome)>,
}

impl Report {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            machine: Machine::look(options.places.gradio.as_ref()),
            build: options.build.clone(),
            rounds: options.rounds,
            outcomes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, scenario: Scenario, outcome: Outcome) {
        self.outcomes.push((scenario, outcome));
    }

    /// Whether every round with Anteroom was played to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.outcomes
            .iter()
            .all(|(_, outcome)| outcome.anteroom.faults.is_empty())
    }

    /// Anteroom's budgets that are missed, in words; and what could not be measured.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for (scenario, outcome) in &self.outcomes {
            for figure in &outcome.anteroom.figures {
                if outcome.is_met(figure) == Some(false) {
                    missed.push(format!("{}: {figure}{}", scenario.name(), outcome.verdict(figure)));
                }
            }
            let complaint = outcome.anteroom.complaint();
            missed.extend(complaint.map(|complaint| format!("{}: {complaint}", scenario.name())));
        }
        missed
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Benchmarks\n")?;
        writeln!(
            f,
            "Written by `cargo xtask bench`; do not edit. `bench/src/scenario` says what each figure is.\n"
        )?;
        writeln!(f, "- Anteroom {} ({})", env!("CARGO_PKG_VERSION"), self.build)?;
        write!(f, "{}", self.machine)?;
        writeln!(
            f,
            "- {} of each scenario, Anteroom and Gradio in turns; the median counts. The load generator and the model server run on \
             the same machine.",
            if self.rounds == 1 {
                "1 round".to_owned()
            } else {
                format!("{} rounds", self.rounds)
            }
        )?;
        writeln!(
            f,
            "- Ratio: Gradio's figure ÷ Anteroom's. –: not measured, or there is nothing to compare."
        )?;
        writeln!(
            f,
            "- With Gradio, a message is one event: its chat interface's API function. Its page makes more calls for each."
        )?;
        for (scenario, outcome) in &self.outcomes {
            writeln!(f, "\n## {}\n\n{}.\n", scenario.name(), scenario.about())?;
            section(f, outcome)?;
        }
        writeln!(f, "\n## Budgets that are missed\n")?;
        let missed = self.missed();
        for line in &missed {
            writeln!(f, "- {line}")?;
        }
        if missed.is_empty() {
            writeln!(f, "None of those that were measured.")?;
        }
        Ok(())
    }
}

fn section(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    let Outcome { anteroom, gradio } = outcome;
    let only_gradio = gradio
        .figures
        .iter()
        .filter(|figure| anteroom.figure(&figure.what).is_none());
    let all: Vec<&Figure> = anteroom.figures.iter().chain(only_gradio).collect();
    if !all.is_empty() {
        writeln!(f, "| | Anteroom | Gradio | ratio | budget | |")?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: | --- |")?;
    }
    for figure in all {
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure.unit.show(value));
        let (ours, theirs) = (anteroom.value(&figure.what), gradio.value(&figure.what));
        let ratio = ours.zip(theirs).filter(|(ours, theirs)| *ours > 0.0 && *theirs > 0.0);
        let ratio = ratio.map_or_else(|| "–".to_owned(), |(ours, theirs)| format!("{:.2}", theirs / ours));
        let budget = figure
            .budget()
            .map(|budget| budget.show(figure.unit))
            .unwrap_or_default();
        let met = match anteroom.figure(&figure.what).and_then(|figure| outcome.is_met(figure)) {
            Some(true) => "met",
            Some(false) => "**missed**",
            None => "",
        };
        writeln!(
            f,
            "| {} | {} | {} | {ratio} | {budget} | {met} |",
            figure.what,
            show(ours),
            show(theirs)
        )?;
    }
    for (name, side) in [("Anteroom", anteroom), ("Gradio", gradio)] {
        if let Some(complaint) = side.complaint() {
            writeln!(f, "\n{name} {complaint}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::figures::Unit;

    fn side(rounds: impl IntoIterator<Item = anyhow::Result<f64>>) -> Side {
        let mut all = Rounds::default();
        for round in rounds {
            all.add(round.map(|value| vec![Measure::new("a wait", value, Unit::Millis).at_most(20.0)]));
        }
        all.side()
    }

    fn report(anteroom: Side, gradio: Side) -> String {
        let report = Report {
            machine: Machine::look(None),
            build: "test".to_owned(),
            rounds: 2,
            outcomes: vec![(Scenario::Drain, Outcome { anteroom, gradio })],
        };
        report.to_string()
    }

    #[test]
    fn figures_stand_side_by_side_with_their_budgets() {
        let text = report(side([Ok(10.0), Ok(20.0)]), side([Ok(30.0)]));
        assert!(
            text.contains("| a wait | 15 ms | 30 ms | 2.00 | ≤ 20 ms | met |"),
            "{text}"
        );
        assert!(text.ends_with("None of those that were measured.\n"), "{text}");
    }

    #[test]
    fn what_was_not_measured_is_said_and_not_made_up() {
        let text = report(side([Ok(30.0), Err(anyhow!("it broke"))]), side([]));
        assert!(
            text.contains("| a wait | 30 ms | – | – | ≤ 20 ms | **missed** |"),
            "{text}"
        );
        assert!(
            text.contains("- drain: a wait: 30 ms; budget ≤ 20 ms: MISSED"),
            "{text}"
        );
        assert!(text.contains("- drain: failed in 1 of 2 rounds: it broke"), "{text}");
    }
}
