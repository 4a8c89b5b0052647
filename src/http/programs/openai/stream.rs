//! A streamed answer. It is written by hand rather than by axum's `Sse`, whose comments have an empty line after them: OpenAI's clients take that
//! for the end of an event, and some of them for one without content.

use std::{convert::Infallible, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::Instant;

use super::{
    ApiError, Asked,
    place::{self, Place},
    waiting::{self, Begun},
};
use crate::{
    alarm::Alarm,
    programs::{Done, Step},
};

/// Between two looks at the place of a request that waits.
const LOOK: Duration = Duration::from_secs(1);
/// The longest time without a sign of life, of which proxies ask for one a minute at least.
const QUIET: Duration = Duration::from_secs(10);

/// The form that an answer is given in: a chat's, or one that is made of it.
pub(super) trait Form: Send + 'static {
    /// What comes before the first events.
    fn begin(&mut self) -> Bytes {
        Bytes::new()
    }
    /// Whole events of a chat.
    fn events(&mut self, events: Bytes) -> Bytes;
    /// The end of a stream.
    fn end(&mut self, done: Done) -> Bytes;
    /// An answer in one body.
    fn whole(&mut self, done: Done) -> Result<Bytes, ApiError>;
    /// A stream that has begun fails.
    fn fail(&mut self, error: &ApiError) -> Bytes;
}

/// As the servers and the agents give it.
pub(super) struct Chat;

impl Form for Chat {
    fn events(&mut self, events: Bytes) -> Bytes {
        events
    }

    fn end(&mut self, done: Done) -> Bytes {
        done.last
    }

    fn whole(&mut self, done: Done) -> Result<Bytes, ApiError> {
        Ok(done.last)
    }

    fn fail(&mut self, error: &ApiError) -> Bytes {
        error.to_event()
    }
}

/// Answers as soon as the request waits, or its answer begins.
pub(super) async fn answer(mut asked: Asked, form: impl Form) -> Result<Response, ApiError> {
    let Begun { place, step } = waiting::begun(&mut asked, false).await;
    if let Some(Step::Over(Err(fault))) = &step {
        return Err(ApiError::of_asked(&asked, fault));
    }
    let mut head = HeaderMap::new();
    place::name(&asked, &mut head);
    let told = Told {
        asked,
        form,
        first: Some((step, place)),
        place: None,
        last: Instant::now(),
        alarm: Alarm::after(QUIET),
        over: false,
    };
    let mut response = Response::new(Body::from_stream(told.into_stream()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // nginx would keep it until it is whole.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    place.put(headers);
    headers.extend(head);
    Ok(response)
}

/// What of a request is told over its stream. Dropped, its client has gone.
struct Told<F> {
    asked: Asked,
    form: F,
    /// What is known as it begins.
    first: Option<(Option<Step>, Place)>,
    /// What was last said of where it stands.
    place: Option<Place>,
    /// When something was last said.
    last: Instant,
    /// For when there is nothing else to say.
    alarm: Alarm,
    over: bool,
}

impl<F: Form> Told<F> {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::unfold(self, |mut told| async {
            let next = told.next().await?;
            told.last = Instant::now();
            Some((Ok(next), told))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if let Some((step, place)) = self.first.take() {
            let mut begun = self.form.begin().to_vec();
            match step.and_then(|step| self.told(step)) {
                Some(told) => begun.extend_from_slice(&told),
                None => {
                    self.place = Some(place);
                    begun.extend_from_slice(place.comment().as_bytes());
                }
            }
            return Some(begun.into());
        }
        loop {
            if self.over {
                return None;
            }
            let look = self.last + QUIET;
            let waits = self.place.is_some_and(|place| place != Place::default());
            let look = if waits { look.min(Instant::now() + LOOK) } else { look };
            let step = tokio::select! {
                biased;
                step = self.asked.next() => Some(step),
                () = self.alarm.until(look) => None,
            };
            let told = match step {
                Some(step) => self.told(step),
                None => self.comment(),
            };
            // Nothing of no length: that would be the end of the body.
            if let Some(told) = told.filter(|told| !told.is_empty()) {
                return Some(told);
            }
        }
    }

    fn told(&mut self, step: Step) -> Option<Bytes> {
        match step {
            Step::Waiting => self.comment(),
            Step::Started => {
                self.place = Some(Place::default());
                None
            }
            Step::Events(events) => Some(self.form.events(events)),
            Step::Over(Ok(done)) => {
                self.over = true;
                Some(self.form.end(done))
            }
            Step::Over(Err(fault)) => {
                self.over = true;
                let error = ApiError::of_asked(&self.asked, &fault);
                Some(self.form.fail(&error))
            }
        }
    }

    /// Where it stands, if that is news or nothing has been said for long. Between events only, so never within one.
    fn comment(&mut self) -> Option<Bytes> {
        let place = Place::of(self.asked.standing());
        let is_news = self.place.replace(place) != Some(place);
        let is_quiet = self.last.elapsed() >= QUIET;
        (is_news && place != Place::default() || is_quiet).then(|| place.comment().into())
    }
}
