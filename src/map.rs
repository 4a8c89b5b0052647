//! The map in `docs/ARCHITECTURE.md` is true: each room has one line, what it and `CONTRIBUTING.md` name is there, and its walls stand.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const PAGE: &str = include_str!("../docs/ARCHITECTURE.md");
const STEPS: &str = include_str!("../CONTRIBUTING.md");

/// Folders of the repository, and what is none of ours within them.
const PARTS: [&str; 13] = [
    "app",
    "bench",
    "benches",
    "docs",
    "end2end",
    "fuzz",
    "locales",
    "loopback",
    "pgtest",
    "proptest-regressions",
    "src",
    "style",
    "xtask",
];
const NOT_OURS: [&str; 3] = ["fuzz/target", "end2end/node_modules", "xtask/tools"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything below a folder, folders with a slash behind them.
fn all(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        let name = path.strip_prefix(root()).expect("within").display().to_string();
        if !path.is_dir() {
            found.insert(name);
        } else if !NOT_OURS.contains(&name.as_str()) {
            found.insert(format!("{name}/"));
            all(&path, found);
        }
    }
}

/// What stands in code marks.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn each_room_has_one_line_on_the_map() {
    let lines = PAGE.lines().filter(|line| line.starts_with("| `src/"));
    let first = lines.map(|line| {
        let cell = line.trim_start_matches("| ").split(" |").next().unwrap_or_default();
        let places: Vec<_> = named(cell).collect();
        let room = places.first().expect("a place").trim_start_matches("src/");
        room.split('/').next().unwrap_or_default()
    });
    let mut told: Vec<_> = first.filter(|room| !room.is_empty()).collect();
    told.sort_unstable();
    let mut rooms: Vec<_> = fs::read_dir(root().join("src"))
        .expect("the sources")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        // What puts the rooms together, and this test.
        .filter(|name| !["lib.rs", "map.rs"].contains(&name.as_str()))
        .collect();
    rooms.sort_unstable();
    assert_eq!(told, rooms);
}

#[test]
fn what_the_pages_for_builders_name_is_there() {
    let mut there = BTreeSet::new();
    for part in PARTS {
        there.insert(format!("{part}/"));
        all(&root().join(part), &mut there);
    }
    let is_path = |name: &&str| {
        (name.ends_with(".rs") || name.ends_with('/') && !name.starts_with('/'))
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
    };
    // A path may begin at the room that is spoken of.
    let is_there = |name: &str| there.contains(name) || there.iter().any(|path| path.ends_with(&format!("/{name}")));
    let gone: BTreeSet<_> = named(PAGE)
        .chain(named(STEPS))
        .filter(is_path)
        .filter(|name| !is_there(name))
        .collect();
    assert!(gone.is_empty(), "{gone:?}");
}

/// What the doors and the pages ask of the engine for somebody goes through `client/`, which decides whether they may.
#[test]
fn no_front_asks_the_rooms_itself() {
    const ROOMS: [&str; 7] = [
        ".programs()",
        ".conversations()",
        ".tasks()",
        ".vault()",
        ".sessions()",
        "engine.queue()",
        "engine.backends()",
    ];
    let mut files = BTreeSet::new();
    for front in ["src/http", "app/src"] {
        all(&root().join(front), &mut files);
    }
    let sources = files
        .iter()
        .filter(|name| name.ends_with(".rs") && !name.contains("/tests"));
    let mut asked = Vec::new();
    for name in sources {
        let source = fs::read_to_string(root().join(name)).expect("a source");
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let found = ROOMS.into_iter().filter(|room| source.contains(room));
        asked.extend(found.map(|room| format!("{name}: {room}")));
    }
    assert!(asked.is_empty(), "{asked:?}");
}
