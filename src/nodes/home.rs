//! Where sessions are at home, as whoever takes a request in has to know it.

use tokio::sync::watch;

use super::Incarnation;
use crate::queue::Owner;

/// Where a session is at home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// At this node.
    Here,
    /// At another one.
    There {
        /// Which.
        node: Incarnation,
        /// Where that listens for other nodes.
        address: String,
    },
    /// Nobody that could be asked is there at the moment; it will be.
    Nowhere,
}

/// Who is where, as this node knows it. All of it is known without waiting.
pub trait Homes: Send + Sync + 'static {
    /// Where this owner's session is at home.
    fn home(&self, owner: Owner) -> Home;

    /// Hears when an answer of `home` may be another one.
    fn changes(&self) -> watch::Receiver<()>;

    /// The other nodes and their addresses.
    fn peers(&self) -> Vec<(Incarnation, String)>;

    /// Why no load balancer should send anybody here; `None`: it may.
    fn unready(&self) -> Option<&'static str>;

    /// Whether this node has been declared gone: what it knows of others is old, and stays as it is. `changes` says that, too.
    fn is_gone(&self) -> bool;

    /// Whether this node takes part no more, by whatever way: what is still asked of it is another's to answer.
    fn has_left(&self) -> bool;

    /// This node.
    fn me(&self) -> Incarnation;
}

/// There is no other node: everybody is at home here.
#[derive(Debug)]
pub struct Alone {
    me: Incarnation,
    never: watch::Sender<()>,
}

impl Default for Alone {
    fn default() -> Self {
        Self {
            me: Incarnation(rand::random()),
            never: watch::Sender::new(()),
        }
    }
}

impl Homes for Alone {
    fn home(&self, _: Owner) -> Home {
        Home::Here
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.never.subscribe()
    }

    fn peers(&self) -> Vec<(Incarnation, String)> {
        Vec::new()
    }

    fn unready(&self) -> Option<&'static str> {
        None
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn has_left(&self) -> bool {
        false
    }

    fn me(&self) -> Incarnation {
        self.me
    }
}
