//! How many tokens a text is, and how much of a history fits into a model's context.
//!
//! What is gone by are the servers' own counts: each answer says how many tokens its question was, and from that follows how many
//! bytes make a token, for this model and in the languages that are written here. A tokenizer would know a few models exactly and the
//! others not at all.

use crate::{
    agents::{Message, Question, ToolCall, ToolSpec},
    wire::Role,
};

/// Bytes that make a token, as long as nothing is known: few for English, about right for code and for Chinese.
const UNKNOWN: f64 = 3.0;
/// No text of any length is beyond these.
const FEWEST: f64 = 1.0;
const MOST: f64 = 8.0;
/// What is learnt is a mean: about half of all texts have fewer bytes a token.
const CAREFUL: f64 = 0.9;
/// What a chat template adds to each message and to the whole, in tokens.
const A_MESSAGE: u64 = 8;
const A_QUESTION: u64 = 32;
/// What a picture of a usual size comes to, at those servers that take the most for it.
const A_PICTURE: u64 = 1600;
/// A question of fewer bytes is mostly template.
const LEAST: u64 = 512;
/// Where nobody has bounded the answer, this part of the context is kept for it, and so many tokens at most.
const ANSWER_PART: u64 = 4;
const ANSWER_MOST: u64 = 4096;

/// How large a question is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Of all texts, that of the system prompt included.
    pub(super) bytes: u64,
    pub(super) messages: u64,
    pub(super) pictures: u64,
}

impl Size {
    /// Of a whole question.
    pub(super) fn of(question: &Question) -> Self {
        let system = question.parameters.system.as_ref().map(|text| Self {
            bytes: text.len() as u64,
            messages: 1,
            pictures: 0,
        });
        let tools = question.tools.iter().map(Self::of_tool);
        let messages = question.messages.iter().map(Self::of_message);
        messages.chain(tools).chain(system).fold(Self::default(), Self::plus)
    }

    fn of_message(message: &Message) -> Self {
        let calls = message.calls.iter();
        let thoughts = |call: &ToolCall| call.thoughts.as_ref().map_or(0, String::len);
        let called: usize = calls
            .map(|call| call.name.len() + call.arguments.len() + thoughts(call))
            .sum();
        let results = message.results.iter();
        let returned: usize = results.map(|result| result.name.len() + result.content.len()).sum();
        let found: usize = message.results.iter().map(|result| result.images.len()).sum();
        // A result is a message of its own, and so is a call as far as its template goes.
        let parts = message.calls.len().max(message.results.len()).max(1);
        Self {
            bytes: (message.text.len() + called + returned) as u64,
            messages: parts as u64,
            pictures: (message.images.len() + found) as u64,
        }
    }

    /// Of a tool on offer, which its model reads with every question.
    fn of_tool(tool: &ToolSpec) -> Self {
        let written = tool.name.len() + tool.description.len() + tool.schema.to_string().len();
        Self {
            bytes: written as u64,
            messages: 1,
            pictures: 0,
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            messages: self.messages + other.messages,
            pictures: self.pictures + other.pictures,
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            messages: self.messages.saturating_sub(other.messages),
            pictures: self.pictures.saturating_sub(other.pictures),
        }
    }

    const fn template(self) -> u64 {
        A_QUESTION + self.messages * A_MESSAGE
    }
}

/// What is known of the tokens of one model.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tokens {
    /// Bytes that make one, if anything was learnt.
    bytes: Option<f64>,
}

impl Tokens {
    /// The server has counted so many tokens in a question of this size.
    pub(super) fn learn(&mut self, size: Size, tokens: u64) {
        let tokens = tokens.saturating_sub(size.template());
        if size.pictures > 0 || size.bytes < LEAST || tokens == 0 {
            return;
        }
        let told = size.bytes as f64 / tokens as f64;
        // A server that counts only what it has not read before would make tokens seem long.
        if !(FEWEST..=MOST).contains(&told) {
            return;
        }
        let known = self.bytes.unwrap_or(UNKNOWN);
        // To think that fewer bytes make a token does no harm.
        let weight = if told < known { 0.5 } else { 0.1 };
        self.bytes = Some(known + weight * (told - known));
    }

    /// The server has refused a question of this size, which is more than `context` tokens then.
    pub(super) fn exceeded(&mut self, size: Size, context: u64) {
        let room = context.saturating_sub(size.template()).max(1);
        let told = (size.bytes as f64 / room as f64).max(FEWEST);
        if size.pictures == 0 && told < self.bytes.unwrap_or(UNKNOWN) {
            self.bytes = Some(told);
        }
    }

