//! A hundred requests of one program, then twenty people with one message each, and room for five: what the people wait, against the same people
//! alone. In front of the others' gateways the people are programs too, for those have no pages.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use tokio::{task::JoinSet, time::sleep};

use super::{
    anteroom,
    ask::{Asked, Target, ask},
    others,
};
use crate::{
    anteroom::{Anteroom, AnteroomPage},
    figures::{Measure, Unit},
    model::Model,
    numbers::{mean, percentile},
    stage::{SERVICE, SERVICE_SECONDS, millis, opened, unseen},
    system::{Page as _, Places, Setup},
};

const SLOTS: usize = 5;
const FLOOD: usize = 100;
const PEOPLE: usize = 20;
/// Longest time until the flood stands before the people.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who waits beside the flood.
enum People {
    /// Browsers, each a person.
    Browsers(Vec<Arc<AnteroomPage>>),
    /// So many requests to a gateway that has no pages.
    Requests(Arc<Target>),
}

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let model = Model::start(SERVICE).await?;
    let url = model.loopback().base_url();
    let mut measures = Vec::new();
    {
        let setup = Setup {
            slots: SLOTS,
            model: url.clone(),
        };
        let room = (2 * FLOOD).to_string();
        let variables = [("QUEUE_MAX_WAITING_PER_SESSION", &*room), ("QUEUE_MAX_SIZE", &*room)];
        let server = Anteroom::with(places, &setup, &variables)?;
        let pages = opened(&server, PEOPLE).await?;
        let people = People::Browsers(pages.into_iter().map(Arc::new).collect());
        let program = Arc::new(anteroom::program(server));
        measures.extend(compare(&model, &program, &people, true).await?);
    }
    let Some(gateways) = &places.gateways else {
        return Ok(measures);
    };
    let smg = Arc::new(others::smg(gateways, &places.scratch, &url, Some(SLOTS)).await?);
    let people = People::Requests(Arc::clone(&smg));
    measures.extend(compare(&model, &smg, &people, false).await?);
    let litellm = Arc::new(others::litellm(gateways, &places.scratch, &url, Some(SLOTS)).await?);
    measures.push(refused(&litellm).await?);
    Ok(measures)
}

/// LiteLLM has no line at a limit: how many of as many requests at once it sends away.
async fn refused(target: &Arc<Target>) -> anyhow::Result<Measure> {
    let mut asking = JoinSet::new();
    for number in 0..FLOOD + PEOPLE {
        let target = Arc::clone(target);
        asking.spawn(async move { ask(&target, &format!("request {number} of the flood"), Asked::Stream).await });
    }
    let mut refused = 0;
    while let Some(answer) = asking.join_next().await {
        refused += usize::from(answer.context("a request broke")?.is_err());
    }
    let what = format!("{}: refused, of {} at once", target.name, FLOOD + PEOPLE);
    Ok(Measure::new(what, refused as f64, Unit::Count))
}

async fn compare(model: &Model, program: &Arc<Target>, people: &People, is_ours: bool) -> anyhow::Result<Vec<Measure>> {
    let name = program.name;
    let alone = wait(model, program, 0, people).await?;
    model.loopback().reset();
    let behind = wait(model, program, FLOOD, people).await?;
    let most = model.loopback().record().max;
    let (usual, flooded) = (
        mean(&alone).context("nobody waited")?,
        mean(&behind).context("nobody waited")?,
    );
    let what = |what: &str| format!("{name}: {PEOPLE} people, from send to answer, {what}");
    let times = Measure::new(what("behind a flood of 100 ÷ alone"), flooded / usual, Unit::Times);
    let at_once = Measure::new(
        format!("{name}: requests at the model at once, at most"),
        most as f64,
        Unit::Count,
    );
    // Two answers more at most, for anybody: what runs already, and one ticket of the program's in the same round.
    let bound = 1.0 + 2.0 * SERVICE_SECONDS * 1e3 / usual;
    let last = percentile(&behind, 1.0).context("nobody waited")?;
    Ok(vec![
        if is_ours { times.at_most(bound) } else { times },
        Measure::new(what("alone, mean"), usual, Unit::Millis),
        Measure::new(what("behind the flood, mean"), flooded, Unit::Millis),
        Measure::new(what("behind the flood, the last"), last, Unit::Millis),
        if is_ours {
            at_once.at_most(SLOTS as f64)
        } else {
            at_once
        },
    ])
}

/// The times of all people from send to answer, in milliseconds, after so many requests of one program.
async fn wait(model: &Model, program: &Arc<Target>, flood: usize, people: &People) -> anyhow::Result<Vec<f64>> {
    let mut flooding = JoinSet::new();
    for number in 0..flood {
        let program = Arc::clone(program);
        flooding.spawn(async move { ask(&program, &format!("request {number} of the flood"), Asked::Stream).await });
    }
    let begun = async {
        while flood > 0 && model.loopback().record().now < SLOTS {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, begun)
        .await
        .context("the flood did not begin")?;
    // Those that wait cannot be counted from outside in every gateway: all have been sent long before this is over.
    sleep(Duration::from_secs_f64(SERVICE_SECONDS)).await;
    let mut sent = JoinSet::new();
    match people {
        People::Browsers(pages) => {
            for (number, page) in pages.iter().enumerate() {
                let page = Arc::clone(page);
                sent.spawn(async move {
                    let chat = page.chat(&format!("message of person {number}"), &unseen()).await?;
                    anyhow::Ok(millis(chat.done))
                });
            }
        }
        People::Requests(target) => {
            for number in 0..PEOPLE {
                let target = Arc::clone(target);
                sent.spawn(async move {
                    let answer = ask(&target, &format!("message of person {number}"), Asked::Stream).await?;
                    anyhow::Ok(answer.whole)
                });
            }
        }
    }
    let mut waits = Vec::new();
    while let Some(wait) = sent.join_next().await {
        waits.push(wait.context("a person's request broke")??);
    }
    let mut answered = 0;
    while let Some(answer) = flooding.join_next().await {
        answer.context("a request of the flood broke")??;
        answered += 1;
    }
    ensure!(answered == flood, "a part of the flood is lost");
    Ok(waits)
}
