//! Why a server function has not done what it was asked.

use anteroom::wire::Reason;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

use crate::json::Encoding;

/// The error of every server function: what a page needs of a [`Refused`](anteroom::wire::Refused).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Why. Its words are made where it is shown.
    pub reason: Reason,
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

impl Fault {
    /// Whether the server has not been reached, or is about to restart: the same may go well in a while.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        // What is none of the server's words comes from something in between.
        matches!(
            self.reason,
            Reason::Restarting | Reason::NodeAway | Reason::Unreachable | Reason::AnswerUnreadable
        )
    }
}

impl FromServerFnError for Fault {
    type Encoder = Encoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        Self::from(match error {
            ServerFnErrorErr::Request(_) => Reason::Unreachable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Reason::RequestUnreadable,
            // The server reads what it is asked, a browser what it is answered.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => Reason::RequestUnreadable,
            ServerFnErrorErr::Deserialization(_) => Reason::AnswerUnreadable,
            _ => Reason::Mistake,
        })
    }
}

#[cfg(test)]
mod tests {
    use anteroom::wire::Refused;
    use leptos::server_fn::Bytes;

    use super::*;

    #[test]
    fn what_the_server_refuses_is_final_but_for_its_own_restart() {
        let refused = Fault::from(Reason::EmptyMessage);
        assert_eq!(Fault::de(refused.ser()), refused);
        // As every door says it.
        let told = Refused {
            reason: Reason::EmptyMessage,
            message: "Write something first.".to_owned(),
        };
        assert_eq!(Fault::de(serde_json::to_vec(&told).expect("JSON").into()), refused);
        assert!(!refused.is_passing());
        assert!(Fault::from(Reason::Restarting).is_passing());
        assert!(Fault::from(Reason::NodeAway).is_passing());
        assert!(Fault::from_server_fn_error(ServerFnErrorErr::Request("failed to fetch".to_owned())).is_passing());
        // What cannot be read is no answer of ours: on this side of the wire, no request.
        let page = Bytes::from_static(b"<html>502 Bad Gateway</html>");
        assert_eq!(Fault::de(page), Fault::from(Reason::RequestUnreadable));
    }
}
