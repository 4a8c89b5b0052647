//! Cuts a response body into frames: the events of an event stream, or lines. Memory is bounded whatever is sent.

use super::Broken;

/// How a model server separates what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Server-sent events (`text/event-stream`, WHATWG HTML, section 9.2).
    Events,
    /// One JSON object a line.
    Lines,
}

/// One event or line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    /// The event's name; empty where it has none.
    pub(super) event: &'a str,
    pub(super) data: &'a [u8],
}

/// No honest frame comes near it.
const MAX_FRAME: usize = 4 * 1024 * 1024;

/// The part of a body that is not a whole frame yet.
#[derive(Debug)]
pub(super) struct Frames {
    framing: Framing,
    /// The line that has no end yet.
    line: Vec<u8>,
    event: String,
    data: Vec<u8>,
    has_data: bool,
    /// Whether there was a line that no event stream has.
    pub(super) strange: bool,
    /// Frames handed out.
    pub(super) count: u64,
}

impl Frames {
    pub(super) const fn new(framing: Framing) -> Self {
        Self {
            framing,
            line: Vec::new(),
            event: String::new(),
            data: Vec::new(),
            has_data: false,
            strange: false,
            count: 0,
        }
    }

    /// Takes bytes in and hands out the frames that are whole now; stops at the first error.
    pub(super) fn push<E: From<Broken>>(
        &mut self,
        mut bytes: &[u8],
        mut take: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (head, rest) = bytes.split_at(end);
            bytes = &rest[1..];
            if self.line.is_empty() {
                self.whole_line(head, &mut take)?;
            } else {
                self.keep(head)?;
                let line = std::mem::take(&mut self.line);
                self.whole_line(&line, &mut take)?;
            }
        }
        self.keep(bytes)?;
        Ok(())
    }

    /// The body has ended: hands out what lacks nothing but its end.
    pub(super) fn finish<E: From<Broken>>(
        &mut self,
        mut take: impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let line = std::mem::take(&mut self.line);
        self.whole_line(&line, &mut take)?;
        self.whole_line(b"", &mut take)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        if self.line.len() + bytes.len() > MAX_FRAME {
            return Err(Broken);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn whole_line<E: From<Broken>>(
        &mut self,
        line: &[u8],
        take: &mut impl FnMut(Frame<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.framing {
            Framing::Lines if line.trim_ascii().is_empty() => Ok(()),
            Framing::Lines => {
                self.count += 1;
                take(Frame { event: "", data: line })
            }
            Framing::Events if line.is_empty() => self.dispatch(take),
            Framing::Events => Ok(self.field(line)?),
        }
    }

    fn field(&mut self, line: &[u8]) -> Result<(), Broken> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.data.len() + value.len() > MAX_FRAME {
                    return Err(Broken);
                }
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                self.has_data = true;
            }
            b"event" => self.event = String::from_utf8_lossy(value).into_owned(),
            // A comment, and two fields that a model server's stream has no use for.
            b"" | b"id" | b"retry" => {}
            _ => self.strange = true,
        }
        Ok(())
    }

    fn dispatch<E>(&mut self, take: &mut impl FnMut(Frame<'_>) -> Result<(), E>) -> Result<(), E> {
        let event = std::mem::take(&mut self.event);
        if !std::mem::take(&mut self.has_data) {
            return Ok(());
        }
        self.count += 1;
        let outcome = take(Frame {
            event: &event,
            data: &self.data,
        });
        self.data.clear();
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a body that comes in pieces of this size.
    fn frames(framing: Framing, body: &[u8], size: usize) -> Vec<(String, String)> {
        let mut frames = Frames::new(framing);
        let mut taken = Vec::new();
        let mut take = |frame: Frame<'_>| {
            taken.push((frame.event.to_owned(), String::from_utf8_lossy(frame.data).into_owned()));
            Ok::<_, Broken>(())
        };
        for piece in body.chunks(size) {
            frames.push(piece, &mut take).expect("small enough");
        }
        frames.finish(&mut take).expect("small enough");
        taken
    }

    #[test]
    fn however_a_body_is_cut_its_frames_are_the_same() {
        let body =
            "data: {\"a\":\"é\"}\n\n: a comment\n\nevent: ping\r\ndata:x\r\ndata: y\r\n\r\nid: 3\n\ndata\n\ndata: last";
        let expected = [("", "{\"a\":\"é\"}"), ("ping", "x\ny"), ("", ""), ("", "last")];
        for size in 1..=body.len() {
            let taken = frames(Framing::Events, body.as_bytes(), size);
            assert!(
                taken
                    .iter()
                    .map(|(event, data)| (event.as_str(), data.as_str()))
                    .eq(expected),
                "{size}: {taken:?}"
            );
        }
        for size in 1..=9 {
            assert_eq!(frames(Framing::Lines, b"{1}\n\n{2}\r\n{3}", size).len(), 3);
        }
    }

    #[test]
    fn a_line_without_an_end_is_refused_before_it_fills_the_memory() {
        let mut frames = Frames::new(Framing::Events);
        let chunk = vec![b'x'; MAX_FRAME / 4];
        let outcomes: Vec<_> = (0..6).map(|_| frames.push(&chunk, |_| Ok::<_, Broken>(()))).collect();
        assert_eq!(outcomes.iter().position(Result::is_err), Some(4));
        assert!(frames.line.len() <= MAX_FRAME);
    }

    #[test]
    fn a_web_page_is_strange() {
        let mut frames = Frames::new(Framing::Events);
        frames
            .push(b"<html>\n<body>\n", |_| Ok::<_, Broken>(()))
            .expect("short");
        assert!(frames.strange);
        assert_eq!(frames.count, 0);
    }
}
