//! A request as a stream of events: where it stands, what the model says, how it ends.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::{FutureExt as _, stream};
use tokio::time::Instant;

use super::{
    super::{
        super::place::{self, Place},
        fault,
        patient::in_words,
    },
    answer::{Finish, Said},
    events::{self, Done, Part, Placed},
};
use crate::{alarm::Alarm, client::Asked, http::Refusal, language::Language, programs::Step};

/// Between two looks at the place of a request that waits.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time without a sign of life, of which proxies ask for one a minute at least.
const QUIET: Duration = Duration::from_secs(10);

/// Answers a new request, as soon as it waits or its answer begins.
pub(super) async fn begin(mut asked: Asked, language: Language) -> Result<Response, Refusal> {
    let step = asked.next().await;
    if let Step::Over(Err(fault)) = &step {
        return Err(fault::of_asked(&asked, fault));
    }
    let place = Place::of(asked.standing());
    let mut told = Told::new(asked, None, language);
    told.step(step);
    let mut response = told.into_response();
    place.put(response.headers_mut());
    Ok(response)
}

/// Goes on after the event of this number.
pub(super) async fn go_on(asked: Asked, after: u64, language: Language) -> Response {
    let mut told = Told::new(asked, Some(after), language);
    // What has been read to its end is not begun again: a browser that asks by itself is told so with this status.
    while !told.over
        && let Some(step) = told.asked.next().now_or_never()
    {
        told.step(step);
    }
    if told.over && told.ready.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    told.into_response()
}

/// What of a request is told. Dropped, its program has gone.
struct Told {
    asked: Asked,
    language: Language,
    /// The number of the last event that was read; `None`: none was.
    read: Option<u64>,
    /// The number of the next piece of the answer.
    next: u64,
    said: Said,
    /// What was last said of where it stands.
    place: Option<Place>,
    started: bool,
    /// What is to be sent.
    ready: VecDeque<Bytes>,
    /// When something was last sent.
    last: Instant,
    /// For when there is nothing else to say.
    alarm: Alarm,
    over: bool,
}

impl Told {
    fn new(asked: Asked, read: Option<u64>, language: Language) -> Self {
        Self {
            asked,
            language,
            read,
            next: events::FIRST_PART,
            said: Said::default(),
            place: None,
            started: false,
            ready: VecDeque::new(),
            last: Instant::now(),
            alarm: Alarm::after(QUIET),
            over: false,
        }
    }

    fn into_response(self) -> Response {
        let mut head = HeaderMap::new();
        place::name(&self.asked, &mut head);
        let events = stream::unfold(self, |mut told| async {
            let event = told.event().await?;
            told.last = Instant::now();
            Some((Ok::<_, Infallible>(event), told))
        });
        let mut response = Response::new(Body::from_stream(events));
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/event-stream; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // nginx would keep it until it is whole.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        headers.extend(head);
        response
    }

    /// The next event, or a sign of life. Cancel-safe: what was taken from the follower is in `ready`.
    async fn event(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let quiet = self.last + QUIET;
            let look = if self.place.is_some() {
                quiet.min(Instant::now() + LOOK)
            } else {
                quiet
            };
            tokio::select! {
                biased;
                step = self.asked.next() => self.step(step),
                () = self.alarm.until(look) => {
                    self.look();
                    if self.ready.is_empty() && self.last.elapsed() >= QUIET {
                        return Some(Bytes::from_static(b":\n\n"));
                    }
                }
            }
        }
    }

    /// Where it stands now, if that is news.
    fn look(&mut self) {
        let place = Place::of(self.asked.standing());
        if place != Place::default() && self.place.is_some_and(|told| told != place) {
            self.position(place);
        }
    }

    fn position(&mut self, place: Place) {
        self.place = Some(place);
        self.started = false;
        // It may wait again after it had started: then that is told again.
        self.read = self.read.map(|_| events::WAITING);
        self.put(events::WAITING, "position", &Placed::from(place));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Waiting => self.position(Place::of(self.asked.standing())),
            Step::Started => self.start(),
            Step::Events(events) => self.parts(&events),
            Step::Over(Ok(done)) => {
                self.parts(&done.last);
                let end = Done {
                    model: std::mem::take(&mut self.said.model),
                    finish: self.said.finish.unwrap_or(Finish::Other),
                    usage: done.usage,
                    cached: self.asked.source(),
                };
                self.end("done", &end);
            }
            Step::Over(Err(fault)) => {
                let refused = in_words(fault::of_asked(&self.asked, &fault), self.language);
                self.end("error", &refused);
            }
        }
    }

    fn start(&mut self) {
        self.place = None;
        if !std::mem::replace(&mut self.started, true) {
            self.tell(events::STARTED, "started", &events::Started {});
        }
    }

    /// What the events of the format that programs speak say.
    fn parts(&mut self, events: &[u8]) {
        for line in events.split(|byte| *byte == b'\n') {
            let json = line.strip_prefix(b"data: ").map(serde_json::from_slice);
            let Some(Ok(json)) = json else { continue };
            self.said.take(&json);
            let reasoning = std::mem::take(&mut self.said.reasoning);
            let text = std::mem::take(&mut self.said.text);
            for part in [Part::Reasoning(reasoning), Part::Text(text)] {
                let (Part::Reasoning(piece) | Part::Text(piece)) = &part;
                if !piece.is_empty() {
                    self.start();
                    self.tell(self.next, "part", &part);
                    self.next += 1;
                }
            }
        }
    }

    fn end(&mut self, name: &str, data: &impl serde::Serialize) {
        self.over = true;
        self.tell(self.next, name, data);
    }

    /// Tells what has not been read yet.
    fn tell(&mut self, number: u64, name: &str, data: &impl serde::Serialize) {
        if self.read.is_none_or(|read| number > read) {
            self.put(number, name, data);
        }
    }

    fn put(&mut self, number: u64, name: &str, data: &impl serde::Serialize) {
        let event = events::event(self.asked.id(), number, name, data);
        self.ready.push_back(event);
    }
}
