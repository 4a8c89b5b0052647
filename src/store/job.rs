//! What a writing task is given to do, whatever the database.

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::store::StoreError;

/// Connections that changes are made on.
pub(super) trait Writes: Send {
    /// What a transaction says beside the one change that it makes, where both can go into one statement. Uninhabited where none can.
    type Rest: Send;
}

/// One change of the database. It runs inside a transaction, and may be run again if that one came to nothing.
pub(super) trait Operation: Send + Sync + 'static {
    /// What it is run on.
    type Connection: Writes;
    /// What the caller is told.
    type Output: Send + 'static;
    /// Whether it is a step on the way to more room on the disk: it may use what is kept for that.
    const FREES: bool = false;
    /// Whether it has removed something that must be gone from the disk, too, before the caller is told.
    fn removed(_output: &Self::Output) -> bool {
        false
    }

    /// Makes the change.
    fn run(&self, connection: &mut Self::Connection) -> impl Future<Output = sqlx::Result<Self::Output>> + Send;

    /// What the caller is told if [`Operation::run_whole`] makes the change: known beforehand, for it may be committed and no answer be heard. `None`: it cannot
    /// be made so.
    fn whole(&self) -> Option<Self::Output> {
        None
    }

    /// Makes the change as a whole transaction, in one statement with `rest`. `None`: it cannot, and nothing has been done.
    fn run_whole(
        &self,
        _connection: &mut Self::Connection,
        _rest: &mut <Self::Connection as Writes>::Rest,
    ) -> impl Future<Output = Option<sqlx::Result<()>>> + Send {
        std::future::ready(None)
    }
}

/// An operation with its caller, of whatever kind.
#[async_trait]
pub(super) trait Job<C: Writes>: Send {
    /// Makes the change, and keeps what the caller is to be told.
    async fn run(&mut self, connection: &mut C) -> sqlx::Result<()>;
    /// The same with [`Operation::run_whole`].
    async fn run_whole(&mut self, connection: &mut C, rest: &mut C::Rest) -> Option<sqlx::Result<()>>;
    /// See [`Operation::removed`].
    fn removed(&self) -> bool;
    /// See [`Operation::FREES`].
    fn frees(&self) -> bool;
    /// Tells the caller how it ended, once that is certain.
    fn settle(self: Box<Self>, end: Result<(), StoreError>);
}

/// Where the caller will be told.
pub(super) type Outcome<T> = oneshot::Receiver<Result<T, StoreError>>;

/// Makes a job of an operation, and says where its outcome will be.
pub(super) fn job<O: Operation>(operation: O) -> (Box<dyn Job<O::Connection>>, Outcome<O::Output>) {
    let (caller, outcome) = oneshot::channel();
    let task = Task {
        operation,
        output: None,
        caller,
    };
    (Box::new(task), outcome)
}

struct Task<O: Operation> {
    operation: O,
    output: Option<O::Output>,
    caller: oneshot::Sender<Result<O::Output, StoreError>>,
}

#[async_trait]
impl<O: Operation> Job<O::Connection> for Task<O> {
    async fn run(&mut self, connection: &mut O::Connection) -> sqlx::Result<()> {
        self.output = Some(self.operation.run(connection).await?);
        Ok(())
    }

    async fn run_whole(
        &mut self,
        connection: &mut O::Connection,
        rest: &mut <O::Connection as Writes>::Rest,
    ) -> Option<sqlx::Result<()>> {
        self.output = Some(self.operation.whole()?);
        self.operation.run_whole(connection, rest).await
    }

    fn removed(&self) -> bool {
        self.output.as_ref().is_some_and(O::removed)
    }

    fn frees(&self) -> bool {
        O::FREES
    }

    fn settle(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { output, caller, .. } = *self;
        let outcome = end.and_then(|()| output.ok_or_else(|| StoreError::Other("a change has no outcome".into())));
        // A caller that has gone is one that does not want to know.
        let _ = caller.send(outcome);
    }
}
