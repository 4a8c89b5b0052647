//! Views without their types, and without what this page never uses of them: a type of its own for every closure would
//! have each of them compiled, sent and read as another copy of the same code.
//!
//! [`AnyView`] keeps a way to hydrate lazily loaded pages for every type that it erases, a sixth of the page's
//! WebAssembly. There are no such pages here: between the view and the [`AnyView`] stands a wrapper that hydrates at once.

use std::sync::Arc;

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        ssr::StreamBuilder,
        view::{Position, PositionState, add_attr::AddAnyAttr},
    },
};

/// Erasing the type of a view: shorter to compile, smaller to send, and needed where branches differ in type.
pub(crate) trait Erase {
    /// The same view, without its type.
    fn erase(self) -> AnyView;
}

impl<T: RenderHtml> Erase for T {
    fn erase(self) -> AnyView {
        AtOnce(self).into_any()
    }
}

/// Something computed anew whenever what it reads changes.
pub(crate) type Live<T> = Box<dyn FnMut() -> T + Send>;

/// A text, an attribute or a view that changes by itself.
pub(crate) fn live<T>(read: impl FnMut() -> T + Send + 'static) -> Live<T> {
    Box::new(read)
}

/// Something computed anew whenever what it reads changes, and told on only when it differs.
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

/// A view that is there while `test` holds. It is made anew only when that changes.
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

/// A view whose `hydrate_async` is the trait's own: it hydrates at once.
struct AtOnce<T>(T);

impl<T: Render> Render for AtOnce<T> {
    type State = T::State;

    fn build(self) -> Self::State {
        self.0.build()
    }

    fn rebuild(self, state: &mut Self::State) {
        self.0.rebuild(state);
    }
}

impl<T: RenderHtml> AddAnyAttr for AtOnce<T> {
    type Output<A: Attribute> = AtOnce<T::Output<A>>;

    fn add_any_attr<A: Attribute>(self, attribute: A) -> Self::Output<A>
    where
        Self::Output<A>: RenderHtml,
    {
        AtOnce(self.0.add_any_attr(attribute))
    }
}

impl<T: RenderHtml> RenderHtml for AtOnce<T> {
    type AsyncOutput = T::AsyncOutput;
    type Owned = AtOnce<T::Owned>;

    const MIN_LENGTH: usize = T::MIN_LENGTH;
    const EXISTS: bool = T::EXISTS;

    fn dry_resolve(&mut self) {
        self.0.dry_resolve();
    }

    async fn resolve(self) -> Self::AsyncOutput {
        self.0.resolve().await
    }

    fn html_len(&self) -> usize {
        self.0.html_len()
    }

    fn to_html_with_buf(
        self,
        buf: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0
            .to_html_with_buf(buf, position, escape, mark_branches, extra_attrs);
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        buf: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra_attrs: Vec<AnyAttribute>,
    ) {
        self.0
            .to_html_async_with_buf::<OUT_OF_ORDER>(buf, position, escape, mark_branches, extra_attrs);
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        self.0.hydrate::<FROM_SERVER>(cursor, position)
    }

    fn into_owned(self) -> Self::Owned {
        AtOnce(self.0.into_owned())
    }
}
