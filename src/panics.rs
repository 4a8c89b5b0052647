//! What a panic has said.

use std::any::Any;

/// The words of a panic, for the log; where it has none, that it has none.
pub(crate) fn words(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("(no words)")
}
