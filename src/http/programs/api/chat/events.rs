//! The events of a stream, and their numbers. A number says how far a reader is: 0 while the request waits, 1 once it has started, and each piece of the
//! answer, and its end, the next one.

use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    super::{super::place::Place, fault, patient::json},
    answer::Finish,
};
use crate::{
    http::Refusal,
    programs::Source,
    wire::{Refused, Usage},
};

/// While the request waits.
pub(super) const WAITING: u64 = 0;
/// It has a slot.
pub(super) const STARTED: u64 = 1;
/// The first piece of the answer.
pub(super) const FIRST_PART: u64 = 2;

/// An event of a stream: its name, and its data, which is JSON. Each has an id, too.
#[derive(Serialize, ToSchema)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes what streams are made of")]
pub(super) enum ChatEvent {
    /// Where the request stands.
    Position(Placed),
    /// It has a slot.
    Started(Started),
    /// A piece of the answer.
    Part(Part),
    /// The answer is whole: the last event.
    Done(Done),
    /// There is no answer, or no more of it: the last event.
    Error(Refused),
}

/// The data of `started`, which says nothing.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Started {}

/// The data of `position`: where the request stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Placed {
    /// 1 for the one that starts next.
    position: u64,
    /// How many wait in this line, this one included.
    waiting: u64,
    /// When it is likely to start, from now; null where nobody can say.
    estimate: Option<Seconds>,
}

/// A range of time, in seconds.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
struct Seconds {
    low: u64,
    high: u64,
}

impl From<Place> for Placed {
    fn from(place: Place) -> Self {
        Self {
            position: place.position,
            waiting: place.waiting,
            estimate: place.estimate.map(|(low, high)| Seconds { low, high }),
        }
    }
}

/// The data of `part`: a piece of the answer, or of what the model thinks before and between.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    /// Of the answer.
    Text(String),
    /// Of its thoughts.
    Reasoning(String),
}

/// The data of `done`: the answer is whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// Who has answered.
    pub(super) model: String,
    /// Why it has ended.
    pub(super) finish: Finish,
    pub(super) usage: Usage,
    /// Where it comes from, if it was not made for this request. Then it has taken none of the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cached: Option<Source>,
}

/// Writes an event.
pub(super) fn event(request: Uuid, number: u64, name: &str, data: &impl Serialize) -> Bytes {
    // JSON has no line breaks of its own.
    let data = json(data);
    let data = String::from_utf8_lossy(&data);
    format!("id: {}-{number}\nevent: {name}\ndata: {data}\n\n", request.simple()).into()
}

/// The last event that somebody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) request: Uuid,
    pub(super) number: u64,
}

/// What a request says of that.
pub(super) fn last(headers: &HeaderMap) -> Result<Option<Last>, Refusal> {
    let Some(id) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let last = id.to_str().ok().and_then(|id| {
        let (request, number) = id.rsplit_once('-')?;
        Some(Last {
            request: request.parse().ok()?,
            number: number.parse().ok()?,
        })
    });
    let wrong = || {
        fault::invalid(
            StatusCode::BAD_REQUEST,
            "This Last-Event-ID is not the id of an event of this API.",
        )
    };
    last.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_an_event_says_which_one_it_was() {
        let request = Uuid::from_u128(7);
        let event = event(request, 12, "part", &Part::Text("a\n\"b\"".into()));
        let event = String::from_utf8(event.to_vec()).expect("text");
        assert_eq!(
            event,
            "id: 00000000000000000000000000000007-12\nevent: part\ndata: {\"text\":\"a\\n\\\"b\\\"\"}\n\n"
        );
        let asked = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", id.parse().expect("a header"));
            last(&headers).map_err(|refusal| refusal.status)
        };
        let id = event["id: ".len()..].lines().next().expect("a line");
        assert_eq!(asked(id), Ok(Some(Last { request, number: 12 })));
        for wrong in [
            "",
            "12",
            "x-1",
            "00000000000000000000000000000007-",
            "00000000000000000000000000000007-x",
        ] {
            assert_eq!(asked(wrong), Err(StatusCode::BAD_REQUEST), "{wrong}");
        }
        assert_eq!(last(&HeaderMap::new()).map_err(|refusal| refusal.status), Ok(None));
    }
}
