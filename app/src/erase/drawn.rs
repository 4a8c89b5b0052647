//! A view behind a pointer, for the server.
//!
//! [`AnyView`](leptos::prelude::AnyView) brings seven functions along for every type that it erases: one that draws it, two that draw it
//! in pieces, two that wait for what it loads, and two that only a browser runs. No view here loads anything, so the first can stand for
//! all of them. It is the only one that this file has of every view; with all seven, the app took more than twice as long to compile.

use leptos::{
    attr::{Attribute, any_attribute::AnyAttribute},
    prelude::*,
    tachys::{
        hydration::Cursor,
        renderer::types::{Element, Node},
        view::{Mountable, Position, PositionState, add_attr::AddAnyAttr},
    },
};

/// Any view.
pub(super) struct Boxed {
    view: Box<dyn View>,
    /// Bytes that its HTML will take, as the view itself guesses.
    length: usize,
}

impl Boxed {
    pub(super) fn new(view: impl RenderHtml + 'static) -> Self {
        Self {
            length: view.html_len(),
            view: Box::new(view),
        }
    }
}

/// What is done with a view whose type is not known.
trait View: Send {
    fn draw(
        self: Box<Self>,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        more: Vec<AnyAttribute>,
    );
}

impl<T: RenderHtml + 'static> View for T {
    fn draw(
        self: Box<Self>,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        more: Vec<AnyAttribute>,
    ) {
        (*self).to_html_with_buf(html, position, escape, mark_branches, more);
        // Where a view without a node of its own stands: the browser looks for it, and `AnyView` sees only our type.
        if !T::EXISTS {
            html.push_str("<!--<() />-->");
        }
    }
}

/// What a view leaves on the page, which only a browser has.
pub(super) enum Never {}

impl Mountable for Never {
    fn unmount(&mut self) {
        match *self {}
    }

    fn mount(&mut self, _: &Element, _: Option<&Node>) {
        match *self {}
    }

    fn insert_before_this(&self, _: &mut dyn Mountable) -> bool {
        match *self {}
    }

    fn elements(&self) -> Vec<Element> {
        match *self {}
    }
}

impl Render for Boxed {
    type State = Never;

    fn build(self) -> Self::State {
        unreachable!("pages are built in a browser");
    }

    fn rebuild(self, state: &mut Self::State) {
        match *state {}
    }
}

/// `AnyView` keeps the attributes that are added to it, and hands them over when it is drawn.
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

    fn html_len(&self) -> usize {
        self.length
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        more: Vec<AnyAttribute>,
    ) {
        self.view.draw(html, position, escape, mark_branches, more);
    }

    fn hydrate<const FROM_SERVER: bool>(self, _: &Cursor, _: &PositionState) -> Self::State {
        unreachable!("pages are woken in a browser");
    }

    fn into_owned(self) -> Self {
        self
    }
}
