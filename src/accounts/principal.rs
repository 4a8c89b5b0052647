//! Who asks, as every way in finds out before anything else.

use std::net::IpAddr;

use uuid::Uuid;

use super::{Scope, Scopes};
use crate::{queue::Owner, sessions::SessionId};

/// An account's name in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountId(pub Uuid);

/// The name of a program's key, which is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(pub Uuid);

/// A program: a script, an editor, a bot, which asks with a key and without a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its key.
    pub key: KeyId,
    /// What that lets it do.
    pub scopes: Scopes,
}

impl Program {
    /// All programs of the server's own machine, as long as there are no keys.
    pub const LOCAL: Self = Self {
        key: KeyId(Uuid::from_u128(0x10ca_1000_0000_4000_8000_0000_0000_0001)),
        scopes: Scopes::WORK,
    };
}

/// What somebody may see beside what is their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing: of an address or a path of the server they see only that it is set.
    #[default]
    Visitor,
    /// The operator. Keys are hidden from them, too.
    Operator,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Their account; `None`: a browser without one.
    pub account: Option<AccountId>,
    /// Their browser. A program's key takes the place of one: no browser has a cookie with its name.
    pub session: SessionId,
    /// What they may see beside what is their own.
    pub role: Role,
    /// The program; `None`: a browser, which may do whatever its pages do.
    pub program: Option<Program>,
    /// The address that the program asks from, as it is counted by; `None`: it is not counted.
    pub address: Option<IpAddr>,
}

impl Principal {
    /// A browser without an account.
    #[must_use]
    pub const fn visitor(session: SessionId) -> Self {
        Self {
            account: None,
            session,
            role: Role::Visitor,
            program: None,
            address: None,
        }
    }

    /// A program. Its key is one owner, as a browser is.
    #[must_use]
    pub const fn program(program: Program) -> Self {
        let KeyId(id) = program.key;
        Self {
            program: Some(program),
            ..Self::visitor(SessionId(id))
        }
    }

    /// Whether they come with a key that lets them do this. What browsers may is not said by scopes.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.program.is_some_and(|program| program.scopes.has(scope))
    }

    /// Whom fairness counts as one, and whose conversations and files are stored: the account, or the browser or key that has none, under
    /// the id of its session.
    #[must_use]
    pub const fn owner(&self) -> Owner {
        match self.account {
            Some(AccountId(id)) => Owner(id.as_u128()),
            None => Owner(self.session.0.as_u128()),
        }
    }
}

/// The browser that is this owner, for what is done when nobody asks (after a restart, when something has become too old).
///
/// Every owner is a browser or a key without an account so far, so that its id is its session's. This is the only place that takes the one for the
/// other, back from [`Principal::owner`]: with sign-in, an owner may have several browsers, or none.
#[must_use]
pub const fn browser_of(owner: Owner) -> SessionId {
    SessionId(Uuid::from_u128(owner.0))
}

/// The key that is this owner, if it is one: likewise.
#[must_use]
pub const fn key_of(owner: Owner) -> KeyId {
    KeyId(browser_of(owner).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_without_an_account_is_found_by_what_it_owns() {
        let session = SessionId::random();
        assert_eq!(browser_of(Principal::visitor(session).owner()), session);
    }

    #[test]
    fn a_key_is_one_owner_and_found_by_what_it_owns() {
        let [one, other] = [(); 2].map(|()| {
            Principal::program(Program {
                key: KeyId(Uuid::new_v4()),
                scopes: Scopes::NONE,
            })
        });
        assert_eq!(browser_of(one.owner()), one.session);
        assert_eq!(one.program.map(|program| program.key), Some(key_of(one.owner())));
        assert_ne!(one.owner(), other.owner());
        assert_ne!(one.owner(), Principal::program(Program::LOCAL).owner());
    }

    #[test]
    fn browsers_of_one_account_are_one_owner_and_others_are_their_own() {
        let account = Some(AccountId(Uuid::new_v4()));
        let [one, other] = [(); 2].map(|()| Principal::visitor(SessionId::random()));
        assert_ne!(one.owner(), other.owner());
        let [one, other] = [one, other].map(|browser| Principal { account, ..browser });
        assert_eq!(one.owner(), other.owner());
    }
}
