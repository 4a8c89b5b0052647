//! The loopback model server as a command. Prints where it listens as one line of JSON, then serves until it is ended.

use std::io::Write as _;

use anteroom_loopback::{Config, Knobs, Loopback};
use anyhow::{Context as _, bail};
use serde_json::json;

const USAGE: &str = "\
anteroom-loopback [--port N] [--first-token TIME] [--pace TIME] [--tokens N] [--hold]

  --port N            port on 127.0.0.1; any free one unless given
  --first-token TIME  time to the first piece of an answer (200ms, 1.5s)
  --pace TIME         time between pieces
  --tokens N          pieces of an answer
  --hold              hold every answer after its first piece until POST /control/release";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut port = 0;
    let mut hold = false;
    let mut knobs = Knobs::from(Config::default());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .with_context(|| format!("{argument} needs a value\n\n{USAGE}"))
        };
        match argument.as_str() {
            "--port" => port = value()?.parse().context("--port: a number up to 65535 is needed")?,
            "--first-token" => knobs.set("first_token", &value()?)?,
            "--pace" => knobs.set("pace", &value()?)?,
            "--tokens" => knobs.set("tokens", &value()?)?,
            "--hold" => hold = true,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            _ => bail!("there is no {argument}\n\n{USAGE}"),
        }
    }
    let config = Config {
        first_token: knobs.first_token,
        pace: knobs.pace,
        tokens: knobs.tokens,
    };
    let loopback = Loopback::start_at(config, port)
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    loopback.hold(hold);
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{}",
        json!({ "addr": loopback.addr.to_string(), "base_url": loopback.base_url() })
    )?;
    out.flush()?;
    drop(out);
    loopback.serve().await.context("the listener failed")
}
