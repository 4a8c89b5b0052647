//! A view behind a pointer, for the browser.
//!
//! [`AnyView`](leptos::prelude::AnyView) brings a dozen functions along for every type that it erases, among them one that
//! hydrates lazily loaded pages, of which there are none here. So it is given only one type to erase, the one of this
//! file, which gets by with two for nearly every view.
//!
//! It leans on tachys' insides, so it has to earn its place: when it was last measured (leptos 0.8.23), a first visit without it took
//! 80 KB more (369 instead of 290 KB of WebAssembly, compressed), which no budget has room for. To measure again, let
//! [`erase`](super::Erase::erase) be `self.into_any()`, and see what `cargo xtask build --release` prints.

use std::any::Any;

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
pub(super) enum Boxed {
    /// Takes the place of what was shown.
    Fresh(Box<dyn View>),
    /// Keeps the nodes of what was shown, if they are those of a view of its type.
    Lasting(Box<dyn Lasting>),
}

impl Boxed {
    pub(super) fn fresh(view: impl RenderHtml + 'static) -> Self {
        Self::Fresh(Box::new(view))
    }

    pub(super) fn lasting(view: impl RenderHtml + 'static) -> Self {
        Self::Lasting(Box::new(view))
    }

    fn view(self) -> Box<dyn View> {
        match self {
            Self::Fresh(view) => view,
            Self::Lasting(view) => view,
        }
    }
}

/// What is done with a view whose type is not known.
pub(super) trait View: Send {
    fn build(self: Box<Self>) -> Box<dyn Shown>;
    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Box<dyn Shown>;
}

/// What is done besides with the few views that need it: for every view, a first visit would take 11 KB more.
pub(super) trait Lasting: View {
    fn rebuild(self: Box<Self>, shown: &mut Box<dyn Shown>);
}

/// What a view has left on the page.
pub(super) trait Shown: Mountable {
    fn any(&mut self) -> &mut dyn Any;
}

struct Nodes<T: Render> {
    state: T::State,
    /// Of a view that has no node of its own: where it would stand.
    placeholder: Option<Placeholder>,
}

impl<T: RenderHtml + 'static> View for T {
    fn build(self: Box<Self>) -> Box<dyn Shown> {
        Box::new(Nodes::<T> {
            state: (*self).build(),
            placeholder: (!T::EXISTS).then(Rndr::create_placeholder),
        })
    }

    fn hydrate(self: Box<Self>, cursor: &Cursor, position: &PositionState) -> Box<dyn Shown> {
        Box::new(Nodes::<T> {
            state: (*self).hydrate::<true>(cursor, position),
            placeholder: (!T::EXISTS).then(|| cursor.next_placeholder(position)),
        })
    }
}

impl<T: RenderHtml + 'static> Lasting for T {
    fn rebuild(self: Box<Self>, shown: &mut Box<dyn Shown>) {
        match shown.any().downcast_mut::<Nodes<T>>() {
            Some(nodes) => (*self).rebuild(&mut nodes.state),
            None => replace(shown, View::build(self)),
        }
    }
}

fn replace(old: &mut Box<dyn Shown>, mut new: Box<dyn Shown>) {
    old.insert_before_this(&mut *new);
    old.unmount();
    *old = new;
}

impl<T: Render + 'static> Shown for Nodes<T> {
    fn any(&mut self) -> &mut dyn Any {
        self
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

impl Mountable for Box<dyn Shown> {
    fn unmount(&mut self) {
        (**self).unmount();
    }

    fn mount(&mut self, parent: &Element, marker: Option<&Node>) {
        (**self).mount(parent, marker);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        (**self).insert_before_this(child)
    }

    fn elements(&self) -> Vec<Element> {
        (**self).elements()
    }
}

impl Render for Boxed {
    type State = Box<dyn Shown>;

    fn build(self) -> Self::State {
        self.view().build()
    }

    fn rebuild(self, state: &mut Self::State) {
        match self {
            Self::Fresh(view) => replace(state, view.build()),
            Self::Lasting(view) => view.rebuild(state),
        }
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
        self.view().hydrate(cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}
