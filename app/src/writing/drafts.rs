//! Drafts: what stands in the composer, one for each conversation and one for the next that is begun. Of two tabs that write in the
//! same conversation, the one that was written in last counts. A message that somebody puts in other words has one, too.

use std::cell::Cell;

use anteroom::wire::{Choice, ConversationId, FileView, TurnId};
use leptos::prelude::{RwSignal, Set as _};
use serde::{Deserialize, Serialize};

use crate::{browser, erase::Look as _, json, storage};

pub(crate) const PREFIX: &str = "draft/";
/// Most drafts that are kept; those that were not touched for longest leave.
const MOST: usize = 40;
/// Longest text that is kept, in bytes: some times what a message may have.
const LONGEST: usize = 256 * 1024;

/// How the draft of the conversation that has not begun is called; the others have their conversation's id.
pub(crate) const NEW: &str = "new";

thread_local! {
    /// Where the page says whose drafts there are.
    static LISTED: Cell<Option<RwSignal<Vec<String>>>> = const { Cell::new(None) };
}

/// What stands in the composer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// Those that the server has.
    pub(crate) files: Vec<FileView>,
    /// What is chosen for a conversation that has not begun; any other has it from the server.
    #[serde(default)]
    pub(crate) choice: Choice,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub(crate) at: u64,
}

impl Draft {
    pub(crate) fn is_empty(&self) -> bool {
        self.is_unwritten() && self.choice == Choice::default()
    }

    /// Whether nothing is written in it, whatever is chosen.
    fn is_unwritten(&self) -> bool {
        self.text.trim().is_empty() && self.files.is_empty()
    }
}

/// Has this signal say from now on whose drafts there are.
pub(crate) fn list(listed: RwSignal<Vec<String>>) {
    LISTED.set(Some(listed));
    look();
}

/// Looks whose drafts there are: other tabs write them, too.
pub(crate) fn look() {
    let Some(listed) = LISTED.get() else { return };
    let keys = storage::keys(PREFIX);
    let mut of: Vec<String> = keys
        .iter()
        .filter_map(|key| key.strip_prefix(PREFIX))
        .map(str::to_owned)
        .collect();
    of.retain(|of| of != NEW || !read(None).is_unwritten());
    if listed.peek(|known| *known != of) {
        listed.set(of);
    }
}

/// Whether a text is short enough to be kept.
pub(crate) const fn keeps(text: &str) -> bool {
    text.len() <= LONGEST
}

fn key(of: Option<ConversationId>) -> String {
    match of {
        Some(id) => format!("{PREFIX}{id}"),
        None => format!("{PREFIX}{NEW}"),
    }
}

/// The draft of a conversation; `None` is the one that has not begun.
pub(crate) fn read(of: Option<ConversationId>) -> Draft {
    load(&key(of)).unwrap_or_default()
}

fn load(key: &str) -> Option<Draft> {
    json::parse(&storage::read(key)?).ok()
}

/// Keeps what was typed.
pub(crate) fn set_text(of: Option<ConversationId>, text: &str) {
    // The last text that was short enough stays.
    if keeps(text) {
        change(of, |draft| text.clone_into(&mut draft.text));
    }
}

/// Keeps the files that have been attached.
pub(crate) fn set_files(of: Option<ConversationId>, files: Vec<FileView>) {
    change(of, |draft| draft.files = files);
}

/// Keeps what is chosen for the conversation that is begun next. It goes along with its first message: the one after that starts with
/// the site's own model again, which is for the operator to say.
pub(crate) fn set_choice(choice: Choice) {
    change(None, |draft| draft.choice = choice);
}

/// Puts a message that is not sent after all before what has been typed since.
pub(crate) fn give_back(of: Option<ConversationId>, text: String, files: Vec<FileView>) {
    change(of, |draft| {
        let typed = std::mem::replace(&mut draft.text, text);
        if !typed.trim().is_empty() {
            draft.text.push_str("\n\n");
            draft.text.push_str(&typed);
        }
        for file in files.into_iter().rev() {
            if draft.files.iter().all(|known| known.id != file.id) {
                draft.files.insert(0, file);
            }
        }
    });
}

fn reworded_key(turn: TurnId) -> String {
    format!("{PREFIX}edit-{turn}")
}

/// The other words that somebody has begun to put a message in.
pub(crate) fn reworded(turn: TurnId) -> Option<String> {
    load(&reworded_key(turn)).map(|draft| draft.text)
}

/// Keeps them; none, once they lead somewhere else.
pub(crate) fn reword(turn: TurnId, text: &str) {
    if keeps(text) {
        let text = text.to_owned();
        write(
            &reworded_key(turn),
            Draft {
                text,
                ..Draft::default()
            },
        );
    }
}

/// A message has been sent: its draft goes, unless another tab has written something else meanwhile.
pub(crate) fn sent(of: Option<ConversationId>, text: &str) {
    if read(of).text == text {
        storage::remove(&key(of));
        look();
    }
}

/// The conversation that had not begun has an id now: what was typed in it since goes along. What another tab has typed for the next one
/// stays.
pub(crate) fn begun(id: ConversationId, typed: &str) {
    let draft = read(None);
    if draft.text == typed {
        storage::remove(&key(None));
        change(Some(id), |own| {
            own.text = draft.text;
            own.files = draft.files;
        });
    } else {
        set_text(Some(id), typed);
    }
}

fn change(of: Option<ConversationId>, change: impl FnOnce(&mut Draft)) {
    let mut draft = read(of);
    change(&mut draft);
    write(&key(of), draft);
}

fn write(key: &str, mut draft: Draft) {
    draft.at = browser::now();
    if draft.is_empty() {
        storage::remove(key);
    } else {
        keep(key, &json::write(&draft));
    }
    look();
}

fn keep(key: &str, text: &str) {
    while !storage::write(key, text) {
        // There may be room once the oldest has gone. Without any, the page's memory has it.
        let Some(oldest) = oldest(&storage::kept(PREFIX), key) else {
            break;
        };
        storage::remove(&oldest);
    }
    let drafts = storage::keys(PREFIX);
    if drafts.len() > MOST
        && let Some(oldest) = oldest(&drafts, key)
    {
        storage::remove(&oldest);
    }
}

/// The one of these drafts that was not touched for longest, this one left aside.
fn oldest(keys: &[String], but: &str) -> Option<String> {
    let others = keys.iter().filter(|key| *key != but);
    others.min_by_key(|key| load(key).map_or(0, |draft| draft.at)).cloned()
}
