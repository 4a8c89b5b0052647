//! Gateways of others in Anteroom's place, each as its documents start it in front of one server.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anteroom_pgtest::free_port;
use anyhow::{Context as _, bail};
use hyper::header;
use tempfile::TempDir;
use tokio::time::sleep;

use super::ask::{Asked, Target, ask};
use crate::{http::Http, process::Program, system::GatewayPlaces};

/// How long one may take to start: LiteLLM takes some twenty seconds here.
const START: Duration = Duration::from_secs(120);
/// What LiteLLM's clients have to send: it wants a strong one.
const KEY: &str = "sk-of-the-bench-71f0a4c2d95b4e3e8a6d";

/// Shepherd Model Gateway, in Rust; with so many requests to the model at once, and a queue for the others.
pub(super) async fn smg(
    places: &GatewayPlaces,
    scratch: &Path,
    model: &str,
    slots: Option<usize>,
) -> anyhow::Result<Target> {
    let (port, metrics) = (free_port(), free_port());
    let mut command = Command::new(&places.smg);
    command
        .args(["launch", "--host", "127.0.0.1", "--port", &port.to_string()])
        .args(["--worker-urls", model.trim_end_matches("/v1"), "--backend", "openai"])
        .args(["--prometheus-port", &metrics.to_string(), "--log-level", "error"]);
    if let Some(slots) = slots {
        command.args(["--max-concurrent-requests", &slots.to_string()]).args([
            "--queue-size",
            "1000",
            "--queue-timeout-secs",
            "600",
        ]);
    }
    start("SMG", command, scratch, port, Vec::new()).await
}

/// LiteLLM's proxy, in Python, with one worker, as it starts unless told otherwise; with so many requests to the model at once.
pub(super) async fn litellm(
    places: &GatewayPlaces,
    scratch: &Path,
    model: &str,
    slots: Option<usize>,
) -> anyhow::Result<Target> {
    let folder = TempDir::new_in(scratch).context("no folder for LiteLLM")?;
    let file = folder.path().join("litellm.yaml");
    let bound = slots.map_or_else(String::new, |slots| format!(", max_parallel_requests: {slots}"));
    let settings = format!(
        "model_list:\n  - model_name: loopback\n    litellm_params: {{model: openai/loopback, api_base: \"{model}\", api_key: none{bound}}}\n\
         general_settings: {{master_key: {KEY}}}\n"
    );
    fs::write(&file, settings).context("no file for LiteLLM's settings")?;
    let port = free_port();
    let mut command = Command::new(&places.litellm);
    command
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--telemetry",
            "False",
            "--config",
        ])
        .arg(&file)
        // Or it takes what it finds in an `.env` of the folders above, which is Anteroom's.
        .env("LITELLM_MODE", "PRODUCTION")
        .env_remove("DATABASE_URL")
        .env("LITELLM_LOG", "ERROR");
    let headers = vec![(header::AUTHORIZATION, format!("Bearer {KEY}"))];
    start("LiteLLM", command, scratch, port, headers).await
}

/// Starts one, and waits until it answers.
async fn start(
    name: &'static str,
    mut command: Command,
    scratch: &Path,
    port: u16,
    headers: Vec<(header::HeaderName, String)>,
) -> anyhow::Result<Target> {
    let folder = TempDir::new_in(scratch).context("no folder for a gateway")?;
    let (program, output) = Program::start(&mut command, folder.path())?;
    Program::drain(output);
    let target = Target {
        name,
        http: Http::new(SocketAddr::from(([127, 0, 0, 1], port)), super::CONNECTIONS),
        headers,
        program: Some(program),
        _folder: Some(folder),
    };
    let deadline = Instant::now() + START;
    loop {
        match ask(&target, "Are you there?", Asked::Stream).await {
            Ok(_) => return Ok(target),
            Err(fault) if Instant::now() >= deadline => {
                let said = target.program.as_ref().map(Program::complaints).unwrap_or_default();
                bail!("{name} does not answer ({fault:#}): {said}");
            }
            Err(_) => sleep(Duration::from_millis(200)).await,
        }
    }
}
