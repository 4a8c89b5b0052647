//! What any way in may ask of the engine, for one principal: the only place that decides what somebody may read, cancel or follow.
//!
//! Pages, files, the feed and programs come through here. What is another's is not found, as if it were not there.

mod credentials;
mod error;
mod files;
mod guest;
mod keys;
mod leaves;
mod passes;
mod programs;
mod reason;
mod tasks;

use std::sync::Arc;

pub use error::{ClientError, NoPass, UploadError};
pub use guest::{GuestClient, GuestView, Seen, Watch, guest_of, look_at_pass, use_pass};
pub use keys::{SeenKey, Unmade};
pub use leaves::ToolLeave;
pub use passes::{MOVING, WATCHING, WATCHING_DAY, WATCHING_HOUR, WATCHING_WEEK};
pub use programs::Asked;
use tracing::error;

use crate::{
    accounts::Principal,
    conversations::{Conversations, Export, ImportError, SendError},
    engine::Engine,
    journal::Replay,
    queue::{JoinError, Owner},
    sessions::Session,
    stats::Curves,
    store::StoreError,
    wire::{
        Choice, ConversationId, ConversationPage, ConversationView, FeedEvent, FeedPosition, ModelInfo, RefreshKind,
        SearchResults, SendRequest, Sent, Shelving, Span, Status, StepAnswer, TurnId, TurnPage, TurnView, is_blank,
    },
};

/// The engine, as one principal may use it. Cheap to make and to clone.
#[derive(Clone)]
pub struct Client {
    engine: Arc<Engine>,
    who: Principal,
}

impl Client {
    /// For this principal.
    #[must_use]
    pub const fn new(engine: Arc<Engine>, who: Principal) -> Self {
        Self { engine, who }
    }

    /// Who asks.
    #[must_use]
    pub const fn principal(&self) -> Principal {
        self.who
    }

    /// Their session, if it is in memory: looking at a page does not make one.
    fn known(&self) -> Option<Arc<Session>> {
        let session = self.engine.sessions().find(self.who.session);
        session.inspect(|session| session.presence().touch())
    }

    /// Their session, made where it is not in memory: for what follows it.
    #[must_use]
    pub fn session(&self) -> Arc<Session> {
        self.engine.sessions().open(self.who.session)
    }

    /// Whose things they may ask for.
    const fn owner(&self) -> Owner {
        self.who.owner()
    }

    /// What the answer to this takes counts for their address, if that is counted.
    fn pays_for(&self, turn: TurnId) {
        if let Some(address) = self.who.address {
            self.engine.rates().note_payer((turn.0, self.owner()), address);
        }
    }

    fn rooms(&self) -> &Conversations {
        self.engine.conversations()
    }

    /// Where their feed is now. What is asked for afterwards is at least as new.
    #[must_use]
    pub fn feed_position(&self) -> FeedPosition {
        self.engine.feed_position(self.known().as_deref())
    }

    /// Where they and the line stand.
    #[must_use]
    pub fn status(&self) -> Status {
        self.engine.status(self.known().as_deref())
    }

    /// The models that they may choose from, the default one first.
    #[must_use]
    pub fn models(&self) -> Vec<ModelInfo> {
        self.rooms().models()
    }

    /// What [`Client::forget`] and [`Client::confirmed`] have to be told: a request without it does not come from a page of theirs.
    #[must_use]
    pub fn confirmation(&self) -> String {
        self.engine.jar().confirmation(self.who.session)
    }

