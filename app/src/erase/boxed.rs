//! A view behind a pointer, for the browser.
//!
//! [`AnyView`](leptos::prelude::AnyView) brings a dozen functions along for every type that it erases, among them one that
//! hydrates lazily loaded pages, of which there are none here. So it is given only one type to erase, the one of this
//! file, which gets by with two for every view.
//!
//! Neither brings what is on the page up to date: a view that is made again takes the place of the one before (with a third that does, a
//! first visit would take 11 KB more). What is to keep its nodes, for the focus in it or for how it moves, has texts and attributes that
//! change by themselves, or is a row of [`each`](super::each).
//!
//! It leans on tachys' insides, so it has to earn its place: when it was last measured (leptos 0.8.23), a first visit without it took
//! 80 KB more (369 instead of 290 KB of WebAssembly, compressed), which no budget has room for. To measure again, let
//! [`erase`](super::Erase::erase) be `self.into_any()`, and see what `cargo xtask build --release` prints.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        renderer::{
            Rndr,
            types::{Element, Node, Placeholder},
        },
        view::{Mountable, Position, PositionState, add_attr::AddAnyAttr},
    },
};

/// Any view.
pub(super) struct Boxed(Box<dyn View>);

impl Boxed {
    pub(super) fn new(view: impl RenderHtml + 'static) -> Self {
        Self(Box::new(view))
    }
}

/// What is done with a view whose type is not known.
trait View: Send {
    fn build(self: Box<Self>) -> Shown;
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown;
}

/// What a view has left on the page.
type Shown = Box<dyn Mountable>;

struct Nodes<T: Render> {
    state: T::State,
    /// Of a view that has no node of its own: where it would stand.
    placeholder: Option<Placeholder>,
}

impl<T: RenderHtml + 'static> View for T {
    fn build(self: Box<Self>) -> Shown {
        Box::new(Nodes::<T> {
            state: (*self).build(),
            placeholder: (!T::EXISTS).then(Rndr::create_placeholder),
        })
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Shown {
        Box::new(Nodes::<T> {
            state: (*self).hydrate::<true>(cursor, position),
            placeholder: (!T::EXISTS).then(|| cursor.next_placeholder(position)),
        })
    }
}

impl<T: Render> Mountable for Nodes<T> {
    fn unmount(&mut self) {
        self.state.unmount();
        self.placeholder.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.state.mount(parent, marker);
        self.placeholder.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.state.insert_before_this(child) || self.placeholder.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.state.elements()
    }
}

/// What a view has left on the page, as it is known to leptos.
pub(super) struct Left(Shown);

impl Mountable for Left {
    fn unmount(&mut self) {
        self.0.unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        self.0.mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        self.0.insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        self.0.elements()
    }
}

impl Render for Boxed {
    type State = Left;

    fn build(self) -> Self::State {
        Left(self.0.build())
    }

    fn rebuild(self, state: &mut Self::State) {
        let mut new = self.0.build();
        state.0.insert_before_this(&mut *new);
        state.0.unmount();
        state.0 = new;
    }
}

/// `AnyView` keeps the attributes that are added to it, and sets them on the elements.
impl AddAnyAttr for Boxed {
    type Output<A: Attribute> = Self;

    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for Boxed {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, _: &mut String, _: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {
        unreachable!("HTML is made on the server");
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        Left(self.0.hydrate(cursor, position))
    }

    fn into_owned(self) -> Self {
        self
    }
}
