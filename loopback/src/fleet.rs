//! Several servers in one process.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Index,
    sync::Arc,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    control,
    record::{Record, RequestRecord},
    server::{Clock, Config, Loopback, Plan},
    shared::Shared,
    values::{Given, KnobError},
};

/// Several servers, each with a name, a port and knobs of its own, and one more port to control them all: it answers also for
/// those that are down. They stop when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    /// Where they are controlled.
    pub control: SocketAddr,
    servers: Vec<Loopback>,
    clock: Clock,
    stop: CancellationToken,
    controlling: JoinHandle<io::Result<()>>,
}

/// Why servers cannot be started.
#[derive(Debug, Error)]
pub enum FleetError {
    /// What stands first is no name.
    #[error("`{0}`: a name of letters, digits, - and _ is needed first")]
    Name(String),
    /// The name is there already.
    #[error("two servers are called {0}")]
    Twice(String),
    /// What stands after the name is no `knob=value`.
    #[error("{server}: `{word}`: knob=value is needed")]
    Word {
        /// Whose it is.
        server: String,
        /// What stands there.
        word: String,
    },
    /// A knob that does not exist, or a value that it cannot take.
    #[error("{server}: {fault}")]
    Knob {
        /// Whose it is.
        server: String,
        /// Which.
        fault: KnobError,
    },
    /// A port cannot be bound.
    #[error("{server}: {fault}")]
    Port {
        /// Whose it is.
        server: String,
        /// Why.
        fault: io::Error,
    },
}

/// What each server saw, by its name. Their times count from the same moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FleetRecord {
    /// By name.
    pub servers: BTreeMap<String, Record>,
}

impl FleetRecord {
    /// All requests with the names of their servers, in the order of their beginning.
    #[must_use]
    pub fn requests(&self) -> Vec<(&str, &RequestRecord)> {
        let mut all: Vec<_> = self
            .servers
            .iter()
            .flat_map(|(name, record)| record.requests.iter().map(move |request| (name.as_str(), request)))
            .collect();
        all.sort_by(|(_, one), (_, other)| one.began.total_cmp(&other.began));
        all
    }

    /// Requests that came while as many were being answered as the limit of their server said.
    #[must_use]
    pub fn beyond_limits(&self) -> usize {
        self.servers.values().map(Record::beyond_limit).sum()
    }

    /// Requests being answered.
    #[must_use]
    pub fn now(&self) -> usize {
        self.servers.values().map(|record| record.now).sum()
    }
}

impl Index<&str> for FleetRecord {
    type Output = Record;

    /// # Panics
    /// No server has this name.
    fn index(&self, name: &str) -> &Record {
        &self.servers[name]
    }
}

