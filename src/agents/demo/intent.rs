//! What a message is about, by its words.

use super::{
    handbook, samples,
    vocabulary::{self as words, Said},
};
use crate::settings::groups;

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// These settings.
    Variables(Vec<&'static str>),
    /// Settings at large: all of them, or those of the part with this title.
    Settings {
        /// `None`: an overview.
        group: Option<&'static str>,
        /// Every one.
        all: bool,
    },
    /// How things stand in the line.
    LineNow,
    /// How the line works.
    LineWorks,
    /// A real model; one kind of server, if it was named.
    RealModel(Option<&'static str>),
    /// What Markdown looks like here.
    Markdown,
    /// Code, in one language if it was named.
    Code(Option<&'static str>),
    /// `count to 30`.
    Count(u32),
    /// Hello.
    Greeting,
    /// Thanks, or goodbye.
    Thanks,
    /// Who or what are you, what can you do.
    Help,
    /// Anything else.
    Unknown,
}

/// The most that is counted to.
const MOST: u32 = 1000;

/// What `a long answer` is: long enough to see others wait.
const LONG: u32 = 300;

/// The most telling match wins: a variable's name before a topic, a topic before small talk.
pub(super) fn of(message: &str) -> Intent {
    let plain = words::plain(message);
    let said = Said::new(&plain);
    let variables = variables(&said);
    if !variables.is_empty() {
        return Intent::Variables(variables);
    }
    if let Some(number) = count(&said) {
        return Intent::Count(number);
    }
    if said.has(words::SETTINGS) {
        return Intent::Settings {
            group: group(&said),
            all: said.has(words::ALL),
        };
    }
    if said.has(words::MARKDOWN) {
        return Intent::Markdown;
    }
    let server = handbook::SERVERS
        .iter()
        .find(|(_, names)| names.iter().any(|name| said.has_name(name)));
    if server.is_some() || said.has(words::MODEL) && !said.has(words::SLOTS) {
        return Intent::RealModel(server.map(|(name, _)| *name));
    }
    if let Some(intent) = line(&said) {
        return intent;
    }
    let language = samples::language(&said);
    if language.is_some() || said.has(words::CODE) {
        return Intent::Code(language);
    }
    if said.has(words::MARKDOWN_PARTS) {
        return Intent::Markdown;
    }
    small_talk(&said)
}

/// Whether it is about the line.
fn line(said: &Said<'_>) -> Option<Intent> {
    if said.has(words::FAIR) || said.has_phrase(words::FAIR_PHRASES) {
        return Some(Intent::LineWorks);
    }
    if said.has(words::LINE) {
        let works = said.has(words::EXPLAIN);
        let (asks, now) = (said.has(words::ASKS), said.has(words::NOW));
        return Some(if works || asks && !now {
            Intent::LineWorks
        } else {
            Intent::LineNow
        });
    }
    (said.words.len() <= 3 && said.has_phrase(words::HOW_LONG)).then_some(Intent::LineNow)
}

fn small_talk(said: &Said<'_>) -> Intent {
    if said.has(words::HELP) || said.has_phrase(words::HELP_PHRASES) {
        return Intent::Help;
    }
    let bye = said.words.len() <= 2 && said.has(words::BYE);
    if bye || said.has(words::THANKS) || said.has_phrase(words::THANKS_PHRASES) {
        return Intent::Thanks;
    }
    // A greeting with a question behind it is a question.
    if said.words.len() <= 6 && (said.has(words::GREETING) || said.has_phrase(words::GREETING_PHRASES)) {
        return Intent::Greeting;
    }
    Intent::Unknown
}

fn variables(said: &Said<'_>) -> Vec<&'static str> {
    let mut named = Vec::new();
    for row in groups().flat_map(|group| group.variables) {
        // MODEL alone is an ordinary word.
        let is_named = said
            .words
            .iter()
            .any(|word| row.name.contains('_') && row.name.eq_ignore_ascii_case(word));
        if is_named && !named.contains(&row.name) {
            named.push(row.name);
        }
    }
    named
}

fn group(said: &Said<'_>) -> Option<&'static str> {
    let index = if said.has(words::SETTINGS_OF_LINE) {
        1
    } else if said.has(words::SETTINGS_OF_MODEL) {
        0
    } else if said.has(words::SETTINGS_OF_SESSIONS) {
        2
    } else if said.has(words::SETTINGS_OF_SERVER) {
        3
    } else {
        return None;
    };
    groups().nth(index).map(|group| group.title)
}

/// `count to 30`, `count from 1 to 30`; a long answer, whatever is in it.
fn count(said: &Said<'_>) -> Option<u32> {
    let long = said.has(words::LONG) && said.has(words::ANSWER);
    if long && (said.words.len() == 2 || said.words.len() <= 4 && said.has(words::REQUEST)) {
        return Some(LONG);
    }
    let counts = said.has(words::COUNT) || said.has(words::COUNT_TO) && said.has(words::UP_TO);
    counts
        .then(|| said.words.iter().rev().find_map(|word| word.parse().ok()))?
        .map(|number: u32| number.clamp(1, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_understood_by_their_words() {
        let cases = [
            ("Hello!", Intent::Greeting),
            (
                "what does CHAT_CONCURRENCY_LIMIT do?",
                Intent::Variables(vec!["CHAT_CONCURRENCY_LIMIT"]),
            ),
            (
                "explain queue_order and chat_timeout",
                Intent::Variables(vec!["QUEUE_ORDER", "CHAT_TIMEOUT"]),
            ),
            (
                "Which settings are there?",
                Intent::Settings {
                    group: None,
                    all: false,
                },
            ),
            ("list all settings", Intent::Settings { group: None, all: true }),
            (
                "settings of the queue",
                Intent::Settings {
                    group: Some("The line"),
                    all: false,
                },
            ),
            (
                "model settings",
                Intent::Settings {
                    group: Some("The model"),
                    all: false,
                },
            ),
            ("How long is the line right now?", Intent::LineNow),
            ("what's my place?", Intent::LineNow),
            ("how many are waiting", Intent::LineNow),
            ("how does the queue work", Intent::LineWorks),
            ("why do I have to wait?", Intent::LineWorks),
            ("is it fair", Intent::LineWorks),
            ("how do I use a real model", Intent::RealModel(None)),
            ("Can you run Ollama?", Intent::RealModel(Some("Ollama"))),
            ("connect LM Studio please", Intent::RealModel(Some("LM Studio"))),
            ("I have a llama.cpp server", Intent::RealModel(Some("llama.cpp"))),
            ("show me markdown", Intent::Markdown),
            ("a code example", Intent::Code(None)),
            ("write a python function", Intent::Code(Some("Python"))),
            ("something in C++", Intent::Unknown),
            ("count to 30", Intent::Count(30)),
            ("count to 99999", Intent::Count(1000)),
            ("who are you", Intent::Help),
            ("thanks a lot", Intent::Thanks),
            ("What is the capital of Peru?", Intent::Unknown),
            ("", Intent::Unknown),
        ];
        for (message, intent) in cases {
            assert_eq!(of(message), intent, "{message}");
        }
    }
    #[test]
    fn so_are_russian_ones_however_they_are_inflected() {
        let settings = |group, all| Intent::Settings { group, all };
        let cases = [
            ("Привет!", Intent::Greeting),
            ("Добрый день", Intent::Greeting),
            ("Здравствуйте, как дела?", Intent::Greeting),
            (
                "Что делает CHAT_CONCURRENCY_LIMIT?",
                Intent::Variables(vec!["CHAT_CONCURRENCY_LIMIT"]),
            ),
            ("Какие настройки действуют?", settings(None, false)),
            ("Покажи все настройки", settings(None, true)),
            ("перечисли переменные", settings(None, true)),
            ("настройки очереди", settings(Some("The line"), false)),
            ("Как настроить модель?", settings(Some("The model"), false)),
            (
                "параметры сеансов и файлов",
                settings(Some("Sessions and files"), false),
            ),
            ("настройках сервера", settings(Some("The server"), false)),
            ("Какая сейчас очередь?", Intent::LineNow),
            ("Долго ли мне ждать?", Intent::LineNow),
            ("Какое у меня место?", Intent::LineNow),
            ("Где я в очереди?", Intent::LineNow),
            ("Где я?", Intent::LineNow),
            ("Сколько ещё?", Intent::LineNow),
            ("сколько человек впереди меня", Intent::LineNow),
            ("Все места заняты?", Intent::LineNow),
            ("Когда мне ответят?", Intent::LineNow),
            ("Как устроена очередь?", Intent::LineWorks),
            ("Как работает очередь", Intent::LineWorks),
            ("Почему я жду?", Intent::LineWorks),
            ("Расскажи об очереди", Intent::LineWorks),
            ("это честно?", Intent::LineWorks),
            ("Как подключить настоящую модель?", Intent::RealModel(None)),
            ("есть ли нейросеть", Intent::RealModel(None)),
            ("Как подключить Ollama?", Intent::RealModel(Some("Ollama"))),
            ("а через Оллама можно?", Intent::RealModel(Some("Ollama"))),
            ("Подключи LM Studio", Intent::RealModel(Some("LM Studio"))),
            ("Покажи разметку Markdown", Intent::Markdown),
            ("покажи таблицу", Intent::Markdown),
            ("Пример кода", Intent::Code(None)),
            ("напиши функцию на питоне", Intent::Code(Some("Python"))),
            ("покажи код на Rust", Intent::Code(Some("Rust"))),
            ("Посчитай до 30", Intent::Count(30)),
            ("считай от 1 до 99999", Intent::Count(1000)),
            ("Дай длинный ответ", Intent::Count(300)),
            ("Кто ты?", Intent::Help),
            ("Что вы умеете?", Intent::Help),
            ("Как вас зовут?", Intent::Help),
            ("расскажи о себе", Intent::Help),
            ("помогите", Intent::Help),
            ("Большое спасибо!", Intent::Thanks),
            ("до свидания", Intent::Thanks),
            ("Пока!", Intent::Thanks),
            ("Какая столица у Перу?", Intent::Unknown),
            ("Где яблоки?", Intent::Unknown),
            ("Посчитай, сколько будет 2 + 2", Intent::Unknown),
            ("Спасибо за длинный ответ", Intent::Thanks),
            ("Пока не знаю, что и сказать", Intent::Unknown),
        ];
        for (message, intent) in cases {
            assert_eq!(of(message), intent, "{message}");
            assert_eq!(of(&message.to_uppercase()), intent, "{message}");
        }
    }
}
