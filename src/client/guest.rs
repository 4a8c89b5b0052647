//! What a guest may ask of the engine: to see the one conversation of their pass, and its files. Nothing here changes anything.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tracing::info;
use uuid::Uuid;

use super::{Client, ClientError, unchanged, unreadable};
use crate::{
    accounts::{
        Principal, Program, browser_of, key_of,
        passes::{Guest, PassEnd, PassRecord, PassSecret, holds, usable},
    },
    clock::now_ms,
    engine::Engine,
    files::FileContent,
    nodes::Home,
    sessions::{Attending, Session},
    wire::{ConversationView, FileId, FileView, Place},
};

/// How often somebody who watches looks whether their pass still holds, should nobody have told.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// What a link leads to, as it is looked at: that uses nothing up.
///
/// # Errors
/// [`ClientError::Unreadable`].
pub async fn look_at_pass(engine: &Engine, secret: &PassSecret) -> Result<Result<PassRecord, PassEnd>, ClientError> {
    if !engine.settings().take_along {
        return Ok(Err(PassEnd::Off));
    }
    let (pass, now) = (engine.store().pass_of(&secret.digest()).await, now_ms());
    let pass = usable(pass.map_err(unreadable)?, now);
    Ok(pass.and_then(|pass| of_valid_key(engine, pass, now)))
}

/// The same pass, unless it is that of a program whose key has come to its end: what it has given out ends with it, for nobody is left to revoke it.
fn of_valid_key(engine: &Engine, pass: PassRecord, now: u64) -> Result<PassRecord, PassEnd> {
    let (keys, id) = (engine.keys(), key_of(pass.owner));
    match keys.find(id) {
        Some(key) if key.revoked_at.is_some() => Err(PassEnd::Revoked),
        Some(key) if !key.is_valid(now) => Err(PassEnd::Over),
        // Programs of this machine are let in without a key until there is one.
        None if id == Program::LOCAL.key && keys.any() => Err(PassEnd::Revoked),
        _ => Ok(pass),
    }
}

/// Exchanges what stands in a link, once and for ever, for what stands in the cookie of whoever uses it.
///
/// # Errors
/// [`ClientError::Unchanged`], [`ClientError::Unreadable`].
pub async fn use_pass(
    engine: &Engine,
    secret: &PassSecret,
) -> Result<Result<(PassRecord, PassSecret), PassEnd>, ClientError> {
    if !engine.settings().take_along {
        return Ok(Err(PassEnd::Off));
    }
    let (digest, guest) = (secret.digest(), PassSecret::random());
    let used = engine.store().use_pass(&digest, &guest.digest(), now_ms()).await;
    if let Some(pass) = used.map_err(unchanged)? {
        info!(pass = %pass.id, kind = pass.kind.name(), "a pass was used");
        return Ok(of_valid_key(engine, pass, now_ms()).map(|pass| (pass, guest)));
    }
    let why = look_at_pass(engine, secret).await?;
    // One that can be used by now could not a moment ago.
    Ok(Err(why.err().unwrap_or(PassEnd::Gone)))
}

/// Who watches by this pass, if what stands in their cookie is what it was exchanged for.
///
/// # Errors
/// [`ClientError::Unreadable`].
pub async fn guest_of(engine: &Engine, pass: Uuid, secret: &PassSecret) -> Result<Result<Guest, PassEnd>, ClientError> {
    if !engine.settings().take_along {
        return Ok(Err(PassEnd::Off));
    }
    let pass = engine.store().pass(pass).await.map_err(unreadable)?;
    // Of a pass that is not theirs they hear nothing.
    let digest = secret.digest();
    let theirs = pass.filter(|pass| pass.guest.as_ref() == Some(&digest));
    let now = now_ms();
    let held = holds(theirs, now).and_then(|pass| of_valid_key(engine, pass, now));
    Ok(held.map(|pass| Guest {
        pass: pass.id,
        owner: pass.owner,
        conversation: pass.conversation,
        until: pass.expires_at,
    }))
}

/// What a guest sees.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestView {
    /// The conversation, with its newest turns.
    pub conversation: ConversationView,
    /// Where its message that waits stands in the line.
    pub place: Option<Place>,
}

/// The engine, as a guest may use it, at the home of the session whose conversation they watch.
#[derive(Clone)]
pub struct GuestClient {
    /// As the owner: asked for nothing but what is the guest's to see.
    owner: Client,
    guest: Guest,
}

impl GuestClient {
    /// For this guest.
    #[must_use]
    pub const fn new(engine: Arc<Engine>, guest: Guest) -> Self {
        let owner = Principal::visitor(browser_of(guest.owner));
        Self {
            owner: Client::new(engine, owner),
            guest,
        }
    }

