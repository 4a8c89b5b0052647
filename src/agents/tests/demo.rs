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
