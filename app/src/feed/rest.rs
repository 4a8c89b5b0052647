//! What lies beyond the part of a long list that is here.

use anteroom::wire::Reason;

/// What is known of what is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing: all of it is here.
    Nothing,
    /// There is more.
    More,
    /// More is on its way.
    Loading,
    /// There is more, but it did not come.
    Failed(Reason),
}

impl Rest {
    pub(crate) const fn of(more: bool) -> Self {
        if more { Self::More } else { Self::Nothing }
    }

    /// Whether it can be asked for.
    pub(crate) const fn is_there(&self) -> bool {
        matches!(self, Self::More | Self::Failed(_))
    }
}
