//! Programs: what a gateway adds to a direct call, with one stream, a hundred and a thousand, and how many requests without work it passes on.
//!
//! The model server is the same for all, and all have room for every request: what is measured is the way through, not the line. That comes last
//! ([`flood`]): what people wait behind a program that asks for much.

mod anteroom;
mod ask;
mod flood;
mod others;

use std::{sync::Arc, time::Duration};

use anteroom_loopback::Config;
use anyhow::Context as _;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    figures::{Measure, Unit},
    http::Http,
    model::Model,
    numbers::percentile,
    stage::{AT_ONCE, SERVICE, SERVICE_SECONDS, millis},
    system::Places,
};
use ask::{Answer, Asked, Target, ask};

/// Requests at once, of all.
const CONNECTIONS: usize = 2_000;
/// Messages of one client, one after the other.
const ALONE: usize = 300;
/// The first ones find connections that are not open yet, and code that has not run.
const WARM_UP: usize = 20;
/// Streams at once, and how many each client has, one after the other.
const CROWDS: [(usize, usize); 2] = [(100, 5), (1_000, 2)];
/// How often each target has such a crowd, in turns with the others: whatever else the machine does meets each.
const ROUNDS: usize = 3;
/// Callers without a pause, and how many requests they make together: what takes fifty a second is not asked for thousands.
const CALLERS: usize = 64;
const REQUESTS: usize = 6_000;
const REQUESTS_OF_LITELLM: usize = 400;

/// What a gateway may add, in milliseconds, and do.
struct Budget {
    alone: f64,
    hundred: (f64, f64),
    requests: f64,
    cpu: f64,
}

const BUDGET: Budget = Budget {
    alone: 0.45,
    hundred: (0.9, 5.0),
    requests: 6_000.0,
    cpu: 0.23,
};

pub(crate) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let mut measures = Vec::new();
    {
        let targets = Targets::start(places, AT_ONCE).await?;
        measures.extend(alone(&targets.all).await?);
        for target in &targets.all {
            measures.extend(without_work(target).await?);
        }
    }
    let targets = Targets::start(places, SERVICE).await?;
    for (streams, each) in CROWDS {
        measures.extend(crowds(&targets.all, streams, each).await?);
    }
    for target in &targets.all {
        if let Some(program) = &target.program {
            let memory = program.memory()? as f64;
            measures.push(Measure::new(
                format!("{}: memory after all that", target.name),
                memory,
                Unit::Bytes,
            ));
        }
    }
    drop(targets);
    measures.extend(flood::run(places).await?);
    Ok(measures)
}

/// The model server, and everything that stands in front of it.
struct Targets {
    all: Vec<Arc<Target>>,
    // After them: the model's clients go first.
    _model: Model,
}

impl Targets {
    async fn start(places: &Places, answers: Config) -> anyhow::Result<Self> {
        let model = Model::start(answers).await?;
        let (addr, url) = (model.loopback().addr, model.loopback().base_url());
        let mut all = vec![
            Target {
                name: "direct",
                http: Http::new(addr, CONNECTIONS),
                headers: Vec::new(),
                program: None,
                _folder: None,
            },
            anteroom::roomy(places, &url)?,
        ];
        if let Some(gateways) = &places.gateways {
            all.push(others::smg(gateways, &places.scratch, &url, None).await?);
            all.push(others::litellm(gateways, &places.scratch, &url, None).await?);
        }
        Ok(Self {
            all: all.into_iter().map(Arc::new).collect(),
            _model: model,
        })
    }
}

/// One client, that asks all in turns, so that whatever else the machine does meets each.
async fn alone(targets: &[Arc<Target>]) -> anyhow::Result<Vec<Measure>> {
    let mut taken: Vec<Vec<Answer>> = targets.iter().map(|_| Vec::new()).collect();
    for number in 0..WARM_UP + ALONE {
        for (target, taken) in targets.iter().zip(&mut taken) {
            let answer = ask(target, &format!("message {number}"), Asked::Stream).await?;
            if number >= WARM_UP {
                taken.push(answer);
            }
        }
    }
    let direct = usual(taken.first().context("nobody was asked")?)?;
    let mut measures = Vec::new();
    for (target, taken) in targets.iter().zip(&taken) {
        measures.extend(added(target, taken, direct, 1)?);
    }
    Ok(measures)
}

/// A crowd at each target, again and again in turns; what each has added, and taken of the processor.
async fn crowds(targets: &[Arc<Target>], streams: usize, each: usize) -> anyhow::Result<Vec<Measure>> {
    let mut taken: Vec<(Vec<Answer>, Duration)> = targets.iter().map(|_| Default::default()).collect();
    for round in 0..ROUNDS {
        // Nobody is always the first, nor always behind the same one.
        for turn in 0..targets.len() {
            let at = (turn + round) % targets.len();
            let (target, (answers, cpu)) = (&targets[at], &mut taken[at]);
            let before = target.cpu()?;
            answers.extend(crowd(target, streams, each).await?);
            *cpu += target.cpu()? - before;
        }
    }
    let direct = usual(&taken.first().context("nobody was asked")?.0)?;
    let mut measures = Vec::new();
    for (target, (answers, cpu)) in targets.iter().zip(&taken) {
        measures.extend(added(target, answers, direct, streams)?);
        if target.program.is_some() {
            // The first of each client is none of the answers, but has been answered too.
            let all = (ROUNDS * streams * (each + 1)) as f64;
            measures.push(Measure::new(
                format!("{}: {streams} streams, processor time an answer", target.name),
                millis(*cpu) / all,
                Unit::Millis,
            ));
        }
    }
    Ok(measures)
}

