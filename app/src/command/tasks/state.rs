//! What is remembered of a batch beside its file, so that the same file run again goes on where it was.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Of what was sent, in hexadecimal digits: another content is another batch.
    pub(super) hash: String,
    /// Where it was sent to.
    pub(super) url: String,
    /// The name that it was sent with: sent again, it is the same batch.
    pub(super) key: String,
    /// The batch, once it is known.
    pub(super) batch: Option<Uuid>,
    /// The id of the last result that was written.
    pub(super) seen: Option<String>,
    /// How long the output was then, in bytes: what stands behind that is written again.
    pub(super) written: u64,
    /// Which file that is; `None`: the standard output, or an earlier version has noted this.
    #[serde(default)]
    pub(super) output: Option<PathBuf>,
}

impl State {
    /// Of nothing yet.
    pub(super) fn new(hash: String, url: String) -> Self {
        Self {
            hash,
            url,
            key: Uuid::new_v4().to_string(),
            batch: None,
            seen: None,
            written: 0,
            output: None,
        }
    }

    /// From now on results go there. How much of that file is this batch's; `None`: it has written nothing there yet.
    pub(super) fn write_to(&mut self, output: Option<&Path>) -> Result<Option<u64>, String> {
        let absolute = output.map(|path| {
            std::path::absolute(path).map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
        });
        let output = absolute.transpose()?;
        let noted = match &self.output {
            Some(known) => output.as_ref() == Some(known),
            None => output.is_some() && self.written > 0,
        };
        self.output = output;
        if noted {
            return Ok(Some(self.written));
        }
        self.written = 0;
        Ok(None)
    }

    /// Where it stands.
    pub(super) fn path(file: &Path) -> PathBuf {
        let mut name = file.file_name().unwrap_or_default().to_owned();
        name.push(".anteroom");
        file.with_file_name(name)
    }

    /// What is remembered; `None`: nothing.
    pub(super) fn load(file: &Path) -> Result<Option<Self>, String> {
        let path = Self::path(file);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(fault) => return Err(format!("{} cannot be read: {fault}", path.display())),
        };
        let read = serde_json::from_str(&text);
        read.map(Some).map_err(|fault| {
            format!(
                "{} is none of Anteroom's files ({fault}). Remove it to begin anew.",
                path.display()
            )
        })
    }

    /// Remembers it, whole or not at all.
    pub(super) fn save(&self, file: &Path) -> Result<(), String> {
        let path = Self::path(file);
        let new = path.with_extension("anteroom.new");
        let written = serde_json::to_vec(self).map_err(io::Error::from).and_then(|text| {
            fs::write(&new, text)?;
            fs::rename(&new, &path)
        });
        written.map_err(|fault| format!("{} cannot be written: {fault}", path.display()))
    }

    /// Forgets it.
    pub(super) fn remove(file: &Path) {
        // What is not there needs no removing, and what stays begins nothing but an end that was there before.
        let _ = fs::remove_file(Self::path(file));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_counts_for_the_file_that_it_was_written_to() {
        let (one, other) = (Path::new("one.jsonl"), Path::new("other.jsonl"));
        let mut state = State::new("abc".into(), "http://here".into());
        assert_eq!(state.write_to(Some(one)), Ok(None));
        assert_eq!(state.write_to(Some(one)), Ok(Some(0)), "there may be half a line");
        state.written = 7;
        assert_eq!(state.write_to(Some(Path::new("./one.jsonl"))), Ok(Some(7)));
        assert_eq!(state.write_to(Some(other)), Ok(None));
        assert_eq!(state.written, 0);
        state.written = 7;
        assert_eq!(state.write_to(None), Ok(None));
        assert_eq!(state.write_to(Some(other)), Ok(None));
        // As an earlier version has noted it.
        let mut earlier = State::new("abc".into(), "http://here".into());
        earlier.written = 7;
        assert_eq!(earlier.write_to(Some(one)), Ok(Some(7)));
    }

    #[test]
    fn what_is_remembered_is_there_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("batch.jsonl");
        assert_eq!(State::load(&file), Ok(None));
        let mut state = State::new("abc".into(), "http://here".into());
        state.save(&file).expect("saved");
        state.seen = Some("3".into());
        state.save(&file).expect("saved over it");
        assert_eq!(State::load(&file), Ok(Some(state)));
        fs::write(State::path(&file), "{").expect("written");
        assert!(State::load(&file).is_err_and(|fault| fault.contains("Remove it")));
        State::remove(&file);
        assert_eq!(State::load(&file), Ok(None));
    }
}
