//! What a request costs its key, where the model server does not say it, or is not there any more to be asked.

use bytes::Bytes;

use super::job::Job;
use crate::{
    programs::{Done, Request},
    wire::Usage,
};

/// Bytes of JSON that hold a token, a little more than the four of plain English.
const BYTES_OF_TOKEN: u64 = 5;

/// The tokens of a request that was worked on: as they were told, else about as many as there are in it. Of a stream each event is a token, as
/// nearly all servers send them; whoever hangs up before the last one has had those.
pub(super) fn charged(request: &Request, job: &Job, done: Option<&Done>) -> Usage {
    let told = done.map_or_else(Usage::default, |done| done.usage);
    let events = || job.events().iter().map(count).sum();
    let written = || match done {
        Some(done) if !request.streams => done.last.len() as u64 / BYTES_OF_TOKEN,
        _ => events(),
    };
    Usage {
        // How many bytes a picture has says nothing.
        input: told
            .input
            .or_else(|| (!request.images).then(|| request.body.len() as u64 / BYTES_OF_TOKEN)),
        output: told.output.or_else(|| Some(written())),
    }
}

/// How many events these are: an empty line ends each.
fn count(events: &Bytes) -> u64 {
    events.windows(2).filter(|pair| pair == b"\n\n").count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_their_ends() {
        for (events, expected) in [
            ("", 0),
            ("data: {\"half", 0),
            ("data: {}\n\n", 1),
            ("data: {}\n\ndata: {}\n\n", 2),
        ] {
            assert_eq!(count(&Bytes::from_static(events.as_bytes())), expected, "{events}");
        }
    }
}
