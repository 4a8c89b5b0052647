//! Loopback model servers as a command. Prints where they listen as one line of JSON, then serves until it is ended.

use std::io::Write as _;

use anteroom_loopback::{Config, Fleet, Knobs, Loopback};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// Names the servers, where there are several.
const SERVERS: &str = "LOOPBACK_SERVERS";

const USAGE: &str = "\
anteroom-loopback [--port N] [--first-token TIME] [--pace TIME] [--tokens N] [--hold]

  --port N            port on 127.0.0.1; any free one unless given
  --first-token TIME  time to the first piece of an answer (200ms, 1.5s)
  --pace TIME         time between pieces
  --tokens N          pieces of an answer
  --hold              hold every answer after its first piece until POST /control/release

  LOOPBACK_SERVERS    in the environment: several servers in place of one, with semicolons between. Each is a name and
                      knobs: `fast limit=4 rate=100 port=9001; slow limit=1 rate=25`";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match std::env::var(SERVERS) {
        Ok(servers) => several(&servers).await,
        Err(_) => one().await,
    }
}

/// Serves as the variable says.
async fn several(servers: &str) -> anyhow::Result<()> {
    if std::env::args().len() > 1 {
        bail!("{SERVERS} is set, which leaves nothing for arguments to say\n\n{USAGE}");
    }
    let specs = servers.split(';').map(str::trim).filter(|spec| !spec.is_empty());
    let fleet = Fleet::start(specs).await.context(SERVERS)?;
    say(&fleet.addresses())?;
    fleet.serve().await.context("a listener failed")
}

/// Serves as the arguments say.
async fn one() -> anyhow::Result<()> {
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
    say(&json!({ "addr": loopback.addr.to_string(), "base_url": loopback.base_url() }))?;
    loopback.serve().await.context("the listener failed")
}

/// Whoever has started this reads the line as soon as it is there.
fn say(addresses: &Value) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{addresses}")?;
    out.flush()?;
    Ok(())
}
