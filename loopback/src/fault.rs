//! What a model server can do wrong.

use std::{fmt, str::FromStr, time::Duration};

/// A fault on demand, written `name` or `name:number`. `after` counts pieces of the answer that are sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `status:500`: refuses with this status and OpenAI's error body; `status:307` leads elsewhere.
    Status(u16),
    /// `loading`: 503, as llama.cpp answers while it reads the model; its `/health` and its list of models say the same.
    Loading,
    /// `hang`: takes the request and sends nothing, not even a status.
    Hang,
    /// `reset`: takes the request and resets the connection, with nothing sent.
    Reset,
    /// `stall` or `stall:3`: goes silent, with the connection open.
    Stall {
        /// 0 is before the first piece.
        after: usize,
    },
    /// `close` or `close:3`: breaks the connection off.
    Close {
        /// 0 is before the first piece.
        after: usize,
    },
    /// `end` or `end:3`: ends the response in good order, but without a finish.
    End {
        /// 0 is before the first piece.
        after: usize,
    },
    /// `error` or `error:3`: sends an error object in place of a piece, as vLLM does.
    Error {
        /// 0 is before the first piece.
        after: usize,
    },
    /// `garbage`: a web page in place of an answer.
    Page,
    /// `garbage:3`: bytes that are neither JSON nor UTF-8 in place of a piece.
    Garbage {
        /// 0 is before the first piece.
        after: usize,
    },
    /// `huge_line` or `huge_line:1000000`: one line of so many bytes that never ends.
    HugeLine {
        /// Length in bytes.
        bytes: usize,
    },
    /// `drip` or `drip:20`: a proper answer, byte by byte, with so many milliseconds before each; a second unless told.
    Drip {
        /// Time before each byte.
        every: Duration,
    },
    /// `empty`: a proper answer of no words.
    Empty,
    /// `units`: a proper answer, every UTF-16 unit of it in a delta of its own, so that surrogate pairs come in halves.
    Units,
    /// `bad_byte` or `bad_byte:3`: a proper answer, with a byte in one of its pieces that is no UTF-8.
    BadByte {
        /// 0 is before the first piece.
        after: usize,
    },
}

/// Long enough that no honest model server sends such a line.
const HUGE_LINE: usize = 16 * 1024 * 1024;
const DRIP: Duration = Duration::from_secs(1);

impl FromStr for Fault {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<usize>().map_err(|_| ())?)),
            None => (text, None),
        };
        let after = number.unwrap_or(0);
        Ok(match (name, number) {
            ("status", Some(status @ 300..=599)) => Self::Status(u16::try_from(status).map_err(|_| ())?),
            ("stall", _) => Self::Stall { after },
            ("close", _) => Self::Close { after },
            ("end", _) => Self::End { after },
            ("error", _) => Self::Error { after },
            ("garbage", Some(after)) => Self::Garbage { after },
            ("huge_line", bytes) => Self::HugeLine {
                bytes: bytes.unwrap_or(HUGE_LINE),
            },
            ("loading", None) => Self::Loading,
            ("hang", None) => Self::Hang,
            ("reset", None) => Self::Reset,
            ("drip", every) => Self::Drip {
                every: every.map_or(DRIP, |every| Duration::from_millis(every as u64)),
            },
            ("garbage", None) => Self::Page,
            ("empty", None) => Self::Empty,
            ("units", None) => Self::Units,
            ("bad_byte", _) => Self::BadByte { after },
            _ => return Err(()),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status:{status}"),
            Self::Loading => f.write_str("loading"),
            Self::Hang => f.write_str("hang"),
            Self::Reset => f.write_str("reset"),
            Self::Drip { every } => write!(f, "drip:{}", every.as_millis()),
            Self::Stall { after } => write!(f, "stall:{after}"),
            Self::Close { after } => write!(f, "close:{after}"),
            Self::End { after } => write!(f, "end:{after}"),
            Self::Error { after } => write!(f, "error:{after}"),
            Self::Page => f.write_str("garbage"),
            Self::Garbage { after } => write!(f, "garbage:{after}"),
            Self::HugeLine { bytes } => write!(f, "huge_line:{bytes}"),
            Self::Empty => f.write_str("empty"),
            Self::Units => f.write_str("units"),
            Self::BadByte { after } => write!(f, "bad_byte:{after}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_they_are_written() {
        for text in [
            "status:503",
            "loading",
            "hang",
            "reset",
            "stall:0",
            "close:2",
            "end:1",
            "error:1",
            "garbage",
            "garbage:4",
            "huge_line:9",
            "drip:20",
            "empty",
            "units",
            "bad_byte:2",
        ] {
            assert_eq!(text.parse::<Fault>().expect("a fault").to_string(), text);
        }
        assert_eq!("drip".parse::<Fault>().expect("a fault").to_string(), "drip:1000");
    }
}
