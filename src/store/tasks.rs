//! Tasks, as they are stored: the records, and what a store promises of them.

use async_trait::async_trait;
use uuid::Uuid;

use super::StoreError;
use crate::{
    queue::Owner,
    wire::{Reason, Usage},
};

/// Where a task is, as far as it is stored. Whether an open one is in the line is the line's to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It is in the line, or stands behind it.
    Open,
    /// It has been begun, and is not over.
    Running,
    /// It has a result.
    Done,
    /// It has come to nothing.
    Failed,
    /// Its owner has ended it.
    Cancelled,
}

impl TaskState {
    /// Whether it stays so.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// Its name, as it is stored and as programs are told it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let all = [Self::Open, Self::Running, Self::Done, Self::Failed, Self::Cancelled];
        all.into_iter().find(|state| state.name() == name)
    }
}

/// What is taken in together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// The key by which its program may send it again.
    pub key: Option<String>,
    /// Of its text, in hexadecimal digits.
    pub hash: String,
    /// Who is told when something of it is over.
    pub webhook: Option<Webhook>,
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Its tasks, in their order.
    pub tasks: Vec<NewTask>,
    /// Which task needs which other one, of this batch or of the owner's of before, each pair once.
    pub needs: Vec<(Uuid, Uuid)>,
}

/// A task that is taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// Its name everywhere.
    pub id: Uuid,
    /// Its name within its batch.
    pub name: Option<String>,
    /// The higher ones of an owner come first.
    pub priority: i32,
    /// The id of its model.
    pub model: String,
    /// What its owner wants to have back with it, in JSON.
    pub metadata: Option<String>,
    /// What is asked, in JSON.
    pub request: String,
}

/// Where a batch's program is told what is over, and what it knows it by.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// `whsec_…`.
    pub secret: String,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").finish_non_exhaustive()
    }
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TakenIn {
    /// It is stored.
    New,
    /// It has been before, under this name, with these tasks.
    Known(Uuid, Vec<(Uuid, Option<String>)>),
    /// Its key is that of another one.
    OtherBatch,
    /// Its owner would have more open tasks than it may; this many it has.
    TooMany(u64),
    /// These that it needs are not there.
    Unknown(Vec<Uuid>),
    /// These that it needs have come to nothing.
    Failed(Vec<Uuid>),
}

/// A task, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRecord {
    /// Its name everywhere.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// What it was taken in with.
    pub batch: Uuid,
    /// Its name there.
    pub name: Option<String>,
    /// See [`NewTask::priority`].
    pub priority: i32,
    /// The id of its model.
    pub model: String,
    /// Where it is.
    pub state: TaskState,
    /// Why it has come to nothing.
    pub reason: Option<Reason>,
    /// How many tasks it waits for.
    pub blocked: u32,
    /// How often it has been begun.
    pub attempts: u32,
    /// The how manieth of its batch that was over.
    pub ordinal: Option<u64>,
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Likewise.
    pub started_at: Option<u64>,
    /// Likewise.
    pub ended_at: Option<u64>,
    /// Tokens taken, once known.
    pub usage: Option<Usage>,
    /// In JSON.
    pub metadata: Option<String>,
    /// In JSON; `None` also in lists.
    pub result: Option<String>,
}

/// A task that is not over, as the line has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTask {
    /// Its name.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// What it was taken in with.
    pub batch: Uuid,
    /// Its name there.
    pub name: Option<String>,
    /// What was stored first has the lower one.
    pub key: i64,
    /// See [`NewTask::priority`].
    pub priority: i32,
    /// The id of its model.
    pub model: String,
    /// Whether it has been begun.
    pub ran: bool,
    /// How many tasks it waits for.
    pub blocked: u32,
    /// How often it has been begun.
    pub attempts: u32,
    /// How many of these the end of a server has cut short.
    pub stopped: u32,
}

/// How a task has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEnd {
    /// Which.
    pub id: Uuid,
    /// [`TaskState::Done`], [`TaskState::Failed`] or [`TaskState::Cancelled`].
    pub state: TaskState,
    /// Why, where it has come to nothing.
    pub reason: Option<Reason>,
    /// Why those come to nothing that need it, where it has.
    pub behind: Option<Reason>,
    /// In JSON.
    pub result: Option<String>,
    /// Tokens taken.
    pub usage: Option<Usage>,
    /// Milliseconds since the Unix epoch.
    pub at: u64,
}

/// What the end of a task has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Tasks that wait for nothing any more.
    pub ready: Vec<Uuid>,
    /// Tasks that have come to nothing with it.
    pub failed: Vec<Uuid>,
}

/// What the end of a whole batch by its owner has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CancelledBatch {
    /// Its tasks that were not over, in their order.
    pub cancelled: Vec<Uuid>,
    /// Tasks of other batches that have come to nothing with them.
    pub failed: Vec<Uuid>,
}

