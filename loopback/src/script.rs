//! An answer as a list of steps, and the stream that takes them.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, stream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    fault::Fault,
    gates::Gates,
    knobs::Knobs,
    record::{Ending, Visit},
    reply::Piece,
    shared::Shared,
    wire::{error_body, sse},
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
    fn piece(&self, piece: &Piece) -> Bytes;
    /// The end of an answer of so many pieces.
    fn finish(&self, pieces: usize) -> Bytes;
}

/// The steps of a streamed answer.
pub(crate) fn streamed(pieces: &[Piece], knobs: &Knobs, fault: Option<Fault>, format: &dyn Format) -> Vec<Step> {
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
        if let Some(piece) = pieces.get(sent) {
            if sent > 0 {
                steps.push(Step::Pause(knobs.pace));
            }
            steps.push(Step::Piece(match fault {
                Some(Fault::Units) => units(piece, format),
                Some(Fault::BadByte { after }) if after == sent => {
                    spelt(&piece.saying(format!("{STAND_IN}{}", piece.text)), b"\xff", format)
                }
                _ => format.piece(piece),
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
pub(crate) fn whole(pieces: &[Piece], knobs: &Knobs, fault: Option<Fault>, body: Bytes) -> Vec<Step> {
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

/// The same steps, byte by byte, with so much time before each. A piece is made with its last byte.
pub(crate) fn drip(steps: Vec<Step>, every: Duration) -> Vec<Step> {
    steps
        .into_iter()
        .flat_map(|step| match step {
            Step::Piece(bytes) => drops(&bytes, every, Step::Piece),
            Step::Raw(bytes) => drops(&bytes, every, Step::Raw),
            Step::Last(bytes, ending) => drops(&bytes, every, |last| Step::Last(last, ending)),
            other => vec![other],
        })
        .collect()
}

fn drops(bytes: &Bytes, every: Duration, last: impl FnOnce(Bytes) -> Step) -> Vec<Step> {
    let end = bytes.len().saturating_sub(1);
    let mut steps: Vec<_> = (0..end)
        .flat_map(|at| [Step::Pause(every), Step::Raw(bytes.slice(at..=at))])
        .collect();
    steps.extend([Step::Pause(every), last(bytes.slice(end..))]);
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
        Fault::Status(_) | Fault::Loading | Fault::Hang | Fault::Reset => return None,
        Fault::Drip { .. } | Fault::Empty | Fault::Units | Fault::BadByte { .. } => return None,
    };
    // A struck answer never gets here again, so "not before" is "exactly at".
    (sent >= after).then_some(steps)
}

/// What JSON writes in six bytes, and no test says.
const STAND_IN: char = '\u{1}';

/// A piece with these bytes where its JSON has [`STAND_IN`].
fn spelt(piece: &Piece, bytes: &[u8], format: &dyn Format) -> Bytes {
    const WRITTEN: &[u8] = b"\\u0001";
    let piece = format.piece(piece);
    let Some(at) = piece.windows(WRITTEN.len()).position(|window| window == WRITTEN) else {
        return piece;
    };
    [&piece[..at], bytes, &piece[at + WRITTEN.len()..]].concat().into()
}

/// A piece for each UTF-16 unit.
fn units(piece: &Piece, format: &dyn Format) -> Bytes {
    let stand_in = piece.saying(STAND_IN.to_string());
    let all: Vec<Bytes> = piece
        .text
        .encode_utf16()
        .map(|unit| spelt(&stand_in, format!("\\u{unit:04x}").as_bytes(), format))
        .collect();
    all.concat().into()
}

const PAGE: &[u8] =
    b"<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>\n";
const GARBAGE: &[u8] = b"data: {\"choices\":[{\"delta\":\xff\xfe\x00 nonsense\n\ndata: <html>\n\n";

/// The body that takes the steps, as long as the server lives. Dropped early, its visit ends as "client gone".
pub(crate) fn play(
    steps: Vec<Step>,
    visit: Visit,
    shared: Arc<Shared>,
    life: CancellationToken,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let player = Player {
        steps: steps.into_iter(),
        due: Instant::now(),
        visit,
        shared,
        life,
    };
    stream::unfold(player, Player::next)
}

struct Player {
    steps: std::vec::IntoIter<Step>,
    due: Instant,
    visit: Visit,
    shared: Arc<Shared>,
    life: CancellationToken,
}

impl Player {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        let (shared, life) = (Arc::clone(&self.shared), self.life.clone());
        let item = life.run_until_cancelled(self.take(&shared.gates)).await;
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
                    self.due += time.mul_f64(self.shared.slowness());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, reply, request::ChatRequest, wire::Wire};

    fn steps_of(message: &str) -> Vec<Step> {
        let directed = crate::knobs::direct(message, &Knobs::from(Config::default())).expect("valid");
        let wire = Wire {
            id: 1,
            model: "m".to_owned(),
            prompt_tokens: 1,
            usage: false,
            finish: "stop".to_owned(),
            first_call: 1,
            logprobs: false,
        };
        streamed(
            &reply::pieces(&directed, &ChatRequest::saying("m", message), ""),
            &directed.knobs,
            directed.knobs.fault,
            &wire,
        )
    }

    fn bytes_of(steps: &[Step]) -> Vec<u8> {
        let bytes = steps.iter().filter_map(|step| match step {
            Step::Piece(bytes) | Step::Raw(bytes) | Step::Last(bytes, _) => Some(bytes.to_vec()),
            _ => None,
        });
        bytes.flatten().collect()
    }

    #[test]
    fn a_dripping_answer_has_the_same_bytes_each_by_itself_and_as_many_pieces() {
        let at_once = steps_of("[[tokens=3 fault=drip:20]] q");
        let dripping = drip(at_once.clone(), Duration::from_millis(20));
        assert_eq!(bytes_of(&dripping), bytes_of(&at_once));
        let pieces = |steps: &[Step]| steps.iter().filter(|step| matches!(step, Step::Piece(_))).count();
        assert_eq!((pieces(&dripping), pieces(&at_once)), (3, 3));
        let pauses = dripping
            .iter()
            .filter(|step| **step == Step::Pause(Duration::from_millis(20)));
        assert_eq!(pauses.count(), bytes_of(&at_once).len());
        assert!(matches!(dripping.last(), Some(Step::Last(bytes, Ending::Complete)) if bytes.len() == 1));
    }

    #[test]
    fn faults_and_gates_count_reasoning_as_pieces() {
        let steps = steps_of("[[reasoning=3 tokens=2 fault=close:2]] q");
        let pieces: Vec<_> = steps.iter().filter(|step| matches!(step, Step::Piece(_))).collect();
        assert_eq!((pieces.len(), steps.last()), (2, Some(&Step::Break)));
        let steps = steps_of("[[reasoning=3 tokens=2 gate=g after=4]] q");
        let gate = steps.iter().position(|step| matches!(step, Step::Gate(_)));
        let before = &steps[..gate.expect("a gate")];
        assert_eq!(before.iter().filter(|step| matches!(step, Step::Piece(_))).count(), 4);
    }
}
