//! The cookie by which the operator's browser is known, until there is sign-in.

use cookie::{Cookie, Key, SameSite};

use super::{CookieJar, SessionId, cookie::sent};
use crate::settings::Secret;

const PLAIN: &str = "anteroom_operator";
const HOST: &str = "__Host-anteroom_operator";

impl CookieJar {
    /// The `Set-Cookie` header that makes the browser of this session the operator's for as long as it runs. It is of no use to
    /// another session, or once there is another key.
    #[must_use]
    pub fn operator_cookie(&self, session: SessionId, key: &Secret) -> String {
        let cookie = Cookie::build((self.operator_name(), session.0.simple().to_string()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(self.secure)
            .build();
        let mut jar = cookie::CookieJar::new();
        jar.signed_mut(&self.operator_signer(key)).add(cookie);
        jar.delta().map(ToString::to_string).collect()
    }

    /// Whether a `Cookie` header says that the browser of this session is the operator's.
    #[must_use]
    pub fn is_operator(&self, session: SessionId, key: &Secret, header: &str) -> bool {
        let mut cookies = sent(header, self.operator_name()).peekable();
        if cookies.peek().is_none() {
            return false;
        }
        let (signer, jar) = (self.operator_signer(key), cookie::CookieJar::new());
        cookies
            .filter_map(|cookie| jar.signed(&signer).verify(cookie.into_owned()))
            .any(|cookie| cookie.value() == session.0.simple().to_string())
    }

    const fn operator_name(&self) -> &'static str {
        if self.secure { HOST } else { PLAIN }
    }

    /// Signs nothing but this cookie.
    fn operator_signer(&self, key: &Secret) -> Key {
        Key::derive_from(&[self.key.0.master(), b"operator", key.0.as_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sessions::CookieKey;

    #[test]
    fn the_operators_cookie_is_one_sessions_and_one_keys() {
        let master = CookieKey(Key::generate());
        let [key, other_key] = ["0123456789abcdef", "0123456789abcdeg"].map(|key| Secret(key.to_owned()));
        let [mine, other] = [(); 2].map(|()| SessionId::random());
        for secure in [false, true] {
            let jar = CookieJar::new(master.clone(), secure);
            let set = jar.operator_cookie(mine, &key);
            for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(set.contains(part), "{set}");
            }
            assert_eq!(set.contains("Secure"), secure, "{set}");
            assert_eq!(set.starts_with("__Host-"), secure, "{set}");
            assert!(!set.contains("Max-Age") && !set.contains(&key.0), "{set}");
            let header = format!("x=y; {}", set.split(';').next().expect("a pair"));
            assert!(jar.is_operator(mine, &key, &header));
            assert!(!jar.is_operator(other, &key, &header), "another session");
            assert!(!jar.is_operator(mine, &other_key, &header), "another key");
            let session = jar.set_cookies(mine, "").remove(0);
            let value = session.split(['=', ';']).nth(1).expect("a value");
            for forged in ["", value, &mine.0.simple().to_string()] {
                let header = format!("{}={forged}", set.split('=').next().expect("a name"));
                assert!(!jar.is_operator(mine, &key, &header), "{header}");
            }
        }
    }
}
