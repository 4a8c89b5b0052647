//! Jobs, without any conversation.

use std::{collections::VecDeque, convert::Infallible};

use futures_util::FutureExt as _;
use tokio::time::{advance, sleep};

use super::*;
use crate::{
    agents::{ToolCall, ToolResult},
    jobs::{Heir, Left, Worked, paused, run},
    queue::{EventIndex, EventPolicy, JoinError, LeaveReason, Observer, Outcome, Owner, Policy, Queue, Ticket},
};

/// Keeps what it is told, and passes it on a second later.
#[derive(Default)]
struct Notes {
    taken: VecDeque<Part>,
    passed_on: Vec<Part>,
    most: Option<usize>,
    due: Option<Instant>,
}

impl Reader for Notes {
    fn take(&mut self, part: Part) -> Result<(), Overflow> {
        if self
            .most
            .is_some_and(|most| self.taken.len() + self.passed_on.len() >= most)
        {
            return Err(Overflow);
        }
        self.taken.push_back(part);
        self.due.get_or_insert(Instant::now() + Duration::from_secs(1));
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn pass_on(&mut self) {
        self.passed_on.extend(self.taken.drain(..));
        self.due = None;
    }
}

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

/// One part of each kind, the last one after three seconds.
async fn speak(parts: Parts) -> Result<Answered, &'static str> {
    let all = [
        Part::Reasoning("hm".into()),
        text("a"),
        Part::ToolCall(ToolCall {
            id: "1".into(),
            name: "clock".into(),
            arguments: "{}".into(),
            opaque: None,
            thoughts: None,
        }),
        Part::ToolResult(ToolResult {
            id: "1".into(),
            name: "clock".into(),
            content: "noon".into(),
            ..ToolResult::default()
        }),
    ];
    for part in all {
        parts.send(part).await.map_err(|_| "nobody reads")?;
    }
    sleep(Duration::from_secs(3)).await;
    parts.send(text("b")).await.map_err(|_| "nobody reads")?;
    Ok(Answered::default())
}

struct Tokens {
    cancelled: CancellationToken,
    stopped: CancellationToken,
}

impl Tokens {
    fn new() -> Self {
        Self {
            cancelled: CancellationToken::new(),
            stopped: CancellationToken::new(),
        }
    }