impl Fleet {
    /// Starts servers: for each its name and the knobs that it starts with, such as `fast limit=4 pace=5ms`. `port=` is any free
    /// one unless told.
    ///
    /// # Errors
    /// [`FleetError`]; those that were started already have ended then.
    pub async fn start<S: AsRef<str>>(specs: impl IntoIterator<Item = S>) -> Result<Self, FleetError> {
        let mut plans: Vec<Plan> = Vec::new();
        for spec in specs {
            let plan = plan(spec.as_ref())?;
            if plans.iter().any(|known| known.name == plan.name) {
                return Err(FleetError::Twice(plan.name));
            }
            plans.push(plan);
        }
        let clock = Clock::start();
        let mut servers = Vec::new();
        for plan in plans {
            let name = plan.name.clone();
            let server = Loopback::begin(plan, clock.clone());
            servers.push(server.map_err(|fault| FleetError::Port { server: name, fault })?);
        }
        let port = |fault| FleetError::Port {
            server: "the control".to_owned(),
            fault,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(port)?;
        let control = listener.local_addr().map_err(port)?;
        let (stop, router) = (CancellationToken::new(), router(&servers));
        let stopped = stop.clone().cancelled_owned();
        let controlling =
            tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(stopped).await });
        Ok(Self {
            control,
            servers,
            clock,
            stop,
            controlling,
        })
    }

    /// All servers, in their order.
    #[must_use]
    pub fn servers(&self) -> &[Loopback] {
        &self.servers
    }

    /// What they saw until now. They are looked at one after the other.
    #[must_use]
    pub fn record(&self) -> FleetRecord {
        let records = self.servers.iter();
        FleetRecord {
            servers: records
                .map(|server| (server.name().to_owned(), server.record()))
                .collect(),
        }
    }

    /// Returns once the records meet a condition, which is asked again whenever one of them changes.
    pub async fn until(&self, mut condition: impl FnMut(&FleetRecord) -> bool) {
        let mut changes = self.clock.changed.subscribe();
        while !condition(&self.record()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Stops them, and returns once every port is closed and every connection has ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let _outcome = (&mut self.controlling).await;
        for server in std::mem::take(&mut self.servers) {
            server.stop().await;
        }
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// A listener failed.
    pub async fn serve(mut self) -> io::Result<()> {
        (&mut self.controlling).await.map_err(io::Error::other)?
    }

    /// What the command prints.
    #[must_use]
    pub fn addresses(&self) -> Value {
        let servers = self.servers.iter();
        let list = servers.map(
            |server| json!({ "name": server.name(), "addr": server.addr.to_string(), "base_url": server.base_url() }),
        );
        json!({ "control": self.control.to_string(), "servers": list.collect::<Vec<_>>() })
    }
}

impl Index<&str> for Fleet {
    type Output = Loopback;

    /// # Panics
    /// No server has this name.
    fn index(&self, name: &str) -> &Loopback {
        match self.servers.iter().find(|server| server.name() == name) {
            Some(server) => server,
            None => panic!("no server is called {name}"),
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// A server as it is written.
fn plan(spec: &str) -> Result<Plan, FleetError> {
    let mut words = spec.split_whitespace();
    let server = words.next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if server.is_empty() || !server.chars().all(is_name) {
        return Err(FleetError::Name(server.to_owned()));
    }
    let knob = |fault| FleetError::Knob {
        server: server.to_owned(),
        fault,
    };
    let mut plan = Plan::new(server, Config::default());
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| FleetError::Word {
            server: server.to_owned(),
            word: word.to_owned(),
        })?;
        match name {
            "port" => plan.port = Given { name, value }.number().map_err(knob)?,
            _ => plan.turned.set(name, value).map_err(knob)?,
        }
    }
    Ok(plan)
}

type AllShared = Arc<[Arc<Shared>]>;

fn router(servers: &[Loopback]) -> Router {
    let all: AllShared = servers.iter().map(|server| Arc::clone(server.shared())).collect();
    let control = Router::new()
        .route("/control/record", get(record))
        .route("/control/reset", post(reset))
        .with_state(all);
    servers.iter().fold(control, |router, server| {
        let path = format!("/servers/{}/control", server.name());
        router.nest(&path, control::router(Arc::clone(server.shared())))
    })
}

async fn record(State(all): State<AllShared>) -> Json<FleetRecord> {
    let records = all.iter().map(|one| (one.name.clone(), one.recorder.record()));
    Json(FleetRecord {
        servers: records.collect(),
    })
}

async fn reset(State(all): State<AllShared>) -> Result<StatusCode, control::Refusal> {
    for one in all.iter() {
        control::reset_one(one).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_name_and_knobs() {
        let plan = plan("fast  limit=4 pace=5ms models=a,b port=9001").expect("a plan");
        assert_eq!((plan.name.as_str(), plan.port), ("fast", 9001));
        assert_eq!(plan.turned.traits.limit, Some(4));
        assert_eq!(plan.turned.knobs.pace.as_millis(), 5);
        assert_eq!(plan.turned.traits.models, Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn what_is_wrong_is_said_with_whose_it_is() {
        for (spec, expected) in [
            ("", "``: a name of letters, digits, - and _ is needed first"),
            ("a\"b", "`a\"b`: a name of letters, digits, - and _ is needed first"),
            ("fast limit", "fast: `limit`: knob=value is needed"),
            ("fast limits=4", "fast: limits=4: there is no such knob"),
            ("fast port=x", "fast: port=x: a number is needed"),
        ] {
            assert_eq!(plan(spec).expect_err("refused").to_string(), expected);
        }
    }

    #[tokio::test]
    async fn two_of_one_name_are_refused() {
        let refused = Fleet::start(["a", "b", "a"]).await.expect_err("refused");
        assert_eq!(refused.to_string(), "two servers are called a");
    }
}
