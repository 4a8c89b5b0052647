//! Ids of what others on the page open, or give the keyboard to.

/// The page itself, within its frame.
pub(crate) const CONTENT: &str = "content";
/// The list of conversations: a popover where there is little room, so that it opens and closes before the WebAssembly has arrived, and
/// by Esc.
pub(crate) const CONVERSATIONS: &str = "conversations";
/// The way to a new conversation.
pub(crate) const NEW_CHAT: &str = "new-chat";
/// What scrolls the turns. It stays while they change, and can have the focus.
pub(crate) const TRANSCRIPT: &str = "log";
/// The models to choose from.
pub(crate) const MODELS: &str = "models";
/// What else is chosen for a conversation.
pub(crate) const TUNING: &str = "tuning";
/// What is typed in. A button that goes away gives it the focus, so that the keyboard does not get lost.
pub(crate) const COMPOSER: &str = "message";
