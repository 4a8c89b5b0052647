//! Two equal servers that get slower the more they are given, half busy: the mean time in system when the least loaded one is
//! asked, against asking them in turns.
//!
//! Both ways are played at the same time with the same messages, so that luck and the machine meet both.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::time::{Instant, sleep_until};

use super::{
    Pool,
    theory::{Arrival, Routing, play},
};
use crate::{
    anteroom::AnteroomPage,
    dice::Dice,
    figures::{Measure, Unit},
    numbers::mean,
    stage::{Chats, millis},
    system::Places,
};

/// Share of the time that each server is busy.
const LOAD: f64 = 0.5;
const MESSAGES: usize = 300;
/// Browsers that send them, in turns.
const BROWSERS: usize = 20;
/// Pieces of an answer beyond the first, on average.
const PIECES: f64 = 20.0;
/// Time between pieces, where a server answers one request.
const PACE: Duration = Duration::from_millis(10);
/// A server shares itself among all that it is given, so for them its limit is 1; Anteroom's is never reached.
const SERVERS: [&str; 2] = ["one limit=1 over=slower pace=10ms", "two limit=1 over=slower pace=10ms"];
const LIMIT: &str = "limit = 64";
/// Which messages: their luck is near the average.
const SEED: u64 = 379;
/// What the way through Anteroom adds to both is in the ratio, too.
const TOLERANCE: f64 = 1.05;

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let messages = messages();
    let (least, turns) = tokio::try_join!(
        Balanced::set(places, "least_loaded"),
        Balanced::set(places, "round_robin")
    )?;
    let begin = Instant::now() + Duration::from_millis(100);
    let (least, turns) = tokio::try_join!(
        least.time_in_system(&messages, begin),
        turns.time_in_system(&messages, begin)
    )?;
    let arrivals: Vec<Arrival> = messages.iter().map(Message::arrival).collect();
    let played = play(Routing::LeastLoaded, &arrivals) / play(Routing::RoundRobin, &arrivals);
    let theory = Routing::LeastLoaded.mean_time(LOAD) / Routing::RoundRobin.mean_time(LOAD);
    Ok(vec![
        Measure::new(
            "two equal servers, half busy: mean time in system, least loaded ÷ in turns",
            least / turns,
            Unit::Times,
        )
        .at_most(theory * TOLERANCE),
        Measure::new("the same in theory, with any number of messages", theory, Unit::Times),
        Measure::new("the same in theory, with these messages", played, Unit::Times),
        Measure::new("mean time in system, least loaded", least, Unit::Millis),
        Measure::new("mean time in system, in turns", turns, Unit::Millis),
    ])
}

/// A message: when it is sent, and how long its answer is.
struct Message {
    at: Duration,
    /// Pieces beyond the first.
    pieces: u32,
}

impl Message {
    /// In units of the mean work.
    fn arrival(&self) -> Arrival {
        let unit = PIECES * PACE.as_secs_f64();
        Arrival {
            at: self.at.as_secs_f64() / unit,
            work: f64::from(self.pieces) / PIECES,
        }
    }
}

fn messages() -> Vec<Message> {
    let mut dice = Dice(SEED);
    let mut at = 0.0;
    // Of the mean work, so many times in a second, there come twice the load: there are two servers.
    let between = PIECES * PACE.as_secs_f64() / (2.0 * LOAD);
    let one = |_| {
        at -= between * dice.unit().ln();
        Message {
            at: Duration::from_secs_f64(at),
            pieces: (-PIECES * dice.unit().ln()).round() as u32,
        }
    };
    (0..MESSAGES).map(one).collect()
}

/// Anteroom with both servers, and those who send.
struct Balanced {
    pages: Vec<Arc<AnteroomPage>>,
    // Until all has been sent.
    _pool: Pool,
}

impl Balanced {
    async fn set(places: &Places, balance: &str) -> anyhow::Result<Self> {
        let variables = [("BACKEND_BALANCE", balance)];
        let pool = Pool::set(places, &SERVERS, |_| LIMIT.to_owned(), &variables).await?;
        Ok(Self {
            pages: pool.visit(BROWSERS).await?.into_iter().map(Arc::new).collect(),
            _pool: pool,
        })
    }

    /// The mean, in milliseconds, of times from send to the end of the answer.
    async fn time_in_system(&self, messages: &[Message], begin: Instant) -> anyhow::Result<f64> {
        let mut sent = Chats::default();
        for (number, message) in messages.iter().enumerate() {
            sleep_until(begin + message.at).await;
            let text = format!("[[tokens={}]] message {number} of many", message.pieces + 1);
            sent.send(&self.pages[number % BROWSERS], text);
        }
        let times: Vec<f64> = sent.all().await?.iter().map(|chat| millis(chat.done)).collect();
        mean(&times).context("nothing was measured")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn these_messages_are_as_many_and_as_long_as_they_are_meant_to_be() {
        let messages = messages();
        let arrivals: Vec<_> = messages.iter().map(Message::arrival).collect();
        let works: Vec<f64> = arrivals.iter().map(|arrival| arrival.work).collect();
        let work = mean(&works).expect("there are some");
        let load = work * MESSAGES as f64 / arrivals[MESSAGES - 1].at / 2.0;
        assert!((load / LOAD - 1.0).abs() < 0.05, "{load}");
    }

    #[test]
    fn the_luck_of_these_messages_is_near_the_average() {
        let arrivals: Vec<_> = messages().iter().map(Message::arrival).collect();
        let theory = Routing::LeastLoaded.mean_time(LOAD) / Routing::RoundRobin.mean_time(LOAD);
        let played = play(Routing::LeastLoaded, &arrivals) / play(Routing::RoundRobin, &arrivals);
        assert!((played / theory - 1.0).abs() < 0.02, "{played} and {theory}");
    }
}
