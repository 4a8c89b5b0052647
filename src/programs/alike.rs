//! Requests that are alike: an answer that is kept is given again, and of several on their way one is asked for all of them.
//!
//! Whoever is asked **leads**. The others leave the line when it begins, and are told what it is told, from the beginning. Should nothing whole come of
//! it, they come back to the line and are asked themselves; only one whose program has had a part of that answer fails with it.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::sync::{Notify, futures::Notified};

use super::{Done, Programs, Request, job::Job};
use crate::{
    agents::{AnswerKey, Door, KeptAnswer},
    queue::Owner,
    settings::{ModelName, Settings},
};

/// Where an answer comes from that was not made for the request itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// It was made before.
    Kept,
    /// It was made at that time, for another one.
    Shared,
}

impl Source {
    /// The way back from [`Source::as_str`].
    #[must_use]
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Kept, Self::Shared]
            .into_iter()
            .find(|source| source.as_str() == name)
    }

    /// As programs are told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Shared => "shared",
        }
    }
}

/// Those that are asked, each under what it is like.
#[derive(Debug, Default)]
pub(super) struct Alike {
    leaders: Mutex<HashMap<AnswerKey, Arc<Job>>>,
    /// One has begun to lead.
    begun: Notify,
}

impl Alike {
    fn lock(&self) -> MutexGuard<'_, HashMap<AnswerKey, Arc<Job>>> {
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is about to be asked, and leads those that are alike until the guard is dropped.
    ///
    /// # Errors
    /// Another one leads.
    pub(super) fn lead(self: &Arc<Self>, key: AnswerKey, job: &Arc<Job>) -> Result<Lead, Arc<Job>> {
        match self.lock().entry(key) {
            Entry::Occupied(leader) if !leader.get().has_failed() => return Err(Arc::clone(leader.get())),
            Entry::Occupied(mut leader) => drop(leader.insert(Arc::clone(job))),
            Entry::Vacant(vacant) => drop(vacant.insert(Arc::clone(job))),
        }
        self.begun.notify_waiters();
        Ok(Lead {
            alike: Arc::clone(self),
            key,
            job: Arc::clone(job),
        })
    }

    /// Who leads, if something may come of that.
    pub(super) fn leader(&self, key: &AnswerKey) -> Option<Arc<Job>> {
        self.lock()
            .get(key)
            .filter(|leader| !leader.has_failed())
            .map(Arc::clone)
    }

    /// Hears of the next one that leads, from the moment on at which this is called.
    pub(super) fn begun(&self) -> Notified<'_> {
        self.begun.notified()
    }
}

/// A request that leads.
#[derive(Debug)]
pub(super) struct Lead {
    alike: Arc<Alike>,
    key: AnswerKey,
    job: Arc<Job>,
}

impl Lead {
    pub(super) const fn key(&self) -> AnswerKey {
        self.key
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut leaders = self.alike.lock();
        if leaders
            .get(&self.key)
            .is_some_and(|leader| Arc::ptr_eq(leader, &self.job))
        {
            leaders.remove(&self.key);
        }
    }
}

impl Request {
    /// What its answer may be kept under; `None`: under nothing.
    pub(super) fn likeness(&self, owner: Owner, model: &ModelName, settings: &Settings) -> Option<AnswerKey> {
        let is_certain = match self.door {
            Door::Chat => settings.keeps_answers(self.temperature),
            // The same text has the same vector.
            Door::Embeddings => settings.answer_cache_size.is_some(),
        };
        if self.unkept || !is_certain {
            return None;
        }
        let owner = (!settings.answer_cache_shared).then_some(owner);
        let flags = [self.streams, self.usage, self.door == Door::Embeddings].map(u8::from);
        let model = model.to_string();
        let pieces: [&[u8]; 4] = [model.as_bytes(), self.called.as_bytes(), &flags, self.rest().as_bytes()];
        Some(AnswerKey::of_pieces(&pieces, owner))
    }
}

impl Programs {
    /// The answer that is kept under this key.
    pub(super) fn kept_answer(&self, key: &AnswerKey) -> Option<Arc<KeptAnswer>> {
        let settings = self.deps.settings.borrow();
        let given = settings.answer_cache_size.is_some() && key.is_shared() == settings.answer_cache_shared;
        let kept = self.deps.conversations.kept_answers();
        kept.get(key, settings.answer_cache_ttl).filter(|_| given)
    }

    /// Keeps an answer that was made for a job at this door, if it is whole.
    pub(super) fn keep_answer(&self, key: AnswerKey, door: Door, job: &Job, done: &Done) {
        {
            let settings = self.deps.settings.borrow();
            if settings.answer_cache_size.is_none() || key.is_shared() != settings.answer_cache_shared {
                return;
            }
        }
        let events = job.events();
        let is_whole = match door {
            Door::Chat => is_whole(&events, &done.last),
            Door::Embeddings => has_vectors(&done.last),
        };
        if !is_whole {
            return;
        }
        let kept = self.deps.conversations.kept_answers();
        let answer = KeptAnswer {
            events,
            last: done.last.clone(),
            usage: done.usage,
            ..KeptAnswer::default()
        };
        kept.keep(key, job.owner(), Arc::new(answer));
        // Looked at after keeping: who wants all of theirs forgotten has their requests ended first, and what is kept forgotten then.
        if job.is_unwanted() {
            kept.remove(&key);
        }
    }
}

