//! A batch as its program writes it: read, checked, and as it is to be stored.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{TaskFault, graph, results};
use crate::{
    agents::{Backends, Door},
    programs::{Fields, Request, RequestFault, field, fields},
    settings::ModelName,
    store::{NewTask, Webhook},
};

/// Most tasks of a batch.
const MAX_TASKS: usize = 10_000;
/// Longest request of one task, in bytes.
const MAX_TASK_BYTES: usize = 4 * 1024 * 1024;
/// Longest metadata of one task, in bytes.
const MAX_METADATA_BYTES: usize = 4096;
/// Longest name, in characters.
const MAX_NAME: usize = 64;
/// What a task may have.
pub(super) const FIELDS: [&str; 7] = [
    "name",
    "model",
    "message",
    "request",
    "depends_on",
    "priority",
    "metadata",
];
/// How many names a fault has.
const NAMED: usize = 20;

/// Which task needs which.
type Needs = Vec<(Uuid, Uuid)>;

/// A batch that can be stored as it is.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) tasks: Vec<NewTask>,
    pub(super) needs: Needs,
    pub(super) webhook: Option<Webhook>,
    /// Of all of it, in hexadecimal digits.
    pub(super) hash: String,
    /// Whether it was written as one task.
    pub(super) single: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    url: String,
    secret: String,
}

/// A task, as far as it stands by itself.
struct Asked<'a> {
    label: String,
    name: Option<String>,
    priority: i32,
    metadata: Option<String>,
    depends_on: Vec<String>,
    model: Option<String>,
    message: Option<&'a RawValue>,
    request: Option<&'a RawValue>,
}

/// Reads a batch, or one task.
///
/// # Errors
/// [`TaskFault`]: what is wrong, and with which of the tasks.
pub(super) fn read(body: &Bytes, backends: &Backends) -> Result<Read, TaskFault> {
    let all = fields(body).map_err(|fault| TaskFault::Unreadable(fault.message))?;
    let whole = |fault: RequestFault| TaskFault::Unreadable(fault.message);
    let hook: Option<Hook> = field(&all, "webhook", "an object with `url` and `secret`").map_err(whole)?;
    let webhook = hook.map(|Hook { url, secret }| Webhook { url, secret });
    let single = !all.contains_key("tasks");
    let asked: Vec<Asked<'_>> = if single {
        vec![asked(&all, "1".to_owned(), &["webhook"])?]
    } else {
        if let Some(other) = all.keys().find(|name| !matches!(&***name, "tasks" | "webhook")) {
            return Err(TaskFault::Unreadable(format!(
                "A batch has `tasks` and may have `webhook`, but no `{other}`. What is for one task stands within it."
            )));
        }
        let tasks: Option<Vec<&RawValue>> = field(&all, "tasks", "a list of tasks").map_err(whole)?;
        let tasks = tasks.unwrap_or_default();
        if tasks.is_empty() || tasks.len() > MAX_TASKS {
            return Err(TaskFault::TooMany(MAX_TASKS as u64));
        }
        let read = tasks.into_iter().enumerate().map(|(at, task)| {
            let label = (at + 1).to_string();
            let of_task = fields(task.get().as_bytes()).map_err(|_| TaskFault::Unfit {
                task: label.clone(),
                message: "It is no JSON object.".to_owned(),
            })?;
            asked(&of_task, label, &[])
        });
        read.collect::<Result<_, _>>()?
    };
    let (tasks, needs) = connect(&asked, backends)?;
    Ok(Read {
        tasks,
        needs,
        webhook,
        hash: Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect(),
        single,
    })
}

