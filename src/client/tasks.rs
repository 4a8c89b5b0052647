//! Tasks, as one principal may use them.

use bytes::Bytes;
use tracing::error;
use uuid::Uuid;

use super::{Client, ClientError};
use crate::{
    store::{BatchRecord, TaskFilter, TaskRecord},
    tasks::{Accepted, BatchFollower, Cursor, Stands, TaskFault, TaskFollower},
};

impl Client {
    /// Takes a batch in, or one task, as its program has written it: all of it, or nothing. `key`: by which it may be sent again.
    ///
    /// Cancel-safe: dropped before it returns, all of it is taken in or nothing.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn take_in(&self, body: Bytes, key: Option<String>) -> Result<Accepted, ClientError> {
        let noted = |task| {
            if let Some(address) = self.who.address {
                self.engine.rates().note_payer((task, self.owner()), address);
            }
        };
        let taken = self.engine.tasks().take_in(self.owner(), body, key, noted).await;
        taken.map_err(fault)
    }

    /// One of their tasks, and where it stands.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn task(&self, id: Uuid) -> Result<(TaskRecord, Stands), ClientError> {
        let task = self.engine.tasks().task(self.owner(), id).await.map_err(fault)?;
        Ok(self.standing(task))
    }

    /// Their tasks, the last taken in first, without their results.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn tasks(&self, filter: TaskFilter, most: usize) -> Result<Vec<(TaskRecord, Stands)>, ClientError> {
        let tasks = self.engine.tasks().tasks(self.owner(), filter, most).await;
        let tasks = tasks.map_err(fault)?.into_iter();
        Ok(tasks.map(|task| self.standing(task)).collect())
    }

    /// Ends a task of theirs, and returns how it is then. One that is over stays as it is.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn cancel_task(&self, id: Uuid) -> Result<TaskRecord, ClientError> {
        self.engine.tasks().cancel(self.owner(), id).await.map_err(fault)
    }

    /// One of their batches.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn batch(&self, id: Uuid) -> Result<BatchRecord, ClientError> {
        self.engine.tasks().batch(self.owner(), id).await.map_err(fault)
    }

    /// Ends what is not over of one of their batches, and returns how it is then.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn cancel_batch(&self, id: Uuid) -> Result<BatchRecord, ClientError> {
        self.engine.tasks().cancel_batch(self.owner(), id).await.map_err(fault)
    }

    /// Follows one of their tasks, of which so much has been seen.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn follow_task(&self, id: Uuid, seen: Cursor) -> Result<TaskFollower, ClientError> {
        let follower = self.engine.tasks().follow(self.owner(), id, seen).await;
        follower.map_err(fault)
    }

    /// Follows one of their batches, so many ends of which have been seen.
    ///
    /// # Errors
    /// [`ClientError::Task`].
    pub async fn follow_batch(&self, id: Uuid, seen: u64) -> Result<BatchFollower, ClientError> {
        let follower = self.engine.tasks().follow_batch(self.owner(), id, seen).await;
        follower.map_err(fault)
    }

    fn standing(&self, task: TaskRecord) -> (TaskRecord, Stands) {
        let stands = if task.state.is_over() {
            Stands::Elsewhere
        } else {
            self.engine.tasks().stands(self.owner(), task.id)
        };
        (task, stands)
    }
}

fn fault(fault: TaskFault) -> ClientError {
    if let TaskFault::Store(fault) = &fault {
        error!(%fault, "tasks could not be stored or read");
    }
    fault.into()
}
