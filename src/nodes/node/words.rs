//! What a node hears, and what it wants done.

use crate::{
    nodes::{Batch, Change, Digest, Incarnation, Number, Replica, Said, Working},
    queue::{LeaveReason, TicketId, machine::Time},
};

/// Something that a caller on this node wants appended, by a number that the caller has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ask(pub u64);

/// Something that a node hears. Whatever it asks the database for is answered by one of these, and once.
pub enum Input {
    /// What [`Output::Load`] has brought; `None`: the database is away.
    Loaded(Option<Box<Replica>>),
    /// A caller wants a change.
    Ask(Ask, Change),
    /// The log has grown: a notification, which may come late, twice or never.
    Told(Told),
    /// What [`Output::Read`] has brought, with the number that was asked about; `None`: the database is away.
    Read(Number, Option<Log>),
    /// What has become of [`Output::Append`], by the entry's sequence.
    Appended(u64, Reply),
    /// What has become of [`Output::Beat`]: when it was begun, and what the database said.
    Beaten(Time, Beaten),
    /// A node is dead for certain: its link has been closed and its address refuses.
    Dead(Incarnation),
    /// It is about to leave: what comes to it goes to others, and what it has goes on.
    Leave,
    /// It is to leave at once: what it still works on is ended, and begun again elsewhere.
    LeaveNow,
    /// Time has passed.
    Woke,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// What has been appended.
    Batch(Box<Batch>),
    /// Only that the log has this number, or may have.
    Number(Number),
}

/// The end of the log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The digest at the number that was asked about; `None`: the log has no such number.
    pub digest: Option<Digest>,
    /// What comes after it.
    pub batches: Vec<Batch>,
}

/// What has become of an append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is in the log, but for changes to which something belonged that could not be written: these are left out.
    Written(Box<Batch>),
    /// It had been written before.
    Already,
    /// Nothing was to be written: the node that it declares gone has been heard of, or all its changes were left out.
    Nothing,
    /// This node has been declared gone, or the database knows nothing of it: nothing was written.
    Fenced,
    /// The database is away. Whether it was written is not known.
    Away,
}

/// What the database says to a beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beaten {
    /// It has been noted.
    Noted {
        /// The other nodes that take part.
        peers: Vec<Peer>,
        /// The last number of the log, and the digest there.
        head: (Number, Digest),
    },
    /// This node has been declared gone, or the database knows nothing of it.
    Fenced,
    /// The database is away.
    Away,
}

/// Another node, as the database knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which.
    pub node: Incarnation,
    /// How often it has been heard of.
    pub beats: u64,
    /// The last entry of the log that it had applied when it was last heard of.
    pub applied: Number,
}

/// Something that is to be done for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Read the last snapshot and what comes after it, and answer with [`Input::Loaded`].
    Load,
    /// Read the log after this number, and answer with [`Input::Read`].
    Read(Number),
    /// Append, along with what belongs to the asks, in one transaction; answer with [`Input::Appended`].
    Append {
        /// Its number among those of this incarnation. What has been written under it is not written again.
        sequence: u64,
        /// What, in order, and who asked for it.
        changes: Vec<(Option<Ask>, Change)>,
        /// Only if the node that it declares gone has been heard of no more than so often.
        unless_heard: Option<Peer>,
    },
    /// Tell the database that this node is there, and what it has applied of the log (nothing while it builds its copy anew); answer with
    /// [`Input::Beaten`].
    Beat(Number),
    /// Tell a caller what has come of its change.
    Answer(Ask, Answer),
    /// Work on this from now on.
    Work(TicketId, Working),
    /// End the work on this, and drop what it has brought.
    Halt(TicketId),
    /// A ticket of this node has left its line without starting.
    Left(TicketId, LeaveReason),
    /// This node may hold other tickets than before.
    PassedOn,
    /// Owners may be at home elsewhere than before.
    Moved,
    /// Back ends may have something else than before, or are others. Said before any work at them is.
    Throttled,
    /// This incarnation is over: whoever drives it starts another one.
    Over,
}

/// What has come of a change.
pub type Answer = Result<Said, Unsaid>;

/// Why a caller is not told what has come of its change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsaid {
    /// This node was declared gone, or had to build its copy anew, before it knew. Whether a job has a place in line is seen from the log.
    #[error("it is not known whether the change was carried out")]
    Unknown,
    /// What belonged to it could not be written, so it was not carried out.
    #[error("the change was not carried out")]
    Unwritten,
}
