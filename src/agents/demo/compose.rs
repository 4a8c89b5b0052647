//! An answer, put together from what the message is about.

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::{
    handbook,
    intent::{self, Intent},
    line, samples, small_talk, variables,
};
use crate::agents::{
    AgentContext, Image, Question,
    attached::{Attached, detach},
};

/// The whole answer, as Markdown.
pub(super) fn answer(question: &Question, context: &dyn AgentContext) -> String {
    let Some(last) = question.messages.last() else {
        return small_talk::HELP.to_owned();
    };
    let (message, files) = detach(&last.text);
    let intent = intent::of(&message);
    let seed = seed(&message, question.messages.len());
    let attachments = seen(&files, &last.images);
    let body = match &intent {
        Intent::Variables(names) => variables::explain(names, &context.settings()),
        Intent::Settings { group, all } => variables::list(*group, *all, &context.settings()),
        Intent::LineNow => line::now(&context.chat_line()),
        Intent::LineWorks => format!("{}\n\n{}", line::WORKS, line::in_short(&context.chat_line())),
        Intent::RealModel(server) => real_model(*server),
        Intent::Markdown => samples::MARKDOWN.to_owned(),
        Intent::Code(language) => samples::code(*language),
        Intent::Count(number) => count(*number),
        Intent::Greeting => small_talk::greeting(seed).to_owned(),
        Intent::Thanks => small_talk::thanks(seed).to_owned(),
        Intent::Help => small_talk::HELP.to_owned(),
        // Files without a question have been dealt with already.
        Intent::Unknown if message.trim().is_empty() && attachments.is_some() => {
            "What would you like to do with it? (A real model would know by now.)".to_owned()
        }
        Intent::Unknown => small_talk::fallback(&message, seed),
    };
    let says_so = matches!(
        intent,
        Intent::Greeting | Intent::Help | Intent::Unknown | Intent::RealModel(_)
    );
    let note = if question.messages.len() == 1 && !says_so {
        small_talk::NOTE
    } else {
        ""
    };
    format!("{}{body}{note}", attachments.unwrap_or_default())
}

/// Differs from message to message and from turn to turn, and is the same when a turn runs again.
fn seed(message: &str, turn: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    (message, turn).hash(&mut hasher);
    usize::try_from(hasher.finish() % 1_000_003).unwrap_or(0)
}

/// What came with the message; `None` if nothing did.
fn seen(files: &[Attached], images: &[Image]) -> Option<String> {
    if files.is_empty() && images.is_empty() {
        return None;
    }
    let mut text = String::from("I see what you attached:\n\n");
    for Attached { name, text: content } in files {
        let (words, lines) = (content.split_whitespace().count(), content.lines().count());
        let _infallible = writeln!(
            text,
            "- {}: {} in {}",
            code(name),
            counted(words, "word"),
            counted(lines, "line")
        );
    }
    for image in images {
        let size = image.bytes.len().div_ceil(1024);
        let _infallible = writeln!(
            text,
            "- {}: a picture ({}, {size} KB)",
            code(&image.name),
            image.mime.replace('`', "")
        );
    }
    text.push_str("\nAs a demo I can count, but I cannot read further than that or look at pictures.\n\n");
    Some(text)
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}

fn code(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}

fn real_model(server: Option<&str>) -> String {
    let how = server.and_then(|name| handbook::server(name).map(|text| (name, text)));
    match how {
        Some((name, text)) => format!(
            "This is how **{name}** takes my place. Whoever runs this site puts the `MODEL` line and those with it into \
             `.env` and restarts Anteroom.\n\n{text}\n\nThe line and your conversations stay as they are."
        ),
        None => {
            let servers: Vec<_> = handbook::SERVERS.iter().map(|(name, _)| *name).collect();
            let providers: Vec<_> = handbook::providers().map(|name| format!("`{name}`")).collect();
            format!(
                "I am only the demo model, and easy to replace. Whoever runs this site sets `MODEL` in `.env` to `name@provider`, \
                the provider being one of {}. For example, with Ollama on the same machine:\n\n\
                ```ini\nMODEL=llama3.2@ollama\n```\n\n\
                or with OpenAI:\n\n```ini\nMODEL=gpt-4o@openai\nOPENAI_API_KEY=your-key\n```\n\n\
                A server that speaks OpenAI's API goes by `OPENAI_BASE_URL`. Ask me about one of these, and I give you \
                its lines: {}.",
                providers.join(", "),
                servers.join(", "),
            )
        }
    }
}

fn count(number: u32) -> String {
    let mut text = String::from("Gladly. Stop me whenever you like.\n\n");
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
