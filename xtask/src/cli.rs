//! The command line.

use std::str::FromStr;

use crate::bench::Scenario;
use crate::fuzz;
use crate::project::Mode;

pub(crate) use flags::{Bench, Fuzz, Test, XtaskCmd as Command};

mod flags {
    use std::num::NonZeroU32;

    use super::{Target, What};

    xflags::xflags! {
        /// Anteroom's build commands.
        cmd xtask {
            /// Set up, build and serve; copies .env.example to .env where there is none. What follows `--` goes to the server.
            cmd run {
                /// Serve a release.
                optional --release
            }
            /// Set up and run every test, those in the browser too.
            cmd test {
                /// Only tests whose name holds one of these.
                repeated filter: String
                /// Leave out the tests in the browser.
                optional --no-browser
                /// Only the tests in the browser.
                optional --browser-only
            }
            /// Check format, lints, docs, licences.
            cmd check {}
            /// Build.
            cmd build {
                /// One file that serves everything.
                optional --release
            }
            /// Build a release and measure it; the whole table goes into docs/BENCHMARKS.md.
            cmd bench {
                /// crash (kill the server --rounds times), chaos (--rounds times kill, stop, cut off or slow down one of three nodes, put its
                /// clock, or crash their database), queue (every scenario, Anteroom alone), gradio (beside Gradio; unless told, this), all,
                /// or scenarios by name (drain, engine, …; see bench/src/scenario); only by name: soak (refreshes, --asks of them or for
                /// --seconds, each waited for; with --go-on counted together with those of before).
                repeated what: What
                /// Rounds of each scenario, and troubles of the two tests.
                optional --rounds n: NonZeroU32
                /// Replay the crash or the chaos test of this seed, or soak with its dice.
                optional --seed s: u64
                /// Play the crash or the chaos test so many times, --rounds each, with one seed after the other (from --seed, or from 1), until something
                /// does not hold; with --go-on behind what has held.
                optional --pieces n: NonZeroU32
                /// Measure a development build.
                optional --dev
                /// Take the rounds that an earlier run of the same build has measured, and play the rest; the soak counts on.
                optional --go-on
                /// Refreshes that the soak asks for.
                optional --asks n: u64
                /// Longest time that the soak goes on.
                optional --seconds n: u64
            }
            /// Feed made-up input to whatever reads what others write.
            cmd fuzz {
                /// settings, cookies, files, wire, answers, markdown, doors, programs, tool_servers, tools, papers; unless told, all.
                repeated target: Target
                /// Seconds for each target; 60 unless told.
                optional --seconds n: NonZeroU32
            }
        }
    }
}

/// Reads the arguments after `cargo xtask`: the command, and what comes behind `--` for the server. The error is for the person who
/// typed them; it is the help where that was asked for, or nothing was.
pub(crate) fn parse(mut arguments: Vec<String>) -> xflags::Result<(Command, Vec<String>)> {
    let dashes = arguments.iter().position(|argument| argument == "--");
    let theirs = dashes.map(|dashes| arguments.split_off(dashes));
    match arguments.first().map(String::as_str) {
        None => arguments.push("--help".to_owned()),
        Some("help") => "--help".clone_into(&mut arguments[0]),
        Some(_) => {}
    }
    let ours = arguments.into_iter().map(Into::into).collect();
    let command = flags::Xtask::from_vec(ours)?.subcommand;
    match &command {
        Command::Run(_) => {}
        _ if theirs.is_some() => {
            return Err(xflags::Error::new(
                "`--`: only `run` starts something that takes arguments",
            ));
        }
        Command::Test(test) if test.no_browser && test.browser_only => {
            return Err(xflags::Error::new(
                "`--no-browser` and `--browser-only` together leave no test to run",
            ));
        }
        _ => {}
    }
    Ok((command, theirs.into_iter().flatten().skip(1).collect()))
}

