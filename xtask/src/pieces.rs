//! Long stories in pieces: the crash and the chaos test, each time with the next seed, until something does not hold.
//!
//! A story whose processes, database and records grow for days is not what it was at its beginning, and one that fails has to be told again from there. A piece
//! begins with everything new, and is told again by its seed. What has held is written down after each, so a run that was ended goes on.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Rounds of a piece, unless told: each kind of trouble, twice and more.
const ROUNDS: u32 = 50;

/// What is to be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pieces {
    /// How many.
    pub(crate) number: NonZeroU32,
    /// Rounds of each.
    pub(crate) rounds: Option<NonZeroU32>,
    /// The seed of the first.
    pub(crate) seed: Option<u64>,
    /// Whether to begin behind what has held, and to go on counting.
    pub(crate) go_on: bool,
}

/// The pieces that have held, of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Held {
    build: String,
    pieces: Vec<(u64, u32)>,
}

impl Held {
    fn of(build: &str) -> Self {
        Self {
            build: build.to_owned(),
            pieces: Vec::new(),
        }
    }

    /// What is written down, a line each. Whatever else stands there ends it.
    fn read(text: &str) -> Self {
        let mut lines = text.lines();
        let build = lines.next().unwrap_or_default().to_owned();
        let piece = |line: &str| {
            let (seed, rounds) = line.split_once(' ')?;
            Some((seed.parse().ok()?, rounds.parse().ok()?))
        };
        Self {
            build,
            pieces: lines.map_while(piece).collect(),
        }
    }

    fn written(&self) -> String {
        let mut text = format!("{}\n", self.build);
        for (seed, rounds) in &self.pieces {
            let _ = writeln!(text, "{seed} {rounds}");
        }
        text
    }

    fn rounds(&self) -> u64 {
        self.pieces.iter().map(|(_, rounds)| u64::from(*rounds)).sum()
    }

    /// The seed behind the last one.
    fn next(&self) -> Option<u64> {
        Some(self.pieces.last()?.0.wrapping_add(1))
    }
}

/// Plays them with `play`, which takes a seed and a number of rounds. `name` is what `bench` calls the test, and what is written down is kept in `folder`, for
/// this build.
pub(crate) fn run(
    pieces: Pieces,
    name: &str,
    build: &str,
    folder: &Path,
    mut play: impl FnMut(u64, u32) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file: PathBuf = folder.join(format!("{name}-pieces"));
    let before = fs::read_to_string(&file)
        .map(|text| Held::read(&text))
        .unwrap_or_default();
    let mut held = if pieces.go_on && before.build == build {
        before
    } else {
        Held::of(build)
    };
    let rounds = pieces.rounds.map_or(ROUNDS, u32::from);
    let mut seed = held.next().or(pieces.seed).unwrap_or(1);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for piece in 1..=pieces.number.get() {
        eprintln!("xtask: {name}: piece {piece} of {}, seed {seed}", pieces.number);
        play(seed, rounds).with_context(|| {
            format!(
                "seed {seed}: something did not hold, after {} rounds in {} pieces that did. The same once more: `cargo xtask bench {name} --seed {seed} --rounds {rounds}`",
                held.rounds(),
                held.pieces.len()
            )
        })?;
        held.pieces.push((seed, rounds));
        // What is cut off while it is written would be read as less than it was.
        let new = file.with_extension("new");
        fs::write(&new, held.written())
            .and_then(|()| fs::rename(&new, &file))
            .with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!(
            "xtask: {name}: {} rounds in {} pieces have held",
            held.rounds(),
            held.pieces.len()
        );
        seed = seed.wrapping_add(1);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(number: u32, seed: Option<u64>, go_on: bool) -> Pieces {
        Pieces {
            number: NonZeroU32::new(number).expect("some"),
            rounds: NonZeroU32::new(7),
            seed,
            go_on,
        }
    }

    #[test]
    fn pieces_go_on_where_they_were_and_stop_at_the_first_that_does_not_hold() {
        let folder = std::env::temp_dir().join(format!("anteroom-pieces-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let played = |pieces: Pieces, build: &str, broken: Option<u64>| {
            let mut seeds = Vec::new();
            let done = run(pieces, "chaos", build, &folder, |seed, rounds| {
                assert_eq!(rounds, 7);
                seeds.push(seed);
                anyhow::ensure!(Some(seed) != broken, "broken");
                Ok(())
            });
            (seeds, done.err().map(|fault| format!("{fault:#}")))
        };
        assert_eq!(played(pieces(2, Some(5), false), "a", None), (vec![5, 6], None));
        // It goes on by itself, whatever the first seed was.
        let (seeds, fault) = played(pieces(3, Some(5), true), "a", Some(8));
        let fault = fault.expect("one was broken");
        assert_eq!(seeds, [7, 8]);
        assert!(fault.contains("after 21 rounds in 3 pieces"), "{fault}");
        assert!(fault.contains("bench chaos --seed 8 --rounds 7"), "{fault}");
        // That one is tried again.
        assert_eq!(played(pieces(1, None, true), "a", None), (vec![8], None));
        let text = fs::read_to_string(folder.join("chaos-pieces")).expect("written");
        assert_eq!(text, "a\n5 7\n6 7\n7 7\n8 7\n");
        // What another build has held says nothing of this one.
        assert_eq!(played(pieces(1, None, true), "b", None), (vec![1], None));
        assert_eq!(played(pieces(1, None, false), "b", None), (vec![1], None));
        fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn what_is_written_down_is_read_as_far_as_it_goes() {
        let held = Held {
            build: "debug, 1a2b".to_owned(),
            pieces: vec![(1, 50), (u64::MAX, 3)],
        };
        assert_eq!(Held::read(&held.written()), held);
        assert_eq!((held.rounds(), held.next()), (53, Some(0)));
        assert_eq!(Held::read("b\n1 2\nx\n3 4").pieces, [(1, 2)]);
        assert_eq!(Held::read(""), Held::default());
    }
}
