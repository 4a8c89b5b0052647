//! The operator, known by a key until there is sign-in.

use subtle::ConstantTimeEq as _;

use super::Engine;
use crate::{
    accounts::{Principal, Role},
    sessions::SessionId,
    settings::Secret,
};

/// The key that is made where the settings have none, of 128 random bits. Another one with each start.
pub(super) fn made_key() -> Secret {
    Secret(format!("{:032x}", rand::random::<u128>()))
}

impl Engine {
    /// The key that was made at the start. To be told on the terminal alone: the logs' start-up records are shown on a page.
    /// `None`: the settings have one.
    #[must_use]
    pub fn made_operator_key(&self) -> Option<&str> {
        let given = self.settings().operator_key.is_some();
        (!given).then_some(self.operator_key.0.as_str())
    }

    fn operator_key(&self) -> Secret {
        let given = self.settings().operator_key.clone();
        given.unwrap_or_else(|| self.operator_key.clone())
    }

    /// The `Set-Cookie` header that makes the browser of this session the operator's; `None`: this is not the key. Takes as long
    /// wherever it differs.
    #[must_use]
    pub fn admit_operator(&self, session: SessionId, key: &str) -> Option<String> {
        let right = self.operator_key();
        let same = bool::from(right.0.as_bytes().ct_eq(key.as_bytes()));
        same.then(|| self.jar.operator_cookie(session, &right))
    }

    /// Who asks with the cookie of this session and this `Cookie` header.
    #[must_use]
    pub fn principal(&self, session: SessionId, cookies: &str) -> Principal {
        let visitor = Principal::visitor(session);
        if self.jar.is_operator(session, &self.operator_key(), cookies) {
            Principal {
                role: Role::Operator,
                ..visitor
            }
        } else {
            visitor
        }
    }
}
