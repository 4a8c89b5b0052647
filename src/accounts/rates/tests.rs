use std::time::Duration;

use tokio::time::advance;

use super::{table::Table, *};

const ME: Owner = Owner(1);
const OTHER: Owner = Owner(2);

#[tokio::test(start_paused = true)]
async fn a_minutes_worth_may_be_taken_at_once_and_comes_back_evenly() {
    let rates = Rates::default();
    for left in (0..60).rev() {
        assert_eq!(rates.take_request(ME, 60).map(|standing| standing.left), Ok(left));
    }
    let none = rates.take_request(ME, 60).expect_err("all are taken");
    assert_eq!((none.left, none.limit), (0, 60));
    assert_eq!(
        (none.wait, none.full_in),
        (Duration::from_secs(1), Duration::from_secs(60))
    );
    assert!(rates.take_request(OTHER, 60).is_ok(), "each has its own");
    advance(Duration::from_millis(900)).await;
    assert!(rates.take_request(ME, 60).is_err());
    advance(Duration::from_millis(200)).await;
    assert!(rates.take_request(ME, 60).is_ok());
    assert!(rates.take_request(ME, 60).is_err());
    advance(Duration::from_secs(3600)).await;
    assert_eq!(
        rates.take_request(ME, 60).map(|standing| standing.left),
        Ok(59),
        "no more than a minute's"
    );
}

#[tokio::test(start_paused = true)]
async fn what_came_to_nothing_is_given_back_and_no_more() {
    let rates = Rates::default();
    rates.take_request(ME, 2).expect("there is one");
    rates.take_request(ME, 2).expect("there is one");
    assert_eq!(rates.give_request_back(ME, 2).left, 1);
    assert!(rates.take_request(ME, 2).is_ok());
    for _ in 0..5 {
        rates.give_request_back(ME, 2);
    }
    assert_eq!(rates.take_request(ME, 2).map(|standing| standing.left), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn tokens_may_be_owed_and_are_waited_for() {
    let rates = Rates::default();
    assert!(rates.look_for_tokens(ME, 600).is_ok());
    // Nobody knew how long the answer would be.
    assert_eq!(rates.take_tokens(ME, 600, 1_600).left, 0);
    let none = rates.look_for_tokens(ME, 600).expect_err("some are owed");
    assert_eq!(none.wait.as_secs(), 100);
    advance(Duration::from_secs(99)).await;
    assert!(rates.look_for_tokens(ME, 600).is_err());
    advance(Duration::from_secs(2)).await;
    assert!(rates.look_for_tokens(ME, 600).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_edited_limit_holds_at_once() {
    let rates = Rates::default();
    assert_eq!(rates.take_request(ME, 100).map(|standing| standing.left), Ok(99));
    assert_eq!(rates.take_request(ME, 10).map(|standing| standing.left), Ok(9));
    assert_eq!(
        rates.take_request(ME, 100).map(|standing| standing.left),
        Ok(8),
        "it fills with time"
    );
}

#[tokio::test(start_paused = true)]
async fn who_has_used_nothing_of_late_takes_no_memory() {
    let table = Table::<u32>::default();
    for who in 0..10_000 {
        assert!(table.take(who, 60).is_ok());
        advance(Duration::from_millis(10)).await;
    }
    // Each is full again after a second, when a hundred more have come.
    assert!(table.len() <= 1_100, "{}", table.len());
    table.charge(0, 60, -1.0);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_forgotten_by_the_measure_of_another() {
    let table = Table::<u32>::default();
    for _ in 0..600 {
        assert!(table.take(0, 600).is_ok());
    }
    assert!(table.take(1, 1).is_ok());
    advance(Duration::from_millis(150)).await;
    // So many that those who are full again are looked for.
    for who in 2..3_000 {
        assert!(table.take(who, 1_000_000).is_ok());
    }
    advance(Duration::from_secs(1)).await;
    assert_eq!(table.standing(0, 600).left, 11);
    assert!(table.take(1, 1).is_err());
}
