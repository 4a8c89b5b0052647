//! Where the keyboard goes on when the control that was used gives way to another: to that one, as soon as it is there.

use std::cell::RefCell;

use crate::browser;

/// The control that is waited for, and where the focus rests meanwhile.
struct Wish {
    id: String,
    meanwhile: &'static str,
}

thread_local! {
    static WISH: RefCell<Option<Wish>> = const { RefCell::new(None) };
}

/// The next control of this id that [`arrived`] tells of is to have the focus; until then it rests on `meanwhile`, which stays.
/// If the person goes elsewhere meanwhile, the focus is left alone.
pub(crate) fn follow(id: String, meanwhile: &'static str) {
    browser::focus_control(meanwhile);
    WISH.set(Some(Wish { id, meanwhile }));
}

/// A control has come. `instead` is taken where it cannot be used.
pub(crate) fn arrived(id: &str, instead: Option<&str>) {
    let wished = WISH.with_borrow_mut(|wish| wish.take_if(|wish| wish.id == id));
    let Some(Wish { meanwhile, .. }) = wished else { return };
    let elsewhere = browser::focused().is_some_and(|focused| focused != meanwhile);
    if !elsewhere
        && !browser::focus_control(id)
        && let Some(instead) = instead
    {
        browser::focus_control(instead);
    }
}
