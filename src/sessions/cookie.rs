//! The signed cookie that a browser is known by.

use cookie::{Cookie, SameSite, time::Duration};
use uuid::Uuid;

use super::{CookieKey, SessionId};

/// The cookie's name where it may go over plain HTTP.
const PLAIN: &str = "anteroom";
/// Its name where it goes over HTTPS only. Browsers take a cookie that is called so from this very host alone: no subdomain, and
/// nobody in the middle of a plain connection, can set one.
const HOST: &str = "__Host-anteroom";
/// Stands before the session in a cookie of the name [`HOST`], so that what is given out under it is of no use under [`PLAIN`].
const KEPT: &str = "host.";
/// The same while the session came from a plain cookie, which the browser was told to drop.
const MOVED: &str = "moved.";
/// Stands before the session in what a request that deletes everything is confirmed by.
const FORGET: &str = "forget.";
/// Reads and writes the session's cookie.
///
/// Where cookies are secure, the one with the `__Host-` name wins over every plain one. A plain one of before is understood where
/// there is no other: it becomes one with the new name on the first page, and the browser is told to drop it. If it is still there
/// afterwards, it was not ours to drop: another host has put it there (with `Domain=`), so its session belongs to no browser of ours.
#[derive(Clone)]
pub struct CookieJar {
    pub(super) key: CookieKey,
    pub(super) secure: bool,
}

/// What the cookies of a request name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// A session, by the cookie that it is to have.
    Kept(SessionId),
    /// A session whose plain cookie has been dropped.
    Moved(SessionId),
    /// A session by a plain cookie.
    Plain(SessionId),
}

impl CookieJar {
    /// A jar that signs with `key`; `secure` marks its cookies for HTTPS only.
    #[must_use]
    pub const fn new(key: CookieKey, secure: bool) -> Self {
        Self { key, secure }
    }

    /// The session that a `Cookie` header names, if its signature is right.
    #[must_use]
    pub fn session(&self, header: &str) -> Option<SessionId> {
        let (Named::Kept(id) | Named::Moved(id) | Named::Plain(id)) = self.named(header)?;
        Some(id)
    }

    fn named(&self, header: &str) -> Option<Named> {
        let plain = || self.values(header, PLAIN).find_map(|value| session(&value, ""));
        let own = self.values(header, HOST).find_map(|value| {
            let kept = session(&value, KEPT).map(Named::Kept);
            kept.or_else(|| session(&value, MOVED).map(Named::Moved))
        });
        match own {
            Some(Named::Moved(_)) if self.secure && plain().is_some() => None,
            Some(named) => Some(named),
            None => plain().map(Named::Plain),
        }
    }

    /// The values of the cookies of this name whose signature is right.
    fn values<'a>(&'a self, header: &'a str, name: &'static str) -> impl Iterator<Item = String> + 'a {
        // Several cookies of one name can come from several paths; one that is ours is enough.
        sent(header, name).filter_map(|cookie| self.verify(cookie.value()))
    }

    /// The `Set-Cookie` headers that make a browser that session, or let it be so for longer; `header` is the `Cookie` header
    /// that it has sent.
    #[must_use]
    pub fn set_cookies(&self, session: SessionId, header: &str) -> Vec<String> {
        let (name, other) = if self.secure { (HOST, PLAIN) } else { (PLAIN, HOST) };
        let mark = match self.named(header) {
            _ if !self.secure => "",
            Some(Named::Plain(id)) if id == session => MOVED,
            _ => KEPT,
        };
        let cookie = Cookie::build((name, self.sign(&format!("{mark}{}", session.0.simple()))))
            .max_age(Duration::days(365))
            .secure(self.secure);
        let mut cookies = vec![cookie];
        let stale = sent(header, other).any(|cookie| {
            let named = self.verify(cookie.value());
            self.secure || named.and_then(|value| self::session(&value, KEPT)) != Some(session)
        });
        if stale {
            // Over plain HTTP browsers ignore this: a site that only claims to be behind HTTPS costs nobody their session.
            cookies.push(Cookie::build((other, "")).max_age(Duration::ZERO).secure(true));
        }
        let written = cookies
            .into_iter()
            .map(|cookie| cookie.path("/").http_only(true).same_site(SameSite::Lax).to_string());
        written.collect()
    }

    /// What a request that deletes everything of this session has to bring along: only its own pages know it.
    #[must_use]
    pub fn confirmation(&self, session: SessionId) -> String {
        let value = format!("{FORGET}{}", session.0.simple());
        let mut signed = self.sign(&value);
        signed.truncate(signed.len() - value.len());
        signed
    }

    /// Whether this is the [`CookieJar::confirmation`] of a session. Takes as long whatever is wrong with it.
    #[must_use]
    pub fn confirms(&self, session: SessionId, confirmation: &str) -> bool {
        let value = format!("{FORGET}{}", session.0.simple());
        self.verify(&format!("{confirmation}{value}")) == Some(value)
    }

    /// The signature, and behind it the value. It does not cover a cookie's name.
    pub(super) fn sign(&self, value: &str) -> String {
        let mut jar = cookie::CookieJar::new();
        jar.signed_mut(&self.key.0).add((PLAIN, value.to_owned()));
        jar.get(PLAIN)
            .map(|cookie| cookie.value().to_owned())
            .unwrap_or_default()
    }

    /// The value behind a signature that is right.
    fn verify(&self, signed: &str) -> Option<String> {
        let jar = cookie::CookieJar::new();
        let cookie = jar.signed(&self.key.0).verify(Cookie::new(PLAIN, signed.to_owned()))?;
        Some(cookie.value().to_owned())
    }
}

/// The cookies of this name in a `Cookie` header.
pub(super) fn sent<'a>(header: &'a str, name: &'static str) -> impl Iterator<Item = Cookie<'a>> {
    let cookies = Cookie::split_parse(header).flatten();
    cookies.filter(move |cookie| cookie.name() == name)
}

/// The session in a cookie's value, behind this mark.
fn session(value: &str, mark: &str) -> Option<SessionId> {
    Uuid::try_parse(value.strip_prefix(mark)?).ok().map(SessionId)
}

#[cfg(test)]
mod tests;