/// A task of these fields, beside which `others` may stand.
fn asked<'a>(fields: &Fields<'a>, label: String, others: &[&str]) -> Result<Asked<'a>, TaskFault> {
    let name: Option<String> = field(fields, "name", "a text").map_err(|fault| unfit(&label, fault))?;
    let label = name.clone().unwrap_or(label);
    let fault = |fault: RequestFault| unfit(&label, fault);
    let told = |message: String| TaskFault::Unfit {
        task: label.clone(),
        message,
    };
    if let Some(other) = fields
        .keys()
        .find(|name| !FIELDS.iter().chain(others).any(|own| own == name))
    {
        return Err(told(format!(
            "There is no field `{other}`. Parameters of the model stand within `request`."
        )));
    }
    let is_name = |name: &str| {
        let plain = name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control);
        !name.is_empty() && plain && Uuid::try_parse(name).is_err()
    };
    if name.as_deref().is_some_and(|name| !is_name(name)) {
        return Err(told(format!(
            "A name has 1 to {MAX_NAME} characters, no line breaks, and is none that an id could be."
        )));
    }
    let metadata = fields.get("metadata").map(|raw| raw.get()).filter(|raw| *raw != "null");
    if metadata.is_some_and(|raw| raw.len() > MAX_METADATA_BYTES) {
        return Err(told(format!(
            "`metadata` has at most {MAX_METADATA_BYTES} bytes. Keep the rest yourself, under the task's id."
        )));
    }
    let depends_on: Option<Vec<String>> = field(fields, "depends_on", "a list of names or ids").map_err(fault)?;
    let priority: Option<i32> = field(fields, "priority", "a whole number").map_err(fault)?;
    let raw = |name: &str| fields.get(name).copied().filter(|raw| raw.get() != "null");
    let asked = Asked {
        priority: priority.unwrap_or(0),
        metadata: metadata.map(str::to_owned),
        depends_on: depends_on.unwrap_or_default(),
        model: field(fields, "model", "a model's name").map_err(fault)?,
        message: raw("message"),
        request: raw("request"),
        name,
        label: label.clone(),
    };
    if asked.message.is_some() == asked.request.is_some() {
        return Err(told(
            "Give it a `message`, or a `request` as for a chat completion: one of the two.".to_owned(),
        ));
    }
    Ok(asked)
}

/// Gives tasks their ids, and finds what they need by them.
fn connect(asked: &[Asked<'_>], backends: &Backends) -> Result<(Vec<NewTask>, Needs), TaskFault> {
    let ids: Vec<Uuid> = asked.iter().map(|_| Uuid::now_v7()).collect();
    let mut named = HashMap::new();
    let mut twice = BTreeSet::new();
    for (at, task) in asked.iter().enumerate() {
        if let Some(name) = &task.name
            && named.insert(name.as_str(), at).is_some()
        {
            twice.insert(name.clone());
        }
    }
    if !twice.is_empty() {
        return Err(TaskFault::Twice(list(twice)));
    }
    let mut unknown = BTreeSet::new();
    let (mut inside, mut needs, mut tasks) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (at, task) in asked.iter().enumerate() {
        let mut need = |name: &str| -> Result<String, TaskFault> {
            let needed = match named.get(name) {
                Some(&other) => {
                    inside.push((at, other));
                    ids[other]
                }
                None => match Uuid::try_parse(name) {
                    Ok(id) => id,
                    Err(_) => {
                        unknown.insert(name.to_owned());
                        return Ok(String::new());
                    }
                },
            };
            needs.insert((ids[at], needed));
            Ok(needed.to_string())
        };
        for name in &task.depends_on {
            need(name)?;
        }
        let (model, request) = task.request(backends, &mut need)?;
        tasks.push(NewTask {
            id: ids[at],
            name: task.name.clone(),
            priority: task.priority,
            model: model.to_string(),
            metadata: task.metadata.clone(),
            request,
        });
    }
    if !unknown.is_empty() {
        return Err(TaskFault::Unknown(list(unknown)));
    }
    let circles = graph::in_circles(asked.len(), &inside);
    if !circles.is_empty() {
        return Err(TaskFault::Circle(list(
            circles.into_iter().map(|at| asked[at].label.clone()),
        )));
    }
    Ok((tasks, needs.into_iter().collect()))
}

impl Asked<'_> {
    /// The model that it is for, and what is stored of its request: as a stream, with the results that it uses by their ids.
    fn request(
        &self,
        backends: &Backends,
        need: &mut impl FnMut(&str) -> Result<String, TaskFault>,
    ) -> Result<(ModelName, String), TaskFault> {
        let fault = |fault: RequestFault| unfit(&self.label, fault);
        let mut body: Fields<'_> = match self.request {
            Some(request) => fields(request.get().as_bytes()).map_err(fault)?,
            None => Fields::new(),
        };
        let within: Option<String> = field(&body, "model", "a model's name").map_err(fault)?;
        let called = self.model.clone().or(within);
        let called = called.unwrap_or_else(|| backends.default_model().to_string());
        let (model, pool) = backends.find(&called).ok_or_else(|| TaskFault::Unfit {
            task: self.label.clone(),
            message: format!("There is no model `{called}`. GET /v1/models lists those that there are."),
        })?;
        let mut messages = self.messages(&body)?;
        let mut uses_results = false;
        if results::may_be_in(&messages) {
            let mut read: Value = serde_json::from_str(&messages).map_err(|error| TaskFault::Unfit {
                task: self.label.clone(),
                message: format!("`messages` cannot be read: {error}"),
            })?;
            results::rename(&mut read, |name| {
                uses_results = true;
                need(name)
            })?;
            messages = read.to_string();
        }
        let messages = raw(messages, &self.label)?;
        let (called, streams, options) = (
            raw(Value::from(called).to_string(), &self.label)?,
            raw("true".to_owned(), &self.label)?,
            raw(r#"{"include_usage":true}"#.to_owned(), &self.label)?,
        );
        body.insert("model".into(), &called);
        body.insert("messages".into(), &messages);
        body.insert("stream".into(), &streams);
        body.insert("stream_options".into(), &options);
        let stored = written(&body);
        if stored.len() > MAX_TASK_BYTES {
            return Err(TaskFault::TooLong {
                task: self.label.clone(),
                most: MAX_TASK_BYTES as u64,
            });
        }
        let sample = if uses_results {
            filled(&stored, |_| "result".to_owned()).map_err(fault)?
        } else {
            Bytes::from(stored.clone())
        };
        let request = Request::read(Door::Chat, sample).map_err(fault)?;
        if !backends.all_relay(pool, Door::Chat) {
            // What its servers cannot honour is better said now than after a wait.
            request.question().map_err(fault)?;
        }
        Ok((model, stored))
    }

    /// Its messages, in JSON.
    fn messages(&self, body: &Fields<'_>) -> Result<String, TaskFault> {
        let Some(message) = self.message else {
            return Ok(body.get("messages").map_or("null", |raw| raw.get()).to_owned());
        };
        let mut content: Value = serde_json::from_str(message.get()).unwrap_or_default();
        if let Value::Array(parts) = &mut content {
            for part in parts.iter_mut().filter(|part| part.is_string()) {
                *part = serde_json::json!({ "type": "text", "text": part.take() });
            }
        } else if !content.is_string() {
            return Err(TaskFault::Unfit {
                task: self.label.clone(),
                message: "`message` is a text, or a list of texts and parts.".to_owned(),
            });
        }
        Ok(serde_json::json!([{ "role": "user", "content": content }]).to_string())
    }
}

