//! All that the demo model has to say in one language.

use super::texts::Texts;
use crate::language::{Language, Words};

/// One language: its words and texts.
#[derive(Clone, Copy)]
pub(super) struct Voice {
    /// Sentences of the demo model alone.
    pub(super) demo: &'static Words,
    /// What the whole site says, such as times and sizes.
    pub(super) site: &'static Words,
    /// Texts without figures.
    pub(super) texts: &'static Texts,
}

impl Voice {
    pub(super) fn of(language: Language) -> Self {
        Self {
            demo: Words::of_demo(language),
            site: Words::of(language),
            texts: Texts::of(language),
        }
    }
}
