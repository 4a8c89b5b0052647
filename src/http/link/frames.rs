//! Where the frames of a WebSocket begin and end in the bytes that the home sends to a page (RFC 6455, 5.2): only between two of them can
//! something of ours be said.

/// First byte of a frame that closes a WebSocket: it is the whole message.
const CLOSE: u8 = 0x88;
/// Of the first byte, what says what the frame is.
const OPCODE: u8 = 0x0f;
/// "Service restart": pages come back at once.
const RESTART: u16 = 1012;

/// Follows the frames of one direction.
#[derive(Debug, Default)]
pub(super) struct Frames {
    head: [u8; 14],
    /// How many bytes of the head are there.
    known: usize,
    /// How many bytes of the payload are not.
    left: u64,
    closed: bool,
}

impl Frames {
    /// These have passed.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = usize::try_from(self.wanted()).map_or(bytes.len(), |wanted| wanted.min(bytes.len()));
            let (part, rest) = bytes.split_at(taken);
            bytes = rest;
            if self.left > 0 {
                self.left -= taken as u64;
                continue;
            }
            self.head[self.known..self.known + taken].copy_from_slice(part);
            self.known += taken;
            if self.known == self.length_of_head() {
                self.closed |= self.head[0] & OPCODE == CLOSE & OPCODE;
                self.left = self.length_of_payload();
                self.known = 0;
            }
        }
    }

    /// How many bytes may pass until the head or the payload of a frame is whole: then this can be asked again.
    pub(super) fn wanted(&self) -> u64 {
        if self.left > 0 {
            self.left
        } else {
            (self.length_of_head() - self.known) as u64
        }
    }

    /// Whether the last frame is whole.
    pub(super) const fn is_between(&self) -> bool {
        self.known == 0 && self.left == 0
    }

    /// Whether the WebSocket has been closed by a frame.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    fn length_of_head(&self) -> usize {
        if self.known < 2 {
            return 2;
        }
        let length = match self.head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if self.head[1] & 0x80 == 0 { 0 } else { 4 };
        2 + length + mask
    }

    fn length_of_payload(&self) -> u64 {
        let further = |bytes: usize| {
            let bytes = &self.head[2..2 + bytes];
            bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        match self.head[1] & 0x7f {
            126 => further(2),
            127 => further(8),
            short => u64::from(short),
        }
    }
}

/// The frame that has a page come back at once.
pub(super) fn goodbye(reason: &'static str) -> Vec<u8> {
    let reason = &reason.as_bytes()[..reason.len().min(100)];
    let mut frame = vec![CLOSE, u8::try_from(reason.len() + 2).unwrap_or_default()];
    frame.extend(RESTART.to_be_bytes());
    frame.extend(reason);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of this many bytes, as a server (or, masked, a client) writes it.
    fn frame(first: u8, length: usize, masked: bool) -> Vec<u8> {
        let mask = if masked { 0x80 } else { 0 };
        let mut frame = vec![first];
        match length {
            0..126 => frame.push(mask | length as u8),
            126..65_536 => {
                frame.push(mask | 126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(mask | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            frame.extend([1, 2, 3, 4]);
        }
        frame.resize(frame.len() + length, 0x88);
        frame
    }

    #[test]
    fn frames_are_told_apart_however_they_are_cut() {
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
        for masked in [false, true] {
            for cut in [1, 2, 3, 7, 4096, 1 << 20] {
                let mut frames = Frames::default();
                for length in lengths {
                    let bytes = frame(0x81, length, masked);
                    let (last, before) = bytes.split_last().expect("not empty");
                    for part in before.chunks(cut) {
                        frames.pass(part);
                        assert!(!frames.is_between(), "{length} in parts of {cut}");
                    }
                    frames.pass(&[*last]);
                    assert!(frames.is_between(), "{length} in parts of {cut}");
                }
                assert!(!frames.is_closed(), "a payload closes nothing");
                frames.pass(&frame(CLOSE, 2, masked));
                assert!(frames.is_closed());
            }
        }
    }

    #[test]
    fn what_is_wanted_ends_with_the_frame() {
        let bytes = [frame(0x81, 300, false), frame(0x82, 5, false)].concat();
        let (mut frames, mut at) = (Frames::default(), 0);
        let mut between = Vec::new();
        while at < bytes.len() {
            let wanted = frames.wanted() as usize;
            frames.pass(&bytes[at..at + wanted]);
            at += wanted;
            if frames.is_between() {
                between.push(at);
            }
        }
        assert_eq!(between, [304, 311]);
    }

    #[test]
    fn a_goodbye_is_one_frame_that_closes() {
        let mut frames = Frames::default();
        let bytes = goodbye("the server is being restarted");
        assert_eq!(bytes[2..4], 1012_u16.to_be_bytes());
        frames.pass(&bytes);
        assert!(frames.is_between() && frames.is_closed());
    }
}
