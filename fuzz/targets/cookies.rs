//! A `Cookie` header: nobody gets a session from it whose cookie we did not sign, and other cookies do not hide ours.
//!
//! Input: the header.
#![no_main]

use std::{path::Path, sync::LazyLock};

use anteroom::{
    sessions::{CookieJar, CookieKey, SessionId},
    settings::Secret,
};
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

const SESSION: SessionId = SessionId(Uuid::from_u128(0x0123_4567_89ab_cdef));

struct Signed {
    jar: CookieJar,
    /// `name=value` of a cookie of ours.
    cookie: String,
}

static SIGNED: LazyLock<Signed> = LazyLock::new(|| {
    let secret = Secret("a key that no input of this target can know".to_owned());
    let key = CookieKey::load(Some(&secret), Path::new("unused")).expect("it is long enough");
    let jar = CookieJar::new(key, true);
    let set = jar.set_cookies(SESSION, "").remove(0);
    let cookie = set.split(';').next().unwrap_or_default().to_owned();
    Signed { jar, cookie }
});

fuzz_target!(|data: &[u8]| {
    let Signed { jar, cookie } = &*SIGNED;
    let header = String::from_utf8_lossy(data);
    assert_eq!(jar.session(&header), None, "forged");
    assert_eq!(jar.session(&format!("{cookie}; {header}")), Some(SESSION));
    assert_eq!(jar.session(&format!("{header}; {cookie}")), Some(SESSION));

    // One character of the signature or the name changed is another cookie.
    let spoilt = data.first().map(|byte| usize::from(*byte) % cookie.len());
    if let Some(at) = spoilt {
        let mut forged = cookie.clone();
        let other = if &cookie[at..=at] == "0" { "1" } else { "0" };
        forged.replace_range(at..=at, other);
        assert_eq!(jar.session(&forged), None, "{forged}");
    }
});
