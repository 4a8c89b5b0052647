//! The cookie of somebody who watches a conversation by a pass. It makes nobody a session, and goes to the addresses of its pass alone.

use cookie::{Cookie, SameSite, time::Duration};
use uuid::Uuid;

use super::{CookieJar, cookie::sent};
use crate::accounts::passes::PassSecret;

const PLAIN: &str = "anteroom_guest";
/// Browsers take a cookie that is called so over HTTPS only.
const SECURE: &str = "__Secure-anteroom_guest";

/// Most values of it that are looked at: others on the host may have put some there.
const MOST: usize = 4;

impl CookieJar {
    /// The `Set-Cookie` header that lets a browser watch by this pass for so many seconds.
    #[must_use]
    pub fn guest_cookie(&self, pass: Uuid, secret: &PassSecret, seconds: u64) -> String {
        Cookie::build((self.guest_name(), secret.reveal().to_owned()))
            .path(format!("/along/{pass}"))
            .max_age(Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX)))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .to_string()
    }

    /// What stands in such cookies of a `Cookie` header.
    #[must_use]
    pub fn guests(&self, header: &str) -> Vec<PassSecret> {
        let cookies = sent(header, self.guest_name());
        let secrets = cookies.filter_map(|cookie| PassSecret::read(cookie.value()));
        secrets.take(MOST).collect()
    }

    const fn guest_name(&self) -> &'static str {
        if self.secure { SECURE } else { PLAIN }
    }
}

#[cfg(test)]
mod tests {
    use cookie::Key;

    use super::*;
    use crate::sessions::CookieKey;

    #[test]
    fn a_guests_cookie_goes_to_its_pass_alone_and_is_no_session() {
        let (pass, secret) = (Uuid::new_v4(), PassSecret::random());
        for secure in [false, true] {
            let jar = CookieJar::new(CookieKey(Key::generate()), secure);
            let set = jar.guest_cookie(pass, &secret, 60);
            for part in [&format!("Path=/along/{pass}"), "HttpOnly", "SameSite=Lax", "Max-Age=60"] {
                assert!(set.contains(part), "{set}");
            }
            assert_eq!(set.contains("Secure"), secure, "{set}");
            let header = format!("x=y; {}; anteroom_guest=short", set.split(';').next().expect("a pair"));
            assert_eq!(jar.guests(&header), std::slice::from_ref(&secret));
            assert_eq!(jar.session(&header), None);
        }
    }
}