    /// How many tokens that is: rather too many than too few.
    pub(super) fn count(self, size: Size) -> u64 {
        let bytes = self.bytes.map_or(UNKNOWN, |bytes| bytes * CAREFUL);
        let text = (size.bytes as f64 / bytes).ceil() as u64;
        text.saturating_add(size.template())
            .saturating_add(size.pictures.saturating_mul(A_PICTURE))
    }

    /// How many bytes of text a question may have in a context of so many tokens, with room for its answer.
    pub(super) fn room(self, context: u64, max_tokens: Option<u32>) -> u64 {
        let tokens = question_room(context, max_tokens).saturating_sub(A_QUESTION + A_MESSAGE);
        (tokens as f64 * self.bytes.map_or(UNKNOWN, |bytes| bytes * CAREFUL)) as u64
    }

    /// Leaves out the oldest turns of a history that does not fit into a context of so many tokens together with its answer. The last turn
    /// stays, whatever its size. Returns how many turns were left out.
    pub(super) fn fit(self, question: &mut Question, context: u64) -> u32 {
        let room = question_room(context, question.parameters.max_tokens);
        let mut size = Size::of(question);
        let mut turns = 0;
        let mut from = 0;
        while self.count(size) > room {
            let Some(next) = next_turn(&question.messages, from) else {
                break;
            };
            for message in &question.messages[from..next] {
                size = size.minus(Size::of_message(message));
            }
            turns += 1;
            from = next;
        }
        question.messages.drain(..from);
        turns
    }
}

/// What a question may have of a context, in tokens.
fn question_room(context: u64, max_tokens: Option<u32>) -> u64 {
    let answer = max_tokens.map_or_else(
        || (context / ANSWER_PART).min(ANSWER_MOST),
        // An answer of any length leaves room for a question.
        |most| u64::from(most).min(context / 2),
    );
    context.saturating_sub(answer)
}

/// Leaves out the older half of the turns before the last message. Returns how many that were; 0: there is nothing left to leave out.
pub(super) fn halve(question: &mut Question) -> u32 {
    let mut begins = vec![0];
    while let Some(next) = begins.last().and_then(|from| next_turn(&question.messages, *from)) {
        begins.push(next);
    }
    // The last turn is the new message itself.
    let before = begins.len() - 1;
    let left_out = before.div_ceil(2);
    question.messages.drain(..begins[left_out]);
    u32::try_from(left_out).unwrap_or(u32::MAX)
}

