//! An answer as a list of steps, and the stream that takes them.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use crate::{
    fault::Fault,
    gates::Gates,
    knobs::Knobs,
    record::{Ending, Visit},
    server::Shared,
};

/// One step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Waits so long after the step before it was due.
    Pause(Duration),
    /// Sends one piece of the answer.
    Piece(Bytes),
    /// Sends what is not a piece.
    Raw(Bytes),
    /// Waits for a gate.
    Gate(String),
    /// Waits for a release.
    Hold,
    /// Never goes on.
    Stall,
    /// Breaks the connection off.
    Break,
    /// Sends the last bytes. The request has ended before they are sent, so that who has read them can rely on it.
    Last(Bytes, Ending),
}

/// How one request's answer is put on the wire.
pub(crate) trait Format {
    /// One piece.
    fn piece(&self, text: &str) -> Bytes;
    /// The end of an answer of so many pieces.
    fn finish(&self, pieces: usize) -> Bytes;
}

/// The steps of a streamed answer.
pub(crate) fn streamed(pieces: &[String], knobs: &Knobs, fault: Option<Fault>, format: &dyn Format) -> Vec<Step> {
    let pieces = if fault == Some(Fault::Empty) { &[] } else { pieces };
    let mut steps = vec![Step::Pause(knobs.first_token)];
    for sent in 0..=pieces.len() {
        if let Some(last) = fault.and_then(|fault| strike(fault, sent)) {
            steps.extend(last);
            return steps;
        }
        if sent == knobs.after.min(pieces.len()) {
            wait(knobs, &mut steps);
        }
        if let Some(text) = pieces.get(sent) {
            if sent > 0 {
                steps.push(Step::Pause(knobs.pace));
            }
            steps.push(Step::Piece(match fault {
                Some(Fault::Units) => units(text, format),
                Some(Fault::BadByte { after }) if after == sent => spelt(&format!("{STAND_IN}{text}"), b"\xff", format),
                _ => format.piece(text),
            }));
        }
    }
    // A fault later than the answer is long strikes at its end.
    if let Some(last) = fault.and_then(|fault| strike(fault, usize::MAX)) {
        steps.extend(last);
        return steps;
    }
    steps.push(Step::Last(format.finish(pieces.len()), Ending::Complete));
    steps
}

/// The steps of an answer in one body.
pub(crate) fn whole(pieces: &[String], knobs: &Knobs, fault: Option<Fault>, body: Bytes) -> Vec<Step> {
    let mut steps = vec![Step::Pause(knobs.first_token)];
    wait(knobs, &mut steps);
    steps.extend(pieces.iter().skip(1).map(|_| Step::Pause(knobs.pace)));
    let half = body.slice(..body.len() / 2);
    match fault {
        Some(Fault::Stall { .. }) => steps.extend([Step::Raw(half), Step::Stall]),
        Some(Fault::Close { .. }) => steps.extend([Step::Raw(half), Step::Break]),
        Some(Fault::End { .. }) => steps.push(Step::Last(half, Ending::Fault)),
        Some(fault) => {
            steps.extend(strike(fault, usize::MAX).unwrap_or_else(|| vec![Step::Last(body, Ending::Complete)]));
        }
        None => steps.push(Step::Last(body, Ending::Complete)),
    }
    steps
}

fn wait(knobs: &Knobs, steps: &mut Vec<Step>) {
    steps.extend(knobs.gate.clone().map(Step::Gate));
    steps.extend(knobs.hold.then_some(Step::Hold));
}