/// How a command without `--release` builds, or with it.
pub(crate) const fn mode(release: bool) -> Mode {
    if release { Mode::Release } else { Mode::Dev }
}

/// What `bench` is told to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The crash test.
    Crash,
    /// The same of several nodes.
    Chaos,
    /// Every scenario.
    Queue,
    /// Beside Gradio.
    Gradio,
    /// All of these.
    All,
    /// A scenario.
    One(Scenario),
}

impl FromStr for What {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Ok(match name {
            "crash" => Self::Crash,
            "chaos" => Self::Chaos,
            "queue" => Self::Queue,
            "gradio" => Self::Gradio,
            "all" => Self::All,
            name => {
                let known = || Scenario::ALL.into_iter().chain(Scenario::APART);
                let named = known().find(|scenario| scenario.name() == name);
                Self::One(named.ok_or_else(|| {
                    let names: Vec<_> = known().map(Scenario::name).collect();
                    format!(
                        "there is no `{name}`, but crash, chaos, queue, gradio, all, {}",
                        names.join(", ")
                    )
                })?)
            }
        })
    }
}

/// What all the words mean that `bench` is given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The crash test.
    pub(crate) crash: bool,
    /// The same of several nodes.
    pub(crate) chaos: bool,
    /// Scenarios, each once.
    pub(crate) scenarios: Vec<Scenario>,
    /// Beside Gradio.
    pub(crate) gradio: bool,
}

impl Bench {
    /// What to measure.
    pub(crate) fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for what in &self.what {
            match *what {
                What::Crash => plan.crash = true,
                What::Chaos => plan.chaos = true,
                What::Queue => plan.scenarios = Scenario::ALL.to_vec(),
                What::Gradio => plan.gradio = true,
                What::All => {
                    plan = Plan {
                        crash: true,
                        chaos: true,
                        scenarios: Scenario::ALL.to_vec(),
                        gradio: true,
                    }
                }
                What::One(scenario) if plan.scenarios.contains(&scenario) => {}
                What::One(scenario) => plan.scenarios.push(scenario),
            }
        }
        if plan.scenarios.is_empty() && (plan.gradio || !(plan.crash || plan.chaos)) {
            plan.scenarios = Scenario::ALL.to_vec();
            plan.gradio = true;
        }
        plan
    }
}

/// A fuzz target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target(pub(crate) &'static str);

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let named = fuzz::TARGETS.into_iter().find(|target| *target == name);
        named
            .map(Self)
            .ok_or_else(|| format!("there is no `{name}`, but {}", fuzz::TARGETS.join(", ")))
    }
}

