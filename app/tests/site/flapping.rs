//! A model server that comes and goes. When it does is for the test to say, and not for chance: it goes while requests are with it to which it has
//! not said a word.

use anteroom::wire::{Reason, Sent, TurnState};
use anteroom_loopback::{Ending, Record};

use crate::{
    odd::of_large,
    pools::{CPU, LARGE, Pooled, ask},
    support::{
        Browser, answer_of,
        program::{Program, streaming},
    },
};

const THREE: &str = "pool = \"gpu\"\nmodels = [\"large\"]\nlimit = 3";
/// How often it goes again before it has said a word.
const AGAIN: usize = 2;

/// How many requests were with the server at once before it had said a word: of each time that it came back.
fn tries_at_once(record: &Record) -> Vec<usize> {
    let ups = record.changes.iter().filter(|change| change.what == "up");
    ups.map(|up| {
        let mut downs = record.changes.iter().filter(|change| change.what == "down");
        let next = downs.find(|down| down.at > up.at);
        let since = |at: &f64| *at >= up.at && next.is_none_or(|next| *at < next.at);
        let words = record.requests.iter().filter_map(|request| request.first_piece);
        let first_word = words.filter(since).fold(f64::INFINITY, f64::min);
        let tries = record.requests.iter();
        let tries = tries.filter(|request| since(&request.began) && request.began < first_word);
        let tries = Record {
            requests: tries.cloned().collect(),
            ..Record::default()
        };
        tries.most_at_once(up.at)
    })
    .collect()
}

async fn send(browser: &Browser, text: &str) -> Sent {
    browser.try_send(&ask(text, "large@gpu")).await.json()
}

#[tokio::test]
async fn nobody_is_shown_what_a_retry_could_mend_and_one_alone_tries_whether_it_is_back() {
    let settings = [LARGE, ("MODEL_RETRIES", "10")];
    let pooled = Pooled::start(&[("one", THREE), ("small", CPU)], &settings).await;
    let (site, one) = (&pooled.site, pooled.server("one"));
    let browsers = [site.browser().await, site.browser().await];
    let program = Program::new(site.addr);

    let begun = send(&browsers[0], "[[gate=never after=2 tokens=6]] begun").await;
    one.until(|record| record.requests.first().is_some_and(|request| request.pieces == 2))
        .await;
    let mut sent = Vec::new();
    for number in 0..4 {
        let browser = &browsers[number % 2];
        let text = format!("[[gate=go after=0 tokens=4]] message {number}");
        sent.push((browser, send(browser, &text).await));
    }
    let body = of_large(streaming("[[gate=go after=0 tokens=4]] program"));
    let asked = async {
        let mut stream = program.stream(program.chat(&body)).await;
        stream.content().await
    };
    let flaps = async {
        site.until_load(3, 3).await;
        one.until(|record| record.now == 3).await;
        one.kill().await.expect("it goes");
        // Of the words that are there nobody can say how they would have gone on.
        let cut = answer_of(&browsers[0], begun.turn).await;
        let reason = Reason::ModelCutOff;
        assert_eq!(cut.state, TurnState::Failed { reason }, "{cut:?}");
        assert!(!cut.answer.is_empty());
        let mut feed = browsers[1].feed().await;
        feed.until("word of what is waited for", |feed| {
            let mut places = feed.status.places.iter();
            places.any(|place| {
                let reason = place.trouble.as_ref().map(|trouble| &trouble.reason);
                reason == Some(&Reason::WaitUnreachable)
            })
        })
        .await;
        site.until_load(0, 5).await;
        pooled.nobody_else_notices().await;
        for _ in 0..AGAIN {
            one.revive().await.expect("it is back");
            one.until(|record| record.now == 1).await;
            site.until_load(1, 4).await;
            one.kill().await.expect("it goes");
            site.until_load(0, 5).await;
        }
        one.revive().await.expect("it is back");
        one.until(|record| record.now == 1).await;
        site.until_load(1, 4).await;
        one.open("go");
    };
    let (said, ()) = tokio::join!(asked, flaps);
    assert!(said.contains("program"), "{said}");
    for (number, (browser, sent)) in sent.iter().enumerate() {
        let turn = answer_of(browser, sent.turn).await;
        assert_eq!(turn.state, TurnState::Done, "{turn:?}");
        assert!(turn.answer.contains(&format!("message {number}")), "{turn:?}");
    }
    pooled.nothing_stays_taken().await;

    let record = one.record();
    assert_eq!(tries_at_once(&record), [1; AGAIN + 1], "{record:?}");
    assert_eq!(record.beyond_limit(), 0);
    let is_whole = |request: &&anteroom_loopback::RequestRecord| request.ending == Some(Ending::Complete);
    let questions = (0..4).map(|number| format!("message {number}"));
    for question in questions.chain(["program".to_owned()]) {
        assert_eq!(record.of(&question).filter(is_whole).count(), 1, "{question}");
    }
}
