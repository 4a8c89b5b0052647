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
use crate::settings::Secret;

/// The cookie's name.
const NAME: &str = "anteroom";
/// Where the key is kept when `SECRET_KEY` is unset, inside `DATA_DIR`.
pub(crate) const KEY_FILE: &str = "secret.key";
/// Bytes that a key must have at least.
const KEY_BYTES: usize = 32;

/// The key could not be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It is too short to keep a forger out.
    #[error("SECRET_KEY has {0} bytes; it needs at least {KEY_BYTES}. Make one with: openssl rand -base64 48")]
    TooShort(usize),
    /// The file with the key of an earlier start cannot be read or written.
    #[error(
        "the key that signs the cookies cannot be kept in {path}: {source}. Make DATA_DIR writable, or set SECRET_KEY"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Signs cookies and checks their signatures.
#[derive(Clone)]
pub struct CookieKey(Key);

impl CookieKey {
    /// The key of the settings, or the one kept in `data_dir`, made there on the first start.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn load(secret: Option<&Secret>, data_dir: &Path) -> Result<Self, KeyError> {
        match secret {
            Some(Secret(text)) if text.len() < KEY_BYTES => Err(KeyError::TooShort(text.len())),
            Some(Secret(text)) => Ok(Self(Key::derive_from(text.as_bytes()))),
            None => {
                let path = data_dir.join(KEY_FILE);
                let bytes = kept_or_made(&path).map_err(|source| KeyError::File {
                    path: path.clone(),
                    source,
                })?;
                Ok(Self(Key::derive_from(&bytes)))
            }
        }
    }
}

fn kept_or_made(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(bytes) if bytes.len() >= KEY_BYTES => return Ok(bytes),
        Ok(_) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the file is too short to be a key; remove it",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
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
#[derive(Clone)]
pub struct CookieJar {
    key: CookieKey,
    secure: bool,
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
        // Several cookies of one name can come from several paths; one that is ours is enough.
        Cookie::split_parse(header)
            .flatten()
            .filter(|cookie| cookie.name() == NAME)
            .find_map(|cookie| {
                let mut jar = cookie::CookieJar::new();
                jar.add_original(cookie.into_owned());
                let value = jar.signed(&self.key.0).get(NAME)?;
                Uuid::try_parse(value.value()).ok().map(SessionId)
            })
    }

    /// The `Set-Cookie` header that makes a browser that session.
    #[must_use]
    pub fn set_cookie(&self, session: SessionId) -> String {
        let cookie = Cookie::build((NAME, session.0.simple().to_string()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure)
            .max_age(Duration::days(365))
            .build();
        let mut jar = cookie::CookieJar::new();
        jar.signed_mut(&self.key.0).add(cookie);
        jar.delta().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jar() -> CookieJar {
        CookieJar::new(CookieKey(Key::generate()), false)
    }

    fn header(set_cookie: &str) -> &str {
        set_cookie.split(';').next().expect("split gives at least one part")
    }

    #[test]
    fn a_cookie_comes_back_as_its_session() {
        let jar = jar();
        let session = SessionId::random();
        let set = jar.set_cookie(session);
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(set.contains(part), "{set}");
        }
        assert!(!set.contains("Secure"));
        assert_eq!(jar.session(header(&set)), Some(session));
        assert_eq!(
            jar.session(&format!("theme=dark; {}; x=y", header(&set))),
            Some(session)
        );
        assert_eq!(jar.session(&format!("anteroom=old; {}", header(&set))), Some(session));
    }

    #[test]
    fn forged_cookies_are_nobody() {
        let jar = jar();
        let session = SessionId::random();
        let plain = session.0.simple().to_string();
        let foreign = self::jar().set_cookie(session);
        let own = jar.set_cookie(session);
        let swapped = header(&own).replace(&plain, &SessionId::random().0.simple().to_string());
        for forged in [
            "",
            "anteroom=",
            &format!("anteroom={plain}"),
            header(&foreign),
            &swapped,
            "anteroom=%FF%00",
        ] {
            assert_eq!(jar.session(forged), None, "{forged}");
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
        fs::write(data.join(KEY_FILE), "x").expect("written");
        assert!(matches!(CookieKey::load(None, &data), Err(KeyError::File { .. })));
    }
}
