//! A stream of events (`text/event-stream`), as it comes over the wire: in pieces that begin and end anywhere.

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) data: String,
}

/// The most that one line may have, in bytes: more than the largest event has, an answer in one piece.
const LONGEST: usize = 128 * 1024 * 1024;

/// Puts events together.
#[derive(Default)]
pub(super) struct Events {
    rest: Vec<u8>,
    event: Event,
}

/// A line without end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endless;

impl Events {
    /// The events that this piece has ended.
    pub(super) fn read(&mut self, piece: &[u8]) -> Result<Vec<Event>, Endless> {
        let mut read = Vec::new();
        self.rest.extend_from_slice(piece);
        let mut begin = 0;
        while let Some(end) = self.rest[begin..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[begin..begin + end]);
            let line = line.trim_end_matches('\r').to_owned();
            begin += end + 1;
            read.extend(self.line(&line));
        }
        self.rest.drain(..begin);
        if self.rest.len() > LONGEST {
            Err(Endless)
        } else {
            Ok(read)
        }
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            // A comment alone is none.
            return (event != Event::default()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut self.event.id),
            "event" => value.clone_into(&mut self.event.name),
            "data" => {
                if !self.event.data.is_empty() {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_their_pieces_begin_and_end() {
        let text =
            ": hello\n\nid: 1-0\nevent: part\ndata: {\"text\":\"größe\"}\n\n:\n\r\nid:2\r\ndata:a\r\ndata: b\r\n\r\n";
        let event = |id: &str, name: &str, data: &str| Event {
            id: id.into(),
            name: name.into(),
            data: data.into(),
        };
        let all = vec![event("1-0", "part", "{\"text\":\"größe\"}"), event("2", "", "a\nb")];
        for size in 1..=text.len() {
            let mut events = Events::default();
            let pieces = text.as_bytes().chunks(size);
            let read: Vec<_> = pieces
                .flat_map(|piece| events.read(piece).expect("lines that end"))
                .collect();
            assert_eq!(read, all, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut events = Events::default();
        let piece = vec![b'x'; LONGEST / 2 + 1];
        assert_eq!(events.read(&piece), Ok(Vec::new()));
        assert_eq!(events.read(&piece), Err(Endless));
    }
}
