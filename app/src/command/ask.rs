//! `anteroom ask`: a question to a model, its place in line while it waits, and the answer as it comes.
//!
//! The request has a name (an Idempotency-Key), so that a lost connection costs it neither its place nor its answer: it goes on after the last event
//! that was read.

use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    Address, Ended,
    events::{Event, Events},
    failed,
    patience::Patience,
    site::{Site, refused},
    status::{self, Status},
};

/// How long an end that was asked for may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// What to ask.
#[derive(Debug)]
pub struct Question {
    /// In words, which are put together with spaces. What is piped in comes after them.
    pub words: Vec<String>,
    /// Who is to answer; `None`: the site's default.
    pub model: Option<String>,
    /// What the model is told before.
    pub system: Option<String>,
    /// Whether nothing is to be said but the answer.
    pub quiet: bool,
}

/// Asks, and writes the answer to the standard output.
pub fn run(question: Question, address: Address) -> LocalBoxFuture<'static, Ended> {
    Box::pin(async move {
        let site = match Site::of(address) {
            Ok(site) => site,
            Err(fault) => return failed(fault),
        };
        let message = match message(&question.words) {
            Ok(message) => message,
            Err(fault) => return failed(fault),
        };
        let mut body = json!({ "message": message });
        for (name, value) in [("model", question.model), ("system", question.system)] {
            if let Some(value) = value {
                body[name] = value.into();
            }
        }
        let mut asking = Asking {
            site,
            body,
            key: Uuid::new_v4().to_string(),
            last: None,
            status: Status::new(question.quiet),
            ends_line: true,
        };
        let ended = tokio::select! {
            ended = asking.go_on() => ended,
            _ = tokio::signal::ctrl_c() => Ended::Interrupted,
        };
        asking.status.clear();
        if matches!(ended, Ended::Interrupted) {
            asking.end().await;
        }
        asking.end_line();
        ended
    })
}

/// What is asked: the words, and what is piped in.
fn message(words: &[String]) -> Result<String, String> {
    let mut message = words.join(" ");
    if !io::stdin().is_terminal() {
        let mut piped = String::new();
        let read = io::stdin().read_to_string(&mut piped);
        read.map_err(|fault| format!("What was piped in cannot be read: {fault}"))?;
        if !message.is_empty() && !piped.trim().is_empty() {
            message.push_str("\n\n");
        }
        message.push_str(piped.trim_end());
    }
    if message.trim().is_empty() {
        return Err("Nothing was asked. Write a question behind `anteroom ask`, or pipe it in.".to_owned());
    }
    Ok(message)
}

/// A request on its way.
struct Asking {
    site: Site,
    body: Value,
    /// The name of the request.
    key: String,
    /// The id of the last event that was read.
    last: Option<String>,
    status: Status,
    /// Whether the next word begins a line.
    ends_line: bool,
}

/// What has come of an attempt to read it to its end.
enum Attempt {
    Over(Ended),
    /// The connection is lost, or the server asks for a pause. `bool`: something was read.
    Lost(String, bool),
}

impl Asking {
    /// Reads it to its end, over as many connections as that takes.
    async fn go_on(&mut self) -> Ended {
        let mut patience = Patience::of_a_person();
        loop {
            let why = match self.attempt().await {
                Attempt::Over(ended) => return ended,
                Attempt::Lost(why, progress) => {
                    if progress {
                        patience.renew();
                    }
                    why
                }
            };
            self.status.say(format!("{why}. Trying again…"));
            // A server that was never reached is not there.
            if self.last.is_none() || !patience.pause().await {
                return failed(why);
            }
        }
    }

    async fn attempt(&mut self) -> Attempt {
        let mut request = self.site.request(Method::POST, "/api/v1/chat/stream");
        request = request.header("idempotency-key", &self.key).json(&self.body);
        if let Some(last) = &self.last {
            request = request.header("last-event-id", last);
        }
        match request.send().await {
            Err(fault) => Attempt::Lost(self.site.unreached(&fault), false),
            Ok(response) if response.status() == StatusCode::OK => self.read(response).await,
            Ok(response) if response.status() == StatusCode::NO_CONTENT => Attempt::Over(Ended::Well),
            Ok(response) => {
                let passes = response.status() == StatusCode::SERVICE_UNAVAILABLE;
                let why = refused(response).await;
                if passes {
                    Attempt::Lost(why, false)
                } else {
                    Attempt::Over(failed(why))
                }
            }
        }
    }

    async fn read(&mut self, mut response: Response) -> Attempt {
        let mut events = Events::default();
        let mut progress = false;
        loop {
            let piece = match response.chunk().await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Attempt::Lost("The answer has broken off".to_owned(), progress),
                Err(fault) => return Attempt::Lost(self.site.unreached(&fault), progress),
            };
            let Ok(read) = events.read(&piece) else {
                return Attempt::Over(failed("The server says something that is no answer."));
            };
            for event in read {
                progress = true;
                if let Some(ended) = self.hear(event) {
                    return Attempt::Over(ended);
                }
            }
        }
    }

    /// Takes in an event; what it ends with, if it is the last one.
    fn hear(&mut self, event: Event) -> Option<Ended> {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        self.last = Some(event.id);
        match event.name.as_str() {
            "position" => self.status.say(status::place(&data)),
            "started" => self.status.say("Answering…".to_owned()),
            "part" => {
                if let Some(text) = data["text"].as_str() {
                    self.status.clear();
                    self.ends_line = text.ends_with('\n');
                    let mut out = io::stdout().lock();
                    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                        // Nobody reads it any more.
                        self.ends_line = true;
                        return Some(Ended::Interrupted);
                    }
                }
            }
            "done" => {
                return Some(match data["finish"].as_str() {
                    Some("length") => {
                        self.note("The answer is as long as the model may write: it is not whole.");
                        Ended::Well
                    }
                    Some("filter") => {
                        failed("A filter of the model's server has ended the answer before it was whole.")
                    }
                    _ => Ended::Well,
                });
            }
            "error" => {
                let message = data["message"].as_str();
                return Some(failed(message.unwrap_or("The server has failed.")));
            }
            _ => {}
        }
        None
    }

    fn note(&mut self, what: &str) {
        self.status.clear();
        self.end_line();
        eprintln!("{what}");
    }

    fn end_line(&mut self) {
        if !std::mem::replace(&mut self.ends_line, true) {
            // Nobody may read it any more.
            let _ = writeln!(io::stdout());
        }
    }

    /// Ends the request, which would wait on for a while else.
    async fn end(&self) {
        let request = self.last.as_ref().and_then(|last| last.rsplit_once('-'));
        if let Some((id, _)) = request {
            let end = self.site.request(Method::DELETE, &format!("/api/v1/chat/{id}"));
            // What cannot be ended ends by itself.
            let _ = timeout(GOODBYE, end.send()).await;
        }
    }
}