    /// Who asks.
    #[must_use]
    pub const fn guest(&self) -> Guest {
        self.guest
    }

    /// What there is to see; `None`: the conversation is gone.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn look(&self) -> Result<Option<GuestView>, ClientError> {
        let found = self.owner.conversation(self.guest.conversation).await?;
        Ok(found.map(|conversation| GuestView {
            place: self.place(&conversation),
            conversation,
        }))
    }

    /// Where the message that waits in it stands now.
    #[must_use]
    pub fn place(&self, conversation: &ConversationView) -> Option<Place> {
        let mut places = self.owner.status().places.into_iter();
        places.find(|place| {
            let turns = &conversation.turns;
            place.turn.is_some_and(|id| turns.iter().any(|turn| turn.id == id))
        })
    }

    /// A file that came with a message of the conversation, and its content. `None`: no such file came with any.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn file(&self, id: FileId) -> Result<Option<(FileView, FileContent)>, ClientError> {
        let store = self.owner.engine.store();
        let turns = store.turns(self.guest.owner, self.guest.conversation).await;
        let carried = turns.map_err(unreadable)?;
        if !carried.iter().any(|turn| turn.files.iter().any(|file| file.id == id)) {
            return Ok(None);
        }
        self.owner.file(id).await
    }

    /// Follows the conversation. Its session counts as present for as long: whoever has taken their place along keeps it.
    #[must_use]
    pub fn follow(&self) -> Watch {
        let (engine, session) = (&self.owner.engine, self.owner.session());
        let left = self.guest.until.saturating_sub(now_ms());
        Watch {
            journal: session.journal().follow(),
            moves: engine.moves(),
            revocations: engine.revocations().follow(),
            homes: engine.settings().node_addr.is_some().then(|| engine.homes().changes()),
            until: Instant::now() + Duration::from_millis(left),
            look_again: Instant::now() + LOOK_AGAIN,
            here: Attending::new(session),
            client: self.clone(),
        }
    }

    /// What has ended the pass; `None`: it holds.
    async fn ended(&self) -> Option<PassEnd> {
        let engine = &*self.owner.engine;
        if !engine.settings().take_along {
            return Some(PassEnd::Off);
        }
        let (pass, now) = (engine.store().pass(self.guest.pass).await, now_ms());
        let held = |pass| holds(pass, now).and_then(|pass| of_valid_key(engine, pass, now));
        // A store that is away takes nobody's pass from them.
        pass.ok().and_then(|pass| held(pass).err())
    }
}

/// What has come to somebody who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Something of the session has changed.
    Conversation,
    /// The line has changed.
    Line,
    /// Nothing for a while.
    Nothing,
    /// They may watch no more.
    Ended(PassEnd),
    /// The session is to be watched from elsewhere, or later: they ask again.
    Away,
}

/// Somebody watches.
pub struct Watch {
    client: GuestClient,
    here: Attending,
    journal: watch::Receiver<u64>,
    moves: watch::Receiver<()>,
    revocations: watch::Receiver<()>,
    homes: Option<watch::Receiver<()>>,
    until: Instant,
    look_again: Instant,
}

impl Watch {
    /// Whose it is.
    #[must_use]
    pub const fn client(&self) -> &GuestClient {
        &self.client
    }

    fn session(&self) -> &Session {
        self.here.session()
    }

    fn is_away(&self) -> bool {
        let engine = &self.client.owner.engine;
        self.homes.is_some() && engine.homes().home(self.client.guest.owner) != Home::Here
    }

    /// Waits for what comes next. Cancel-safe.
    pub async fn next(&mut self) -> Seen {
        loop {
            if self.is_away() {
                return Seen::Away;
            }
            let engine = Arc::clone(&self.client.owner.engine);
            let left = self.session().left().clone();
            let homes = &mut self.homes;
            let moved = async {
                if let Some(homes) = homes
                    && homes.changed().await.is_ok()
                {
                    return;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                biased;
                () = engine.closing().cancelled() => return Seen::Away,
                () = left.cancelled() => return self.client.ended().await.map_or(Seen::Away, Seen::Ended),
                () = sleep_until(self.until) => return Seen::Ended(PassEnd::Over),
                Ok(()) = self.revocations.changed() => if let Some(end) = self.client.ended().await {
                    return Seen::Ended(end);
                },
                () = sleep_until(self.look_again) => {
                    self.look_again = Instant::now() + LOOK_AGAIN;
                    return self.client.ended().await.map_or(Seen::Nothing, Seen::Ended);
                }
                () = moved => {}
                changed = self.journal.changed() => return match changed {
                    Ok(()) => Seen::Conversation,
                    Err(_) => Seen::Away,
                },
                Ok(()) = self.moves.changed() => return Seen::Line,
            }
        }
    }
}
