//! What was measured, kept from round to round: a whole run takes an hour, and one that was broken off can be gone on with.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{cli::Options, report::Rounds, scenario::Scenario};

/// The rounds of one scenario so far, in a file of its own.
#[derive(Debug)]
pub(crate) struct Kept {
    file: PathBuf,
    pub(crate) measured: Measured,
}

/// What is in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// What was measured: rounds of different builds do not belong together.
    build: String,
    pub(crate) anteroom: Rounds,
    pub(crate) gradio: Rounds,
}

impl Kept {
    /// What there is of this build, if the run goes on with an earlier one; else nothing yet.
    ///
    /// # Errors
    /// The folder cannot be made, or the file is not one of these.
    pub(crate) fn open(options: &Options, scenario: Scenario) -> anyhow::Result<Self> {
        let folder = options.places.scratch.join("measured");
        fs::create_dir_all(&folder).context("no folder for what is measured")?;
        let file = folder.join(format!("{}.json", scenario.name()));
        let known: Option<Measured> = match fs::read(&file) {
            Ok(text) if options.go_on => {
                Some(serde_json::from_slice(&text).with_context(|| format!("{} is not readable", file.display()))?)
            }
            _ => None,
        };
        let measured = known
            .filter(|known| known.build == options.build)
            .unwrap_or_else(|| Measured {
                build: options.build.clone(),
                ..Measured::default()
            });
        Ok(Self { file, measured })
    }

    /// Keeps another round.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(&self.measured)?;
        fs::write(&self.file, text).with_context(|| format!("cannot write {}", self.file.display()))
    }
}
