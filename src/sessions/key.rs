//! The key that signs cookies, and where it comes from.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use cookie::Key;
use thiserror::Error;

use super::CookieJar;
use crate::{
    data_dir::KEY_FILE,
    settings::{Secret, file},
};

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

#[cfg(test)]
mod tests {
    use super::*;

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
