//! An answer, put together from what the message is about.

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{
    asked_in, handbook,
    intent::{self, Intent},
    line, samples, small_talk,
    texts::one_of,
    variables,
    voice::Voice,
};
use crate::{
    agents::{
        AgentContext, Image, Question,
        attached::{Attached, detach},
    },
    say,
};

/// The whole answer, as Markdown, in the language of the question.
pub(super) fn answer(question: &Question, context: &dyn AgentContext) -> String {
    let voice = Voice::of(asked_in::language(&question.messages));
    let texts = voice.texts;
    let Some(last) = question.messages.last() else {
        return texts.help.to_owned();
    };
    let (message, files) = detach(&last.text);
    let intent = intent::of(&message);
    let seed = seed(&message, question.messages.len());
    let attachments = seen(voice, &files, &last.images);
    let body = match &intent {
        Intent::Variables(names) => variables::explain(voice, names, &context.settings()),
        Intent::Settings { group, all } => variables::list(voice, *group, *all, &context.settings()),
        Intent::LineNow => line::now(voice, &context.chat_line(&question.model)),
        Intent::LineWorks => format!(
            "{}\n\n{}",
            texts.works,
            line::in_short(voice, &context.chat_line(&question.model))
        ),
        Intent::RealModel(server) => handbook::real_model(voice, *server),
        Intent::Markdown => texts.markdown.to_owned(),
        Intent::Code(language) => samples::code(voice, *language),
        Intent::Count(number) => count(voice, *number),
        Intent::Greeting => one_of(texts.greetings, seed).to_owned(),
        Intent::Thanks => one_of(texts.thanks, seed).to_owned(),
        Intent::Help => texts.help.to_owned(),
        // Files without a question have been dealt with already.
        Intent::Unknown if message.trim().is_empty() && attachments.is_some() => {
            say!(voice.demo, "demo-attached-alone")
        }
        Intent::Unknown => small_talk::fallback(voice, &message, seed),
    };
    let says_so = matches!(
        intent,
        Intent::Greeting | Intent::Help | Intent::Unknown | Intent::RealModel(_)
    );
    let mut whole = attachments.unwrap_or_default() + &body;
    if question.messages.len() == 1 && !says_so {
        whole.push_str("\n\n");
        whole.push_str(texts.note);
    }
    whole
}

/// Differs from message to message and from turn to turn, and is the same when a turn runs again.
fn seed(message: &str, turn: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    (message, turn).hash(&mut hasher);
    usize::try_from(hasher.finish() % 1_000_003).unwrap_or(0)
}

/// What came with the message; `None` if nothing did.
fn seen(voice: Voice, files: &[Attached], images: &[Image]) -> Option<String> {
    if files.is_empty() && images.is_empty() {
        return None;
    }
    let mut text = say!(voice.demo, "demo-attached");
    text.push_str("\n\n");
    for Attached { name, text: content } in files {
        let (words, lines) = (content.split_whitespace().count(), content.lines().count());
        text.push_str(&say!(
            voice.demo,
            "demo-attached-file",
            name = code(name),
            words = words,
            lines = lines
        ));
        text.push('\n');
    }
    for image in images {
        let size = say!(
            voice.site,
            "size",
            number = image.bytes.len().div_ceil(1024),
            unit = "kb"
        );
        let kind = image.mime.replace('`', "");
        text.push_str(&say!(
            voice.demo,
            "demo-attached-picture",
            name = code(&image.name),
            kind = kind,
            size = size
        ));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&say!(voice.demo, "demo-attached-no-more"));
    text.push_str("\n\n");
    Some(text)
}

fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}

fn count(voice: Voice, number: u32) -> String {
    let mut text = say!(voice.demo, "demo-count");
    text.push_str("\n\n");
    for n in 1..=number {
        let end = if n == number {
            "."
        } else if n % 10 == 0 {
            ",\n"
        } else {
            ", "
        };
        let _infallible = write!(text, "{n}{end}");
    }
    text
}
