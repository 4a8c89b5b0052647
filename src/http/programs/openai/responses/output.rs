//! What a response is made of, as a chat says it piece by piece: a message, and calls of functions.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// An event of a chat, or its answer, as far as it is of use here.
#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default, alias = "message")]
    delta: Delta<'a>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<CallPiece<'a>>>,
}

#[derive(Deserialize)]
struct CallPiece<'a> {
    #[serde(default)]
    index: Option<u64>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: FunctionPiece<'a>,
}

#[derive(Default, Deserialize)]
struct FunctionPiece<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    arguments: Option<Cow<'a, str>>,
}

/// An event of the newer API, without what counts it.
pub(super) struct News {
    pub(super) kind: &'static str,
    pub(super) event: Value,
}

/// Something that the model says or wants, in the order in which they began.
enum Item {
    Message,
    Call {
        /// Its number among the calls, as the chat has it.
        index: u64,
        /// What its outcome is to be told with.
        call: String,
        name: String,
        arguments: String,
    },
}

/// All of it.
pub(super) struct Output {
    id: Uuid,
    items: Vec<Item>,
    text: String,
    /// What the model has ended for.
    finish: Option<String>,
}

impl Output {
    pub(super) const fn new(id: Uuid) -> Self {
        Self {
            id,
            items: Vec::new(),
            text: String::new(),
            finish: None,
        }
    }

    /// Takes in an event of a chat, or its answer; returns what there is to tell of it.
    pub(super) fn take(&mut self, json: &str) -> Vec<News> {
        // What is no such event has nothing to say; whether it is sound was seen when it came.
        let Ok(Said { choices }) = serde_json::from_str(json) else {
            return Vec::new();
        };
        let mut news = Vec::new();
        for Choice { delta, finish_reason } in choices {
            for piece in [delta.content, delta.refusal].into_iter().flatten() {
                self.say(&piece, &mut news);
            }
            for piece in delta.tool_calls.into_iter().flatten() {
                self.call(piece, &mut news);
            }
            self.finish = finish_reason.or(self.finish.take());
        }
        news
    }

    fn say(&mut self, piece: &str, news: &mut Vec<News>) {
        if piece.is_empty() {
            return;
        }
        let at = self.message(news);
        self.text.push_str(piece);
        let delta = json!({ "delta": piece, "logprobs": [], "content_index": 0 });
        news.push(self.about(at, "response.output_text.delta", delta));
    }

    /// The place of the message, which begins where there is none yet.
    fn message(&mut self, news: &mut Vec<News>) -> usize {
        let known = self.items.iter().position(|item| matches!(item, Item::Message));
        known.unwrap_or_else(|| {
            let at = self.begin(Item::Message, news);
            let part = json!({ "part": self.part(), "content_index": 0 });
            news.push(self.about(at, "response.content_part.added", part));
            at
        })
    }

    fn call(&mut self, piece: CallPiece<'_>, news: &mut Vec<News>) {
        let at = self.place(&piece).unwrap_or_else(|| {
            let calls = self.items.iter().filter(|item| matches!(item, Item::Call { .. }));
            let index = piece.index.unwrap_or(calls.count() as u64);
            let new = Item::Call {
                call: piece
                    .id
                    .as_ref()
                    .map_or_else(|| format!("call_{}_{index}", self.id.simple()), |id| id.to_string()),
                index,
                name: piece.function.name.as_deref().unwrap_or_default().to_owned(),
                arguments: String::new(),
            };
            self.begin(new, news)
        });
        let Some(Item::Call { name, arguments, .. }) = self.items.get_mut(at) else {
            return;
        };
        if name.is_empty() {
            piece.function.name.as_deref().unwrap_or_default().clone_into(name);
        }
        let Some(more) = piece.function.arguments.filter(|more| !more.is_empty()) else {
            return;
        };
        arguments.push_str(&more);
        news.push(self.about(at, "response.function_call_arguments.delta", json!({ "delta": more })));
    }

    /// Which call a piece belongs to: by its number, where servers leave that out by its id, and else to the last one. `None`: to a new one.
    fn place(&self, piece: &CallPiece<'_>) -> Option<usize> {
        self.items
            .iter()
            .rposition(|item| match (item, piece.index, &piece.id) {
                (Item::Call { index, .. }, Some(wanted), _) => *index == wanted,
                (Item::Call { call, .. }, None, Some(wanted)) => call == wanted,
                (Item::Call { .. }, None, None) => true,
                (Item::Message, ..) => false,
            })
    }