/// A batch, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchRecord {
    /// Its name.
    pub id: Uuid,
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// When the last of its tasks was over.
    pub ended_at: Option<u64>,
    /// How many tasks it has.
    pub count: u64,
    /// How many are in each state.
    pub states: Vec<(TaskState, u64)>,
    /// Where its program is told.
    pub url: Option<String>,
    /// How much that is still to be told.
    pub untold: u64,
    /// How much of that is given up.
    pub given_up: u64,
}

/// Which tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Those that are so.
    pub state: Option<TaskState>,
    /// Those of this batch.
    pub batch: Option<Uuid>,
    /// Those that were stored before this one.
    pub before: Option<Uuid>,
}

/// Something that a program is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its number.
    pub key: i64,
    /// Whose it is.
    pub owner: Owner,
    /// The batch, all of which is over if there is no task.
    pub batch: Uuid,
    /// The task that is over.
    pub task: Option<Uuid>,
    /// How often it has been tried.
    pub attempts: u32,
    /// Since when; milliseconds since the Unix epoch.
    pub created_at: u64,
    /// Where.
    pub webhook: Webhook,
}

/// Where tasks are kept. Look-ups that name an owner find nothing of another's. Cancel-safe as the rest of the store.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Takes a batch in, in one change, or nothing of it. `most`: how many open tasks its owner may have then.
    async fn take_in(&self, batch: NewBatch, most: u64) -> Result<TakenIn, StoreError>;
    /// Notes that a task is begun. Returns how often it has been by now; `None`: it is over, or not there.
    async fn begin_task(&self, id: Uuid, at: u64) -> Result<Option<u32>, StoreError>;
    /// Notes that a task that was begun was stopped through no fault of its own.
    async fn stop_task(&self, id: Uuid) -> Result<(), StoreError>;
    /// Stores how a task has ended, and what follows from it: what needs it may begin, or comes to nothing too; and programs are to be told. One that
    /// is over stays as it is (`None`). `gives_slot`: it gives a slot back; to be polled once before that is asked for, so that both are one
    /// change where the line is kept in the store, too.
    async fn end_task(&self, end: TaskEnd, gives_slot: bool) -> Result<Option<Ended>, StoreError>;
    /// Ends what is not over of a batch, in one change, for its owner who does not want it any more, and what follows from it, as with
    /// [`Self::end_task`]. `None`: the owner has no such batch.
    async fn cancel_batch(&self, owner: Owner, id: Uuid, at: u64) -> Result<Option<CancelledBatch>, StoreError>;

    /// Owners who have open tasks.
    async fn owners_of_tasks(&self) -> Result<Vec<Owner>, StoreError>;
    /// An owner's tasks that are not over: those that ran first, then by priority, then as they were stored.
    async fn open_tasks(&self, owner: Owner) -> Result<Vec<OpenTask>, StoreError>;
    /// Those of these tasks that are not over, in any order.
    async fn open_among(&self, ids: Vec<Uuid>) -> Result<Vec<OpenTask>, StoreError>;
    /// What is asked in a task that is not over.
    async fn request_of(&self, id: Uuid) -> Result<Option<String>, StoreError>;
    /// Results of these tasks of an owner, as far as they are done.
    async fn results(&self, owner: Owner, ids: Vec<Uuid>) -> Result<Vec<(Uuid, String)>, StoreError>;
    /// One task of an owner, with its result.
    async fn task(&self, owner: Owner, id: Uuid) -> Result<Option<TaskRecord>, StoreError>;
    /// Tasks of an owner, the last stored first, at most `most`.
    async fn tasks(&self, owner: Owner, filter: TaskFilter, most: usize) -> Result<Vec<TaskRecord>, StoreError>;
    /// Tasks of a batch that are over, in the order in which they ended, from the one after this ordinal on, at most `most`.
    async fn outcomes(&self, owner: Owner, batch: Uuid, after: u64, most: usize)
    -> Result<Vec<TaskRecord>, StoreError>;
    /// One batch of an owner.
    async fn batch(&self, owner: Owner, id: Uuid) -> Result<Option<BatchRecord>, StoreError>;

    /// What is to be told by now, what waits for longest first, at most `most`.
    async fn deliveries(&self, now: u64, most: usize) -> Result<Vec<Delivery>, StoreError>;
    /// How much is to be told, now or later.
    async fn untold(&self) -> Result<u64, StoreError>;
    /// Something has been told.
    async fn delivered(&self, key: i64) -> Result<(), StoreError>;
    /// Something could not be told, and is tried again then; `None`: it is given up.
    async fn put_off(&self, key: i64, due_at: Option<u64>) -> Result<(), StoreError>;

    /// Removes batches permanently all of which was over before this, unless something needs them that is not. Returns how many.
    async fn purge_tasks(&self, before: u64) -> Result<u64, StoreError>;
}
