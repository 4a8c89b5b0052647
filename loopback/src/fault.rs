//! What a model server can do wrong.

use std::{fmt, str::FromStr};

/// A fault on demand, written `name` or `name:number`. `after` counts pieces of the answer that are sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `status:500`: refuses with this status and OpenAI's error body; `status:307` leads elsewhere.
    Status(u16),
    /// `hang`: takes the request and sends nothing, not even a status.
    Hang,
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
            ("hang", None) => Self::Hang,
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
            Self::Hang => f.write_str("hang"),
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
