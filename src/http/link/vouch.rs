//! For whom a node asks that is a program: it has checked the key, or has seen that there need be none, and the home believes it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::accounts::{KeyId, Program};

/// Who it is. It is of ours, so nobody outside can send it.
const PROGRAM: HeaderName = HeaderName::from_static("x-anteroom-program");

/// Marks a request that has come over the link, with the program for which it was sent, if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Vouched(pub(in crate::http) Option<Program>);

/// Says for whom a request is.
pub(super) fn write(headers: &mut HeaderMap, Program { key: KeyId(id), scopes }: Program) {
    if let Ok(value) = HeaderValue::from_str(&format!("{} {scopes}", id.simple())) {
        headers.insert(PROGRAM, value);
    }
}

/// For whom it is.
pub(super) fn read(headers: &HeaderMap) -> Vouched {
    let written = headers.get(PROGRAM).and_then(|value| value.to_str().ok());
    Vouched(written.and_then(|written| {
        let (id, scopes) = written.split_once(' ')?;
        Some(Program {
            key: KeyId(Uuid::try_parse(id).ok()?),
            scopes: scopes.parse().ok()?,
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Scope, Scopes};

    #[test]
    fn a_program_comes_as_it_was_sent() {
        for scopes in [
            Scopes::NONE,
            Scopes::NONE.with(Scope::Chat),
            Scopes::WORK.with(Scope::Metrics),
        ] {
            let program = Program {
                key: KeyId(Uuid::new_v4()),
                scopes,
            };
            let mut headers = HeaderMap::new();
            write(&mut headers, program);
            assert_eq!(read(&headers), Vouched(Some(program)));
        }
        assert_eq!(read(&HeaderMap::new()), Vouched(None));
        for wrong in [
            "",
            "x chat",
            "00000000000000000000000000000001",
            "00000000000000000000000000000001 all",
        ] {
            let headers = [(PROGRAM, HeaderValue::from_str(wrong).expect("a value"))];
            assert_eq!(read(&headers.into_iter().collect()), Vouched(None), "{wrong}");
        }
    }
}