/// Where the turn after the one at `from` begins: with the next thing that the person says after an answer, or after what tools returned to one. What
/// tools return is no beginning: it stays with the calls. `None`: that is the last one.
fn next_turn(messages: &[Message], from: usize) -> Option<usize> {
    let says = |message: &Message| message.role == Role::User && message.results.is_empty();
    let after = |at: usize| !says(&messages[at - 1]) && says(&messages[at]);
    (from + 1..messages.len()).find(|at| after(*at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agents::{Parameters, ToolCall, ToolResult, tests::question_of};

    fn said(role: Role, bytes: usize) -> Message {
        Message::said(role, "x".repeat(bytes))
    }

    /// So many turns of these sizes, and a new message.
    fn conversation(turns: &[(usize, usize)], last: usize) -> Question {
        let mut messages = Vec::new();
        for (message, answer) in turns {
            messages.extend([said(Role::User, *message), said(Role::Agent, *answer)]);
        }
        messages.push(said(Role::User, last));
        question_of(messages, Parameters::default())
    }

    fn size(bytes: u64) -> Size {
        Size {
            bytes,
            messages: 1,
            pictures: 0,
        }
    }

    #[test]
    fn the_oldest_turns_are_left_out_and_the_message_never() {
        let tokens = Tokens::default();
        let turns = [(300, 300), (600, 600), (300, 300)];
        let whole = conversation(&turns, 300);
        for (context, left_out) in [
            (10_000, 0),
            (1318, 0),
            (1316, 1),
            (1030, 1),
            (1028, 2),
            (475, 2),
            (470, 3),
            (1, 3),
            (0, 3),
        ] {
            let mut question = whole.clone();
            assert_eq!(tokens.fit(&mut question, context), left_out, "{context}");
            assert_eq!(question.messages, whole.messages[2 * left_out as usize..], "{context}");
        }
        assert_eq!(
            tokens.room(1000, None),
            2130,
            "what is left of 1000 for a question, at three bytes a token"
        );
        assert_eq!(tokens.room(10, None), 0);
        let mut bounded = conversation(&turns, 300);
        bounded.parameters.max_tokens = Some(700);
        assert_eq!(tokens.fit(&mut bounded, 1600), 1, "the answer needs room, too");
    }

    /// A turn of so many rounds with a tool.
    fn with_tools(rounds: usize, bytes: usize) -> Vec<Message> {
        let mut messages = vec![said(Role::User, bytes)];
        for round in 0..rounds {
            let id = round.to_string();
            let call = ToolCall {
                id: id.clone(),
                arguments: "x".repeat(bytes),
                ..ToolCall::default()
            };
            let result = ToolResult {
                id,
                content: "x".repeat(bytes),
                ..ToolResult::default()
            };
            messages.push(Message {
                calls: vec![call],
                ..said(Role::Agent, 0)
            });
            messages.push(Message {
                results: vec![result],
                ..said(Role::User, 0)
            });
        }
        messages
    }

    #[test]
    fn a_turn_is_never_cut_between_a_call_and_its_result() {
        let mut messages = with_tools(2, 300);
        messages.push(said(Role::Agent, 300));
        // One that was stopped after its tools had returned something.
        messages.extend(with_tools(1, 300));
        messages.extend(with_tools(3, 300));
        let whole = question_of(messages, Parameters::default());
        let tokens = Tokens::default();
        let begins = [0, 6, 9];
        for context in (0..10_000).step_by(50) {
            let mut question = whole.clone();
            let left_out = tokens.fit(&mut question, context) as usize;
            assert_eq!(question.messages, whole.messages[begins[left_out]..], "{context}");
        }
        let mut question = whole.clone();
        assert_eq!(
            tokens.fit(&mut question, 0),
            2,
            "the last turn stays, with all its rounds"
        );
        let mut question = whole.clone();
        assert_eq!(halve(&mut question), 1);
        assert_eq!(question.messages, whole.messages[6..]);
    }

    #[test]
    fn tools_and_what_they_return_count() {
        let mut question = question_of(with_tools(1, 300), Parameters::default());
        let before = Size::of(&question);
        assert_eq!((before.bytes, before.messages, before.pictures), (900, 3, 0));
        question.messages[2].results[0]
            .images
            .push(crate::agents::tests::picture("a.png"));
        question.tools = [ToolSpec {
            name: "add".to_owned(),
            description: "Adds.".to_owned(),
            schema: serde_json::json!({}),
        }]
        .into();
        let after = Size::of(&question);
        assert_eq!((after.bytes, after.messages, after.pictures), (910, 4, 1));
    }

    #[test]
    fn half_a_history_is_the_newer_half() {
        for (turns, left_out) in [(0, 0), (1, 1), (2, 1), (3, 2), (8, 4)] {
            let whole = conversation(&vec![(10, 10); turns], 5);
            let mut question = whole.clone();
            assert_eq!(halve(&mut question), left_out);
            assert_eq!(question.messages, whole.messages[2 * left_out as usize..]);
        }
    }

    #[test]
    fn what_a_server_counts_is_learnt_and_sooner_where_it_is_more() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.count(size(3000)), 1040);
        for _ in 0..100 {
            tokens.learn(size(40_000), 10_040);
        }
        let english = tokens.count(size(40_000));
        assert!((10_040..11_300).contains(&english), "{english}");
        for _ in 0..5 {
            tokens.learn(size(40_000), 20_040);
        }
        let digits = tokens.count(size(40_000));
        assert!((20_040..23_000).contains(&digits), "{digits}");
        for (bytes, told) in [(100, 90), (40_000, 0), (40_000, 200), (1000, 90_000)] {
            let before = tokens;
            tokens.learn(size(bytes), told);
            assert_eq!(tokens, before, "{bytes} bytes as {told} tokens teach nothing");
        }
    }

    #[test]
    fn a_refused_question_teaches_how_many_it_is_at_least() {
        let mut tokens = Tokens::default();
        tokens.exceeded(size(8000), 4096);
        assert!(tokens.count(size(8000)) > 4096);
        let mut question = conversation(&[(2000, 2000); 2], 100);
        assert!(tokens.fit(&mut question, 4096) > 0);
    }

    proptest! {
        #[test]
        fn what_is_left_fits_or_is_the_message_alone(
            turns in proptest::collection::vec((1..4000_usize, 1..4000_usize), 0..30),
            last in 1..4000_usize,
            context in 0..20_000_u64,
        ) {
            let tokens = Tokens::default();
            let mut question = conversation(&turns, last);
            let left_out = tokens.fit(&mut question, context) as usize;
            prop_assert_eq!(question.messages.len(), 2 * (turns.len() - left_out) + 1);
            let room = context - (context / ANSWER_PART).min(ANSWER_MOST);
            prop_assert!(left_out == turns.len() || tokens.count(Size::of(&question)) <= room);
            // Not one turn too many.
            if left_out > 0 {
                let kept = conversation(&turns[left_out - 1..], last);
                prop_assert!(tokens.count(Size::of(&kept)) > room);
            }
        }
    }
}
