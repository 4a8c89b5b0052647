//! Which questions are the same, and how long an answer is kept.

use tokio::time::advance;

use super::*;
use crate::{
    agents::{Image, Message, Parameters, Question},
    queue::BackendIndex,
    settings::ModelName,
    wire::Role,
};

const HOUR: Duration = Duration::from_secs(3600);

fn question() -> Question {
    let message = |role, text: &str| Message::said(role, text.into());
    let picture = Image {
        name: "a.png".into(),
        mime: "image/png".into(),
        bytes: vec![1, 2, 3].into(),
        found: false,
    };
    Question {
        messages: vec![
            message(Role::User, "Is it?"),
            message(Role::Agent, "Yes."),
            Message {
                images: vec![picture],
                ..message(Role::User, "Really?")
            },
        ],
        model: ModelName::of_id("small@cpu").expect("a model's id"),
        backend: BackendIndex(0),
        parameters: Parameters {
            system: Some("Be brief.".into()),
            temperature: Some(0.0),
            max_tokens: Some(100),
            whole: false,
        },
        tools: Arc::default(),
    }
}

fn key(number: u8) -> AnswerKey {
    let mut numbered = question();
    numbered.messages[0].text = format!("Is it {number}?");
    AnswerKey::of(&numbered, Some(Owner(1)))
}

fn answer(bytes: usize) -> Arc<KeptAnswer> {
    Arc::new(KeptAnswer {
        text: "x".repeat(bytes),
        ..KeptAnswer::default()
    })
}

#[test]
fn whatever_the_model_reads_and_whoever_asks_makes_another_question() {
    let changes: [fn(&mut Question); 13] = [
        |question| question.model.name = "large".into(),
        |question| question.model.place = "gpu".into(),
        |question| question.messages[0].text.push('?'),
        |question| question.messages[0].role = Role::Agent,
        // The same letters, cut otherwise.
        |question| {
            question.messages[0].text = "Is it?Yes.".into();
            question.messages[1].text.clear();
        },
        |question| question.messages.truncate(2),
        |question| question.messages[2].images[0].bytes = vec![1, 2, 4].into(),
        |question| question.messages[2].images.clear(),
        |question| question.messages[2].images[0].name = "b.png".into(),
        |question| question.parameters.system = None,
        |question| question.parameters.system = Some(String::new()),
        |question| question.parameters.temperature = None,
        |question| question.parameters.max_tokens = Some(101),
    ];
    let mut keys = vec![
        AnswerKey::of(&question(), Some(Owner(1))),
        AnswerKey::of(&question(), Some(Owner(2))),
        AnswerKey::of(&question(), None),
    ];
    for change in changes {
        let mut changed = question();
        change(&mut changed);
        keys.push(AnswerKey::of(&changed, Some(Owner(1))));
    }
    for (at, one) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(one), "the one at {at} is another question");
    }
    assert_eq!(
        keys.iter().map(AnswerKey::is_shared).filter(|shared| *shared).count(),
        1
    );
}

#[test]
fn where_it_is_answered_and_the_sign_of_zero_do_not_matter() {
    let mut same = question();
    same.backend = BackendIndex(3);
    same.parameters.temperature = Some(-0.0);
    let owner = Some(Owner(1));
    assert_eq!(AnswerKey::of(&same, owner), AnswerKey::of(&question(), owner));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_its_time_which_may_change() {
    let kept = KeptAnswers::default();
    kept.set_size(Some(100_000));
    kept.keep(key(1), Owner(1), answer(10));
    advance(HOUR / 2).await;
    kept.keep(key(2), Owner(1), answer(20));
    assert_eq!(kept.get(&key(1), HOUR), Some(answer(10)));
    assert_eq!(kept.get(&key(1), HOUR / 2), None, "for a shorter time it is too old");
    advance(HOUR / 2).await;
    assert_eq!(
        (kept.get(&key(1), HOUR), kept.get(&key(2), HOUR)),
        (None, Some(answer(20)))
    );
    assert_eq!(kept.figures().entries, 2, "its memory is still taken");
    kept.expire(HOUR);
    assert_eq!((kept.figures().entries, kept.figures().bytes), (1, 20 + OVERHEAD));
    // Given anew, it begins anew.
    kept.keep(key(1), Owner(1), answer(30));
    assert_eq!(kept.get(&key(1), HOUR), Some(answer(30)));
}

#[test]
fn what_is_kept_never_weighs_more_than_it_may() {
    let kept = KeptAnswers::default();
    kept.keep(key(0), Owner(1), answer(1));
    assert_eq!(kept.figures(), AnswerFigures::default(), "off until there is a size");
    kept.set_size(Some(100_000));
    for number in 0..200 {
        kept.keep(key(number), Owner(1), answer(4_000));
        assert!(kept.figures().bytes <= 100_000, "{:?}", kept.figures());
    }
    let full = kept.figures();
    assert!(full.entries >= 20, "{full:?}");
    assert!((0..200).any(|number| kept.get(&key(number), HOUR).is_some()));
    kept.keep(key(200), Owner(1), answer(200_000));
    assert_eq!(kept.get(&key(200), HOUR), None, "there is no room for it at all");
    assert!(
        kept.figures().entries > 0,
        "the others have not made way for it in vain"
    );

    kept.set_size(Some(50_000));
    assert!(kept.figures().bytes <= 50_000, "{:?}", kept.figures());
    assert!(kept.figures().entries > 0);
    kept.set_size(None);
    assert_eq!((kept.figures().entries, kept.figures().bytes), (0, 0));
    kept.keep(key(1), Owner(1), answer(1));
    assert_eq!(kept.get(&key(1), HOUR), None);
    kept.set_size(Some(100_000));
    kept.keep(key(1), Owner(1), answer(1));
    assert!(kept.get(&key(1), HOUR).is_some(), "on again");
}

#[test]
fn what_is_an_owners_goes_with_it() {
    let kept = KeptAnswers::default();
    kept.set_size(Some(100_000));
    let shared = AnswerKey::of(&question(), None);
    kept.keep(key(1), Owner(1), answer(1));
    kept.keep(shared, Owner(1), answer(2));
    kept.keep(key(2), Owner(2), answer(3));
    kept.forget(Owner(1));
    assert_eq!(kept.get(&key(1), HOUR), None);
    assert_eq!(kept.get(&shared, HOUR), None, "also what others may have");
    assert_eq!(kept.get(&key(2), HOUR), Some(answer(3)));
    kept.remove(&key(2));
    assert_eq!(kept.figures().entries, 0);
}
