//! The command line.

use crate::project::Mode;
use crate::{bench, fuzz};

pub(crate) const USAGE: &str = "\
Usage: cargo xtask <command>

  run [--release] [-- arguments]       set up, build and serve; copies .env.example to .env where there is none
  test [filter…]                       set up and run every test, those in the browser too
       [--no-browser | --browser-only]
  check                                format, lints, docs, licences
  build [--release]                    build; with --release, one file that serves everything
  bench [what…] [--rounds N]           build a release and measure it; the whole table goes into docs/BENCHMARKS.md
        [--seed S] [--dev] [--go-on]   what: crash (kill the server --rounds times; --seed replays), queue (every
        [--asks N] [--seconds N]       scenario, Anteroom alone), gradio (beside Gradio; unless told, this), all,
                                       or scenarios by name (drain, engine, …; see bench/src/scenario); only by name:
                                       soak (refreshes, --asks of them or for --seconds, each waited for)
  fuzz [target…] [--seconds N]         feed made-up input to whatever reads what others write, N seconds (60) a target:
                                       settings, cookies, files, wire, answers, markdown, doors; unless told, all";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print the usage.
    Help,
    /// Build and serve, with these arguments for the server.
    Run { mode: Mode, arguments: Vec<String> },
    /// Build only.
    Build { mode: Mode },
    /// Run the tests.
    Test(TestOptions),
    /// Check format, lints, docs and licences.
    Check,
    /// Measure.
    Bench(BenchOptions),
    /// Look for input that something fails on.
    Fuzz(FuzzOptions),
}

/// What to feed, and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    /// Targets, by name.
    pub(crate) targets: Vec<&'static str>,
    /// Seconds for each of them.
    pub(crate) seconds: u32,
}

/// What to measure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BenchOptions {
    /// How the server is built.
    pub(crate) mode: Mode,
    /// The crash test.
    pub(crate) crash: bool,
    /// Scenarios, by name.
    pub(crate) scenarios: Vec<&'static str>,
    /// Beside Gradio.
    pub(crate) gradio: bool,
    /// Kills of the crash test, or rounds of each scenario; their own number unless given.
    pub(crate) rounds: Option<u32>,
    /// With what an earlier run of the same build has measured.
    pub(crate) go_on: bool,
    /// What the crash test's choices come from; any unless given.
    pub(crate) seed: Option<u64>,
    /// Refreshes that the soak asks for; its own number unless given.
    pub(crate) asks: Option<u64>,
    /// Longest time that the soak goes on; its own unless given.
    pub(crate) seconds: Option<u64>,
}

/// Which tests to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Leave out the browser tests.
    pub(crate) no_browser: bool,
    /// Leave out the Rust tests.
    pub(crate) browser_only: bool,
    /// Only tests whose name holds one of these; all where there is none.
    pub(crate) filters: Vec<String>,
}

/// Reads the arguments after `cargo xtask`. The error is a sentence for the person who typed them.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = arguments;
    let Some(command) = arguments.next() else {
        return Ok(Command::Help);
    };
    let rest: Vec<String> = arguments.collect();
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "run" => {
            let split = rest.iter().position(|argument| argument == "--").unwrap_or(rest.len());
            let (ours, theirs) = rest.split_at(split);
            Ok(Command::Run {
                mode: mode(ours)?,
                arguments: theirs.iter().skip(1).cloned().collect(),
            })
        }
        "build" => Ok(Command::Build { mode: mode(&rest)? }),
        "test" => test_options(rest).map(Command::Test),
        "bench" => bench_options(rest).map(Command::Bench),
        "fuzz" => fuzz_options(rest).map(Command::Fuzz),
        "check" if rest.is_empty() => Ok(Command::Check),
        "check" => Err(unknown(&rest[0])),
        other => Err(format!("there is no command `{other}`")),
    }
}

fn mode(arguments: &[String]) -> Result<Mode, String> {
    arguments
        .iter()
        .try_fold(Mode::Dev, |_, argument| match argument.as_str() {
            "--release" => Ok(Mode::Release),
            other => Err(unknown(other)),
        })
}

fn test_options(arguments: Vec<String>) -> Result<TestOptions, String> {
    let mut options = TestOptions::default();
    for argument in arguments {
        match argument.as_str() {
            "--no-browser" => options.no_browser = true,
            "--browser-only" => options.browser_only = true,
            option if option.starts_with('-') => return Err(unknown(option)),
            _ => options.filters.push(argument),
        }
    }
    if options.no_browser && options.browser_only {
        return Err("`--no-browser` and `--browser-only` together leave no test to run".to_owned());
    }
    Ok(options)
}

fn bench_options(arguments: Vec<String>) -> Result<BenchOptions, String> {
    let mut options = BenchOptions {
        mode: Mode::Release,
        crash: false,
        scenarios: Vec::new(),
        gradio: false,
        rounds: None,
        go_on: false,
        seed: None,
        asks: None,
        seconds: None,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--dev" => options.mode = Mode::Dev,
            "--rounds" => match number(&argument, arguments.next())? {
                0 => return Err("no rounds, no figures: `--rounds` starts at 1".to_owned()),
                rounds => options.rounds = Some(rounds),
            },
            "--go-on" => options.go_on = true,
            "--seed" => options.seed = Some(number(&argument, arguments.next())?),
            "--asks" => options.asks = Some(number(&argument, arguments.next())?),
            "--seconds" => options.seconds = Some(number(&argument, arguments.next())?),
            "crash" => options.crash = true,
            "queue" => options.scenarios = bench::SCENARIOS.to_vec(),
            "gradio" => options.gradio = true,
            "all" => {
                options.scenarios = bench::SCENARIOS.to_vec();
                (options.crash, options.gradio) = (true, true);
            }
            name => match bench::SCENARIOS
                .iter()
                .chain(&bench::APART)
                .find(|scenario| **scenario == name)
            {
                Some(scenario) if options.scenarios.contains(scenario) => {}
                Some(scenario) => options.scenarios.push(scenario),
                None => return Err(unknown(name)),
            },
        }
    }
    if options.scenarios.is_empty() && (options.gradio || !options.crash) {
        options.scenarios = bench::SCENARIOS.to_vec();
        options.gradio = true;
    }
    Ok(options)
}

