//! The signed cookie that a browser is known by.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use cookie::{Cookie, Key, SameSite, time::Duration};
use thiserror::Error;
use uuid::Uuid;

use super::SessionId;
use crate::{
    data_dir::KEY_FILE,
    settings::{Secret, file},
};

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
/// What is signed to tell one key from another.
const FINGERPRINT: &str = "fingerprint";
/// Bytes that a key must have at least.
const KEY_BYTES: usize = 32;
/// Bytes that are read of it at most.
const LONGEST: u64 = 64 * 1024;

/// The key could not be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It is too short to keep a forger out.
    #[error("SECRET_KEY has {0} bytes; it needs at least {KEY_BYTES}. Make one with: openssl rand -base64 48")]
    TooShort(usize),
    /// The file of an earlier start has lost the key.
    #[error(
        "{path} has {bytes} bytes, and a key has at least {KEY_BYTES}: it is damaged. Restore it from the last back-up. Do not remove it \
         instead: with another key nobody finds their conversations again (see docs/operating.md)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// There was a key, and it is gone.
    #[error(
        "{path} is missing, and there are conversations. With another key nobody would find theirs again, so none has been made. \
         Restore the file from the last back-up, or set SECRET_KEY again if it was set before. To go on with another key on \
         purpose: (umask 077; openssl rand -out {path} 64), and see docs/operating.md"
    )]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There is no key, and none is made: what is stored is elsewhere, and it would not be kept with it.
    #[error(
        "SECRET_KEY is not set, and {path} is not there. With DATABASE_URL no key is made, for it has to be kept apart from the database: set \
         SECRET_KEY to what `openssl rand -base64 48` says, and keep that"
    )]
    Needed {
        /// The file.
        path: PathBuf,
    },
    /// The conversations are of cookies that another key has signed.
    #[error(
        "the database was begun with another key. With this one nobody would find their conversations, so nothing has been changed. Set \
         SECRET_KEY to what it was before (or put the {KEY_FILE} of before into DATA_DIR). To go on with this key on purpose: UPDATE site SET \
         fingerprint = NULL, and see docs/postgres.md"
    )]
    Other,
    /// The file with the key of an earlier start cannot be read or written.
    #[error("the key that signs the cookies cannot be kept in {path}: {source}. Mend that, or set SECRET_KEY")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Signs cookies and checks their signatures.
#[derive(Clone)]
pub struct CookieKey(pub(super) Key);

impl CookieKey {
    /// The key of the settings, or the one kept in `data_dir`, made there where there is none.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(secret: Option<&Secret>, data_dir: &Path) -> Result<Self, KeyError> {
        Self::find(secret, data_dir, |path| {
            make(path).map_err(|source| KeyError::File {
                path: path.into(),
                source,
            })
        })
    }

    /// The same for a site that has conversations: what has signed their cookies is not replaced.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_kept(secret: Option<&Secret>, data_dir: &Path) -> Result<Self, KeyError> {
        Self::find(secret, data_dir, |path| Err(KeyError::Missing { path: path.into() }))
    }

    /// The key of the settings, or the one kept in `data_dir`, for a site whose conversations are kept elsewhere: none is made.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load_for_database(secret: Option<&Secret>, data_dir: &Path) -> Result<Self, KeyError> {
        Self::find(secret, data_dir, |path| Err(KeyError::Needed { path: path.into() }))
    }

    /// What tells this key from another, and nothing of the key itself: its signature of words that no cookie has.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut signed = CookieJar::new(self.clone(), false).sign(FINGERPRINT);
        signed.truncate(signed.len() - FINGERPRINT.len());
        signed
    }

    fn find(
        secret: Option<&Secret>,
        data_dir: &Path,
        missing: impl FnOnce(&Path) -> Result<Vec<u8>, KeyError>,
    ) -> Result<Self, KeyError> {
        let bytes = match secret {
            Some(Secret(text)) if text.len() < KEY_BYTES => return Err(KeyError::TooShort(text.len())),
            Some(Secret(text)) => text.as_bytes().to_vec(),
            None => {
                let path = data_dir.join(KEY_FILE);
                match file::read(&path, LONGEST) {
                    Ok(bytes) if bytes.len() >= KEY_BYTES => bytes,
                    Ok(bytes) => {
                        let bytes = bytes.len();
                        return Err(KeyError::Damaged { path, bytes });
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => missing(&path)?,
                    Err(source) => return Err(KeyError::File { path, source }),
                }
            }
        };
        Ok(Self(Key::derive_from(&bytes)))
    }
}

fn make(path: &Path) -> io::Result<Vec<u8>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let key: [u8; 64] = rand::random();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key.to_vec())
}

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
    fn sign(&self, value: &str) -> String {
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
mod tests {
    use super::*;

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
        let header = format!("anteroom={fingerprint}{FINGERPRINT}");
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
                "TKQF54nmuJWQIjJzi7ev/DaCVFkIbDI4Q4qks9aa/Ds=",
                "hFhO6DY4WZaCWVzh5A6ZCZfQHRu4pPbfrb3bltsvztg=",
            ),
            (
                given,
                "bj9AbeTHusoyj6TudrSrtPu6x2Q9dIfNBtijS/td4dA=",
                "93n3GPNjn0yuf5mKZToXcL2ZKpzuue2OaA76ZQLY6e8=",
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

    #[test]
    fn the_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let first = CookieKey::load(None, &data).expect("made");
        let second = CookieKey::load(None, &data).expect("kept");
        assert_eq!(first.0, second.0);
        let short = Secret("short".into());
        assert!(matches!(
            CookieKey::load(Some(&short), &data),
            Err(KeyError::TooShort(5))
        ));
    }

    #[test]
    fn a_key_that_is_lost_is_not_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(KEY_FILE);
        let said = |loaded: Result<CookieKey, KeyError>| match loaded {
            Ok(_) => panic!("it has a key"),
            Err(error) => error.to_string(),
        };
        let missing = said(CookieKey::load_kept(None, folder.path()));
        for part in [
            "secret.key is missing",
            "last back-up",
            "SECRET_KEY",
            "openssl rand -out",
        ] {
            assert!(missing.contains(part), "{part}: {missing}");
        }
        assert!(!path.exists());
        for content in ["", "x"] {
            fs::write(&path, content).expect("written");
            for loaded in [
                CookieKey::load(None, folder.path()),
                CookieKey::load_kept(None, folder.path()),
            ] {
                let damaged = said(loaded);
                for part in [
                    &format!("has {} bytes", content.len()),
                    "last back-up",
                    "Do not remove it",
                ] {
                    assert!(damaged.contains(part), "{part}: {damaged}");
                }
            }
        }
        fs::remove_file(&path).expect("removed");
        fs::create_dir(&path).expect("made");
        assert!(said(CookieKey::load(None, folder.path())).contains("a folder is there"));
        fs::remove_dir(&path).expect("removed");
        let made = CookieKey::load(None, folder.path()).expect("made");
        assert_eq!(CookieKey::load_kept(None, folder.path()).expect("kept").0, made.0);
        let given = Secret("x".repeat(KEY_BYTES));
        assert!(CookieKey::load_kept(Some(&given), &folder.path().join("nothing")).is_ok());
    }
}
