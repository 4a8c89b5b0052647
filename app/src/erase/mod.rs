//! Views without their types, and without what this page never uses of them: a type of its own for every closure would
//! have each of them compiled, sent and read as another copy of the same code.

#[cfg(not(feature = "ssr"))]
mod boxed;
#[cfg(feature = "ssr")]
mod drawn;

use std::{ops::Deref, sync::Arc, time::Duration};

use leptos::prelude::*;

/// Erasing the type of a view: shorter to compile, smaller to send, and needed where branches differ in type.
pub(crate) trait Erase {
    /// The same view, without its type. Computed again, it takes the place of what was shown.
    fn erase(self) -> AnyView;
}

impl<T: RenderHtml + 'static> Erase for T {
    fn erase(self) -> AnyView {
        #[cfg(feature = "ssr")]
        use drawn::Boxed;

        #[cfg(not(feature = "ssr"))]
        use boxed::Boxed;

        Boxed::new(self).into_any()
    }
}

/// Something computed again whenever what it reads changes.
pub(crate) type Live<T> = Box<dyn FnMut() -> T + Send>;

/// A text, an attribute or a view that changes by itself.
pub(crate) fn live<T>(read: impl FnMut() -> T + Send + 'static) -> Live<T> {
    Box::new(read)
}

/// Something computed again whenever what it reads changes, and told on only when it differs.
pub(crate) fn memo<T: PartialEq + Send + Sync + 'static>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    fn boxed<T: PartialEq + Send + Sync + 'static>(read: Box<dyn Fn() -> T + Send + Sync>) -> Memo<T> {
        Memo::new(move |_| read())
    }
    boxed(Box::new(read))
}

/// Something done in the browser, now and whenever what it reads changes.
pub(crate) fn effect(run: impl FnMut() + 'static) {
    fn boxed(mut run: Box<dyn FnMut()>) {
        Effect::new(move |_| run());
    }
    boxed(Box::new(run));
}

/// Reading a signal where it stands: `look` follows its changes, `peek` does not. As leptos' own `with`, of which every reader would
/// be one more copy of how a signal is read.
pub(crate) trait Look: Sized {
    type Value;
    /// What `read` makes of the value, again whenever that changes.
    fn look<R>(&self, read: impl FnOnce(&Self::Value) -> R) -> R;
    /// What `read` makes of the value now.
    fn peek<R>(&self, read: impl FnOnce(&Self::Value) -> R) -> R;
}

impl<S: Read + ReadUntracked, V> Look for S
where
    <S as Read>::Value: Deref<Target = V>,
    <S as ReadUntracked>::Value: Deref<Target = V>,
{
    type Value = V;

    fn look<R>(&self, read: impl FnOnce(&V) -> R) -> R {
        #[inline(never)]
        fn tracked<S: Read>(signal: &S) -> S::Value {
            signal.read()
        }
        read(&tracked(self))
    }

    fn peek<R>(&self, read: impl FnOnce(&V) -> R) -> R {
        #[inline(never)]
        fn untracked<S: ReadUntracked>(signal: &S) -> S::Value {
            signal.read_untracked()
        }
        read(&untracked(self))
    }
}

/// Something done again and again, for as long as the effect lives in which this is called.
pub(crate) fn every(period: Duration, run: impl Fn() + 'static) {
    fn boxed(period: Duration, run: Box<dyn Fn()>) {
        let every = set_interval_with_handle(run, period);
        on_cleanup(move || {
            if let Ok(every) = every {
                every.clear();
            }
        });
    }
    boxed(period, Box::new(run));
}

/// A view that is there while `test` holds. It is made again only when that changes.
pub(crate) fn when(
    test: impl Fn() -> bool + Send + Sync + 'static,
    view: impl Fn() -> AnyView + Send + 'static,
) -> Live<AnyView> {
    choose(test, view, || ().erase())
}

/// One view while `test` holds, else another.
pub(crate) fn choose(
    test: impl Fn() -> bool + Send + Sync + 'static,
    view: impl Fn() -> AnyView + Send + 'static,
    other: impl Fn() -> AnyView + Send + 'static,
) -> Live<AnyView> {
    type Make = Box<dyn Fn() -> AnyView + Send>;
    fn chosen(test: Box<dyn Fn() -> bool + Send + Sync>, view: Make, other: Make) -> Live<AnyView> {
        let holds = memo(test);
        live(move || if holds.get() { view() } else { other() })
    }
    chosen(Box::new(test), Box::new(view), Box::new(other))
}

/// A row for each item. A row keeps its nodes for as long as there is an item of its key.
pub(crate) fn each<T: Send + 'static>(
    items: impl Fn() -> Vec<T> + Send + 'static,
    key: impl Fn(&T) -> String + Send + 'static,
    row: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView {
    struct Row {
        key: String,
        make: Box<dyn FnOnce() -> AnyView + Send>,
    }
    fn list(rows: Box<dyn Fn() -> Vec<Row> + Send>) -> AnyView {
        view! { <For each=rows key=|row: &Row| row.key.clone() children=|row: Row| (row.make)() /> }.erase()
    }
    let row = Arc::new(row);
    list(Box::new(move || {
        let row_of = |item| {
            let (key, row) = (key(&item), Arc::clone(&row));
            Row {
                key,
                make: Box::new(move || row(item)),
            }
        };
        items().into_iter().map(row_of).collect()
    }))
}
