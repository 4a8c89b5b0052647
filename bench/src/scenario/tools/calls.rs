//! A call of a tool over a connection that is warm: rmcp by itself, and through our room, in turns.

use std::{sync::Arc, time::Instant};

use anteroom::{
    queue::Owner,
    settings::{LeaveRules, OwnValues, Secret, ToolServer, ToolSettings, ToolTransport},
    tools::{Content, Offered, Person, Tools},
};
use anyhow::{Context as _, ensure};
use rmcp::{
    RoleClient, ServiceExt as _,
    model::CallToolRequestParams,
    service::RunningService,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Map, Value};

use super::server::{Server, TOOL};
use crate::{
    figures::{Measure, Unit},
    numbers::{median, percentile},
    stage::millis,
};

const CALLS: usize = 1_000;
/// The first ones find connections that are not open yet, and code that has not run.
const WARM_UP: usize = 100;
/// What the server is called in the settings.
const NAME: &str = "bench";

pub(super) async fn run() -> anyhow::Result<Vec<Measure>> {
    let server = Server::start().await?;
    let direct = direct(server.url()).await?;
    let tools = ours(server.url());
    let offer = tools.offer(&Person::nobody(), |_| ()).await;
    ensure!(
        offer.missing.is_empty(),
        "the server of tools is not reached: {:?}",
        offer.missing
    );
    let tool = tools
        .find(&Person::nobody(), &format!("{NAME}__{TOOL}"))
        .context("its tool is not offered")?;
    let (mut alone, mut through) = (Vec::new(), Vec::new());
    // In turns, so that whatever else the machine does meets both.
    for number in 0..WARM_UP + CALLS {
        let question = format!("question {number}");
        let times = [
            direct_call(&direct, &question).await?,
            call(&tools, &tool, &question).await?,
        ];
        if number >= WARM_UP {
            alone.push(times[0]);
            through.push(times[1]);
        }
    }
    tools.close().await;
    direct.cancel().await.context("the connection does not close")?;
    let usual = median(&alone).context("nothing was measured")?;
    let added: Vec<f64> = through.iter().map(|through| through - usual).collect();
    let share = |share| percentile(&added, share).context("nothing was measured");
    let slow = percentile(&alone, 0.99).context("nothing was measured")?;
    Ok(vec![
        Measure::new(
            "a call, added to the direct call's median, p50",
            share(0.5)?,
            Unit::Millis,
        )
        .at_most(2.0),
        Measure::new(
            "a call, added to the direct call's median, p99",
            share(0.99)?,
            Unit::Millis,
        ),
        Measure::new("the direct call (rmcp), median", usual, Unit::Millis),
        Measure::new("the direct call (rmcp), p99", slow, Unit::Millis),
    ])
}

type Direct = RunningService<RoleClient, ()>;

async fn direct(url: &str) -> anyhow::Result<Direct> {
    anteroom::tls::install();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let config = StreamableHttpClientTransportConfig::with_uri(url);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    ().serve(transport).await.context("the server of tools is not reached")
}

fn ours(url: &str) -> Tools {
    let seconds = std::time::Duration::from_secs(60);
    let server = ToolServer {
        name: NAME.to_owned(),
        transport: ToolTransport::Http {
            url: Secret(url.to_owned()),
            headers: Vec::new(),
        },
        limit: Some(4),
        timeout: seconds,
        connect_timeout: seconds,
        idle: seconds,
        leave: LeaveRules::default(),
        only: None,
        own: OwnValues::default(),
        resources: false,
        prompts: false,
    };
    Tools::start(&ToolSettings {
        servers: vec![Arc::new(server)],
        keeper: None,
        ..ToolSettings::default()
    })
}

fn arguments(question: &str) -> Map<String, Value> {
    Map::from_iter([("question".to_owned(), question.into())])
}

/// Milliseconds of one.
async fn direct_call(direct: &Direct, question: &str) -> anyhow::Result<f64> {
    let arguments = arguments(question);
    let began = Instant::now();
    let called = direct
        .call_tool(CallToolRequestParams::new(TOOL).with_arguments(arguments))
        .await?;
    let took = millis(began.elapsed());
    let said = called.content.iter().filter_map(|piece| piece.as_text());
    ensure!(
        said.map(|text| text.text.as_str()).any(|text| text.contains(question)),
        "another answer"
    );
    Ok(took)
}

/// The same with all that a turn's use of a tool asks of our room: a slot of the server, then the call.
async fn call(tools: &Tools, tool: &Offered, question: &str) -> anyhow::Result<f64> {
    let arguments = arguments(question);
    let began = Instant::now();
    let slot = tools.slot(&tool.server, Owner(1)).await;
    let called = tools.call(&Person::nobody(), tool, arguments, slot, |_| ()).await?;
    let took = millis(began.elapsed());
    let is_it = |piece: &Content| matches!(piece, Content::Text(text) if text.contains(question));
    ensure!(called.content.iter().any(is_it), "another answer");
    Ok(took)
}
