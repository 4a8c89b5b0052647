//! Tools: what a model may have used while it answers, as the models' own formats speak of them.

use serde_json::Value;

use super::Image;

/// A tool that a model is told of.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// What the model calls it: at most 64 letters, digits, `_` and `-`, which every format takes.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON Schema of its arguments, an object.
    pub schema: Value,
}

/// A use of a tool that a model wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// The model's name for this call, unique within one answer. Made here where its format has none.
    pub id: String,
    /// Which tool, as [`ToolSpec::name`] has it; a model may make one up.
    pub name: String,
    /// JSON, as the model wrote it: it may be none.
    pub arguments: String,
    /// What its server wants to have back with the call, and nobody else can read.
    pub opaque: Option<String>,
    /// Of the first call of an answer: what the model has thought before, where its server wants that back with the calls.
    pub thoughts: Option<String>,
}

/// What came of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolResult {
    /// The call's.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// What the tool returned, or why it returned nothing.
    pub content: String,
    /// Pictures that it returned, for a model that sees.
    pub images: Vec<Image>,
    /// Whether it failed.
    pub failed: bool,
}