/// What a fault does once so many pieces have been sent; `None` if it is not its time.
fn strike(fault: Fault, sent: usize) -> Option<Vec<Step>> {
    let (after, steps) = match fault {
        Fault::Stall { after } => (after, vec![Step::Stall]),
        Fault::Close { after } => (after, vec![Step::Break]),
        Fault::End { after } => (after, vec![Step::Last(Bytes::new(), Ending::Fault)]),
        Fault::Error { after } => {
            let error = error_body(500, "The model worker has died.");
            (after, vec![Step::Last(sse(&error), Ending::Fault)])
        }
        Fault::Page => (0, vec![Step::Last(Bytes::from_static(PAGE), Ending::Fault)]),
        Fault::Garbage { after } => (after, vec![Step::Last(Bytes::from_static(GARBAGE), Ending::Fault)]),
        Fault::HugeLine { bytes } => {
            let chunk = Bytes::from(vec![b'x'; 64 * 1024]);
            let mut steps = vec![Step::Raw(Bytes::from_static(
                b"data: {\"choices\":[{\"delta\":{\"content\":\"",
            ))];
            steps.extend((0..bytes / chunk.len()).map(|_| Step::Raw(chunk.clone())));
            steps.push(Step::Last(chunk.slice(..bytes % chunk.len()), Ending::Fault));
            (1, steps)
        }
        Fault::Status(_) | Fault::Hang | Fault::Empty | Fault::Units | Fault::BadByte { .. } => return None,
    };
    // A struck answer never gets here again, so "not before" is "exactly at".
    (sent >= after).then_some(steps)
}

/// What JSON writes in six bytes, and no test says.
const STAND_IN: char = '\u{1}';

/// A piece with these bytes where its JSON has [`STAND_IN`].
fn spelt(text: &str, bytes: &[u8], format: &dyn Format) -> Bytes {
    const WRITTEN: &[u8] = b"\\u0001";
    let piece = format.piece(text);
    let Some(at) = piece.windows(WRITTEN.len()).position(|window| window == WRITTEN) else {
        return piece;
    };
    [&piece[..at], bytes, &piece[at + WRITTEN.len()..]].concat().into()
}

/// A piece for each UTF-16 unit.
fn units(text: &str, format: &dyn Format) -> Bytes {
    let all: Vec<Bytes> = text
        .encode_utf16()
        .map(|unit| spelt(&STAND_IN.to_string(), format!("\\u{unit:04x}").as_bytes(), format))
        .collect();
    all.concat().into()
}

const PAGE: &[u8] =
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n";
const GARBAGE: &[u8] = b"data: {\"choices\":[{\"delta\":\xff\xfe\x00 nonsense\n\ndata: <html>\n\n";

/// One event of a stream.
pub(crate) fn sse(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// OpenAI's error body.
pub(crate) fn error_body(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 | 403 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

/// The body that takes the steps. Dropped early, its visit ends as "client gone".
pub(crate) fn play(
    steps: Vec<Step>,
    visit: Visit,
    shared: Arc<Shared>,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let player = Player {
        steps: steps.into_iter(),
        due: Instant::now(),
        visit,
        shared,
    };
    stream::unfold(player, Player::next)
}

struct Player {
    steps: std::vec::IntoIter<Step>,
    due: Instant,
    visit: Visit,
    shared: Arc<Shared>,
}

impl Player {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let shared = Arc::clone(&self.shared);
        let item = shared.stop.run_until_cancelled(self.take(&shared.gates)).await;
        let item = item.unwrap_or_else(|| Some(Err(io::Error::other("the server is stopping"))));
        item.map(|item| (item, self))
    }

    /// Takes steps up to the next bytes.
    async fn take(&mut self, gates: &Gates) -> Option<io::Result<Bytes>> {
        loop {
            match self.steps.next()? {
                // Counted from when the last step was due, so that a slow reader or timer does not slow the pace.
                Step::Pause(time) if time.is_zero() => {}
                Step::Pause(time) => {
                    self.due += time;
                    sleep_until(self.due).await;
                }
                Step::Piece(bytes) => {
                    self.visit.pieces(1);
                    return Some(Ok(bytes));
                }
                Step::Raw(bytes) => return Some(Ok(bytes)),
                Step::Gate(name) => {
                    gates.pass(&name).await;
                    self.due = Instant::now();
                }
                Step::Hold => {
                    gates.wait_for_release().await;
                    self.due = Instant::now();
                }
                Step::Stall => std::future::pending().await,
                Step::Break => {
                    // What was sent before has to leave the buffers first.
                    tokio::task::yield_now().await;
                    self.visit.end(Ending::Fault);
                    return Some(Err(io::Error::other("told to break the connection off")));
                }
                Step::Last(bytes, ending) => {
                    self.visit.end(ending);
                    return Some(Ok(bytes));
                }
            }
        }
    }
}
