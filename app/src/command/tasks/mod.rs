//! `anteroom tasks`: a file of tasks is given to a server as one batch, followed, and its results are written as they come.
//!
//! The server has the tasks from the moment on that it has taken them in: whoever ends this command ends none of them. What is remembered of a batch stands
//! beside its file (`state`), so that the same file run again goes on.

mod progress;
mod state;

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use futures_util::future::LocalBoxFuture;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use self::state::State;
use super::{
    Address, Ended,
    events::{Event, Events},
    failed,
    patience::Patience,
    site::{Site, refused},
    status::Status,
};

/// What to run.
#[derive(Debug)]
pub struct Run {
    /// A task a line: an object, or a text, which is its message.
    pub file: PathBuf,
    /// Where the results go, a line each; `None`: to the standard output.
    pub output: Option<PathBuf>,
    /// Who answers the tasks that name no model.
    pub model: Option<String>,
    /// Whether to show how far it is.
    pub progress: bool,
}

/// Runs a file of tasks, or goes on with it.
pub fn run(run: Run, address: Address) -> LocalBoxFuture<'static, Ended> {
    Box::pin(async move {
        let mut running = match Running::new(&run, address) {
            Ok(running) => running,
            Err(fault) => return failed(fault),
        };
        let ended = tokio::select! {
            ended = running.go_on() => ended,
            _ = tokio::signal::ctrl_c() => Ended::Interrupted,
        };
        running.status.clear();
        match ended {
            Ended::Interrupted => {
                let kept = running.state.save(&running.file);
                eprintln!("The server goes on with the tasks. Run the same file again to go on following them.");
                kept.map_or_else(failed, |()| Ended::Interrupted)
            }
            ended => ended,
        }
    })
}

/// A batch on its way.
struct Running {
    site: Site,
    file: PathBuf,
    /// What is sent.
    body: String,
    state: State,
    output: Output,
    status: Status,
}

/// Where results go.
enum Output {
    File(File),
    Standard,
}

impl Output {
    /// Goes on after so many bytes of a file; `None`: it is to be new, or empty, for what stands in it is not of this batch.
    fn open(path: Option<&Path>, written: Option<u64>) -> Result<Self, String> {
        let Some(path) = path else {
            return Ok(Self::Standard);
        };
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let looked_at = opened.and_then(|file| Ok((file.metadata()?, file)));
        let (found, file) = looked_at.map_err(|fault| unwritable(path, &fault))?;
        match written {
            // What was written after the last note is written again.
            Some(written) if found.len() >= written => {
                file.set_len(written).map_err(|fault| unwritable(path, &fault))?;
            }
            Some(_) => {}
            // What is no file, such as a pipe, has no length.
            None if found.len() > 0 => {
                return Err(format!(
                    "{} has something in it already, which is not of this batch. Name another file, or remove that one.",
                    path.display()
                ));
            }
            None => {}
        }
        Ok(Self::File(file))
    }

    /// Writes a line; how long the file is then.
    fn write(&mut self, line: &str) -> io::Result<u64> {
        let line = format!("{line}\n");
        match self {
            Self::File(file) => {
                file.write_all(line.as_bytes())?;
                Ok(file.metadata()?.len())
            }
            Self::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(line.as_bytes()).and_then(|()| out.flush()).map(|()| 0)
            }
        }
    }
}

fn unwritable(path: &Path, fault: &io::Error) -> String {
    format!("{} cannot be written: {fault}", path.display())
}

/// What has come of an attempt.
enum Attempt {
    Over(Ended),
    /// The connection is lost.
    Lost(String),
    /// The server is there, and asks for a pause.
    Later(String),
}

impl Running {
    fn new(run: &Run, address: Address) -> Result<Self, String> {
        let site = Site::of(address)?;
        let body = batch(&run.file, run.model.as_deref())?;
        let hash: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        let known = State::load(&run.file)?;
        let known = known.filter(|known| known.hash == hash && known.url == site.address());
        let mut state = known.unwrap_or_else(|| State::new(hash, site.address()));
        let written = state.write_to(run.output.as_deref())?;
        let output = Output::open(run.output.as_deref(), written)?;
        // Before it is sent: whatever happens then, the same name is sent again.
        state.save(&run.file)?;
        Ok(Self {
            site,
            file: run.file.clone(),
            body,
            output,
            state,
            status: Status::new(!run.progress),
        })
    }

