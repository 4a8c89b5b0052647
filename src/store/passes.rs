//! Passes, as every store keeps them: one-time links to a conversation.

use std::borrow::Cow;

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    StoreError,
    rows::{Columns, number, optional_number, owner, unknown},
};
use crate::{queue::Owner, wire::ConversationId};

/// What a pass lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// See the conversation until the pass ends.
    Watch,
    /// Be its owner from then on, beside the device that has made the pass.
    Move,
}

impl PassKind {
    /// Its name in the store and in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Move => "move",
        }
    }

    /// Of its name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Watch, Self::Move].into_iter().find(|kind| kind.name() == name)
    }
}

/// A pass, as stored: nothing of it lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRecord {
    /// Its name in the store, which is no secret.
    pub id: Uuid,
    /// Who has made it.
    pub owner: Owner,
    /// What it leads to.
    pub conversation: ConversationId,
    /// What it lets its bearer do.
    pub kind: PassKind,
    /// Of what stands in its link, in hexadecimal digits.
    pub digest: String,
    /// Milliseconds since the Unix epoch.
    pub created_at: u64,
    /// From when on it is of no use; likewise.
    pub expires_at: u64,
    /// When it was used; likewise.
    pub used_at: Option<u64>,
    /// When it was revoked; likewise.
    pub revoked_at: Option<u64>,
    /// Of the cookie of whoever has used it, in hexadecimal digits.
    pub guest: Option<String>,
}

/// How long a pass is kept once its time is over, so that whoever comes too late hears that it was one. In milliseconds.
pub(in crate::store) const REMEMBERED: u64 = 24 * 3600 * 1000;

/// Where passes are kept. They go with their conversation; those of one that is deleted are found no more, unless it is brought back.
///
/// Cancel-safe throughout, as [`super::Store`].
#[async_trait]
pub trait PassStore: Send + Sync {
    /// Keeps a new pass, unless `most` of its conversation are out, neither revoked nor over at its time. `false`: those are, or there is no such
    /// conversation.
    async fn add_pass(&self, pass: PassRecord, most: usize) -> Result<bool, StoreError>;
    /// Those of a conversation, the last made first. Making one lets go of those that have been over for a day.
    async fn passes(&self, owner: Owner, conversation: ConversationId) -> Result<Vec<PassRecord>, StoreError>;
    /// The pass of this id, whoever has made it.
    async fn pass(&self, id: Uuid) -> Result<Option<PassRecord>, StoreError>;
    /// The pass of this digest, whoever has made it.
    async fn pass_of(&self, digest: &str) -> Result<Option<PassRecord>, StoreError>;
    /// Uses a pass, once and for ever, for the bearer of a cookie of this digest. `None`: it was used by another, is revoked or over, or there is
    /// none.
    async fn use_pass(&self, digest: &str, guest: &str, now: u64) -> Result<Option<PassRecord>, StoreError>;
    /// Revokes a pass for ever. `false`: its owner has none of this id that is not revoked.
    async fn revoke_pass(&self, owner: Owner, id: Uuid, now: u64) -> Result<bool, StoreError>;
}

/// A row: the columns of the table, with the ids of its conversation and of that one's owner.
pub(in crate::store) fn pass(row: &impl Columns) -> sqlx::Result<PassRecord> {
    let kind = row.text("kind")?;
    Ok(PassRecord {
        id: row.id("id")?,
        owner: owner(row)?,
        conversation: ConversationId(row.id("conversation")?),
        kind: PassKind::of(&kind).ok_or_else(|| unknown("kind of a pass", &kind))?,
        digest: row.text("digest")?.into_owned(),
        created_at: number(row, "created_at")?,
        expires_at: number(row, "expires_at")?,
        used_at: optional_number(row, "used_at")?,
        revoked_at: optional_number(row, "revoked_at")?,
        guest: row.optional_text("guest")?.map(Cow::into_owned),
    })
}
