//! What a key lets a program do.

use std::{fmt, str::FromStr};

/// One thing that a key lets a program do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Ask models.
    Chat,
    /// Give work to be done later, and see after it.
    Tasks,
    /// Read what is there of its own: conversations, files, models.
    Read,
    /// Read the figures of the site.
    Metrics,
}

impl Scope {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Chat, Self::Tasks, Self::Read, Self::Metrics];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Tasks => "tasks",
            Self::Read => "read",
            Self::Metrics => "metrics",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is no list of scopes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; there are chat, tasks, read and metrics")]
pub struct NoScope(String);

/// Several scopes. As text, their names with commas between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// None.
    pub const NONE: Self = Self(0);
    /// What a program needs to do its work: all but the figures of the site, which are its operator's.
    pub const WORK: Self = Self(Scope::Chat.bit() | Scope::Tasks.bit() | Scope::Read.bit());

    /// These and `scope`.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// Whether `scope` is one of them.
    #[must_use]
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Scope::ALL.into_iter().filter(|&scope| self.has(scope)).collect();
        for (at, scope) in names.into_iter().enumerate() {
            write!(f, "{}{scope}", if at > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.into_iter().try_fold(Self::NONE, |scopes, name| {
            let known = Scope::ALL.into_iter().find(|scope| scope.name() == name);
            known
                .map(|scope| scopes.with(scope))
                .ok_or_else(|| NoScope(name.to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for text in ["", "chat", "chat,tasks,read,metrics", "tasks,metrics"] {
            assert_eq!(text.parse::<Scopes>().map(|scopes| scopes.to_string()), Ok(text.into()));
        }
        assert_eq!(
            " read , chat,".parse::<Scopes>().map(|scopes| scopes.to_string()),
            Ok("chat,read".into())
        );
        assert_eq!("chat,Chat".parse::<Scopes>(), Err(NoScope("Chat".into())));
        for scope in Scope::ALL {
            assert!(!Scopes::NONE.has(scope) && Scopes::NONE.with(scope).has(scope));
            assert_eq!(Scopes::WORK.has(scope), scope != Scope::Metrics);
        }
    }
}
