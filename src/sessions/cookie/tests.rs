//! Cookies as browsers have them: whose they are, and whose they are not.

use std::fs;

use cookie::Key;

use super::*;
use crate::{data_dir::KEY_FILE, settings::Secret};

fn jar() -> CookieJar {
    CookieJar::new(CookieKey(Key::generate()), false)
}

/// The same jar once the site is behind HTTPS.
fn secured(jar: &CookieJar) -> CookieJar {
    CookieJar::new(jar.key.clone(), true)
}

/// A browser: takes cookies, and sends back what it has.
#[derive(Default)]
struct Browser(std::collections::BTreeMap<String, String>);

impl Browser {
    fn header(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn take(&mut self, cookies: Vec<String>) {
        for cookie in cookies {
            let (pair, attributes) = cookie.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            if attributes.contains("Max-Age=0") {
                self.0.remove(name);
            } else {
                self.0.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Opens a page, and says whose it is.
    fn opens_a_page(&mut self, jar: &CookieJar) -> SessionId {
        let session = jar.session(&self.header()).unwrap_or_else(SessionId::random);
        self.take(jar.set_cookies(session, &self.header()));
        session
    }
}

#[test]
fn a_fingerprint_tells_keys_apart_and_opens_nothing() {
    let (one, other) = (jar(), jar());
    let fingerprint = one.key.fingerprint();
    assert_eq!(fingerprint, one.key.fingerprint());
    assert_ne!(fingerprint, other.key.fingerprint());
    assert!(fingerprint.len() >= 40, "{fingerprint}");
    let header = format!("anteroom={fingerprint}fingerprint");
    assert_eq!(one.session(&header), None);
}

#[test]
fn a_cookie_comes_back_as_its_session() {
    let jar = jar();
    let session = SessionId::random();
    let set = jar.set_cookies(session, "");
    let [set] = &*set else { panic!("{set:?}") };
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && set.starts_with("anteroom="), "{set}");
    let header = set.split(';').next().expect("a pair");
    assert_eq!(jar.session(header), Some(session));
    assert_eq!(jar.session(&format!("theme=dark; {header}; x=y")), Some(session));
    assert_eq!(jar.session(&format!("anteroom=old; {header}")), Some(session));
    let secure = secured(&jar).set_cookies(session, "");
    let [set] = &*secure else { panic!("{secure:?}") };
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Secure", "Max-Age=31536000"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Domain") && set.starts_with("__Host-anteroom="), "{set}");
}

/// The bytes are those that version 0.1.0 has signed, of a key in a file and of one in `SECRET_KEY`: browsers have such cookies for a year.
#[test]
fn cookies_that_0_1_0_has_signed_are_their_sessions() {
    let session = SessionId(Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
    let folder = tempfile::tempdir().expect("a folder");
    let key: Vec<u8> = (0..64).collect();
    fs::write(folder.path().join(KEY_FILE), key).expect("written");
    let kept = CookieKey::load_kept(None, folder.path()).expect("it is there");
    let given = Secret("a key that somebody has made up in 2026".into());
    let given = CookieKey::load_kept(Some(&given), folder.path()).expect("long enough");
    for (key, plain, host) in [
        (
            kept,
            "HJG10vopVvBgMXM5x/jMwr0/+Q/6ikLoiC48u+azxTg=",
            "ekCQvywJdnt8I0M1jI7mQKbGyyArMR8mZNb5GEJn6EI=",
        ),
        (
            given,
            "OesP3oGlxaYfIXANlk2bGqpxyh1QUyPnMS+txI9M0gk=",
            "mXw6CKXbo38EI7Y1h9KB14TAGsd71uciYUOpJw6pB6k=",
        ),
    ] {
        let jar = CookieJar::new(key, false);
        let plain = format!("anteroom={plain}0123456789abcdef0123456789abcdef");
        assert_eq!(jar.session(&plain), Some(session));
        assert_eq!(secured(&jar).session(&plain), Some(session));
        let host = format!("__Host-anteroom={host}host.0123456789abcdef0123456789abcdef");
        assert_eq!(secured(&jar).session(&host), Some(session));
    }
}

#[test]
fn forged_cookies_are_nobody() {
    let jar = jar();
    let session = SessionId::random();
    let plain = session.0.simple().to_string();
    let cookie = |jar: &CookieJar| jar.set_cookies(session, "").remove(0);
    let (own, foreign) = (cookie(&jar), cookie(&self::jar()));
    let header = |set: &str| set.split(';').next().expect("a pair").to_owned();
    let swapped = header(&own).replace(&plain, &SessionId::random().0.simple().to_string());
    let renamed = header(&own).replace("anteroom", HOST);
    let back = header(&cookie(&secured(&jar))).replace(HOST, PLAIN);
    let confirmation = format!("anteroom={}{plain}", jar.confirmation(session));
    for forged in [
        "",
        "anteroom=",
        &format!("anteroom={plain}"),
        &header(&foreign),
        &swapped,
        &renamed,
        &back,
        &confirmation,
        "anteroom=%FF%00",
    ] {
        assert_eq!(jar.session(forged), None, "{forged}");
        assert_eq!(secured(&jar).session(forged), None, "{forged}");
    }
}

#[test]
fn nobody_loses_their_session_when_the_site_goes_behind_https_or_back() {
    let jar = jar();
    let secure = secured(&jar);
    let mut browser = Browser::default();
    let session = browser.opens_a_page(&jar);
    assert_eq!(
        secure.session(&browser.header()),
        Some(session),
        "a page that was open goes on"
    );
    for page in 0..3 {
        assert_eq!(browser.opens_a_page(&secure), session, "page {page}");
        assert_eq!(browser.0.keys().collect::<Vec<_>>(), [HOST], "page {page}");
    }
    for page in 0..2 {
        assert_eq!(browser.opens_a_page(&jar), session, "back, page {page}");
    }
    assert_eq!(browser.opens_a_page(&secure), session);
    assert_eq!(browser.0.keys().collect::<Vec<_>>(), [HOST]);
    // Two pages at once, both asked for with the old cookie.
    let mut browser = Browser::default();
    let session = browser.opens_a_page(&jar);
    let old = browser.header();
    for _ in 0..2 {
        browser.take(secure.set_cookies(session, &old));
    }
    assert_eq!(browser.opens_a_page(&secure), session);
    // What is deleted on purpose is gone under either name.
    for jar in [&secure, &jar, &secure] {
        let new = SessionId::random();
        browser.take(jar.set_cookies(new, &browser.header()));
        assert_eq!(browser.opens_a_page(jar), new);
    }
}

#[test]
fn a_plain_cookie_from_a_subdomain_fixes_nobodys_session() {
    let jar = jar();
    let secure = secured(&jar);
    let mut attacker = Browser::default();
    let theirs = attacker.opens_a_page(&jar);
    let planted = attacker.header();
    // One who has a session keeps it.
    let mut browser = Browser::default();
    let own = browser.opens_a_page(&secure);
    for page in 0..2 {
        assert_eq!(
            secure.session(&format!("{planted}; {}", browser.header())),
            Some(own),
            "page {page}"
        );
        browser.take(secure.set_cookies(own, &format!("{planted}; {}", browser.header())));
    }
    // One who comes for the first time is rid of it with the next request: a cookie of another host's cannot be dropped.
    let mut browser = Browser::default();
    browser.take(secure.set_cookies(theirs, &planted));
    let next = format!("{planted}; {}", browser.header());
    assert_eq!(secure.session(&next), None);
    let fresh = SessionId::random();
    browser.take(secure.set_cookies(fresh, &next));
    assert_eq!(secure.session(&format!("{planted}; {}", browser.header())), Some(fresh));
    // What the site gives out behind HTTPS cannot be planted at all.
    let given = browser.header().replace(HOST, PLAIN);
    assert_eq!(secure.session(&given), None);
}

#[test]
fn a_confirmation_is_one_sessions() {
    let jar = jar();
    let [mine, other] = [(); 2].map(|()| SessionId::random());
    let confirmation = jar.confirmation(mine);
    assert!(jar.confirms(mine, &confirmation));
    let cookie = jar.set_cookies(mine, "").remove(0);
    let signature = &cookie["anteroom=".len()..][..confirmation.len()];
    for (session, wrong) in [
        (other, &*confirmation),
        (mine, ""),
        (mine, &confirmation[1..]),
        (mine, &format!("{confirmation}x")),
        (mine, &self::jar().confirmation(mine)),
        (mine, signature),
    ] {
        assert!(!jar.confirms(session, wrong), "{wrong}");
    }
}