/// Whether an answer has come to its own end, as its server says.
fn is_whole(events: &[Bytes], last: &[u8]) -> bool {
    let lines = events.iter().flat_map(|events| events.split(|byte| *byte == b'\n'));
    let data = lines.filter_map(|line| line.strip_prefix(b"data: "));
    let ends = data
        .chain([last])
        .filter(|json| json.windows(FINISH.len()).any(|at| at == FINISH))
        .filter_map(|json| serde_json::from_slice::<Value>(json).ok());
    let mut reasons = ends.flat_map(|json| {
        let choices = json["choices"].as_array().cloned().unwrap_or_default();
        let reasons = choices.into_iter().map(|mut choice| choice["finish_reason"].take());
        reasons.filter(|reason| !reason.is_null()).collect::<Vec<_>>()
    });
    let is_end = |reason: &Value| matches!(reason.as_str(), Some("stop" | "tool_calls" | "function_call"));
    let mut some = false;
    let all = reasons.all(|reason| {
        some = true;
        is_end(&reason)
    });
    some && all
}

/// Whether an answer has vectors, and nothing in the place of one.
fn has_vectors(answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Vectors<'a> {
        #[serde(borrow)]
        data: Vec<Vector<'a>>,
    }
    #[derive(Deserialize)]
    struct Vector<'a> {
        #[serde(borrow)]
        embedding: &'a RawValue,
    }
    let answer: Result<Vectors<'_>, _> = serde_json::from_slice(answer);
    let is_there = |vector: &Vector<'_>| !matches!(vector.embedding.get(), "null" | "[]" | "\"\"");
    answer.is_ok_and(|answer| !answer.data.is_empty() && answer.data.iter().all(is_there))
}

/// What an event has that says how an answer ends.
const FINISH: &[u8] = b"finish_reason";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_its_server_has_ended_is_whole() {
        let stream = |reason: &str| {
            let events = format!(
                "data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\"}},\"finish_reason\":null}}]}}\n\ndata: \
                 {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":{reason}}}]}}\n\n"
            );
            [Bytes::from(events)]
        };
        for (reason, whole) in [
            ("\"stop\"", true),
            ("\"tool_calls\"", true),
            ("\"length\"", false),
            ("\"content_filter\"", false),
            ("null", false),
        ] {
            assert_eq!(is_whole(&stream(reason), b"data: [DONE]\n\n"), whole, "{reason}");
            let body = format!("{{\"choices\":[{{\"message\":{{}},\"finish_reason\":{reason}}}]}}");
            assert_eq!(is_whole(&[], body.as_bytes()), whole, "{reason}");
        }
        let two = br#"{"choices":[{"finish_reason":"stop"},{"finish_reason":"length"}]}"#;
        assert!(!is_whole(&[], two), "one of two was cut");
        assert!(!is_whole(&[], b""), "an answer says how it ends");
    }

    #[test]
    fn vectors_are_there_or_are_not() {
        for whole in [
            r#"{"object":"list","data":[{"index":0,"embedding":[0.1,-2]}],"usage":{"prompt_tokens":1}}"#,
            r#"{"data":[{"embedding":"AACAPw=="},{"embedding":"AAAAQA=="}]}"#,
        ] {
            assert!(has_vectors(whole.as_bytes()), "{whole}");
        }
        for none in [
            r#"{"data":[]}"#,
            r#"{"data":[{"embedding":null}]}"#,
            r#"{"data":[{"embedding":[0.1]},{"embedding":[]}]}"#,
            r#"{"data":[{"index":0}]}"#,
            r#"{"error":{"message":"no"}}"#,
            "",
            r#"{"data":[{"embedding":[0.1"#,
        ] {
            assert!(!has_vectors(none.as_bytes()), "{none}");
        }
    }

    #[test]
    fn vectors_are_kept_whatever_temperature_is_said_and_apart_from_chats() {
        let settings = |variables: &[(&str, &str)]| {
            let variables = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Settings::load(variables, None).expect("good settings").settings
        };
        let model = ModelName::of_id("small@cpu").expect("a model's id");
        let likeness = |door, body: &str, owner, variables: &[(&str, &str)]| {
            let request = Request::read(door, Bytes::from(body.to_owned())).expect("a request");
            request.likeness(Owner(owner), &model, &settings(variables))
        };
        let on = [("ANSWER_CACHE_SIZE", "1MB")];
        let text = r#"{"model":"small","input":"x","messages":[{"role":"user","content":"x"}]}"#;
        let of = |door, owner, variables: &[(&str, &str)]| likeness(door, text, owner, variables);
        assert_eq!(of(Door::Embeddings, 1, &[]), None, "nothing is kept");
        assert_eq!(of(Door::Chat, 1, &on), None, "answers differ");
        let vectors = of(Door::Embeddings, 1, &on);
        assert!(vectors.is_some() && vectors == of(Door::Embeddings, 1, &on));
        assert_ne!(vectors, of(Door::Embeddings, 2, &on), "another's");
        let any = [on[0], ("ANSWER_CACHE_ANY_TEMPERATURE", "true")];
        assert_ne!(vectors, of(Door::Chat, 1, &any), "another door");
        let shared = [on[0], ("ANSWER_CACHE_SHARED", "true")];
        assert_eq!(of(Door::Embeddings, 1, &shared), of(Door::Embeddings, 2, &shared));
        let shorter = r#"{"model":"small","input":"x","dimensions":8}"#;
        assert_ne!(
            likeness(Door::Embeddings, shorter, 1, &on),
            likeness(Door::Embeddings, r#"{"model":"small","input":"x"}"#, 1, &on)
        );
    }
}
