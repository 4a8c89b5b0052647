//! Where a request stands, in headers and in comment lines.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    client::Asked,
    queue::{Standing, StartRange},
};

/// The position at joining; 0: it started at once.
const POSITION: HeaderName = HeaderName::from_static("x-anteroom-position");
/// How many waited in the line then, this one included.
const WAITING: HeaderName = HeaderName::from_static("x-anteroom-waiting");
/// When it was likely to start then, in seconds, such as `20-35`. Not there where nobody could say.
const ESTIMATE: HeaderName = HeaderName::from_static("x-anteroom-estimate");
/// `kept` or `shared`: the answer was made before for the same request, or is made for another one at that time.
const CACHE: HeaderName = HeaderName::from_static("x-anteroom-cache");
/// The request's id, which clients show with errors.
const ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where a request stands, as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// 0: it does not wait.
    pub(super) position: u64,
    pub(super) waiting: u64,
    /// In whole seconds.
    pub(super) estimate: Option<(u64, u64)>,
}

impl Place {
    pub(super) fn of(standing: Option<Standing>) -> Self {
        standing.map_or_else(Self::default, |standing| Self {
            position: standing.position,
            waiting: standing.waiting,
            estimate: standing.estimate.map(seconds),
        })
    }

    /// Adds it to the headers of an answer.
    pub(super) fn put(self, headers: &mut HeaderMap) {
        headers.insert(POSITION, self.position.into());
        headers.insert(WAITING, self.waiting.into());
        let estimate = self.estimate.map(|(low, high)| format!("{low}-{high}"));
        if let Some(Ok(estimate)) = estimate.map(|range| HeaderValue::from_str(&range)) {
            headers.insert(ESTIMATE, estimate);
        }
    }

    /// A comment line of an event stream. It is one line and no empty one after it: clients take an empty line for the end of an event.
    pub(super) fn comment(self) -> String {
        match self {
            Self { position: 0, .. } => ": answering\n".to_owned(),
            Self {
                position,
                estimate: Some((low, high)),
                ..
            } => format!(": position={position} estimate={low}-{high}s\n"),
            Self { position, .. } => format!(": position={position}\n"),
        }
    }
}

/// Names a request, and where its answer comes from if that is not from a model.
pub(super) fn name(asked: &Asked, headers: &mut HeaderMap) {
    if let Some(source) = asked.source() {
        headers.insert(CACHE, HeaderValue::from_static(source.as_str()));
    }
    let id = asked.id();
    if let Ok(id) = HeaderValue::from_str(&format!("req_{}", id.simple())) {
        headers.insert(ID, id);
    }
}

fn seconds(range: StartRange) -> (u64, u64) {
    let up = |time: std::time::Duration| time.as_secs() + u64::from(time.subsec_nanos() > 0);
    (range.low.as_secs(), up(range.high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_one_line_without_an_empty_one_after_it() {
        let place = |position, estimate| Place {
            position,
            waiting: 9,
            estimate,
        };
        for (place, expected) in [
            (place(3, Some((20, 35))), ": position=3 estimate=20-35s\n"),
            (place(3, None), ": position=3\n"),
            (Place::default(), ": answering\n"),
        ] {
            assert_eq!(place.comment(), expected);
        }
    }
}
