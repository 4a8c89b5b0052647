//! The demo model: what it says and at what pace.

use std::time::Duration;

use tokio::time::Instant;

use super::{super::Attached, super::attach, *};

async fn hear(text: &str) -> String {
    let (answer, outcome) = ask(&agent(&[("DEMO_SPEED", "100000")]), question(text)).all().await;
    let usage = outcome.unwrap().usage;
    assert!(usage.input.is_some() && usage.output > Some(0), "{usage:?}");
    answer
}

#[tokio::test(start_paused = true)]
async fn it_says_plainly_that_it_is_a_demo_and_how_to_replace_it() {
    for text in [
        "hello",
        "who are you?",
        "What is the capital of Peru?",
        "count to 3",
        "show me markdown",
        "thanks",
    ] {
        let answer = hear(text).await;
        assert!(answer.contains("demo model"), "{text}: {answer}");
        assert!(
            answer.contains("real model") || answer.contains("`MODEL") || answer.contains("Ollama"),
            "{text}: {answer}"
        );
    }
    assert!(hear("how do I connect Ollama?").await.contains("MODEL=llama3.2@ollama"));
    assert!(hear("can I use a real model?").await.contains("OPENAI_BASE_URL"));
}

#[tokio::test(start_paused = true)]
async fn it_explains_the_settings_in_force() {
    let answer = hear("what does demo_speed do?").await;
    assert!(
        answer.contains("`DEMO_SPEED`") && answer.contains("`100000` (from the environment)"),
        "{answer}"
    );
    assert!(answer.contains("tokens a second"), "{answer}");
    let all = hear("list all settings").await;
    for row in Settings::load([], None).unwrap().rows {
        assert!(all.contains(&format!("| `{}` |", row.name)), "{}", row.name);
    }
}

