//! A call of a tool over a connection that is warm, to a server over HTTP and to a program: directly, and through our room, in turns.

use std::{path::Path, process::Stdio, sync::Arc, time::Instant};

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
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::server::{SERVE, Server, TOOL};
use crate::{
    figures::{Measure, Unit},
    numbers::{median, percentile},
    stage::millis,
    system::Places,
};

const CALLS: usize = 1_000;
/// The first ones find connections that are not open yet, and code that has not run.
const WARM_UP: usize = 100;
/// What the server is called in the settings.
const NAME: &str = "bench";

pub(super) async fn run(places: &Places) -> anyhow::Result<Vec<Measure>> {
    let server = Server::start().await?;
    let url = server.url();
    let http = ToolTransport::Http {
        url: Secret(url.to_owned()),
        headers: Vec::new(),
    };
    let mut measures = measured("HTTP", Direct::over_http(url).await?, http, places).await?;
    let itself = std::env::current_exe().context("the load generator does not know where it is")?;
    let program = ToolTransport::Program {
        command: itself.display().to_string(),
        args: vec![Secret(SERVE.to_owned())],
        env: Vec::new(),
        cwd: None,
    };
    measures.extend(measured("stdio", Direct::to_program(&itself).await?, program, places).await?);
    Ok(measures)
}

/// What calls take over one transport, which `direct` speaks already.
async fn measured(
    over: &str,
    mut direct: Direct,
    transport: ToolTransport,
    places: &Places,
) -> anyhow::Result<Vec<Measure>> {
    let tools = ours(transport, places);
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
            direct_call(&mut direct, &question).await?,
            call(&tools, &tool, &question).await?,
        ];
        if number >= WARM_UP {
            alone.push(times[0]);
            through.push(times[1]);
        }
    }
    tools.close().await;
    direct.close().await?;
    let usual = median(&alone).context("nothing was measured")?;
    let added: Vec<f64> = through.iter().map(|through| through - usual).collect();
    let share = |of: &[f64], share| percentile(of, share).context("nothing was measured");
    let named = |what: &str, value| Measure::new(format!("{over}: {what}"), value, Unit::Millis);
    Ok(vec![
        named("a call, added to the direct call's median, p50", share(&added, 0.5)?).at_most(2.0),
        named("a call, added to the direct call's median, p99", share(&added, 0.99)?),
        named("the direct call, median", usual),
        named("the direct call, p99", share(&alone, 0.99)?),
    ])
}

/// A server that is asked without our room.
enum Direct {
    /// By rmcp's own client.
    Http(RunningService<RoleClient, ()>),
    /// By a line there and a line back, with nothing in between.
    Program(Box<Program>),
}

/// It ends with its input.
struct Program {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Direct {
    async fn over_http(url: &str) -> anyhow::Result<Self> {
        anteroom::tls::install();
        let client = reqwest::Client::builder().no_proxy().build()?;
        let config = StreamableHttpClientTransportConfig::with_uri(url);
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let running = ().serve(transport).await.context("the server of tools is not reached")?;
        Ok(Self::Http(running))
    }

    async fn to_program(program: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the server of tools does not start")?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.context("the server of tools has no pipes")?;
        let mut program = Program {
            _child: child,
            input,
            output: BufReader::new(output).lines(),
        };
        let begin = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" },
        });
        program.ask("initialize", begin).await?;
        Ok(Self::Program(Box::new(program)))
    }

    /// What it says to a question.
    async fn call(&mut self, arguments: Map<String, Value>) -> anyhow::Result<String> {
        match self {
            Self::Http(running) => {
                let asked = CallToolRequestParams::new(TOOL).with_arguments(arguments);
                let called = running.call_tool(asked).await?;
                let said = called.content.iter().filter_map(|piece| piece.as_text());
                Ok(said.map(|text| text.text.as_str()).collect())
            }
            Self::Program(program) => {
                let asked = json!({ "name": TOOL, "arguments": arguments });
                let called = program.ask("tools/call", asked).await?;
                let said = called["result"]["content"][0]["text"].as_str();
                Ok(said.context("it has said nothing")?.to_owned())
            }
        }
    }

    async fn close(self) -> anyhow::Result<()> {
        if let Self::Http(running) = self {
            running.cancel().await.context("the connection does not close")?;
        }
        Ok(())
    }
}

impl Program {
    async fn ask(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.input.write_all(format!("{message}\n").as_bytes()).await?;
        let line = self.output.next_line().await?;
        Ok(serde_json::from_str(&line.context("the server of tools has ended")?)?)
    }
}

fn ours(transport: ToolTransport, places: &Places) -> Tools {
    let seconds = std::time::Duration::from_secs(60);
    let server = ToolServer {
        name: NAME.to_owned(),
        transport,
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
        keeper: Some(places.anteroom.clone()),
        ..ToolSettings::default()
    })
}

fn arguments(question: &str) -> Map<String, Value> {
    Map::from_iter([("question".to_owned(), question.into())])
}

/// Milliseconds of one.
async fn direct_call(direct: &mut Direct, question: &str) -> anyhow::Result<f64> {
    let arguments = arguments(question);
    let began = Instant::now();
    let said = direct.call(arguments).await?;
    let took = millis(began.elapsed());
    ensure!(said.contains(question), "another answer");
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
