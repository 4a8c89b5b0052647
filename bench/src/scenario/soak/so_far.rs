//! What has been waited for so far, over several runs: what goes wrong once in ten million times takes more than one evening to be met.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// All runs of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    /// What was tried: runs of different builds do not belong together.
    pub(super) build: String,
    pub(super) runs: u64,
    pub(super) asked: u64,
    pub(super) answered: u64,
    pub(super) refused: u64,
    pub(super) certain: u64,
    pub(super) unanswered: u64,
}

/// The file that they are kept in, and those of before this run.
#[derive(Debug)]
pub(super) struct SoFar {
    file: PathBuf,
    before: Totals,
}

impl SoFar {
    /// What there is of this build, if the run goes on with an earlier one; else nothing yet.
    ///
    /// # Errors
    /// The file is not one of these.
    pub(super) fn open(folder: &Path, build: &str, goes_on: bool) -> anyhow::Result<Self> {
        let file = folder.join("soak-so-far.json");
        let known: Option<Totals> = match fs::read(&file) {
            Ok(text) if goes_on => {
                Some(serde_json::from_slice(&text).with_context(|| format!("{} is not readable", file.display()))?)
            }
            _ => None,
        };
        let before = known.filter(|known| known.build == build).unwrap_or_else(|| Totals {
            build: build.to_owned(),
            ..Totals::default()
        });
        Ok(Self { file, before })
    }

    /// Where this run begins, so that none is the same as one before.
    pub(super) const fn seed(&self) -> u64 {
        self.before.runs + 1
    }

    /// With what this run has had by now.
    pub(super) fn with(&self, run: &Totals) -> Totals {
        let before = &self.before;
        Totals {
            build: before.build.clone(),
            runs: before.runs + 1,
            asked: before.asked + run.asked,
            answered: before.answered + run.answered,
            refused: before.refused + run.refused,
            certain: before.certain + run.certain,
            unanswered: before.unanswered + run.unanswered,
        }
    }

    /// Writes it down. What is cut off while it is written would be lost.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(super) fn save(&self, run: &Totals) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(&self.with(run))?;
        let new = self.file.with_extension("new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.file))
            .with_context(|| format!("cannot write {}", self.file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_where_the_last_one_of_its_build_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |build: &str, goes_on| SoFar::open(folder.path(), build, goes_on).expect("readable");
        let run = Totals {
            asked: 10,
            answered: 6,
            refused: 3,
            certain: 5,
            unanswered: 1,
            ..Totals::default()
        };
        let first = open("a", true);
        assert_eq!(first.seed(), 1);
        // Written down again and again while it goes on, it counts once.
        first.save(&run).expect("written");
        first.save(&run).expect("written");
        let second = open("a", true);
        assert_eq!(second.seed(), 2);
        second.save(&run).expect("written");
        let totals = open("a", true).before;
        assert_eq!((totals.runs, totals.asked, totals.answered), (2, 20, 12));
        assert_eq!((totals.refused, totals.certain, totals.unanswered), (6, 10, 2));
        assert_eq!(open("b", true).before.asked, 0, "of another build nothing is known");
        assert_eq!(open("a", false).before.asked, 0);
    }
}
