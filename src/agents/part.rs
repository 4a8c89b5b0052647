//! What an answer is made of.

use super::{ToolCall, ToolResult};

/// One part of an answer, in the order in which the agent makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is said to the person who asked: the next piece of it.
    Text(String),
    /// What the model thinks before and between, where its server tells: the next piece of it. No part of the answer's text: an
    /// answer of reasoning alone is none.
    Reasoning(String),
    /// The model wants a tool used. Whole: what is streamed of it has been put together.
    ToolCall(ToolCall),
    /// What came of a call.
    ToolResult(ToolResult),
    /// Something about the answer that is worth knowing.
    Notice(Notice),
}

/// What an agent has to say about its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The conversation is longer than the model can read: so many of its oldest turns were left out. A later notice counts all of them.
    Trimmed(u32),
    /// The model takes no tools, as its server says: it was asked without those on offer.
    ToolsLeftOut,
    /// The model sees no pictures, as its server says: it was asked without those that nobody has sent as such.
    PicturesLeftOut,
}
