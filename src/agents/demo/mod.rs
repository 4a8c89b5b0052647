//! The model that is built in: offline, at a human pace, plainly a demo, and of some use. It answers in the language that it is asked in.

mod asked_in;
mod compose;
mod handbook;
mod intent;
mod line;
mod samples;
mod small_talk;
mod texts;
mod tools;
mod variables;
mod vocabulary;
mod voice;

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{AgentContext, Message, Part, Parts, Question};
use crate::{settings::Settings, wire::Usage};

/// The demo model. It keeps nothing between questions, so that all sessions can share one.
pub(super) struct DemoAgent {
    first_token: Duration,
    /// Tokens a second.
    speed: u32,
    context: Arc<dyn AgentContext>,
}

impl DemoAgent {
    pub(super) fn new(settings: &Settings, context: Arc<dyn AgentContext>) -> Self {
        Self {
            first_token: settings.demo_first_token,
            speed: settings.demo_speed.max(1),
            context,
        }
    }

    /// Answers, until it is dropped or the reader of `parts` has gone. `first` is called before the first part; `usage` is right at any time.
    pub(super) async fn answer(
        &self,
        question: &Question,
        parts: &Parts,
        usage: &mut Usage,
        first: impl FnOnce() + Send,
    ) {
        let tools::Step { text, calls } = tools::step(question).unwrap_or_else(|| tools::Step {
            text: compose::answer(question, self.context.as_ref()),
            calls: Vec::new(),
        });
        *usage = Usage {
            input: Some(question.messages.iter().map(tokens_of).sum()),
            output: Some(0),
        };
        let mut first = Some(first);
        // Every piece has its own due time, so that a slow reader or timer does not add up.
        let mut due = Instant::now() + self.first_token;
        for piece in words(&text) {
            sleep_until(due).await;
            if let Some(first) = first.take() {
                first();
            }
            if parts.send(Part::Text(piece.to_owned())).await.is_err() {
                return;
            }
            let tokens = tokens(piece);
            usage.output = usage.output.map(|count| count + tokens);
            due += Duration::from_secs(tokens) / self.speed;
        }
        for call in calls {
            let tokens = tokens(&call.arguments);
            if parts.send(Part::ToolCall(call)).await.is_err() {
                return;
            }
            usage.output = usage.output.map(|count| count + tokens);
        }
    }
}

/// Every word with the white space after it.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let end = rest[word..]
            .find(|c: char| !c.is_whitespace())
            .map_or(rest.len(), |blank| word + blank);
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Tokens, roughly: one for every four characters.
fn tokens(text: &str) -> u64 {
    u64::try_from(text.chars().count().div_ceil(4)).unwrap_or(u64::MAX)
}

fn tokens_of(message: &Message) -> u64 {
    let calls = message.calls.iter().map(|call| tokens(&call.arguments));
    let results = message.results.iter().map(|result| tokens(&result.content));
    tokens(&message.text) + calls.chain(results).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_nothing() {
        for text in ["", " ", "a", " a  b\n\nc ", "| a | b |\n"] {
            assert_eq!(words(text).collect::<String>(), text);
        }
        assert_eq!(words(" a  b\n").collect::<Vec<_>>(), [" ", "a  ", "b\n"]);
    }
}
