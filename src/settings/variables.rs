//! What there is to say about one variable, and all of them.

use super::allowed::{Allowed, Range, Unit};
pub(super) use super::tables::VARIABLES;

/// One variable, as its table describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// What it does, in a sentence or two of Markdown.
    pub(crate) meaning: &'static str,
    /// The heading that it stands under.
    pub(super) group: &'static str,
    /// The field that holds it, which is also what envy knows it by.
    pub(super) field: &'static str,
    /// Names that are read as well, the first that is set winning.
    pub(super) aliases: &'static [&'static str],
    /// Read where neither the name nor an alias is set.
    pub(super) default: Option<&'static str>,
    /// Never shown.
    pub(super) secret: bool,
    /// An address or a path: its value is shown to the operator only.
    pub(super) private: bool,
    /// Read at the start only.
    pub(super) fixed: bool,
    pub(super) range: Option<Range>,
    pub(super) kind: fn() -> Allowed,
    /// The lines above it in `.env.example`; none: it stands right below the variable before it.
    #[cfg(test)]
    pub(super) comment: &'static [&'static str],
    /// Its value in `.env.example`, where that is not the default: one or none.
    #[cfg(test)]
    pub(super) example: &'static [&'static str],
}

impl Variable {
    pub(super) const fn new(
        name: &'static str,
        field: &'static str,
        group: &'static str,
        meaning: &'static str,
        kind: fn() -> Allowed,
    ) -> Self {
        Self {
            name,
            // The first blank is the one behind `///`.
            meaning: meaning.trim_ascii_start(),
            group,
            field,
            aliases: &[],
            default: None,
            secret: false,
            private: false,
            fixed: false,
            range: None,
            kind,
            #[cfg(test)]
            comment: &[],
            #[cfg(test)]
            example: &[],
        }
    }

    pub(super) const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(super) const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    pub(super) const fn range(self, range: Range) -> Self {
        Self {
            range: Some(range),
            ..self
        }
    }

    pub(super) const fn to_operator(self) -> Self {
        Self { private: true, ..self }
    }

    pub(super) const fn to_nobody(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(super) const fn at_start(self) -> Self {
        Self { fixed: true, ..self }
    }

    /// The name, then the aliases.
    pub(super) fn all_names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.all_names().any(|own| own == name)
    }

    /// What is allowed, in Markdown for a table.
    pub(crate) fn allowed(&self) -> String {
        (self.kind)().in_table(self.range)
    }

    /// What is allowed, as the advice of a fault. Of a text that was not even `readable` the length is not said.
    pub(super) fn advice(&self, readable: bool) -> String {
        let allowed = (self.kind)();
        let range = self.range.filter(|_| readable || allowed.unit != Unit::Characters);
        format!("allowed is {}", allowed.sentence(range))
    }
}

/// The variables under one heading.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) variables: &'static [Variable],
}

/// All of them, in the order of the documentation.
pub(crate) fn groups() -> impl Iterator<Item = Group> {
    let groups = VARIABLES.chunk_by(|one, next| one.group == next.group);
    groups.filter_map(|variables| {
        let title = variables.first()?.group;
        Some(Group { title, variables })
    })
}

/// Every name and alias.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().flat_map(Variable::all_names)
}

/// The variable that this field holds.
pub(super) fn of_field(field: &str) -> Option<&'static Variable> {
    VARIABLES.iter().find(|variable| variable.field == field)
}
