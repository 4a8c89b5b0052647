//! The command line. `cargo xtask bench` writes it; people rarely do.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};

use crate::{
    scenario::{Scenario, SoakBounds},
    system::{BrowserPlaces, GatewayPlaces, GradioPlaces, Places, RivalPlaces},
};

pub(crate) const USAGE: &str = "\
anteroom-bench --anteroom FILE --scratch FOLDER [--rounds N] [--build NAME] [--go-on]
               [--gradio PYTHON --gradio-app FILE [--report FILE]]
               [--playwright FOLDER --visit FILE --stream FILE] [--rivals FILE --redis FILE] [--smg FILE --litellm FILE]
               [--asks N] [--seconds N] [--seed S] [scenario …]

  --anteroom FILE   the server's binary
  --scratch FOLDER  where servers under test may keep their data; on a real disk
  --rounds N        rounds of each scenario, of which the median counts; 3 unless given
  --build NAME      how the server was built, for the report
  --go-on           takes the rounds that an earlier run of the same build has measured, and plays the rest; soak counts on
  --gradio PYTHON   the Python that has Gradio: every scenario that it can play is played with it, too
  --gradio-app FILE the app for it
  --playwright FOLDER where Playwright is installed, for visits with a real browser (CHROMIUM names one)
  --visit FILE      the script that visits
  --stream FILE     the script that reads answers as they grow
  --rivals FILE     the script that runs other queues, beside the scenario nodes
  --redis FILE      Redis's server, for one of them
  --smg FILE        SMG's program, beside the scenario gateway
  --litellm FILE    LiteLLM's, likewise
  --asks N          soak: refreshes that are asked for; 100,000 unless given
  --seconds N       soak: how long it goes on at most; 300 unless given
  --seed S          soak: which dice; others in each run unless given
  --report FILE     where the report goes";

/// What to do.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) places: Places,
    pub(crate) rounds: usize,
    pub(crate) build: String,
    pub(crate) go_on: bool,
    pub(crate) report: Option<PathBuf>,
    pub(crate) scenarios: Vec<Scenario>,
    /// How much of `soak`.
    pub(crate) soak: SoakBounds,
}

/// Reads the arguments.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
    let mut arguments = arguments;
    let (mut anteroom, mut scratch, mut rounds, mut build) = (None, None, 3, "unknown".to_owned());
    let (mut python, mut app, mut report) = (None, None, None);
    let (mut playwright, mut visit, mut stream) = (None, None, None);
    let (mut rivals, mut redis) = (None, None);
    let (mut smg, mut litellm) = (None, None);
    let mut scenarios = Vec::new();
    let mut go_on = false;
    let mut soak = SoakBounds::default();
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value\n\n{USAGE}"))
        };
        match argument.as_str() {
            "--anteroom" => anteroom = Some(file(&value()?)?),
            "--scratch" => scratch = Some(file(&value()?)?),
            "--rounds" => {
                let number = value()?.parse().ok().filter(|&rounds| rounds > 0);
                rounds = number.context("--rounds: a number from 1 on is needed")?;
            }
            "--gradio" => python = Some(file(&value()?)?),
            "--gradio-app" => app = Some(file(&value()?)?),
            "--report" => report = Some(file(&value()?)?),
            "--playwright" => playwright = Some(file(&value()?)?),
            "--visit" => visit = Some(file(&value()?)?),
            "--stream" => stream = Some(file(&value()?)?),
            "--rivals" => rivals = Some(file(&value()?)?),
            "--redis" => redis = Some(file(&value()?)?),
            "--smg" => smg = Some(file(&value()?)?),
            "--litellm" => litellm = Some(file(&value()?)?),
            "--build" => build = value()?,
            "--go-on" => go_on = true,
            "--asks" => soak.asks = value()?.parse().context("--asks: a number is needed")?,
            "--seed" => soak.seed = Some(value()?.parse().context("--seed: a number is needed")?),
            "--seconds" => {
                let seconds = value()?.parse().context("--seconds: a number is needed")?;
                soak.time = Duration::from_secs(seconds);
            }
            name => {
                let mut known = Scenario::ALL.into_iter().chain(Scenario::APART);
                match known.find(|scenario| scenario.name() == name) {
                    Some(scenario) => scenarios.push(scenario),
                    None => bail!("there is no {name}\n\n{USAGE}"),
                }
            }
        }
    }
    if scenarios.is_empty() {
        scenarios.extend(Scenario::ALL);
    }
    Ok(Options {
        places: Places {
            anteroom: anteroom.with_context(|| format!("--anteroom is missing\n\n{USAGE}"))?,
            gradio: python.zip(app).map(|(python, app)| GradioPlaces { python, app }),
            browser: playwright
                .zip(visit.zip(stream))
                .map(|(playwright, (visit, stream))| BrowserPlaces {
                    visit,
                    stream,
                    playwright,
                }),
            rivals: rivals.zip(redis).map(|(script, redis)| RivalPlaces { script, redis }),
            gateways: smg.zip(litellm).map(|(smg, litellm)| GatewayPlaces { smg, litellm }),
            scratch: scratch.with_context(|| format!("--scratch is missing\n\n{USAGE}"))?,
        },
        rounds,
        build,
        go_on,
        report,
        scenarios,
        soak,
    })
}

/// Servers under test have a folder of their own to work in, so every path has to be whole.
fn file(path: &str) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("{path} is no path"))
}
