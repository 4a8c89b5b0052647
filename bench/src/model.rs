//! The loopback model servers, on threads of their own, and what their records say.

use std::ops::Deref;

use anteroom_loopback::{Config, Fleet, Loopback, Record};
use anyhow::{Context as _, ensure};
use hyper::{Method, StatusCode, header};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::http::{Http, Reply};

/// What runs on a thread of its own, so that it answers in time whatever the load generator is doing. It stops when this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Apart<T> {
    served: Option<T>,
    runtime: Option<Runtime>,
}

impl<T: Send + 'static> Apart<T> {
    pub(crate) async fn start(begin: impl Future<Output = anyhow::Result<T>> + Send + 'static) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("beside")
            .enable_all()
            .build()
            .context("no threads for a server beside")?;
        Ok(Self {
            served: Some(runtime.spawn(begin).await??),
            runtime: Some(runtime),
        })
    }
}

impl<T> Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.served {
            Some(served) => served,
            None => unreachable!("it is taken only when this is dropped"),
        }
    }
}

impl<T> Drop for Apart<T> {
    fn drop(&mut self) {
        drop(self.served.take());
        if let Some(runtime) = self.runtime.take() {
            // Its requests have been told to end; waiting for them is not for an async thread.
            runtime.shutdown_background();
        }
    }
}

/// Several model servers that one system talks to.
#[derive(Debug)]
pub(crate) struct Models(Apart<Fleet>);

impl Models {
    /// Each is its name and knobs, as in `Fleet::start`.
    pub(crate) async fn start(specs: &[&str]) -> anyhow::Result<Self> {
        let specs: Vec<String> = specs.iter().map(|&spec| spec.to_owned()).collect();
        let begin = async { Fleet::start(specs).await.context("no model servers") };
        Ok(Self(Apart::start(begin).await?))
    }

    pub(crate) fn fleet(&self) -> &Fleet {
        &self.0
    }
}

/// The model server that all systems of a run talk to.
#[derive(Debug)]
pub(crate) struct Model(Apart<Loopback>);

impl Model {
    pub(crate) async fn start(config: Config) -> anyhow::Result<Self> {
        let begin = async move { Loopback::start(config).await.context("no port for the model server") };
        Ok(Self(Apart::start(begin).await?))
    }

    pub(crate) fn loopback(&self) -> &Loopback {
        &self.0
    }

    /// Times between the end of an answer and the beginning of the one that takes its slot, while tickets waited, in
    /// milliseconds. For a record of requests that all were sent before the first of `slots` was free again.
    ///
    /// Slots are not told apart: the one that has been free longest is taken to be filled first. The sum of the gaps
    /// is the same however they are matched.
    pub(crate) fn gaps(record: &Record, slots: usize) -> Vec<f64> {
        let mut ended: Vec<f64> = record.requests.iter().filter_map(|request| request.ended).collect();
        let mut began: Vec<f64> = record.requests.iter().map(|request| request.began).collect();
        ended.sort_by(f64::total_cmp);
        began.sort_by(f64::total_cmp);
        // The first ones found slots that nobody had left.
        let filled = began.into_iter().skip(slots);
        filled.zip(ended).map(|(began, ended)| began - ended).collect()
    }
}

/// Asks the model server itself, as OpenAI's clients do, and reads the whole answer.
pub(crate) async fn ask(model: &Http, message: &str) -> anyhow::Result<Reply> {
    let body = json!({ "model": "loopback", "stream": true, "messages": [{ "role": "user", "content": message }] });
    let headers = [(header::CONTENT_TYPE, "application/json")];
    let reply = model
        .ask(Method::POST, "/v1/chat/completions", &headers, body.to_string())
        .await?;
    ensure!(reply.status == StatusCode::OK, "the model: {}", reply.status);
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_lies_between_an_end_and_the_beginning_that_fills_the_slot() {
        // Two slots: 0–10 and 0–12, then 10.5–20 and 12.25–22.
        let times = [(0.0, 10.0), (0.0, 12.0), (10.5, 20.0), (12.25, 22.0)];
        let requests = times.map(|(began, ended)| anteroom_loopback::RequestRecord {
            began,
            ended: Some(ended),
            ..anteroom_loopback::RequestRecord::default()
        });
        let record = Record {
            requests: requests.into(),
            ..Record::default()
        };
        assert_eq!(Model::gaps(&record, 2), [0.5, 0.25]);
    }
}