impl Fuzz {
    /// What to feed: each target once, all of them unless told.
    pub(crate) fn targets(&self) -> Vec<&'static str> {
        let mut targets = Vec::new();
        for Target(target) in &self.target {
            if !targets.contains(target) {
                targets.push(*target);
            }
        }
        if targets.is_empty() {
            targets = fuzz::TARGETS.to_vec();
        }
        targets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Command, Vec<String>), String> {
        parse(line.split_whitespace().map(str::to_owned).collect()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_follows_the_dashes_is_the_servers() {
        let run = |line: &str| match parsed(line) {
            Ok((Command::Run(run), arguments)) => (run.release, arguments),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(
            run("run -- --release x"),
            (false, vec!["--release".to_owned(), "x".to_owned()])
        );
        assert_eq!(run("run --release"), (true, vec![]));
        assert_eq!(run("run --release -- --"), (true, vec!["--".to_owned()]));
    }

    #[test]
    fn tests_take_filters_and_options_in_any_order() {
        let Ok((Command::Test(test), _)) = parsed("test a --no-browser b") else {
            panic!("these are options")
        };
        assert!(test.no_browser && !test.browser_only);
        assert_eq!(test.filter, ["a", "b"]);
        assert!(parsed("test --no-browser --browser-only").is_err());
    }

    #[test]
    fn benches_are_named_or_all_are_meant() {
        let bench = |line: &str| match parsed(line) {
            Ok((Command::Bench(bench), _)) => bench,
            other => panic!("{line}: {other:?}"),
        };
        let plan = |line: &str| bench(line).plan();
        let crash = bench("bench crash --rounds 5 --seed 7 --dev");
        assert_eq!(
            (crash.dev, crash.rounds.map(u32::from), crash.seed),
            (true, Some(5), Some(7))
        );
        let crash = crash.plan();
        let pieces = bench("bench chaos --pieces 9 --go-on");
        assert_eq!((pieces.pieces.map(u32::from), pieces.go_on), (Some(9), true));
        assert!(crash.crash && crash.scenarios.is_empty() && !crash.gradio);
        let chaos = plan("bench chaos --rounds 50");
        assert!(chaos.chaos && !chaos.crash && chaos.scenarios.is_empty());
        let both = plan("bench crash chaos");
        assert!(both.chaos && both.crash && both.scenarios.is_empty());
        assert!(plan("bench all").chaos && !plan("bench").chaos);
        assert!(!bench("bench").dev && bench("bench --go-on").go_on);
        assert_eq!(plan("bench restart restart").scenarios, [Scenario::Restart]);
        assert_eq!(
            plan("bench estimates engine").scenarios,
            [Scenario::Estimates, Scenario::Engine]
        );
        let soak = bench("bench soak --asks 9 --seconds 8");
        assert_eq!((soak.asks, soak.seconds), (Some(9), Some(8)));
        assert_eq!(soak.plan().scenarios, Scenario::APART);
        assert!(plan("bench").gradio && !plan("bench").crash);
        assert!(plan("bench all").gradio && plan("bench all").crash);
        assert!(!plan("bench queue").gradio && plan("bench queue").scenarios == Scenario::ALL);
        assert_eq!(plan("bench gradio").scenarios, Scenario::ALL);
        let beside = plan("bench gradio drain");
        assert!(beside.gradio && beside.scenarios == [Scenario::Drain]);
        for wrong in [
            "bench --rounds",
            "bench --rounds 0",
            "bench --rounds many",
            "bench --seed",
            "bench chaos --pieces 0",
            "bench fast",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fuzz_targets_are_named_or_all_are_meant() {
        let fuzz = |line: &str| match parsed(line) {
            Ok((Command::Fuzz(fuzz), _)) => (fuzz.targets(), fuzz.seconds.map(u32::from)),
            other => panic!("{line}: {other:?}"),
        };
        assert_eq!(fuzz("fuzz"), (fuzz::TARGETS.to_vec(), None));
        assert_eq!(
            fuzz("fuzz wire --seconds 5 doors wire"),
            (vec!["wire", "doors"], Some(5))
        );
        for wrong in [
            "fuzz --seconds",
            "fuzz --seconds 0",
            "fuzz --seconds soon",
            "fuzz queue",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        let help = parsed("--help").expect_err("it is asked for");
        assert!(fuzz::TARGETS.iter().all(|target| help.contains(target)), "{help}");
        assert!(help.contains(&format!("{} unless told", fuzz::SECONDS)), "{help}");
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (line, wrong) in [
            ("rum", "rum"),
            ("run --fast", "--fast"),
            ("run fast", "fast"),
            ("build -- x", "`--`"),
            ("check --fix", "--fix"),
            ("test --nobrowser", "--nobrowser"),
            ("bench drian", "drian"),
            ("fuzz wires", "wires"),
        ] {
            let fault = parsed(line).expect_err(line);
            assert!(fault.contains(wrong), "{line}: {fault}");
        }
    }

    #[test]
    fn without_a_command_the_help_is_shown() {
        for line in ["", "help", "--help", "-h", "bench --help"] {
            let help = parse(line.split_whitespace().map(str::to_owned).collect()).expect_err(line);
            assert!(help.is_help(), "{line}: {help}");
        }
    }
}
