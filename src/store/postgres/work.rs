//! The one task that writes.
//!
//! A commit costs a wait for the disk, so it is shared: the task takes all that waits, runs it in one transaction, commits once and then
//! tells everybody. While it does, the next group gathers.
//!
//! A server that is away (it restarts, another takes its place) is waited for, a moment for each change: nobody is told of a fault
//! that has passed before they would have tried again. What was certainly not committed is simply run again. Where the connection was
//! lost during the commit, nobody is told anything before it is known what became of that: each group writes its number into the row
//! of its process (`node.rs`), so the next connection can read which one was the last. That also holds where another server has taken
//! over that lacks it.

use std::{
    future::ready,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::FutureExt as _;
use sqlx::{Connection as _, PgConnection};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::error;

use super::{
    Tuning, faults,
    group::{BROKE_OFF, Given, Group, MOST, Waiting, told},
    link::Link,
    node::{Node, Written},
    transaction::{self, Failure},
    writer::{Beginning, Shared},
};
use crate::{
    nodes::Reply,
    store::{StoreError, readers::Connect as _},
    wire::MAX_MESSAGE_BYTES,
};

/// Between two tries to reach a server that is away.
const AGAIN: Duration = Duration::from_millis(100);
/// How long a change waits for its entry of the log, which has a few tasks to pass on its way here.
const ON_ITS_WAY: Duration = Duration::from_millis(10);
/// Bytes that the change takes which stores a message, with every page that it touches.
const MESSAGE: usize = 4 * MAX_MESSAGE_BYTES;

/// The task.
pub(super) struct Work {
    /// `None` after a fault that has left it in doubt.
    connection: Option<PgConnection>,
    link: Link,
    node: Node,
    /// The number of the last group that was begun.
    batch: i64,
    /// What is known to be committed.
    written: Written,
    given: mpsc::Receiver<Given>,
    /// What was given and is not in a group yet.
    waiting: Waiting,
    shared: Arc<Shared>,
    closing: CancellationToken,
    tuning: Tuning,
}

impl Work {
    pub(super) fn new(
        beginning: Beginning,
        given: mpsc::Receiver<Given>,
        shared: Arc<Shared>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            connection: Some(beginning.connection),
            link: beginning.link,
            node: beginning.node,
            batch: 0,
            written: Written::default(),
            given,
            waiting: Waiting::default(),
            shared,
            closing,
            tuning: beginning.tuning,
        }
    }

    /// Until all is done that was given, and nobody can give more.
    pub(super) async fn run(mut self) {
        let mut taken = Vec::with_capacity(MOST);
        let closing = self.closing.clone();
        let mut open = true;
        let mut look_at = Instant::now() + self.tuning.look_after;
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if open => {
                    self.given.close();
                    open = false;
                }
                count = self.given.recv_many(&mut taken, self.waiting.room()), if self.waiting.room() > 0 => {
                    if count == 0 && self.waiting.is_empty() {
                        break;
                    }
                    self.waiting.extend(taken.drain(..));
                    self.write_or_break_off().await;
                }
                () = ready(()), if !self.waiting.is_empty() => self.write_or_break_off().await,
                () = sleep_until(look_at) => self.look().await,
            }
            let faulty = self.shared.fault().is_some();
            let pause = if faulty {
                self.tuning.try_again
            } else {
                self.tuning.look_after
            };
            look_at = Instant::now() + pause;
        }
        if let Some(connection) = self.connection.take() {
            // Nothing is lost: all is committed.
            let _ = timeout(self.tuning.answer, connection.close()).await;
        }
    }

    /// Sees whether the server is there, and after a fault whether that has passed, by a change that changes nothing: nobody need send a
    /// message for that.
    async fn look(&mut self) {
        let fault = self.shared.fault().clone();
        let outcome = match fault {
            None => {
                if let Some(connection) = &mut self.connection {
                    let answer = timeout(self.tuning.answer, connection.ping()).await;
                    if !matches!(answer, Ok(Ok(()))) {
                        self.connection = None;
                    }
                }
                self.connected().await.map(drop)
            }
            // A small change may find room where a message would find none.
            Some(StoreError::Full) => self.room().await,
            Some(_) => self.attempt(&mut Group::default(), false).await,
        };
        match outcome {
            Ok(()) => self.shared.succeeded(),
            // Whether it was written does not matter: nothing was.
            Err(failure) => self.shared.failed(&told(&failure)),
        }
    }

    async fn room(&mut self) -> Result<(), Failure> {
        let answer = self.tuning.answer;
        let connection = self.connected().await?;
        // What can be compressed would need less.
        let bytes = std::iter::repeat_with(rand::random).take(MESSAGE).collect();
        let written = timeout(answer, transaction::has_room(connection, bytes)).await;
        let written = written.unwrap_or_else(|_elapsed| Err(faults::silence()));
        self.after(written.map_err(Failure::of)).await
    }

    /// Writes what comes next. A panic harms that group alone: its callers are told when their jobs are dropped.
    async fn write_or_break_off(&mut self) {
        let mut group = Group::default();
        group.take_in(&mut self.waiting);
        self.let_entry_come(&mut group).await;
        if AssertUnwindSafe(self.write(group)).catch_unwind().await.is_err() {
            // Closing it rolls back.
            self.connection = None;
            self.shared.failed(&StoreError::Other(BROKE_OFF.into()));
        }
    }

    /// Waits for the entry that goes with what is about to be written. Whatever comes before it goes along.
    async fn let_entry_come(&mut self, group: &mut Group) {
        let late = sleep(ON_ITS_WAY);
        tokio::pin!(late);
        while group.awaits_entry() {
            tokio::select! {
                biased;
                given = self.given.recv() => match given {
                    Some(given) => self.waiting.add(given),
                    None => return,
                },
                () = &mut late => return,
            }
            group.take_in(&mut self.waiting);
        }
    }

    /// Writes a group and tells its callers.
    async fn write(&mut self, mut group: Group) {
        let mut careful = false;
        while !group.is_empty() {
            match self.attempt(&mut group, careful).await {
                Ok(()) => {
                    self.written(&group);
                    return group.settle();
                }
                Err(Failure::Job) => careful = true,
                // It shall not keep from being written what was given before it, and is tried by itself.
                Err(Failure::Append(_)) if !group.members.is_empty() => {
                    if let Some(append) = group.append.take() {
                        self.waiting.put_first(append);
                    }
                }
                Err(Failure::Unknown(error)) => {
                    match self.fate(error, &mut group).await {
                        Ok(true) => {
                            self.written(&group);
                            return group.settle_as_found(self.written);
                        }
                        Ok(false) => group.take_in(&mut self.waiting),
                        Err((error, reply)) => return group.refuse(&error, reply),
                    }
                    careful = false;
                }
                Err(failure @ (Failure::Passing(_) | Failure::Held)) => {
                    let error = told(&failure);
                    self.shared.failed(&error);
                    let patience = self.patience();
                    group.refuse_older_than(patience, &error);
                    self.waiting.refuse_older_than(patience, &error);
                    self.pause().await;
                    // Nobody is to wait for those who have been refused.
                    if !group.is_empty() {
                        group.take_in(&mut self.waiting);
                    }
                }
                Err(failure @ (Failure::Transaction(_) | Failure::Append(_))) => {
                    let error = told(&failure);
                    self.shared.failed(&error);
                    return group.refuse(&error, Reply::Away);
                }
                Err(failure @ Failure::Fenced(_)) => {
                    let error = told(&failure);
                    self.shared.failed(&error);
                    return group.refuse(&error, Reply::Fenced);
                }
            }
        }
    }

    /// How long a change waits for a server that is away.
    fn patience(&self) -> Duration {
        // Whoever ends a server does not want to wait for another one.
        if self.closing.is_cancelled() {
            self.tuning.patience / 4
        } else {
            self.tuning.patience
        }
    }

    /// Lets a moment pass, in which others come.
    async fn pause(&mut self) {
        let pause = sleep(AGAIN);
        tokio::pin!(pause);
        loop {
            let room = self.waiting.room() > 0;
            tokio::select! {
                () = &mut pause => return,
                Some(given) = self.given.recv(), if room => self.waiting.add(given),
                else => return pause.await,
            }
        }
    }

    fn written(&self, group: &Group) {
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        let full = *self.shared.fault() == Some(StoreError::Full);
        let refusals = group.members.iter().filter_map(|member| member.refusal.as_ref());
        // Anything else is the job's own fault, and says nothing about the next one.
        match refusals
            .into_iter()
            .find(|error| !matches!(error, StoreError::Other(_)))
        {
            Some(error) => self.shared.failed(error),
            // There may be room for a removal, and none for others.
            None if full && group.append.is_none() && group.members.iter().all(|member| member.job.frees()) => {}
            None => self.shared.succeeded(),
        }
    }

    /// Runs a group in one transaction: all of it, or nothing.
    async fn attempt(&mut self, group: &mut Group, careful: bool) -> Result<(), Failure> {
        let (node, answer) = (self.node, self.tuning.answer);
        self.connected().await?;
        self.batch += 1;
        let batch = self.batch;
        let Some(connection) = self.connection.as_mut() else {
            return Err(Failure::Passing(faults::silence()));
        };
        let outcome = timeout(answer, transaction::run(connection, node, batch, group, careful));
        // It may have been silent during the commit.
        let outcome = outcome
            .await
            .unwrap_or_else(|_elapsed| Err(Failure::Unknown(faults::silence())));
        if outcome.is_ok() {
            self.written.batch = batch;
        }
        self.after(outcome).await
    }

    /// Makes the connection ready for the next group, or drops it where it is in doubt.
    async fn after(&mut self, outcome: Result<(), Failure>) -> Result<(), Failure> {
        let lost = match &outcome {
            Ok(()) => false,
            Err(Failure::Unknown(_)) => true,
            Err(Failure::Passing(error)) => faults::is_lost(error),
            Err(_) => false,
        };
        if outcome.is_err()
            && let Some(connection) = &mut self.connection
        {
            let clean = !lost
                && timeout(self.tuning.answer, transaction::rolled_back(connection))
                    .await
                    .unwrap_or(false);
            if !clean {
                self.connection = None;
            }
        }
        outcome
    }

    /// The connection, with the lock; made anew where there is none.
    async fn connected(&mut self) -> Result<&mut PgConnection, Failure> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let answer = self.tuning.answer;
                let made = timeout(answer, self.connect()).await;
                made.unwrap_or_else(|_elapsed| Err(Failure::Passing(faults::silence())))?
            }
        };
        Ok(self.connection.insert(connection))
    }

    async fn connect(&mut self) -> Result<PgConnection, Failure> {
        // Whatever keeps it from being made may pass.
        let mut connection = self.link.connect().await.map_err(Failure::Passing)?;
        let passing = Failure::Passing;
        self.link.settle_writing(&mut connection).await.map_err(passing)?;
        if !self.node.hold(&mut connection, Duration::ZERO).await.map_err(passing)? {
            let known = self.node.is_known(&mut connection).await.map_err(passing)?;
            // Mostly it is this process's session of before, which the server has not ended yet.
            return Err(if known { Failure::Held } else { self.fenced() });
        }
        let written = self.node.written(&mut connection).await.map_err(passing)?;
        let written = written.ok_or_else(|| self.fenced())?;
        if written.batch < self.written.batch {
            let groups = self.written.batch - written.batch;
            error!(
                groups,
                "the database lacks what it had acknowledged: another server has taken over that did not have it"
            );
        }
        self.written = written;
        Ok(connection)
    }

    const fn fenced(&self) -> Failure {
        Failure::Fenced(self.node.why_fenced())
    }

    /// What became of the group that was being committed when the connection was lost: `true`, it is written. Takes as long as the server
    /// is away, for nobody may be told anything else, but for whoever waits for an entry of the log: he may be told that it is not known.
    /// Those who come meanwhile are told that the server is away. On a failure, what all of the group are to be told.
    async fn fate(&mut self, lost: sqlx::Error, group: &mut Group) -> Result<bool, (StoreError, Reply)> {
        let mut error = told(&Failure::Passing(lost));
        loop {
            self.shared.failed(&error);
            match self.connected().await.map(drop) {
                Ok(()) => return Ok(self.written.batch == self.batch),
                Err(failure @ Failure::Fenced(_)) => return Err((told(&failure), Reply::Fenced)),
                Err(_) if self.closing.is_cancelled() => return Err((error, Reply::Away)),
                Err(failure) => error = told(&failure),
            }
            self.pause().await;
            group.give_up_append(self.tuning.patience);
            self.waiting.refuse_older_than(self.tuning.patience, &error);
        }
    }
}