fn fuzz_options(arguments: Vec<String>) -> Result<FuzzOptions, String> {
    let mut options = FuzzOptions {
        targets: Vec::new(),
        seconds: fuzz::SECONDS,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            options.seconds = match number(&argument, arguments.next())? {
                0 => return Err("`--seconds` starts at 1".to_owned()),
                seconds => seconds,
            };
            continue;
        }
        match fuzz::TARGETS.iter().find(|target| **target == argument) {
            Some(target) if options.targets.contains(target) => {}
            Some(target) => options.targets.push(target),
            None => return Err(unknown(&argument)),
        }
    }
    if options.targets.is_empty() {
        options.targets = fuzz::TARGETS.to_vec();
    }
    Ok(options)
}

fn number<T: std::str::FromStr>(option: &str, value: Option<String>) -> Result<T, String> {
    let value = value.ok_or_else(|| format!("`{option}` needs a number"))?;
    value
        .parse()
        .map_err(|_| format!("`{option}` needs a number, not `{value}`"))
}

fn unknown(argument: &str) -> String {
    format!("this command does not know `{argument}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn what_follows_the_dashes_is_the_servers() {
        let arguments = vec!["--release".to_owned(), "x".to_owned()];
        assert_eq!(
            parsed("run -- --release x"),
            Ok(Command::Run {
                mode: Mode::Dev,
                arguments
            })
        );
        assert_eq!(
            parsed("run --release"),
            Ok(Command::Run {
                mode: Mode::Release,
                arguments: vec![]
            })
        );
    }

    #[test]
    fn tests_take_filters_and_options_in_any_order() {
        let options = TestOptions {
            no_browser: true,
            filters: vec!["a".to_owned(), "b".to_owned()],
            ..Default::default()
        };
        assert_eq!(parsed("test a --no-browser b"), Ok(Command::Test(options)));
        assert!(parsed("test --no-browser --browser-only").is_err());
    }

    #[test]
    fn benches_are_named_or_all_are_meant() {
        let options = |line: &str| match parsed(line) {
            Ok(Command::Bench(options)) => options,
            other => panic!("{line}: {other:?}"),
        };
        let crash = options("bench crash --rounds 5 --seed 7 --dev");
        assert!(crash.crash && crash.scenarios.is_empty() && !crash.gradio);
        assert_eq!((crash.mode, crash.rounds, crash.seed), (Mode::Dev, Some(5), Some(7)));
        assert_eq!(options("bench restart restart").scenarios, ["restart"]);
        assert_eq!(options("bench engine estimates").scenarios, bench::SERVERLESS);
        let soak = options("bench soak --asks 9 --seconds 8");
        assert_eq!(
            (soak.scenarios, soak.asks, soak.seconds),
            (bench::APART.to_vec(), Some(9), Some(8))
        );
        assert!(options("bench").gradio && !options("bench").crash);
        assert!(options("bench all").gradio && options("bench all").crash);
        assert!(!options("bench queue").gradio && options("bench queue").scenarios == bench::SCENARIOS);
        assert_eq!(options("bench gradio").scenarios, bench::SCENARIOS);
        let beside = options("bench gradio drain");
        assert!(beside.gradio && beside.scenarios == ["drain"]);
        for wrong in [
            "bench --rounds",
            "bench --rounds 0",
            "bench --rounds many",
            "bench --seed",
            "bench fast",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fuzz_targets_are_named_or_all_are_meant() {
        let options = |targets: &[&'static str], seconds| {
            Ok(Command::Fuzz(FuzzOptions {
                targets: targets.to_vec(),
                seconds,
            }))
        };
        assert_eq!(parsed("fuzz"), options(&fuzz::TARGETS, fuzz::SECONDS));
        assert_eq!(
            parsed("fuzz wire --seconds 5 doors wire"),
            options(&["wire", "doors"], 5)
        );
        for wrong in [
            "fuzz --seconds",
            "fuzz --seconds 0",
            "fuzz --seconds soon",
            "fuzz queue",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        assert!(fuzz::TARGETS.iter().all(|target| USAGE.contains(target)));
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for line in [
            "rum",
            "run --fast",
            "run fast",
            "build -- x",
            "check --fix",
            "test --nobrowser",
        ] {
            let wrong = line
                .split(' ')
                .next_back()
                .filter(|_| line != "build -- x")
                .unwrap_or("--");
            let fault = parsed(line).expect_err(line);
            assert!(fault.contains(&format!("`{wrong}`")), "{line}: {fault}");
        }
    }

    #[test]
    fn without_a_command_the_usage_is_shown() {
        assert_eq!(parsed(""), Ok(Command::Help));
        assert_eq!(parsed("--help"), Ok(Command::Help));
    }
}
