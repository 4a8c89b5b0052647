//! The README's picture of people behind a program, drawn from the table of `docs/BENCHMARKS.md`. `UPDATE_DOCS=1 cargo test -p xtask picture` draws it; without the
//! variable the test compares.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

/// The begin of the bars, and the length of a second, in the picture's units.
const LEFT: f64 = 128.0;
const SECOND: f64 = 80.0;

/// Colours by class, in light and in dark. The picture brings its own ground along, so it can be read on any page.
const STYLE: &str = "\
    .ground { fill: #f6f8f4 } .ink { fill: #15221d } .quiet { fill: #5f6d66 } .ours { fill: #f0a30a } .theirs { fill: #7d8a82 }
    .last { stroke: #15221d; stroke-width: 2 } .alone { stroke: #15221d; stroke-width: 1.5; stroke-dasharray: 3 3 } .none { fill: none; stroke: #7d8a82; stroke-dasharray: 4 4 }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #15221d } .ink { fill: #f0f4ee } .quiet { fill: #a9b6ae } .theirs { fill: #8d9a92 } .last { stroke: #f0f4ee } .alone { stroke: #f0f4ee }
    }";

/// Seconds that people wait for their answers.
#[derive(Debug, PartialEq)]
struct Waits {
    mean: f64,
    last: f64,
}

/// What the picture shows.
#[derive(Debug, PartialEq)]
struct Figures {
    alone: f64,
    anteroom: Waits,
    smg: Waits,
    refused: u32,
}

/// Reads the figures out of the document.
fn figures(document: &str) -> anyhow::Result<Figures> {
    let cell = |row: &str, column: usize| -> anyhow::Result<f64> {
        let line = document.lines().find(|line| line.starts_with(&format!("| {row} |")));
        let line = line.with_context(|| format!("there is no row {row}"))?;
        let cell = line.split('|').nth(column + 1).unwrap_or_default().trim();
        let seconds = cell.strip_suffix(" s").and_then(|number| number.parse().ok());
        seconds.with_context(|| format!("{row}: {cell} is not in seconds"))
    };
    let waits = |column| -> anyhow::Result<Waits> {
        Ok(Waits {
            mean: cell("behind the flood, mean", column)?,
            last: cell("behind the flood, the last of them", column)?,
        })
    };
    let refused = document.split_once("it refused ").map(|(_, rest)| rest);
    let refused = refused.and_then(|rest| rest.split_once(" of 120 requests"));
    Ok(Figures {
        alone: cell("the people alone, from send to answer, mean", 1)?,
        anteroom: waits(1)?,
        smg: waits(2)?,
        refused: refused
            .and_then(|(count, _)| count.parse().ok())
            .context("how many were refused")?,
    })
}

/// Draws them.
fn draw(figures: &Figures) -> anyhow::Result<String> {
    let Figures {
        alone,
        anteroom,
        smg,
        refused,
    } = figures;
    let mut svg = String::new();
    let told = format!(
        "How long 20 people wait for an answer behind a program's 100 requests: {} s at Anteroom, {} s at SMG; LiteLLM refuses {refused} of the 120. Without the program: {alone} s",
        anteroom.mean, smg.mean
    );
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 276" role="img" aria-label="{told}" font-family="system-ui, sans-serif" font-size="13">"#
    )?;
    writeln!(svg, "  <style>\n{STYLE}\n  </style>")?;
    writeln!(svg, r#"  <rect class="ground" width="720" height="276" rx="14"/>"#)?;
    writeln!(
        svg,
        r#"  <text class="ink" x="24" y="36" font-size="16" font-weight="600">How long 20 people wait for their answers</text>"#
    )?;
    writeln!(
        svg,
        r#"  <text class="quiet" x="24" y="57">behind a program that has sent 100 requests. Five are answered at once, each in 0.3 s.</text>"#
    )?;
    for (name, waits, y, class) in [("Anteroom", anteroom, 102.0, "ours"), ("SMG", smg, 158.0, "theirs")] {
        let (mean, last) = (waits.mean * SECOND, LEFT + waits.last * SECOND);
        ensure!(last < 712.0, "{name}: there is no room for {} s", waits.last);
        writeln!(
            svg,
            r#"  <text class="ink" x="24" y="{}" font-weight="600">{name}</text>"#,
            y + 16.0
        )?;
        writeln!(
            svg,
            r#"  <text class="ink" x="{LEFT}" y="{}">{} s on average, the last of them {} s</text>"#,
            y - 7.0,
            waits.mean,
            waits.last
        )?;
        writeln!(
            svg,
            r#"  <rect class="{class}" x="{LEFT}" y="{y}" width="{mean:.1}" height="22" rx="3"/>"#
        )?;
        writeln!(
            svg,
            r#"  <path class="last" d="M{:.1} {}H{last:.1}M{last:.1} {}v10"/>"#,
            LEFT + mean,
            y + 11.0,
            y + 6.0
        )?;
        writeln!(
            svg,
            r#"  <path class="alone" d="M{:.1} {}v28"/>"#,
            LEFT + alone * SECOND,
            y - 3.0
        )?;
    }
    writeln!(
        svg,
        r#"  <text class="ink" x="24" y="224" font-weight="600">LiteLLM</text>"#
    )?;
    writeln!(
        svg,
        r#"  <rect class="none" x="{LEFT}" y="206" width="250" height="26" rx="3"/>"#
    )?;
    writeln!(
        svg,
        r#"  <text class="ink" x="{}" y="224">refuses {refused} of the 120 at once</text>"#,
        LEFT + 14.0
    )?;
    writeln!(
        svg,
        r#"  <text class="quiet" x="{LEFT}" y="258">The broken lines: without the program, {alone} s on average.</text>"#
    )?;
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_picture_shows_what_was_measured() {
    let document = fs::read_to_string(root().join("docs/BENCHMARKS.md")).expect("the figures");
    let drawn = draw(&figures(&document).expect("all of them")).expect("a picture");
    let file = root().join("docs/gateways.svg");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &drawn).expect("written");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == drawn,
        "docs/gateways.svg is not what the figures say: UPDATE_DOCS=1 draws it"
    );
    assert!(
        !drawn.contains("<script") && !drawn.contains("href"),
        "it is a picture and nothing else"
    );
}

#[test]
fn figures_are_found_by_their_rows() {
    let document = "| the people alone, from send to answer, mean | 0.5 s | 0.6 s |\n\
        | behind the flood, mean | 1 s | 2.5 s |\n| behind the flood, the last of them | 3 s | 4 s |\nLiteLLM: it refused 7 of 120 requests\n";
    let waits = |mean, last| Waits { mean, last };
    let expected = Figures {
        alone: 0.5,
        anteroom: waits(1.0, 3.0),
        smg: waits(2.5, 4.0),
        refused: 7,
    };
    assert_eq!(figures(document).expect("all of them"), expected);
    assert!(figures(&document.replace("2.5 s", "2.5 ms")).is_err());
    assert!(figures("").is_err());
}
