//! The benches: the crash test with many kills, the same of several nodes, and the load generator with its scenarios, beside Gradio if asked for.

#[path = "../../bench/src/scenario/list.rs"]
mod list;

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::cli::{self, Plan};
use crate::pieces::{self, Pieces};
use crate::project::{Mode, Project};
use crate::server::{ALLOCATOR, SERVER};
use crate::step::{self, step};
use crate::{browser, debian, faketime, nginx, poppler, postgres, setup, site};
pub(crate) use list::Scenario;

/// Name of the load generator's binary and package.
const BENCH: &str = "anteroom-bench";
/// Kills of `bench crash`.
const KILLS: u32 = 200;

/// Troubles of `bench chaos`.
const TROUBLES: u32 = 1_000;
/// Simulated worlds of each kind that are played for each of them.
const WORLDS: u64 = 20;

/// Runs the benches that were asked for.
pub(crate) fn run(project: &Project, options: &cli::Bench) -> anyhow::Result<()> {
    let plan = options.plan();
    if plan.crash {
        step("kill the server again and again", || crash(project, options))?;
    }
    if plan.chaos {
        step("trouble several nodes again and again", || chaos(project, options))?;
    }
    if !plan.scenarios.is_empty() {
        scenarios(project, options, &plan)?;
    }
    Ok(())
}

/// The crash test of `app/tests/crash`.
fn crash(project: &Project, options: &cli::Bench) -> anyhow::Result<()> {
    in_pieces(project, options, "crash", |story| {
        step::run(&mut many_rounds(project, story, "crash", KILLS))
    })
}

/// The test of several nodes in `app/tests/cluster`.
fn chaos(project: &Project, options: &cli::Bench) -> anyhow::Result<()> {
    // It would skip itself.
    if !postgres::find() || !nginx::find() {
        bail!("it needs PostgreSQL and nginx");
    }
    // Without it all else goes on as well.
    let wrong_clocks = faketime::find();
    in_pieces(project, options, "chaos", |story| {
        step::run(&mut worlds(project, story))?;
        let mut cargo = many_rounds(project, story, "cluster", TROUBLES);
        // Its rolling restart has no rounds.
        cargo.arg("nobody_loses_anything");
        cargo.env(postgres::REQUIRED, "1").env(nginx::REQUIRED, "1");
        if wrong_clocks {
            cargo.env(faketime::REQUIRED, "1");
        }
        step::run(&mut cargo)
    })
}

/// What nodes decide, in simulated worlds: far more of them than in the tests, and others.
fn worlds(project: &Project, story: Story) -> Command {
    let number = u64::from(story.rounds.unwrap_or(TROUBLES)) * WORLDS;
    // Behind those of the tests, and none of them twice.
    let first = story.seed.unwrap_or(1).wrapping_mul(1 << 32);
    let mut cargo = project.cargo("test");
    cargo
        .args(["--package=anteroom", "--lib", "--", "nodes::tests::one_line"])
        .env("ANTEROOM_WORLDS", number.to_string())
        .env("ANTEROOM_WORLDS_FROM", first.to_string());
    cargo
}

/// How such a test is to go.
#[derive(Clone, Copy)]
struct Story {
    /// As chance has it, unless told.
    seed: Option<u64>,
    /// So many rounds; as many as usual, unless told.
    rounds: Option<u32>,
}

/// Plays a test as often as `--pieces` says; once, unless it does.
fn in_pieces(
    project: &Project,
    options: &cli::Bench,
    name: &str,
    play: impl Fn(Story) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(number) = options.pieces else {
        return play(Story {
            seed: options.seed,
            rounds: options.rounds.map(u32::from),
        });
    };
    let pieces = Pieces {
        number,
        rounds: options.rounds,
        seed: options.seed,
        go_on: options.go_on,
    };
    let (build, folder) = (build(project, Mode::Dev), project.folder("bench"));
    pieces::run(pieces, name, &build, &folder, |seed, rounds| {
        play(Story {
            seed: Some(seed),
            rounds: Some(rounds),
        })
    })
}

/// One of the server's tests that go on for as many rounds as they are told. A debug build: what they prove does not depend on speed.
fn many_rounds(project: &Project, story: Story, test: &str, usual: u32) -> Command {
    let mut cargo = project.cargo("test");
    cargo.args(["--package=anteroom-app", "--test", test, "--", "--nocapture"]);
    let variable = format!("ANTEROOM_{}", test.to_uppercase());
    let rounds = story.rounds.unwrap_or(usual);
    cargo.env(format!("{variable}_ROUNDS"), rounds.to_string());
    if let Some(seed) = story.seed {
        cargo.env(format!("{variable}_SEED"), seed.to_string());
    }
    cargo
}

