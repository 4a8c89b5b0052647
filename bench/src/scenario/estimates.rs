//! The estimates by themselves: whether tickets start within the range that they were shown when they joined.
//!
//! The engine's queue, with tokio's clock paused: it jumps to the next thing that happens. The dice are loaded the same way
//! each time, so every round has the same figures.

use std::{sync::Arc, thread, time::Duration};

use anteroom::queue::{EventIndex, EventPolicy, Outcome, Owner, Policy, Queue, StartRange};
use anyhow::{Context as _, anyhow, ensure};
use tokio::{runtime, task::JoinSet, time::Instant};

use crate::{
    dice::Dice,
    figures::{Measure, Unit},
    numbers::mean,
};

const CHAT: EventIndex = EventIndex(0);
/// Turns that are over before the first ticket counts.
const SEEN: usize = 20;
/// Tickets that join after that, in one run.
const TICKETS: usize = 80;
/// Those who come together, where they come in bursts.
const BURST: usize = 40;
const SLOTS: [usize; 3] = [1, 3, 8];
/// Runs of each kind: those of one burst share their luck, so it takes many.
const RUNS: u64 = 50;
/// A ticket is near the head from this position on.
const NEAR: u64 = 3;
/// Starts that have to fall into the range shown at joining.
const INSIDE: f64 = 80.0;
/// The range narrows as its ticket moves up.
const NARROWER: f64 = 1.0;

pub(crate) async fn run() -> anyhow::Result<Vec<Measure>> {
    // A clock is paused for a runtime, and this one's has to go on.
    tokio::task::spawn_blocking(|| {
        let mut threads = Vec::new();
        for work in [Work::Constant, Work::Exponential, Work::LongTailed] {
            threads.push(thread::spawn(move || measure(work)));
        }
        let mut measures = Vec::new();
        for thread in threads {
            let measured = thread.join().map_err(|_| anyhow!("the simulation broke"))?;
            measures.extend(measured?);
        }
        Ok(measures)
    })
    .await?
}

/// How long work takes.
#[derive(Clone, Copy)]
enum Work {
    Constant,
    Exponential,
    LongTailed,
}

impl Work {
    const MEAN: f64 = 2.0;
    /// Of the Pareto distribution: the variance is finite, but a window does not show it.
    const SHAPE: f64 = 2.5;

    fn name(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Exponential => "exponential",
            Self::LongTailed => "long-tailed (Pareto, 2.5)",
        }
    }

    /// Seconds, [`Self::MEAN`] of them on average.
    fn seconds(self, dice: &mut Dice) -> f64 {
        match self {
            Self::Constant => Self::MEAN,
            Self::Exponential => -Self::MEAN * dice.unit().ln(),
            Self::LongTailed => {
                let least = Self::MEAN * (Self::SHAPE - 1.0) / Self::SHAPE;
                least * dice.unit().powf(-1.0 / Self::SHAPE)
            }
        }
    }
}

/// How tickets come.
#[derive(Clone, Copy)]
enum Arrivals {
    /// Many at once, again and again, before the line is empty.
    Bursts,
    /// One by one, at random, a little faster than they can be served.
    Steady,
}

impl Arrivals {
    /// Seconds until the next ticket comes after `number` have come.
    fn pause(self, number: usize, slots: usize, dice: &mut Dice) -> f64 {
        let each = Work::MEAN / slots as f64;
        match self {
            Self::Bursts if number.is_multiple_of(BURST) => each * BURST as f64 * dice.unit(),
            Self::Bursts => 0.0,
            Self::Steady => -0.9 * each * dice.unit().ln(),
        }
    }
}

/// A ticket that had to wait.
struct Waited {
    shown: StartRange,
    started: Duration,
    /// The width of the range when it was near the head, if it was further back before.
    near: Option<Duration>,
}

impl Waited {
    fn is_inside(&self) -> bool {
        (self.shown.low..=self.shown.high).contains(&self.started)
    }
}