    /// Something begins; returns its place.
    fn begin(&mut self, item: Item, news: &mut Vec<News>) -> usize {
        self.items.push(item);
        let at = self.items.len() - 1;
        let mut item = self.item(at, "in_progress");
        if item["type"] == "message" {
            item["content"] = json!([]);
        }
        news.push(News {
            kind: "response.output_item.added",
            event: json!({ "output_index": at, "item": item }),
        });
        at
    }

    /// All of it ends.
    pub(super) fn end(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        if self.items.is_empty() {
            // An answer without a word is a message without one.
            self.message(&mut news);
        }
        let (status, _) = self.ending();
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Message => {
                    let text = json!({ "text": self.text, "logprobs": [], "content_index": 0 });
                    news.push(self.about(at, "response.output_text.done", text));
                    let part = json!({ "part": self.part(), "content_index": 0 });
                    news.push(self.about(at, "response.content_part.done", part));
                }
                Item::Call { name, arguments, .. } => {
                    let whole = json!({ "name": name, "arguments": arguments });
                    news.push(self.about(at, "response.function_call_arguments.done", whole));
                }
            }
            news.push(News {
                kind: "response.output_item.done",
                event: json!({ "output_index": at, "item": self.item(at, status) }),
            });
        }
        news
    }

    /// How it has ended, and why before its time.
    pub(super) fn ending(&self) -> (&'static str, Value) {
        match self.finish.as_deref() {
            Some("length") => ("incomplete", json!({ "reason": "max_output_tokens" })),
            Some("content_filter") => ("incomplete", json!({ "reason": "content_filter" })),
            _ => ("completed", Value::Null),
        }
    }

    /// All items, as they have ended.
    pub(super) fn items(&self) -> Vec<Value> {
        let (status, _) = self.ending();
        (0..self.items.len()).map(|at| self.item(at, status)).collect()
    }

    fn item(&self, at: usize, status: &str) -> Value {
        let id = self.name(at);
        match self.items.get(at) {
            Some(Item::Call {
                call, name, arguments, ..
            }) => json!({
                "id": id, "type": "function_call", "status": status, "call_id": call, "name": name, "arguments": arguments,
            }),
            _ => {
                json!({ "id": id, "type": "message", "status": status, "role": "assistant", "content": [self.part()] })
            }
        }
    }

    fn name(&self, at: usize) -> String {
        match self.items.get(at) {
            Some(Item::Call { index, .. }) => format!("fc_{}_{index}", self.id.simple()),
            _ => format!("msg_{}", self.id.simple()),
        }
    }

    /// The one part of the message.
    fn part(&self) -> Value {
        json!({ "type": "output_text", "text": self.text, "annotations": [], "logprobs": [] })
    }

    /// An event about one of the items.
    fn about(&self, at: usize, kind: &'static str, mut event: Value) -> News {
        event["item_id"] = self.name(at).into();
        event["output_index"] = at.into();
        News { kind, event }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(pieces: &[Value]) -> Vec<(String, String, String)> {
        let mut output = Output::new(Uuid::nil());
        for piece in pieces {
            output.take(&json!({ "choices": [{ "delta": { "tool_calls": [piece] } }] }).to_string());
        }
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let items = output.items().into_iter();
        items
            .map(|item| (text(&item["call_id"]), text(&item["name"]), text(&item["arguments"])))
            .collect()
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn pieces_of_calls_find_theirs_by_number_by_id_or_as_the_last() {
        let two = [call("a", "f", "{1}"), call("b", "g", "{2}")];
        let piece = |index: u64, arguments: &str| json!({ "index": index, "function": { "arguments": arguments } });
        let numbered = [
            json!({ "index": 0, "id": "a", "function": { "name": "f", "arguments": "{" } }),
            json!({ "index": 1, "id": "b", "function": { "name": "g" } }),
            piece(0, "1"),
            piece(1, "{2"),
            piece(1, "}"),
            piece(0, "}"),
        ];
        assert_eq!(calls(&numbered), two);
        let named = [
            json!({ "id": "a", "function": { "name": "f", "arguments": "{" } }),
            json!({ "function": { "arguments": "1}" } }),
            json!({ "id": "b", "function": { "name": "g", "arguments": "{2}" } }),
        ];
        assert_eq!(calls(&named), two);
        let late = [
            json!({ "index": 0, "function": {} }),
            json!({ "index": 0, "function": { "name": "f", "arguments": "" } }),
        ];
        let own = format!("call_{}_0", Uuid::nil().simple());
        assert_eq!(calls(&late), [call(&own, "f", "")]);
    }

    #[test]
    fn an_answer_without_a_word_is_an_empty_message() {
        let mut output = Output::new(Uuid::nil());
        assert!(output.take("nonsense").is_empty());
        let kinds: Vec<_> = output.end().into_iter().map(|news| news.kind).collect();
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        assert_eq!(output.items()[0]["content"][0]["text"], "");
    }
}