fn scenarios(project: &Project, options: &cli::Bench, plan: &Plan) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("the load generator reads /proc, so it needs Linux");
    }
    let mode = cli::mode(!options.dev);
    let served = plan.scenarios.iter().any(|&scenario| needs_server(scenario));
    let with_database = |scenario: &Scenario| matches!(scenario, Scenario::Nodes | Scenario::Cluster);
    if plan.scenarios.iter().any(with_database) {
        // Without one they say themselves what is missing.
        postgres::find();
    }
    if plan.scenarios.contains(&Scenario::Papers) {
        poppler::find();
    }
    let python = (served && plan.gradio).then(|| gradio(project)).transpose()?;
    if served {
        site::build(project, mode)?;
    }
    step("compile what is measured", || {
        let mut cargo = project.cargo("build");
        cargo.args(["--package", BENCH, "--bin", BENCH]);
        if served {
            // In one go: what both need is compiled once.
            cargo.args(["--package=anteroom-app", "--bin", SERVER]);
            if mode == Mode::Release {
                cargo.args(["--features", ALLOCATOR]);
            }
        }
        cargo.args(mode.profile());
        step::run(&mut cargo)
    })?;
    let mut bench = with_many_files(project.binary(mode, BENCH).as_os_str());
    bench
        .current_dir(&project.root)
        .arg("--anteroom")
        .arg(project.binary(mode, SERVER))
        .arg("--scratch")
        .arg(project.folder("bench"))
        .args(["--build", &build(project, mode)]);
    if with_browser(&plan.scenarios) {
        let playwright = project.root.join("end2end");
        setup::npm(&playwright)?;
        if let Some(chromium) = browser::chromium(&playwright)? {
            bench.env("CHROMIUM", chromium);
        }
        bench
            .arg("--playwright")
            .arg(playwright)
            .args(["--visit", "bench/visit.mjs", "--stream", "bench/stream.mjs"]);
    }
    if plan.scenarios.contains(&Scenario::Nodes)
        && let Some(redis) = rivals(project)?
    {
        bench.args(["--rivals", "bench/rivals/run.mjs", "--redis"]).arg(redis);
    }
    if plan.scenarios.contains(&Scenario::Gateway) {
        let [smg, litellm] = gateways(project)?;
        bench.arg("--smg").arg(smg).arg("--litellm").arg(litellm);
    }
    if options.go_on {
        bench.arg("--go-on");
    }
    if let Some(rounds) = options.rounds {
        bench.args(["--rounds", &rounds.to_string()]);
    }
    for (option, number) in [
        ("--asks", options.asks),
        ("--seconds", options.seconds),
        ("--seed", options.seed),
    ] {
        if let Some(number) = number {
            bench.args([option, &number.to_string()]);
        }
    }
    if let Some(python) = python {
        bench
            .arg("--gradio")
            .arg(python)
            .args(["--gradio-app", "bench/gradio_app.py"]);
        // The report is that of the whole table, of a build that people would run.
        if mode == Mode::Release && Scenario::ALL.iter().all(|scenario| plan.scenarios.contains(scenario)) {
            bench.args(["--report", "docs/BENCHMARKS.md"]);
        }
    }
    step::run(bench.args(plan.scenarios.iter().map(|scenario| scenario.name())))
}

/// Redis's server, once the queues of `bench/rivals` can be run. `None`: they cannot, which has been said; the bench goes without.
fn rivals(project: &Project) -> anyhow::Result<Option<PathBuf>> {
    const REDIS: &str = "redis-server";
    const BY_HAND: &str = "other queues are not measured without it";
    if setup::find_program(&["node", "node.exe"]).is_none() {
        eprintln!("xtask: Node.js is not installed: other queues are not measured");
        return Ok(None);
    }
    let installed = || setup::find_program(&[REDIS]);
    let redis = installed().or_else(|| debian::install(REDIS, BY_HAND, || Ok(())).then(installed).flatten());
    if redis.is_some() {
        setup::npm(&project.root.join("bench/rivals"))?;
    }
    Ok(redis)
}

/// Whether one of them needs a real browser.
fn with_browser(scenarios: &[Scenario]) -> bool {
    let needs = |scenario: &Scenario| matches!(scenario, Scenario::Visit | Scenario::Stream);
    scenarios.iter().any(needs)
}

/// Whether a scenario is about the server, and not about a part of it that the load generator has built in.
const fn needs_server(scenario: Scenario) -> bool {
    !matches!(scenario, Scenario::Engine | Scenario::Estimates | Scenario::Nodes)
}

/// A command that may open as many files as the system lets it, and whose children may: ten thousand browsers need
/// ten thousand connections, on either side.
fn with_many_files(program: &OsStr) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", r#"ulimit -n "$(ulimit -H -n)"; exec "$0" "$@""#])
        .arg(program);
    shell
}

/// How the server was built, and from what.
fn build(project: &Project, mode: Mode) -> String {
    let of = |command: &mut Command| step::output(command.current_dir(&project.root)).ok();
    let rustc = of(Command::new("rustc").arg("--version")).unwrap_or_default();
    let commit = of(Command::new("git").args(["describe", "--always", "--dirty"])).unwrap_or_default();
    [mode.folder(), commit.trim(), rustc.trim()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// The Python of the virtual environment with Gradio.
fn gradio(project: &Project) -> anyhow::Result<PathBuf> {
    environment(project, "gradio", "bench/requirements.txt")
}

/// SMG's program and LiteLLM's, beside which the API is measured.
fn gateways(project: &Project) -> anyhow::Result<[PathBuf; 2]> {
    let program = |name: &str| {
        let python = environment(project, name, &format!("bench/gateways/{name}.txt"))?;
        anyhow::Ok(python.with_file_name(name))
    };
    Ok([program("smg")?, program("litellm")?])
}

/// The Python of a virtual environment with what a list of packages names.
fn environment(project: &Project, name: &str, list: &str) -> anyhow::Result<PathBuf> {
    setup::python(project, name, &project.root.join(list))
        .context("this needs Python 3.10 or later, with venv (https://www.python.org)")
}
