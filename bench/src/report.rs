//! What came of it, on the screen and as `docs/BENCHMARKS.md`.

use std::fmt;

use crate::{
    cli::Options,
    figures::{Figure, Measure, gather},
    machine::Machine,
    scenario::Scenario,
};

/// The rounds of one scenario with one system.
#[derive(Debug, Default)]
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

    pub(crate) fn side(self) -> Side {
        Side {
            figures: gather(&self.measured),
            rounds: self.measured.len() + self.faults.len(),
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

    fn print(&self, name: &str) {
        if self.rounds == 0 {
            return;
        }
        println!("  {name}");
        self.figures.iter().for_each(|figure| println!("    {figure}"));
        self.complaint()
            .iter()
            .for_each(|complaint| println!("    {complaint}"));
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
        self.anteroom.print("Anteroom");
        self.gradio.print("Gradio (the budgets are Anteroom's)");
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

    /// Anteroom's budgets that are missed.
    fn missed(&self) -> impl Iterator<Item = (Scenario, &Figure)> {
        self.outcomes.iter().flat_map(|(scenario, outcome)| {
            let missed = outcome
                .anteroom
                .figures
                .iter()
                .filter(|figure| figure.is_met() == Some(false));
            missed.map(|figure| (*scenario, figure))
        })
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
        let mut none = true;
        for (scenario, figure) in self.missed() {
            none = false;
            writeln!(f, "- {}: {figure}", scenario.name())?;
        }
        if none {
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
        let value = |side: &Side| side.figure(&figure.what).and_then(Figure::value);
        let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure.unit.show(value));
        let (ours, theirs) = (value(anteroom), value(gradio));
        let ratio = ours.zip(theirs).filter(|(ours, theirs)| *ours > 0.0 && *theirs > 0.0);
        let ratio = ratio.map_or_else(|| "–".to_owned(), |(ours, theirs)| format!("{:.2}", theirs / ours));
        let budget = figure.budget.map(|budget| budget.show(figure.unit)).unwrap_or_default();
        let met = match anteroom.figure(&figure.what).and_then(Figure::is_met) {
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
