//! Where a conversation stands in the list, as its owner has put it.

/// Where a conversation stands in the list, whenever it was last used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shelf {
    /// Above the days.
    pub pinned: bool,
    /// Out of sight at the end, until a message is sent in it. Pinned meanwhile, it is above the days again then.
    pub archived: bool,
}

/// What is to change of that; `None`: it stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shelving {
    /// See [`Shelf::pinned`].
    pub pinned: Option<bool>,
    /// See [`Shelf::archived`].
    pub archived: Option<bool>,
}

impl Shelf {
    /// As it is once a message has been sent.
    #[must_use]
    pub const fn in_use(self) -> Self {
        Self {
            archived: false,
            ..self
        }
    }
}
