//! Passes, as the owner of a conversation makes and revokes them.

use std::time::Duration;

use tracing::{error, info};
use uuid::Uuid;

use super::{Client, ClientError, NoPass, done, unchanged, unreadable};
use crate::{
    accounts::passes::{PassKind, PassRecord, PassSecret},
    clock::now_ms,
    wire::ConversationId,
};

/// Most passes of one conversation that are out at a time.
pub(super) const MOST_PASSES: usize = 20;

/// For how long a pass that moves a session can be used.
pub const MOVING: Duration = Duration::from_secs(10 * 60);

/// The times that a pass can be for watching, of which a day is the usual one.
pub const WATCHING_HOUR: Duration = Duration::from_hours(1);
/// See [`WATCHING_HOUR`].
pub const WATCHING_DAY: Duration = Duration::from_hours(24);
/// See [`WATCHING_HOUR`].
pub const WATCHING_WEEK: Duration = Duration::from_hours(7 * 24);
/// All of them, the usual one first.
pub const WATCHING: [Duration; 3] = [WATCHING_DAY, WATCHING_HOUR, WATCHING_WEEK];

impl Client {
    /// Makes a pass to one of their conversations. What stands in its link is told this once. `lives`: of the times of [`WATCHING`]; one that moves
    /// their session has a time of its own, and no program can have one: whoever used it would be that program, with no key to revoke.
    ///
    /// # Errors
    /// [`ClientError`], such as [`ClientError::NoPass`].
    pub async fn make_pass(
        &self,
        conversation: ConversationId,
        kind: PassKind,
        lives: Duration,
    ) -> Result<(PassRecord, PassSecret), ClientError> {
        self.passes(conversation).await?;
        let has_none = kind == PassKind::Move && self.who.program.is_some();
        if has_none || !self.engine.settings().take_along {
            return Err(NoPass::Off.into());
        }
        let lives = match kind {
            PassKind::Move => MOVING,
            PassKind::Watch if WATCHING.contains(&lives) => lives,
            PassKind::Watch => WATCHING_DAY,
        };
        let (secret, now) = (PassSecret::random(), now_ms());
        let pass = PassRecord {
            id: Uuid::new_v4(),
            owner: self.owner(),
            conversation,
            kind,
            digest: secret.digest(),
            created_at: now,
            expires_at: now.saturating_add(u64::try_from(lives.as_millis()).unwrap_or(u64::MAX)),
            used_at: None,
            revoked_at: None,
            guest: None,
        };
        let added = self.engine.store().add_pass(pass.clone(), MOST_PASSES).await;
        if !added.map_err(unchanged)? {
            return Err(NoPass::TooMany.into());
        }
        info!(pass = %pass.id, kind = kind.name(), "a pass was made");
        Ok((pass, secret))
    }

    /// The passes of one of their conversations that can still be used or are watched by, the last made first.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn passes(&self, conversation: ConversationId) -> Result<Vec<PassRecord>, ClientError> {
        let store = self.engine.store();
        let there = store.conversation(self.owner(), conversation).await;
        if there.map_err(unreadable)?.is_none() {
            return Err(ClientError::NoConversation);
        }
        let now = now_ms();
        let passes = store.passes(self.owner(), conversation).await.map_err(unreadable)?;
        let out = |pass: &PassRecord| pass.revoked_at.is_none() && pass.expires_at > now;
        Ok(passes.into_iter().filter(out).collect())
    }

    /// Revokes a pass of theirs. Whoever watches by it sees no more from this moment on.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke_pass(&self, pass: Uuid) -> Result<(), ClientError> {
        let revoked = self.engine.store().revoke_pass(self.owner(), pass, now_ms()).await;
        if let Err(fault) = &revoked {
            error!(%fault, %pass, "a pass could not be revoked");
        }
        done(revoked)?;
        self.engine.revocations().tell();
        info!(%pass, "a pass was revoked");
        Ok(())
    }
}
