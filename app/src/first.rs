//! What a page starts with, and its way there: fetched before the page is rendered, carried in it, and read from there
//! by the browser's half. Nothing waits while a page is rendered.

use std::{fmt, str::FromStr, sync::Arc};

use anteroom::wire::{ConversationId, ConversationView, Reason};
use leptos::server::SharedValue;
use serde::{Deserialize, Serialize};

use crate::{
    api::House,
    json::{self, Unreadable},
};

/// What the first page is made of. Later pages get theirs from the store.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct First {
    pub(crate) house: House,
    /// Of a page that shows one; `None` inside: there is none of this id.
    pub(crate) conversation: Option<(ConversationId, Option<ConversationView>)>,
}

/// [`First`], or why there is none.
#[derive(Clone)]
pub(crate) struct Carried(Arc<Result<First, Reason>>);

impl Carried {
    pub(crate) fn new(first: Result<First, Reason>) -> Self {
        Self(Arc::new(first))
    }

    /// What this page came with.
    pub(crate) fn read() -> Result<First, Reason> {
        let carried = SharedValue::new_str(|| {
            let lost = || Self::new(Err(Reason::AnswerUnreadable));
            Self::of_request().unwrap_or_else(lost)
        });
        Arc::unwrap_or_clone(carried.into_inner().0)
    }

    #[cfg(feature = "ssr")]
    fn of_request() -> Option<Self> {
        use axum::http::request::Parts;
        leptos::prelude::with_context(|request: &Parts| request.extensions.get().cloned()).flatten()
    }

    #[cfg(not(feature = "ssr"))]
    const fn of_request() -> Option<Self> {
        None
    }
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(&*self.0).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Carried {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        json::parse(text).map(Self::new)
    }
}
