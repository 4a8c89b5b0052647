//! What this browser keeps from one visit to the next. Where its storage is full or forbidden, the page's own memory stands in for as
//! long as the page lives. Not to be called on the server.

use std::cell::RefCell;

thread_local! {
    /// What the browser would not take.
    static HELD: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
}

/// What is kept under a key.
pub(crate) fn read(key: &str) -> Option<String> {
    // What is here is newer: it was to take the place of what the browser has.
    let held = HELD.with_borrow(|held| {
        held.iter()
            .find(|(known, _)| known == key)
            .map(|(_, text)| text.clone())
    });
    held.or_else(|| browser::read(key))
}

/// Keeps a text. `false`: only until the page goes.
pub(crate) fn write(key: &str, text: &str) -> bool {
    let kept = browser::write(key, text);
    HELD.with_borrow_mut(|held| {
        held.retain(|(known, _)| known != key);
        if !kept {
            held.push((key.to_owned(), text.to_owned()));
        }
    });
    kept
}

/// Keeps nothing under a key any more.
pub(crate) fn remove(key: &str) {
    HELD.with_borrow_mut(|held| held.retain(|(known, _)| known != key));
    browser::remove(key);
}

/// The keys that begin with this, in no order.
pub(crate) fn keys(prefix: &str) -> Vec<String> {
    let mut keys = kept(prefix);
    HELD.with_borrow(|held| {
        let held = held.iter().map(|(key, _)| key);
        keys.extend(held.filter(|key| key.starts_with(prefix)).cloned());
    });
    keys
}

/// Those of them that the browser keeps.
pub(crate) fn kept(prefix: &str) -> Vec<String> {
    let mut keys = browser::keys();
    keys.retain(|key| key.starts_with(prefix));
    keys
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::prelude::window;
    use web_sys::Storage;

    fn storage() -> Option<Storage> {
        window().local_storage().ok().flatten()
    }

    pub(super) fn read(key: &str) -> Option<String> {
        storage()?.get_item(key).ok().flatten()
    }

    pub(super) fn write(key: &str, text: &str) -> bool {
        let kept = storage().is_some_and(|storage| storage.set_item(key, text).is_ok());
        if !kept {
            // An older text must not come back with the next visit.
            remove(key);
        }
        kept
    }

    pub(super) fn remove(key: &str) {
        // An error means that there is nothing to remove.
        let _ = storage().map(|storage| storage.remove_item(key));
    }

    pub(super) fn keys() -> Vec<String> {
        let Some(storage) = storage() else { return Vec::new() };
        let count = storage.length().unwrap_or_default();
        (0..count)
            .filter_map(|index| storage.key(index).ok().flatten())
            .collect()
    }
}

/// In place of a browser, for tests: as much room as they give it.
#[cfg(not(feature = "hydrate"))]
mod browser {
    use std::cell::{Cell, RefCell};

    thread_local! {
        static KEPT: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) };
        static ROOM: Cell<usize> = const { Cell::new(usize::MAX) };
    }

    /// From here on there is room for so many bytes.
    #[cfg(test)]
    pub(super) fn set_room(bytes: usize) {
        ROOM.set(bytes);
    }

    pub(super) fn read(key: &str) -> Option<String> {
        KEPT.with_borrow(|kept| {
            kept.iter()
                .find(|(known, _)| known == key)
                .map(|(_, text)| text.clone())
        })
    }

    pub(super) fn write(key: &str, text: &str) -> bool {
        remove(key);
        KEPT.with_borrow_mut(|kept| {
            let used: usize = kept.iter().map(|(_, text)| text.len()).sum();
            let fits = used.saturating_add(text.len()) <= ROOM.get();
            if fits {
                kept.push((key.to_owned(), text.to_owned()));
            }
            fits
        })
    }

    pub(super) fn remove(key: &str) {
        KEPT.with_borrow_mut(|kept| kept.retain(|(known, _)| known != key));
    }

    pub(super) fn keys() -> Vec<String> {
        KEPT.with_borrow(|kept| kept.iter().map(|(key, _)| key.clone()).collect())
    }
}

/// From here on the browser has room for so many bytes.
#[cfg(test)]
pub(crate) fn set_room(bytes: usize) {
    browser::set_room(bytes);
}