/// What is asked, with the results that it uses.
///
/// # Errors
/// It is not what [`read`] has stored.
pub(super) fn filled(stored: &str, result: impl FnMut(&str) -> String) -> Result<Bytes, RequestFault> {
    let mut body = fields(stored.as_bytes())?;
    let messages = body.get("messages").map_or("null", |raw| raw.get());
    if !results::may_be_in(messages) {
        return Ok(Bytes::from(stored.to_owned()));
    }
    let unreadable = |error: serde_json::Error| RequestFault::unreadable(&error.to_string());
    let mut messages: Value = serde_json::from_str(messages).map_err(unreadable)?;
    results::fill_in(&mut messages, result);
    let messages = RawValue::from_string(messages.to_string()).map_err(unreadable)?;
    body.insert("messages".into(), &messages);
    Ok(Bytes::from(written(&body)))
}

/// The ids of the results that it uses.
pub(super) fn used(stored: &str) -> Vec<Uuid> {
    let mut used = Vec::new();
    let note = |id: &str| {
        used.extend(Uuid::try_parse(id));
        String::new()
    };
    // What cannot be read is found out when it is asked.
    let _ = filled(stored, note);
    used
}

fn raw(json: String, label: &str) -> Result<Box<RawValue>, TaskFault> {
    RawValue::from_string(json).map_err(|error| TaskFault::Unfit {
        task: label.to_owned(),
        message: format!("It cannot be read: {error}"),
    })
}

fn written(fields: &Fields<'_>) -> String {
    let each = fields
        .iter()
        .map(|(name, raw)| format!("{}:{}", Value::from(&**name), raw.get()));
    format!("{{{}}}", each.collect::<Vec<_>>().join(","))
}

fn unfit(label: &str, fault: RequestFault) -> TaskFault {
    TaskFault::Unfit {
        task: label.to_owned(),
        message: fault.message,
    }
}

/// Names, as a fault says them.
pub(super) fn list<N: Into<Cow<'static, str>>>(names: impl IntoIterator<Item = N>) -> String {
    let mut names = names.into_iter().map(Into::into);
    let mut list: Vec<Cow<'static, str>> = names.by_ref().take(NAMED).collect();
    let more = names.count();
    if more > 0 {
        list.push(format!("… ({more} more)").into());
    }
    list.join(", ")
}
