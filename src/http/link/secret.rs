//! How nodes know each other: a token in a header, which only who has the key of the cookies can make.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;

use crate::{nodes::Incarnation, sessions::CookieJar};

/// What all headers of ours begin with.
const OURS: &str = "x-anteroom-";
/// The token.
const TOKEN: HeaderName = HeaderName::from_static("x-anteroom-link");
/// Which node is asked.
const NODE: HeaderName = HeaderName::from_static("x-anteroom-node");

/// The token of one site's nodes.
#[derive(Clone)]
pub(super) struct Token(HeaderValue);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    pub(super) fn of(jar: &CookieJar) -> Self {
        let hex: String = jar.link_key().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut value = HeaderValue::from_str(&hex).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        Self(value)
    }

    /// Whether a request has it. Takes as long wherever what it has differs.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let mut sent = headers.get_all(TOKEN).iter();
        match (sent.next(), sent.next()) {
            (Some(sent), None) => !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(sent.as_bytes())),
            _ => false,
        }
    }

    /// Puts it into a request, and whom that is for, if the sender knows.
    pub(super) fn sign(&self, headers: &mut HeaderMap, node: Option<Incarnation>) {
        headers.insert(TOKEN, self.0.clone());
        if let Some(value) = node.and_then(|node| HeaderValue::from_str(&written(node)).ok()) {
            headers.insert(NODE, value);
        }
    }
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addressee {
    /// Whoever is there.
    Anybody,
    /// This node, and no other.
    Node(Incarnation),
    /// Nobody that could be.
    Nobody,
}

/// Whom a request with the token is for.
pub(super) fn addressee(headers: &HeaderMap) -> Addressee {
    let Some(named) = headers.get(NODE) else {
        return Addressee::Anybody;
    };
    let node = named.to_str().ok().and_then(read);
    node.map_or(Addressee::Nobody, Addressee::Node)
}

/// A node as it is written on the link.
pub(super) fn written(node: Incarnation) -> String {
    format!("{:032x}", node.0)
}

/// The way back.
pub(super) fn read(text: &str) -> Option<Incarnation> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| digits).map(Incarnation)
}

/// Takes headers of ours away: nobody outside has any to say.
pub(super) fn drop_ours(headers: &mut HeaderMap) {
    let ours = headers.keys().filter(|name| name.as_str().starts_with(OURS));
    for name in ours.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sessions::CookieKey, settings::Secret};

    fn token(key: &str) -> Token {
        let secret = Secret(key.repeat(32));
        let key = CookieKey::load(Some(&secret), std::path::Path::new("nowhere")).expect("a key");
        Token::of(&CookieJar::new(key, false))
    }

    #[test]
    fn only_the_right_token_is_let_in_and_it_is_shown_nowhere() {
        let (ours, other) = (token("1"), token("2"));
        let mut headers = HeaderMap::new();
        assert!(!ours.admits(&headers));
        ours.sign(&mut headers, None);
        assert!(ours.admits(&headers) && !other.admits(&headers));
        let hex = headers[TOKEN].to_str().expect("text").to_owned();
        assert!(!format!("{ours:?} {headers:?}").contains(&hex));
        headers.append(TOKEN, HeaderValue::from_static("x"));
        assert!(!ours.admits(&headers), "twice is not once");
        for wrong in ["", &hex[1..], &format!("{hex}0"), &hex.to_uppercase().replace("0", "1")] {
            headers.insert(TOKEN, HeaderValue::from_str(wrong).expect("a value"));
            assert!(!ours.admits(&headers), "{wrong}");
        }
    }

    #[test]
    fn a_node_comes_back_as_it_was_written() {
        for node in [Incarnation(0), Incarnation(7), Incarnation(u128::MAX)] {
            assert_eq!(read(&written(node)), Some(node));
            let mut headers = HeaderMap::new();
            token("1").sign(&mut headers, Some(node));
            assert_eq!(addressee(&headers), Addressee::Node(node));
        }
        for wrong in [
            "",
            "7",
            "+0000000000000000000000000000007",
            "0000000000000000000000000000000g",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(addressee(&headers), Addressee::Anybody);
        headers.insert(NODE, HeaderValue::from_static("7"));
        assert_eq!(addressee(&headers), Addressee::Nobody);
    }

    #[test]
    fn headers_of_ours_are_taken_away_and_no_others() {
        let mut headers = HeaderMap::new();
        token("1").sign(&mut headers, Some(Incarnation(7)));
        headers.append("x-anteroom-else", HeaderValue::from_static("a"));
        headers.append("x-anteroom", HeaderValue::from_static("b"));
        headers.append("cookie", HeaderValue::from_static("c"));
        drop_ours(&mut headers);
        assert_eq!(headers.len(), 2);
        assert!(headers.contains_key("x-anteroom") && headers.contains_key("cookie"));
    }
}