    /// Their conversations that come after `after`, or the first ones: those that are pinned, the others, those that are archived, of each
    /// the last used first.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn conversations(&self, after: Option<ConversationId>) -> Result<ConversationPage, ClientError> {
        let session = self.known();
        let page = self.rooms().conversations(self.owner(), session.as_deref(), after);
        page.await.map_err(unreadable)
    }

    /// One of their conversations with its newest turns; `None`: they have none of this id.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<ConversationView>, ClientError> {
        let session = self.known();
        let feed = self.engine.feed_position(session.as_deref());
        let view = self.rooms().conversation(self.owner(), session.as_deref(), id, feed);
        view.await.map_err(unreadable)
    }

    /// The turns that lead to `before`, without that one; `None`: they have none of this id.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn earlier(&self, before: TurnId) -> Result<Option<TurnPage>, ClientError> {
        let page = self.rooms().earlier(self.owner(), before);
        page.await.map_err(unreadable)
    }

    /// One of their turns, as it is at this moment; `None`: they have none of this id.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn turn(&self, id: TurnId) -> Result<Option<TurnView>, ClientError> {
        self.known();
        self.rooms().turn(self.owner(), id).await.map_err(unreadable)
    }

    /// One of their turns, once it is over. They count as present for as long as this waits. `None`: they have none of this id.
    ///
    /// Cancel-safe: the turn goes on.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`], or [`ClientError::Send`] where the server ends before the turn does.
    pub async fn over(&self, id: TurnId) -> Result<Option<TurnView>, ClientError> {
        let session = self.session();
        let _here = session.presence().enter();
        let journal = session.journal();
        let mut changes = journal.follow();
        let mut position = journal.position();
        loop {
            let turn = self.turn(id).await?;
            if turn.as_ref().is_none_or(|turn| turn.state.is_over()) {
                return Ok(turn);
            }
            loop {
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() {
                        return Err(ended());
                    },
                    () = session.left().cancelled() => return Err(ended()),
                    () = self.engine.closing().cancelled() => return Err(ended()),
                }
                let is_over = |event: &FeedEvent| match event {
                    FeedEvent::Turn(turn) => turn.id == id && turn.state.is_over(),
                    // Of a conversation that is deleted nothing more is told.
                    FeedEvent::ConversationRemoved { .. } => true,
                    _ => false,
                };
                match journal.after(position) {
                    Replay::Events(events) => {
                        position.number = events.last().map_or(position.number, |(number, _)| *number);
                        if events.iter().any(|(_, event)| is_over(event)) {
                            break;
                        }
                    }
                    // What is missed is read.
                    Replay::TooOld(here) => {
                        position = here;
                        break;
                    }
                }
            }
        }
    }

    /// Their conversations with `text` in them.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn search(&self, text: &str) -> Result<SearchResults, ClientError> {
        let session = self.known();
        let results = self.rooms().search(self.owner(), session.as_deref(), text);
        results.await.map_err(unreadable)
    }

    /// One of their conversations as a file to keep, with its title; `None`: they have none of this id.
    ///
    /// # Errors
    /// [`ClientError::Unreadable`].
    pub async fn export(&self, id: ConversationId, form: Export) -> Result<Option<(String, String)>, ClientError> {
        let exported = self.rooms().export(self.owner(), id, form);
        exported.await.map_err(unreadable)
    }

    /// Makes a new conversation of everything up to a turn, that one included.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn branch(&self, turn: TurnId) -> Result<ConversationId, ClientError> {
        let made = self.rooms().branch(self.owner(), &self.session(), turn).await;
        made.map_err(unchanged)?.ok_or(ClientError::NoConversation)
    }

    /// Keeps what they think of an answer; `None`: nothing any more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rate(&self, turn: TurnId, good: Option<bool>) -> Result<(), ClientError> {
        done(self.rooms().rate(self.owner(), &self.session(), turn, good).await)
    }

    /// Makes a conversation of a file that [`Client::export`] has written as JSON.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn import(&self, content: &[u8]) -> Result<ConversationId, ClientError> {
        let made = self.rooms().import(self.owner(), &self.session(), content).await;
        made.map_err(|fault| match fault {
            ImportError::NotAnExport(what) => ClientError::NotAnExport(what),
            ImportError::Store(fault) => unchanged(fault),
        })
    }

    /// Gives a conversation another title.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn rename(&self, id: ConversationId, title: &str) -> Result<(), ClientError> {
        if is_blank(title) {
            return Err(ClientError::NoTitle);
        }
        done(self.rooms().rename(self.owner(), &self.session(), id, title).await)
    }

    /// Puts a conversation elsewhere in the list: above the days, into the archive, or back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn shelve(&self, id: ConversationId, shelving: Shelving) -> Result<(), ClientError> {
        done(self.rooms().shelve(self.owner(), &self.session(), id, shelving).await)
    }

    /// Chooses the model of a conversation, its instructions and the like, from now on. A message of it that waits is answered so; one
    /// that is being answered goes on as it is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn choose(&self, id: ConversationId, choice: Choice) -> Result<(), ClientError> {
        let chosen = self.rooms().chosen(choice)?;
        done(self.rooms().choose(self.owner(), &self.session(), id, chosen).await)
    }

    /// Deletes a conversation; what waits or runs in it is ended. For a minute it can be brought back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete(&self, id: ConversationId) -> Result<(), ClientError> {
        done(self.rooms().delete(self.owner(), &self.session(), id).await)
    }

    /// Brings a deleted conversation back.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn undelete(&self, id: ConversationId) -> Result<(), ClientError> {
        done(self.rooms().undelete(self.owner(), &self.session(), id).await)
    }

    /// Shows this version of a turn, and the newest that follows it.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn show(&self, turn: TurnId) -> Result<(), ClientError> {
        done(self.rooms().show(self.owner(), &self.session(), turn).await)
    }

    /// Whether a request that nothing else speaks for, such as a form's, comes from a page of theirs.
    ///
    /// # Errors
    /// [`ClientError::NotConfirmed`].
    pub fn confirmed(&self, confirmation: &str) -> Result<(), ClientError> {
        match self.engine.jar().confirms(self.who.session, confirmation) {
            true => Ok(()),
            false => Err(ClientError::NotConfirmed),
        }
    }

    /// Removes everything of theirs permanently.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn forget(&self, confirmation: &str) -> Result<(), ClientError> {
        self.confirmed(confirmation)?;
        self.engine.forget(self.who).await.map_err(unchanged)
    }

    /// Sends a message: once this has returned, it is stored, in the line, and the server's. Sending the same turn again, also while it is
    /// being accepted, returns where it is and changes nothing.
    ///
    /// Cancel-safe: dropped before it returns, the message is either accepted whole or not at all.
    ///
    /// # Errors
    /// [`ClientError::Send`].
    pub async fn send(&self, request: SendRequest) -> Result<Sent, ClientError> {
        self.pays_for(request.turn);
        self.rooms()
            .send(self.owner(), &self.session(), request)
            .await
            .map_err(not_accepted)
    }

    /// The same; a message of a conversation in which another one is on its way is kept behind that one.
    ///
    /// Cancel-safe as [`Client::send`].
    ///
    /// # Errors
    /// [`ClientError::Send`].
    pub async fn send_behind(&self, request: SendRequest) -> Result<Sent, ClientError> {
        self.pays_for(request.turn);
        self.rooms()
            .send_behind(self.owner(), &self.session(), request)
            .await
            .map_err(not_accepted)
    }

    /// Puts a message of theirs in other words that has not begun. One that waits in the line keeps its place.
    ///
    /// # Errors
    /// [`ClientError::Send`].
    pub async fn reword(&self, turn: TurnId, text: &str) -> Result<(), ClientError> {
        self.rooms()
            .reword(self.owner(), &self.session(), turn, text)
            .await
            .map_err(not_accepted)
    }

    /// Takes a message of theirs out that stands behind another one. `false`: it does not stand there any more.
    ///
    /// # Errors
    /// [`ClientError::Unchanged`].
    pub async fn withdraw(&self, turn: TurnId) -> Result<bool, ClientError> {
        let session = self.session();
        let withdrawn = self.rooms().withdraw(self.owner(), &session, turn);
        withdrawn.await.map_err(unchanged)
    }

    /// Lets the messages of a conversation go that are held behind one that was not answered.
    ///
    /// # Errors
    /// [`ClientError::Unchanged`].
    pub async fn release(&self, conversation: ConversationId) -> Result<(), ClientError> {
        let session = self.session();
        let released = self.rooms().release(self.owner(), &session, conversation);
        released.await.map_err(unchanged)
    }

    /// The same as [`Client::send`]; where the message begins a conversation, that is called `begun`.
    ///
    /// Cancel-safe as [`Client::send`].
    ///
    /// # Errors
    /// [`ClientError::Send`].
    pub async fn send_in(&self, request: SendRequest, begun: ConversationId) -> Result<Sent, ClientError> {
        self.pays_for(request.turn);
        self.rooms()
            .send_in(self.owner(), &self.session(), request, begun)
            .await
            .map_err(not_accepted)
    }

    /// Answers a turn that is over once more. One that has an answer, or is followed by others, keeps what it has: the new answer belongs
    /// to another version of it, the turn `new`. One that came to nothing is answered in place.
    ///
    /// Cancel-safe as [`Client::send`].
    ///
    /// # Errors
    /// [`ClientError::Send`].
    pub async fn again(&self, turn: TurnId, new: TurnId) -> Result<Sent, ClientError> {
        // Which of the two it is to be is found out on the way.
        self.pays_for(turn);
        self.pays_for(new);
        self.rooms()
            .again(self.owner(), &self.session(), turn, new)
            .await
            .map_err(not_accepted)
    }

    /// Ends a turn of theirs. `false`: none of this id waits or runs.
    #[must_use]
    pub fn cancel(&self, turn: TurnId) -> bool {
        // A browser that cancels is present.
        self.known();
        self.rooms().cancel(self.owner(), turn)
    }

    /// Says whether a use of a tool may be done that asks for it, or ends one. Once this has returned, it is stored and in force.
    ///
    /// # Errors
    /// [`ClientError::NoStep`], [`ClientError::Unchanged`].
    pub async fn answer_step(&self, turn: TurnId, step: usize, answer: StepAnswer) -> Result<(), ClientError> {
        // A browser that answers is present.
        self.known();
        let answered = self.rooms().answer_step(self.owner(), turn, step, answer);
        match answered.await.map_err(unchanged)? {
            true => Ok(()),
            false => Err(ClientError::NoStep),
        }
    }

    /// The tabs with figures or records that are there for them.
    #[must_use]
    pub fn tabs(&self) -> Vec<RefreshKind> {
        let all = [RefreshKind::Stats, RefreshKind::Logs].into_iter();
        all.filter(|kind| self.engine.shows(*kind, self.who.role)).collect()
    }

    /// The curves of the charts. `offset`: minutes that their clock is ahead of UTC.
    ///
    /// # Errors
    /// [`ClientError::NotShown`], [`ClientError::Unreadable`].
    pub async fn curves(&self, span: Span, offset: i32) -> Result<Curves, ClientError> {
        if !self.engine.shows(RefreshKind::Stats, self.who.role) {
            return Err(ClientError::NotShown);
        }
        self.engine.curves(span, offset).await.map_err(unreadable)
    }

    /// Asks for the figures or the records, as they may see them; they come over the feed once the line lets them.
    ///
    /// # Errors
    /// [`ClientError::NotShown`].
    pub fn refresh(&self, kind: RefreshKind) -> Result<(), ClientError> {
        if !self.engine.shows(kind, self.who.role) {
            return Err(ClientError::NotShown);
        }
        self.engine.refresh(&self.session(), kind, self.who);
        Ok(())
    }
}

/// The server has ended before what was waited for.
const fn ended() -> ClientError {
    ClientError::Send(SendError::Refused(JoinError::Closed))
}

fn not_accepted(refusal: SendError) -> ClientError {
    if let SendError::Store(fault) = &refusal {
        error!(%fault, "a message was not accepted");
    }
    refusal.into()
}

fn unreadable(fault: StoreError) -> ClientError {
    error!(%fault, "conversations could not be read");
    ClientError::Unreadable(fault)
}

fn unchanged(fault: StoreError) -> ClientError {
    error!(%fault, "a change was not stored");
    ClientError::Unchanged(fault)
}

/// What a change of conversations came to.
fn done(result: Result<bool, StoreError>) -> Result<(), ClientError> {
    match result {
        Ok(true) => Ok(()),
        Ok(false) => Err(ClientError::NoConversation),
        Err(fault) => Err(unchanged(fault)),
    }
}

#[cfg(test)]
mod tests;
