//! What is read and kept as JSON, and never becomes values of these types: described by them, for the document of the API.

#![expect(
    dead_code,
    reason = "they only describe what is read by `read`, and what `answer` makes"
)]

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What is sent: one task, or several that are taken in together.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = NewTasks)]
pub(crate) enum Sent {
    /// One.
    One(Box<NewTask>),
    /// Several.
    Batch(NewBatch),
}

/// Several tasks, which are taken in whole or not at all.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBatch {
    /// 1 to 10,000 of them.
    #[schema(min_items = 1, max_items = 10_000)]
    tasks: Vec<NewTask>,
    /// Who is to be told.
    webhook: Option<NewWebhook>,
}

/// A task. It has a `message` or a `request`, one of the two.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "message": "Say hello." }))]
pub(crate) struct NewTask {
    /// What the user says to the model.
    message: Option<Message>,
    /// The body of a chat completion, as OpenAI's API has it: `messages`, and whatever else the model's server takes.
    #[schema(value_type = Option<Object>)]
    request: Option<Value>,
    /// Who is to answer. Unless told, the model in `request`, else the site's default.
    model: Option<String>,
    /// Its name within the batch.
    #[schema(min_length = 1, max_length = 64)]
    name: Option<String>,
    /// Names of the batch, or ids of tasks that were sent before. It is asked once all of them are done.
    depends_on: Option<Vec<String>>,
    /// Of one key's tasks the higher ones come first; 0 unless told.
    priority: Option<i32>,
    /// What is given back with the task: at most 4,096 bytes of JSON.
    #[schema(value_type = Option<Value>)]
    metadata: Option<Value>,
    /// Who is to be told. It stands here in a task that is sent alone; else beside `tasks`.
    webhook: Option<NewWebhook>,
}

/// A program that is told what is over, by messages as Standard Webhooks has them.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWebhook {
    /// Where: HTTPS, at a public address.
    url: String,
    /// What signs the messages: `whsec_`, and 24 to 64 random bytes in base64.
    secret: String,
}

/// What is said to the model.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TaskMessage)]
enum Message {
    Text(String),
    Pieces(Vec<Piece>),
}

/// A piece of a message.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TaskMessagePiece)]
enum Piece {
    Text(String),
    Part(Part),
}

/// A part as OpenAI's API has it, such as a picture, with what else belongs to it; or one of the type `result`, which stands for what another task
/// has answered.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatMessagePart)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    /// With `result`: that task's name in the batch, or its id.
    of: Option<String>,
}

/// An answer, as OpenAI's API has it. The model's server may say more in it.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatCompletion)]
pub(crate) struct Completion {
    id: Option<String>,
    /// `chat.completion`
    object: String,
    /// In seconds since the Unix epoch.
    created: Option<u64>,
    model: Option<String>,
    choices: Vec<Choice>,
    usage: Option<Tokens>,
}

/// One answer; there are several where several were asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatChoice)]
struct Choice {
    index: u64,
    message: Answer,
    /// `stop`, `length`, `tool_calls` and the like.
    finish_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatAnswerMessage)]
struct Answer {
    /// `assistant`
    role: String,
    #[schema(required)]
    content: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

/// The model wants a tool of the program's used.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatToolCall)]
struct Call {
    id: Option<String>,
    /// `function`
    #[serde(rename = "type")]
    kind: Option<String>,
    function: Option<Function>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatFunction)]
struct Function {
    name: Option<String>,
    /// JSON.
    arguments: Option<String>,
}

/// Tokens, as the model's server has counted them.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatTokens)]
struct Tokens {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// A piece of an answer, as OpenAI's API has it. The model's server may say more in it.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatCompletionChunk)]
pub(crate) struct Chunk {
    id: Option<String>,
    /// `chat.completion.chunk`
    object: Option<String>,
    created: Option<u64>,
    model: Option<String>,
    choices: Vec<Piecemeal>,
    usage: Option<Tokens>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ChatChunkChoice)]
struct Piecemeal {
    index: u64,
    delta: Delta,
    finish_reason: Option<String>,
}

/// What is new.
#[derive(Serialize, ToSchema)]
#[schema(as = ChatDelta)]
struct Delta {
    role: Option<String>,
    content: Option<String>,
    tool_calls: Option<Vec<Call>>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::PartialSchema as _;

    use super::*;
    use crate::tasks::read::FIELDS;

    #[test]
    fn a_task_is_described_with_the_fields_that_are_read() {
        let schema = serde_json::to_value(NewTask::schema()).expect("JSON");
        let described = schema["properties"].as_object().expect("fields").keys();
        let described: BTreeSet<_> = described.map(String::as_str).collect();
        let read: BTreeSet<_> = FIELDS.into_iter().chain(["webhook"]).collect();
        assert_eq!(described, read);
        assert_eq!(schema["additionalProperties"], Value::Bool(false));
    }
}
