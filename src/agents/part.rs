//! What an answer is made of.

/// One part of an answer, in the order in which the agent makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// What is said to the person who asked: the next piece of it.
    Text(String),
    /// What the model thinks before and between, where its server tells: the next piece of it. No part of the answer's text: an
    /// answer of reasoning alone is none.
    Reasoning(String),
    /// The model wants a tool used.
    ToolCall {
        /// The model's name for this call.
        id: String,
        /// Which tool.
        name: String,
        /// JSON, as the model wrote it.
        arguments: String,
    },
    /// What came of a call.
    ToolResult {
        /// The call's.
        id: String,
        /// What the tool returned, or why it returned nothing.
        content: String,
        /// Whether it failed.
        failed: bool,
    },
    /// Something about the answer that is worth knowing.
    Notice(Notice),
}

/// What an agent has to say about its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The conversation is longer than the model can read: so many of its oldest turns were left out. A later notice counts all of them.
    Trimmed(u32),
}