    /// Follows it to its end, over as many connections as that takes.
    async fn go_on(&mut self) -> Ended {
        let mut patience = Patience::overnight();
        loop {
            let before = self.state.clone();
            let (why, is_there) = match self.attempt().await {
                Attempt::Over(ended) => return ended,
                Attempt::Lost(why) => (why, self.state.batch.is_some()),
                Attempt::Later(why) => (why, true),
            };
            if self.state != before {
                patience.renew();
            }
            self.status.say(format!("{why}. Trying again…"));
            // A server that was never reached is not there.
            if !is_there || !patience.pause().await {
                return failed(why);
            }
        }
    }

    async fn attempt(&mut self) -> Attempt {
        let batch = match self.state.batch {
            Some(batch) => batch,
            None => match self.send().await {
                Ok(batch) => batch,
                Err(attempt) => return attempt,
            },
        };
        let path = format!("/api/v1/tasks/batches/{batch}/stream");
        let mut request = self.site.request(Method::GET, &path);
        if let Some(seen) = &self.state.seen {
            request = request.header("last-event-id", seen);
        }
        match request.send().await {
            Err(fault) => Attempt::Lost(self.site.unreached(&fault)),
            Ok(response) if response.status() == StatusCode::OK => self.read(response).await,
            Ok(response) => not_taken(response).await,
        }
    }

    /// Gives the tasks to the server.
    async fn send(&mut self) -> Result<Uuid, Attempt> {
        let request = self.site.request(Method::POST, "/api/v1/tasks");
        let request = request
            .header("idempotency-key", &self.state.key)
            .header("content-type", "application/json")
            .body(self.body.clone());
        let response = request.send().await;
        let response = response.map_err(|fault| Attempt::Lost(self.site.unreached(&fault)))?;
        let status = response.status();
        if status != StatusCode::ACCEPTED {
            // As it is, the file is never taken in: there is nothing to go on with.
            if [StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE].contains(&status) {
                State::remove(&self.file);
            }
            return Err(not_taken(response).await);
        }
        let told: Result<Value, _> = response.json().await;
        let told = told.map_err(|fault| Attempt::Lost(self.site.unreached(&fault)))?;
        let batch = told["batch"].as_str().and_then(|id| id.parse().ok());
        let batch = batch.ok_or_else(|| Attempt::Over(failed("The server says something that is no batch.")))?;
        self.state.batch = Some(batch);
        self.save()?;
        Ok(batch)
    }

    fn save(&self) -> Result<(), Attempt> {
        self.state
            .save(&self.file)
            .map_err(|fault| Attempt::Over(failed(fault)))
    }

    async fn read(&mut self, mut response: Response) -> Attempt {
        let mut events = Events::default();
        loop {
            let piece = match response.chunk().await {
                Ok(Some(piece)) => piece,
                Ok(None) => return Attempt::Lost("The connection has broken off".to_owned()),
                Err(fault) => return Attempt::Lost(self.site.unreached(&fault)),
            };
            let Ok(read) = events.read(&piece) else {
                return Attempt::Over(failed("The server says something that is no event."));
            };
            let seen = self.state.seen.clone();
            for event in read {
                if let Some(attempt) = self.hear(event) {
                    return attempt;
                }
            }
            if self.state.seen != seen
                && let Err(attempt) = self.save()
            {
                return attempt;
            }
        }
    }

    /// Takes in an event; what comes of it, if it is the last one.
    fn hear(&mut self, event: Event) -> Option<Attempt> {
        match event.name.as_str() {
            "position" => self.status.say(progress::line(&read(&event))),
            "done" | "error" => {
                self.status.clear();
                match self.output.write(&event.data) {
                    Ok(written) => self.state.written = written,
                    Err(fault) => return Some(Attempt::Over(failed(format!("A result cannot be written: {fault}")))),
                }
                self.state.seen = Some(event.id);
            }
            "end" => return Some(Attempt::Over(self.end(&read(&event)))),
            "interrupted" => {
                let said = read(&event);
                let message = said["message"].as_str().unwrap_or("The server has broken off");
                return Some(Attempt::Lost(message.to_owned()));
            }
            _ => {}
        }
        None
    }

    fn end(&mut self, batch: &Value) -> Ended {
        State::remove(&self.file);
        self.status.clear();
        let number = |name: &str| batch[name].as_u64().unwrap_or(0);
        let (done, failed_tasks, cancelled) = (number("done"), number("failed"), number("cancelled"));
        if failed_tasks + cancelled == 0 {
            return Ended::Well;
        }
        failed(format!(
            "{done} done, {failed_tasks} failed, {cancelled} cancelled. The results say why."
        ))
    }
}

fn read(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap_or_default()
}