fn measure(work: Work) -> anyhow::Result<Vec<Measure>> {
    let mut all = Vec::new();
    for arrivals in [Arrivals::Bursts, Arrivals::Steady] {
        for slots in SLOTS {
            for seed in 1..=RUNS {
                // One clock a run; it stands still but for what happens in it.
                let runtime = runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()?;
                all.extend(runtime.block_on(simulate(work, arrivals, slots, seed))?);
            }
        }
    }
    let inside = all.iter().filter(|waited| waited.is_inside()).count() as f64 / all.len() as f64;
    // The same tickets, early and late: only those that were further back before.
    let times = |width: Duration| width.as_secs_f64() / Work::MEAN;
    let moved = || all.iter().filter_map(|waited| Some((waited, waited.near?)));
    let joining: Vec<f64> = moved()
        .map(|(waited, _)| times(waited.shown.high - waited.shown.low))
        .collect();
    let near: Vec<f64> = moved().map(|(_, near)| times(near)).collect();
    let (joining, near) = mean(&joining)
        .zip(mean(&near))
        .context("no ticket came near the head from further back")?;
    let of = |what: &str| format!("{}: {what}", work.name());
    Ok(vec![
        Measure::new(
            of("starts within the range shown at joining"),
            inside * 100.0,
            Unit::Percent,
        )
        .at_least(INSIDE),
        Measure::new(of("width of that range, in mean service times"), joining, Unit::Times),
        Measure::new(
            of("its width at position 1–3, in mean service times"),
            near,
            Unit::Times,
        ),
        Measure::new(of("width at position 1–3 ÷ at joining"), near / joining, Unit::Times).at_most(NARROWER),
    ])
}

/// One line, until all have started. Returns those who had to wait.
async fn simulate(work: Work, arrivals: Arrivals, slots: usize, seed: u64) -> anyhow::Result<Vec<Waited>> {
    let queue = Queue::new(policy(slots), Arc::new(()));
    let mut dice = Dice(seed << 32);
    let mut before = JoinSet::new();
    for number in 0..SEEN {
        before.spawn(visit(queue.clone(), number, work.seconds(&mut dice)));
    }
    while let Some(visit) = before.join_next().await {
        visit??;
    }
    let mut visits = JoinSet::new();
    for number in 0..TICKETS {
        visits.spawn(visit(queue.clone(), SEEN + number, work.seconds(&mut dice)));
        let pause = arrivals.pause(number + 1, slots, &mut dice);
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
    }
    let mut waited = Vec::new();
    while let Some(visit) = visits.join_next().await {
        waited.extend(visit??);
    }
    ensure!(!waited.is_empty(), "nobody had to wait");
    Ok(waited)
}

/// Somebody joins, is shown a range, waits, and works for so many seconds. `None`: it started at once.
async fn visit(queue: Queue, number: usize, seconds: f64) -> anyhow::Result<Option<Waited>> {
    let joined = Instant::now();
    let ticket = queue.join(CHAT, Owner(number as u128), joined);
    let mut ticket = ticket.map_err(|why| anyhow!("not let in: {why:?}"))?;
    let id = ticket.id();
    let shown = queue
        .standing(id)
        .and_then(|shown| Some((shown.position, shown.estimate?)));
    let mut changes = queue.changes();
    let mut near = None;
    let permit = loop {
        tokio::select! {
            biased;
            permit = ticket.admitted() => break permit.map_err(|how| anyhow!("left the line: {how:?}"))?,
            () = changes.changed(), if near.is_none() => {
                let standing = queue.standing(id).filter(|standing| standing.position <= NEAR);
                near = standing.and_then(|standing| standing.estimate).map(|range| range.high - range.low);
            }
        }
    };
    let started = joined.elapsed();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    permit.finish(Outcome::Done);
    Ok(shown.map(|(position, shown)| Waited {
        shown,
        started,
        near: near.filter(|_| position > NEAR),
    }))
}

fn policy(slots: usize) -> Policy {
    Policy::new([EventPolicy::new("chat", slots)])
}