    fn bounds(&self, timeout: Option<u64>) -> Bounds<'_> {
        Bounds {
            cancelled: &self.cancelled,
            stopped: &self.stopped,
            timeout: timeout.map(Duration::from_secs),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn parts_come_in_order_and_are_passed_on_when_due() {
    let (tokens, mut notes) = (Tokens::new(), Notes::default());
    let ending = answer(tokens.bounds(None), &mut notes, |parts, _| speak(parts)).await;
    assert_eq!(ending, Ending::Done(Usage::default()));
    assert_eq!(notes.passed_on.len(), 4, "they were due a second after the first");
    assert_eq!(notes.taken, [text("b")], "nothing passes it on after the end");
}

/// Wants to pass on what it takes at once, and notes how long that takes.
#[derive(Default)]
struct AtOnce {
    due: Option<Instant>,
    late: Vec<Duration>,
}

impl Reader for AtOnce {
    fn take(&mut self, _: Part) -> Result<(), Overflow> {
        self.due = Some(Instant::now());
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        self.due
    }

    fn pass_on(&mut self) {
        self.late.extend(self.due.take().map(|due| due.elapsed()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_waits_for_no_timer() {
    let (tokens, mut reader) = (Tokens::new(), AtOnce::default());
    let speak = |parts: Parts, _| async move {
        for _ in 0..3 {
            // Between two ticks of the clock that timers go by.
            advance(Duration::from_micros(300)).await;
            parts.send(text("now")).await.map_err(|_| "nobody reads")?;
            sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, &str>(Answered::default())
    };
    let ending = answer(tokens.bounds(None), &mut reader, speak).await;
    assert_eq!(ending, Ending::Done(Usage::default()));
    assert_eq!(reader.late, [Duration::ZERO; 3]);
}

#[tokio::test(start_paused = true)]
async fn each_end_is_told_apart_and_what_was_taken_stands() {
    let ask = |timeout, most, after: Option<(u64, bool)>| async move {
        let tokens = Tokens::new();
        let mut notes = Notes {
            most,
            ..Notes::default()
        };
        let (cancelled, stopped) = (tokens.cancelled.clone(), tokens.stopped.clone());
        let ending = answer(tokens.bounds(timeout), &mut notes, |parts, _| async move {
            if let Some((seconds, stop)) = after {
                tokio::spawn(async move {
                    sleep(Duration::from_secs(seconds)).await;
                    if stop { stopped.cancel() } else { cancelled.cancel() }
                });
            }
            speak(parts).await
        });
        (ending.await, notes.passed_on.len() + notes.taken.len())
    };
    assert_eq!(ask(Some(2), None, None).await, (Ending::Expired, 4));
    assert_eq!(ask(Some(4), None, None).await, (Ending::Done(Usage::default()), 5));
    assert_eq!(ask(None, Some(3), None).await, (Ending::Overflow, 3));
    assert_eq!(ask(None, None, Some((2, false))).await, (Ending::Cancelled, 4));
    assert_eq!(ask(None, None, Some((2, true))).await, (Ending::Stopped, 4));
}

#[tokio::test]
async fn a_fault_and_a_panic_are_endings() {
    let (tokens, mut notes) = (Tokens::new(), Notes::default());
    let fails = |parts: Parts, _| async move {
        parts.send(text("half")).await.expect("read");
        Err::<Answered, _>("it broke")
    };
    let ending = answer(tokens.bounds(None), &mut notes, fails).await;
    assert_eq!(ending, Ending::Failed("it broke"));
    assert_eq!(notes.taken, [text("half")]);
    let panics = |_: Parts, _| async { panic!("clumsy") };
    let ending: Ending<Infallible> = answer(tokens.bounds(None), &mut notes, panics).await;
    assert_eq!(ending, Ending::Panicked);
    let panics = |_: Parts, _| -> std::future::Ready<_> { panic!("clumsy at once") };
    let ending: Ending<Infallible> = answer(tokens.bounds(None), &mut notes, panics).await;
    assert_eq!(ending, Ending::Panicked);
}

#[tokio::test]
async fn whoever_answers_hears_that_its_owner_wants_it_no_more() {
    let (tokens, mut notes) = (Tokens::new(), Notes::default());
    let told = CancellationToken::new();
    let heard = told.clone();
    let cancelled = tokens.cancelled.clone();
    let ending: Ending<Infallible> = answer(tokens.bounds(None), &mut notes, |_, cancel| async move {
        let _dropped = heard.drop_guard();
        cancelled.cancel();
        cancel.cancelled().await;
        std::future::pending().await
    })
    .await;
    assert_eq!(ending, Ending::Cancelled);
    assert!(told.is_cancelled(), "the work has been dropped");
}

/// Counts the ends.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<Result<Outcome, LeaveReason>>>);

impl Observer for Told {
    fn refused(&self, _: EventIndex, _: JoinError) {}
    fn started(&self, _: EventIndex, _: Duration) {}
    fn left(&self, _: EventIndex, how: LeaveReason) {
        self.0.lock().expect("no panic").push(Err(how));
    }
    fn ended(&self, _: EventIndex, outcome: Outcome, _: Duration) {
        self.0.lock().expect("no panic").push(Ok(outcome));
    }
}

fn one_slot() -> (Queue, std::sync::Arc<Told>) {
    let told = std::sync::Arc::new(Told::default());
    let policy = Policy::new([EventPolicy::new("program", 1)]);
    (Queue::new(policy, std::sync::Arc::clone(&told) as _), told)
}

fn join(queue: &Queue) -> Ticket {
    queue
        .join(EventIndex(0), Owner(1), Instant::now())
        .expect("there is room")
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_free_as_soon_as_the_work_is_over_whatever_the_beginning_does() {
    let (queue, told) = one_slot();
    let permit = join(&queue).granted().expect("it is free");
    let mut next = join(&queue);
    let tokens = Tokens::new();
    let mut notes = Notes::default();
    let work = Box::pin(over(answer(tokens.bounds(None), &mut notes, |parts, _| speak(parts))));
    let beginning = Box::pin(sleep(Duration::from_secs(60)));
    let beginning = Box::pin(async {
        beginning.await;
        Ok::<_, Infallible>("kept")
    });
    let begun = Instant::now();
    let Ok(ran) = run(&queue, permit, work, beginning).await;
    assert!(begun.elapsed() < Duration::from_secs(4));
    let Left::Over(ending, ended) = ran.left else {
        panic!("it is over");
    };
    assert_eq!(ending, Ending::Done(Usage::default()));
    assert!(next.admitted().await.is_ok(), "the next has the slot");
    let counted = told.0.lock().expect("no panic").len();
    drop(ended);
    assert_eq!(
        told.0.lock().expect("no panic").len(),
        counted + 1,
        "it counts when it is told of"
    );
    match ran.beginning {
        futures_util::future::Either::Right(rest) => assert_eq!(rest.await, Ok("kept")),
        futures_util::future::Either::Left(_) => panic!("a minute has not passed"),
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_goes_back_gives_its_slot_up_and_is_first_in_line() {
    let (queue, told) = one_slot();
    let permit = join(&queue).granted().expect("it is free");
    let mut next = join(&queue);
    let work = Box::pin(async { Worked::<()>::Back { pause: Duration::ZERO } });
    let beginning = Box::pin(async { Ok::<_, Infallible>("kept") });
    let Ok(ran) = run(&queue, permit, work, beginning).await;
    let Left::Back(mut ticket) = ran.left else {
        panic!("it is back");
    };
    assert!(told.0.lock().expect("no panic").is_empty(), "nothing has ended");
    assert!(ticket.admitted().now_or_never().is_some(), "before the next one");
    assert!(
        next.admitted().now_or_never().is_some(),
        "which has the slot once that is dropped"
    );
}

#[tokio::test(start_paused = true)]
async fn work_that_pauses_leaves_its_slot_to_others_and_comes_back_before_those_behind_it() {
    let (queue, _) = one_slot();
    let permit = join(&queue).granted().expect("it is free");
    let (mut next, mut last) = (join(&queue), join(&queue));
    let pause = Duration::from_secs(1);
    let work = Box::pin(async { Worked::<()>::Back { pause } });
    let beginning = Box::pin(async { Ok::<_, Infallible>("kept") });
    let Ok(ran) = run(&queue, permit, work, beginning).await;
    let Left::Back(mut ticket) = ran.left else {
        panic!("it is back");
    };
    let permit = next.admitted().now_or_never().expect("the slot is free");
    let tokens = Tokens::new();
    paused(&mut ticket, &tokens.cancelled, &tokens.stopped).await;
    assert!(ticket.admitted().now_or_never().is_none());
    drop(permit);
    assert!(last.admitted().now_or_never().is_none());
    assert!(ticket.admitted().now_or_never().is_some(), "it is the next");
}

#[tokio::test]
async fn a_slot_that_has_an_heir_is_free_when_that_gives_it_back() {
    let (queue, told) = one_slot();
    let permit = join(&queue).granted().expect("it is free");
    let mut next = join(&queue);
    let (give, heir) = std::sync::mpsc::channel();
    let heir_of = Heir(Box::new(move |slot| give.send(slot).expect("it is waited for")));
    let work = Box::pin(async { Worked::<()>::HandedOn(Ending::Cancelled, heir_of) });
    let beginning = Box::pin(async { Ok::<_, Infallible>(()) });
    let Ok(ran) = run(&queue, permit, work, beginning).await;
    let Left::Over(Ending::Cancelled, ended) = ran.left else {
        panic!("it has ended");
    };
    drop(ended);
    let slot = heir.recv().expect("it has the slot");
    assert!(next.admitted().now_or_never().is_none());
    drop(slot);
    assert!(next.admitted().now_or_never().is_some());
    assert_eq!(
        told.0.lock().expect("no panic")[0],
        Ok(Outcome::Cancelled),
        "counted once, as its owner has ended it"
    );
}

/// Work that is over once it has been answered.
async fn over<F>(answer: impl Future<Output = Ending<F>>) -> Worked<F> {
    Worked::Over(answer.await)
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_at_its_beginning_is_stopped_and_was_no_work() {
    let (queue, told) = one_slot();
    let permit = join(&queue).granted().expect("it is free");
    let tokens = Tokens::new();
    let mut notes = Notes::default();
    let work = Box::pin(over(answer(tokens.bounds(None), &mut notes, |parts, _| speak(parts))));
    let beginning = Box::pin(async {
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>("the disk is full")
    });
    assert_eq!(
        run(&queue, permit, work, beginning).await.err(),
        Some("the disk is full")
    );
    assert_eq!(queue.running(), 0);
    assert_eq!(*told.0.lock().expect("no panic"), [Err(LeaveReason::Withdrawn)]);
    advance(Duration::from_secs(1)).await;
}