/// A server that takes nothing at the moment is asked again.
async fn not_taken(response: Response) -> Attempt {
    let passes = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&response.status());
    let why = refused(response).await;
    if passes {
        Attempt::Later(why)
    } else {
        Attempt::Over(failed(why))
    }
}

/// The tasks of a file, as they are sent.
fn batch(file: &Path, model: Option<&str>) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|fault| format!("{} cannot be read: {fault}", file.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tasks = lines.map(|(at, line)| {
        let wrong = |why: String| format!("{}, line {}: {why}", file.display(), at + 1);
        let mut task: Value = serde_json::from_str(line).map_err(|fault| wrong(fault.to_string()))?;
        if let Value::String(message) = task {
            task = json!({ "message": message });
        }
        let Some(fields) = task.as_object_mut() else {
            return Err(wrong("a task is an object, or a text".to_owned()));
        };
        if let Some(model) = model.filter(|_| !fields.contains_key("model")) {
            fields.insert("model".to_owned(), model.into());
        }
        Ok(task)
    });
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    if tasks.is_empty() {
        return Err(format!("{} has no tasks.", file.display()));
    }
    Ok(json!({ "tasks": tasks }).to_string())
}

/// A batch: its id, or the file that it was run from.
fn named(which: &str) -> Result<Uuid, String> {
    if let Ok(id) = which.parse() {
        return Ok(id);
    }
    let state = State::load(Path::new(which))?;
    let batch = state.and_then(|state| state.batch);
    batch.ok_or_else(|| format!("{which} is no batch's id, and no file that is being run."))
}

/// Says how far a batch is.
pub fn status(which: &str, address: Address) -> LocalBoxFuture<'_, Ended> {
    Box::pin(async move {
        let asked = async {
            let (batch, site) = (named(which)?, Site::of(address)?);
            ask(&site, Method::GET, &format!("/api/v1/tasks/batches/{batch}")).await
        };
        match asked.await {
            Ok(batch) => {
                println!("{}", progress::line(&batch));
                Ended::Well
            }
            Err(fault) => failed(fault),
        }
    })
}

/// Cancels what is not over of a batch.
pub fn cancel(which: &str, address: Address) -> LocalBoxFuture<'_, Ended> {
    Box::pin(async move {
        let cancelled = async {
            let (batch, site) = (named(which)?, Site::of(address)?);
            ask(&site, Method::DELETE, &format!("/api/v1/tasks/batches/{batch}")).await
        };
        match cancelled.await {
            Ok(batch) => {
                println!("{} of {} cancelled.", batch["cancelled"], batch["tasks"]);
                Ended::Well
            }
            Err(fault) => failed(fault),
        }
    })
}

async fn ask(site: &Site, method: Method, path: &str) -> Result<Value, String> {
    let response = site.request(method, path).send().await;
    let response = response.map_err(|fault| site.unreached(&fault))?;
    if !response.status().is_success() {
        return Err(refused(response).await);
    }
    response.json().await.map_err(|fault| site.unreached(&fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_task_a_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("batch.jsonl");
        let read = |text: &str, model| {
            std::fs::write(&file, text).expect("written");
            batch(&file, model).map(|body| serde_json::from_str::<Value>(&body).expect("JSON"))
        };
        let text = "\"Hello\"\n\n{\"message\": \"You\", \"model\": \"a\"}\n";
        assert_eq!(
            read(text, Some("b")),
            Ok(json!({ "tasks": [{ "message": "Hello", "model": "b" }, { "message": "You", "model": "a" }] }))
        );
        assert!(read("", None).is_err_and(|fault| fault.contains("no tasks")));
        assert!(read("\"a\"\nnonsense", None).is_err_and(|fault| fault.contains("line 2")));
        assert!(read("[1]", None).is_err_and(|fault| fault.contains("line 1")));
    }

    #[test]
    fn an_output_goes_on_after_what_was_noted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("results.jsonl");
        let open = |written| Output::open(Some(&path), written);
        let mut output = open(None).expect("opened");
        output.write("half of").expect("written");
        let mut output = open(Some(0)).expect("opened");
        let written = output.write("one").expect("written");
        output.write("two").expect("written");
        let mut output = open(Some(written)).expect("opened");
        output.write("2").expect("written");
        let there = || std::fs::read_to_string(&path).expect("read");
        assert_eq!(there(), "one\n2\n");
        let refused = open(None).err().expect("it is another's");
        assert!(refused.contains("has something in it already"), "{refused}");
        assert_eq!(there(), "one\n2\n");
        // Somebody has taken the results away.
        std::fs::write(&path, "").expect("written");
        open(Some(written)).expect("opened").write("3").expect("written");
        assert_eq!(there(), "3\n");
    }
}
