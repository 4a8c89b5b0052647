//! Tools, as far as they can be used by somebody who only looks for words: by name, or because words of the message are words of the tool.

mod arguments;
mod matching;

use super::{asked_in, intent, intent::Intent, voice::Voice};
use crate::{
    agents::{Question, ToolCall, ToolResult, attached::detach},
    say,
};

/// Characters of a result that are repeated.
const SHOWN: usize = 1500;

/// What is said, and what is called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) text: String,
    pub(super) calls: Vec<ToolCall>,
}

/// What is done about tools: the next calls, or words on what came of the last ones. `None`: nothing.
pub(super) fn step(question: &Question) -> Option<Step> {
    let last = question.messages.last()?;
    let voice = || Voice::of(asked_in::language(&question.messages));
    if !last.results.is_empty() && last.text.trim().is_empty() {
        return Some(Step {
            text: told(voice(), &last.results),
            calls: Vec::new(),
        });
    }
    if question.tools.is_empty() {
        return None;
    }
    let (message, _) = detach(&last.text);
    let mut wanted = matching::named(&message, &question.tools);
    // What it knows something about itself, it says itself.
    if wanted.is_empty()
        && matches!(
            intent::of(&message),
            Intent::Unknown | Intent::Greeting | Intent::Thanks
        )
    {
        wanted.extend(matching::by_words(&message, &question.tools));
    }
    let calls = wanted.into_iter().enumerate().map(|(at, (tool, arguments))| ToolCall {
        id: format!("call_{}", at + 1),
        name: tool.name.clone(),
        arguments,
        opaque: None,
        thoughts: None,
    });
    let calls: Vec<_> = calls.collect();
    if calls.is_empty() {
        return None;
    }
    let names: Vec<_> = calls.iter().map(|call| format!("`{}`", call.name)).collect();
    let voice = voice();
    let text = say!(
        voice.demo,
        "demo-tool-use",
        tools = names.len(),
        names = names.join(", ")
    );
    Some(Step { text, calls })
}

/// What came of calls, each by itself.
fn told(voice: Voice, results: &[ToolResult]) -> String {
    let mut text = String::new();
    for result in results {
        let what = match (result.failed, result.content.trim().is_empty()) {
            (true, _) => "failed",
            (false, true) => "nothing",
            (false, false) => "something",
        };
        let name = format!("`{}`", result.name);
        text.push_str(&say!(voice.demo, "demo-tool-result", name = name, what = what));
        text.push_str("\n\n");
        if !result.content.trim().is_empty() {
            text.push_str(&block(&result.content));
        }
        if !result.images.is_empty() {
            let pictures = result.images.len();
            text.push_str(&say!(voice.demo, "demo-tool-pictures", pictures = pictures));
            text.push_str("\n\n");
        }
    }
    text.push_str(&say!(voice.demo, "demo-tool-no-more"));
    text
}

/// The beginning of a text as a block of code that nothing in it can end.
fn block(text: &str) -> String {
    let shown: String = text.trim_end().chars().take(SHOWN).collect();
    let more = if shown.len() < text.trim_end().len() { "…" } else { "" };
    let longest = shown.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{shown}{more}\n{fence}\n\n")
}

#[cfg(test)]
mod tests;