/// So many clients at once, each with as many messages, begun evenly over the time of one answer.
async fn crowd(target: &Arc<Target>, streams: usize, each: usize) -> anyhow::Result<Vec<Answer>> {
    let mut clients = JoinSet::new();
    let time = Duration::from_secs_f64(SERVICE_SECONDS);
    for client in 0..streams {
        let target = Arc::clone(target);
        let begin = time * u32::try_from(client)? / u32::try_from(streams)?;
        clients.spawn(async move {
            sleep(begin).await;
            let mut answers = Vec::new();
            for number in 0..=each {
                let answer = ask(&target, &format!("client {client}, message {number}"), Asked::Stream).await?;
                // The first opens its connection.
                if number > 0 {
                    answers.push(answer);
                }
            }
            anyhow::Ok(answers)
        });
    }
    let mut all = Vec::new();
    while let Some(client) = clients.join_next().await {
        all.extend(client.context("a client broke")??);
    }
    Ok(all)
}

/// The medians of the direct call.
fn usual(answers: &[Answer]) -> anyhow::Result<Answer> {
    Ok(Answer {
        first: at(answers, |answer| answer.first, 0.5)?,
        whole: at(answers, |answer| answer.whole, 0.5)?,
    })
}

/// What is added to the direct call's medians: to the first piece, and to the whole answer.
fn added(target: &Target, answers: &[Answer], usual: Answer, streams: usize) -> anyhow::Result<Vec<Measure>> {
    let plural = if streams == 1 { "" } else { "s" };
    let named = |what: &str| format!("{}: {streams} stream{plural}, {what}", target.name);
    if target.program.is_none() {
        let of = |what: &str, usual| Measure::new(named(what), usual, Unit::Millis);
        return Ok(vec![
            of("first piece, p50", usual.first),
            of("whole answer, p50", usual.whole),
        ]);
    }
    // The budget is for the first pieces of Anteroom.
    let most = match (target.name, streams) {
        ("Anteroom", 1) => [Some(BUDGET.alone), None],
        ("Anteroom", 100) => [Some(BUDGET.hundred.0), Some(BUDGET.hundred.1)],
        _ => [None, None],
    };
    let first = |answer: &Answer| answer.first;
    let whole = |answer: &Answer| answer.whole;
    let mut measures = Vec::new();
    let mut add = |what: &str, part: fn(&Answer) -> f64, most: [Option<f64>; 2]| {
        for (share, most) in [0.5, 0.99].into_iter().zip(most) {
            let named = named(&format!("{what}, p{:.0}, added", share * 100.0));
            let measure = Measure::new(named, at(answers, part, share)? - part(&usual), Unit::Millis);
            measures.push(match most {
                Some(most) => measure.at_most(most),
                None => measure,
            });
        }
        anyhow::Ok(())
    };
    add("first piece", first, most)?;
    add("whole answer", whole, [None, None])?;
    Ok(measures)
}

/// Requests whose answer is there at once, without streaming, as fast as some callers can make them; and the processor's time that each takes.
async fn without_work(target: &Arc<Target>) -> anyhow::Result<Vec<Measure>> {
    let requests = if target.name == "LiteLLM" {
        REQUESTS_OF_LITELLM
    } else {
        REQUESTS
    };
    // What is done once is not a request's cost.
    call(target, requests / 10).await?;
    let (before, began) = (target.cpu()?, std::time::Instant::now());
    call(target, requests).await?;
    let (taken, after) = (began.elapsed(), target.cpu()?);
    let name = target.name;
    let rate = Measure::new(
        format!("{name}: requests without work, {CALLERS} callers"),
        requests as f64 / taken.as_secs_f64(),
        Unit::PerSecond,
    );
    let each = target.program.is_some().then(|| {
        let each = millis(after - before) / requests as f64;
        Measure::new(format!("{name}: processor time a request"), each, Unit::Millis)
    });
    let mut measures: Vec<_> = [rate].into_iter().chain(each).collect();
    if name == "Anteroom" {
        let budgets = [BUDGET.requests, BUDGET.cpu];
        measures = measures
            .into_iter()
            .zip(budgets)
            .enumerate()
            .map(|(at, (measure, budget))| {
                if at == 0 {
                    measure.at_least(budget)
                } else {
                    measure.at_most(budget)
                }
            })
            .collect();
    }
    Ok(measures)
}

async fn call(target: &Arc<Target>, requests: usize) -> anyhow::Result<()> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let target = Arc::clone(target);
        callers.spawn(async move {
            for number in (caller..requests).step_by(CALLERS) {
                ask(&target, &format!("request {number}"), Asked::Whole).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.context("a caller broke")??;
    }
    Ok(())
}

fn at(answers: &[Answer], part: fn(&Answer) -> f64, share: f64) -> anyhow::Result<f64> {
    let values: Vec<f64> = answers.iter().map(part).collect();
    percentile(&values, share).context("nothing was measured")
}