#[tokio::test(start_paused = true)]
async fn it_tells_the_state_of_the_line() {
    let answer = hear("how long is the line?").await;
    assert!(
        answer.contains("3 of 3 busy") && answer.contains("| waiting | 4 |"),
        "{answer}"
    );
    let answer = hear("how does the queue work?").await;
    assert!(
        answer.contains("never grows") && answer.contains("3 of 3 slots busy, 4 waiting"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_reports_what_was_attached() {
    let file = Attached {
        name: "notes.md".to_owned(),
        text: "one two\nthree".to_owned(),
    };
    let mut question = question(&attach("", &[file]));
    question.messages[0].images.push(picture("cat.png"));
    let (answer, _) = ask(&agent(&[]), question).all().await;
    assert!(answer.contains("`notes.md`: 3 words in 2 lines"), "{answer}");
    assert!(answer.contains("`cat.png`: a picture (image/png, 1 KB)"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_hostile_message_is_quoted_as_text() {
    let answer = hear("<img src=x onerror=alert(1)> ```\n# [x](vbscript:y)").await;
    assert!(
        answer.starts_with("> \\<img src\\=x onerror\\=alert\\(1\\)\\> \\`\\`\\` \\# \\[x\\]\\(vbscript\\:y\\)\n\n"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_keeps_its_pace() {
    let agent = agent(&[("DEMO_FIRST_TOKEN", "600ms"), ("DEMO_SPEED", "40")]);
    let began = Instant::now();
    let mut asked = ask(&agent, question("count to 100"));
    asked.parts.recv().await.unwrap();
    // Time is paused: it passes only where something waits for it, to the timer's millisecond.
    let first = began.elapsed();
    assert!(
        first >= Duration::from_millis(600) && first <= Duration::from_millis(601),
        "{first:?}"
    );
    let (_, outcome) = asked.all().await;
    let tokens = u32::try_from(outcome.unwrap().usage.output.unwrap()).unwrap();
    // The last word's own time is not waited for.
    let (spoken, full) = (began.elapsed() - first, Duration::from_secs(1) * tokens / 40);
    assert!(
        spoken <= full && spoken >= full - Duration::from_millis(500),
        "{spoken:?} of {full:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_stops_at_once() {
    let agent = agent(&[("DEMO_SPEED", "1")]);
    for pieces in [0, 3] {
        let mut asked = ask(&agent, question("count to 1000"));
        for _ in 0..pieces {
            asked.parts.recv().await.unwrap();
        }
        let stopped = Instant::now();
        asked.cancel.cancel();
        let (_, outcome) = asked.all().await;
        assert!(outcome.is_ok());
        assert_eq!(stopped.elapsed(), Duration::ZERO);
    }
}

/// What there is to ask in Russian, one question an intent.
const RUSSIAN: [&str; 17] = [
    "Как устроена очередь?",
    "Какие настройки действуют?",
    "Покажи разметку Markdown",
    "Покажи все настройки",
    "настройки очереди",
    "Какая сейчас очередь?",
    "Как подключить настоящую модель?",
    "Как подключить LM Studio?",
    "Пример кода",
    "Пример кода на Python",
    "Посчитай до 3",
    "Дай длинный ответ",
    "Привет!",
    "Спасибо",
    "Кто ты?",
    "Что делает DEMO_SPEED?",
    "Какая столица у Перу?",
];

/// The words of a text that are neither code nor names of variables, keys or products, which no language translates.
fn foreign(text: &str) -> Vec<String> {
    const NAMES: &str = "Anteroom Markdown Ollama OpenAI Anthropic Gemini LM Studio Developer API Rust Python JavaScript SQL HTML shell Claude";
    let plain = text.split("```").step_by(2).collect::<String>();
    let plain = plain.split('`').step_by(2).collect::<String>();
    let lines = plain.lines().filter(|line| !line.starts_with('>'));
    let words = lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '.' && c != ':' && c != '/'));
    words
        .map(|word| word.trim_matches(['.', ':']))
        .filter(|word| word.chars().any(|c| c.is_ascii_alphabetic()))
        .filter(|word| !NAMES.split_whitespace().any(|name| name == *word))
        .filter(|word| !word.starts_with("http") && !matches!(*word, "vLLM" | "llama.cpp" | "x"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn it_answers_in_russian_what_it_is_asked_in_russian() {
    // Of what it says to an unknown question there are several.
    let unknown = (1..40).map(|number| format!("Что было {number} января?"));
    for text in RUSSIAN.into_iter().map(str::to_owned).chain(unknown) {
        let answer = hear(&text).await;
        assert!(answer.contains(|c| matches!(c, 'а'..='я')), "{text}: {answer}");
        assert_eq!(foreign(&answer), Vec::<String>::new(), "{text}: {answer}");
    }
    for text in [
        "Привет!",
        "Кто ты?",
        "Какая столица у Перу?",
        "Посчитай до 3",
        "Покажи разметку",
        "Спасибо",
    ] {
        let answer = hear(text).await;
        assert!(answer.contains("демо-модел"), "{text}: {answer}");
        assert!(
            answer.contains("настоящ") || answer.contains("`MODEL") || answer.contains("Ollama"),
            "{text}: {answer}"
        );
    }
    for text in [
        "hello",
        "how does the queue work?",
        "list all settings",
        "What is the capital of Peru?",
    ] {
        let answer = hear(text).await;
        assert!(!answer.contains(|c| matches!(c, 'а'..='я')), "{text}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_starters_of_the_russian_page_are_answered() {
    let answer = hear("Как устроена очередь?").await;
    assert!(
        answer.contains("никогда не растёт") && answer.contains("занято 3 места из 3, 4 ждут;"),
        "{answer}"
    );
    let answer = hear("Какие настройки действуют?").await;
    assert!(
        answer.contains("### Очередь") && answer.contains("| `DEMO_SPEED` | `100000` |"),
        "{answer}"
    );
    assert!(
        answer.contains("Есть и другие (сеансы и файлы, сервер, программы, задания программ)"),
        "{answer}"
    );
    let answer = hear("Покажи разметку Markdown").await;
    assert!(
        answer.contains("**Жирный**") && answer.contains("| :--- | ---: |") && answer.contains("```rust"),
        "{answer}"
    );
}

#[tokio::test(start_paused = true)]
async fn it_explains_a_setting_in_russian_and_quotes_its_english_documentation() {
    let answer = hear("что делает demo_speed?").await;
    assert!(
        answer.contains("### `DEMO_SPEED`\n\nСейчас: `100000` (из окружения)"),
        "{answer}"
    );
    assert!(
        answer.contains("она на английском") && answer.contains("> The demo model's tokens a second."),
        "{answer}"
    );
    let all = hear("покажи все настройки").await;
    for row in Settings::load([], None).unwrap().rows {
        assert!(all.contains(&format!("| `{}` |", row.name)), "{}", row.name);
    }
}

#[tokio::test(start_paused = true)]
async fn it_reports_in_russian_what_was_attached() {
    let file = |name: &str, text: &str| Attached {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let files = [
        file("one.md", "one"),
        file("two.md", "one two\nthree"),
        file("five.md", "1 2 3 4 5"),
    ];
    let mut question = question(&attach("Что это?", &files));
    question.messages[0].images.push(picture("cat.png"));
    let (answer, _) = ask(&agent(&[]), question).all().await;
    for told in [
        "- `one.md`: 1 слово в 1 строке\n",
        "- `two.md`: 3 слова в 2 строках\n",
        "- `five.md`: 5 слов в 1 строке\n",
        "- `cat.png`: изображение (image/png, 1 КБ)\n",
    ] {
        assert!(answer.contains(told), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_without_words_is_answered_in_the_language_of_the_conversation() {
    let after = |first: &str| {
        let messages = vec![
            said(Role::User, first),
            said(Role::Agent, "`…`"),
            said(Role::User, "DEMO_SPEED"),
        ];
        question_of(messages, Parameters::default())
    };
    let agent = agent(&[("DEMO_SPEED", "100000")]);
    let (answer, _) = ask(&agent, after("Привет!")).all().await;
    assert!(answer.contains("Сейчас: `100000`"), "{answer}");
    let (answer, _) = ask(&agent, after("Hello!")).all().await;
    assert!(answer.contains("in force: `100000`"), "{answer}");
}
