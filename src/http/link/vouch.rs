//! For whom a node asks that is a program: it has checked the key, or has seen that there need be none, and the home believes it.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::accounts::{KeyId, Program};

/// Who it is. It is of ours, so nobody outside can send it.
const PROGRAM: HeaderName = HeaderName::from_static("x-anteroom-program");
/// From where it asks. Likewise.
const ADDRESS: HeaderName = HeaderName::from_static("x-anteroom-address");

/// Marks a request that has come over the link, with the program for which it was sent, if it was, and the address that its tokens are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct Vouched(pub(in crate::http) Option<Program>, pub(in crate::http) Option<IpAddr>);

/// Says for whom a request is.
pub(super) fn write(headers: &mut HeaderMap, program: Program, address: Option<IpAddr>) {
    let Program { key: KeyId(id), scopes } = program;
    let program = format!("{} {scopes}", id.simple());
    for (name, value) in [
        (PROGRAM, Some(program)),
        (ADDRESS, address.map(|address| address.to_string())),
    ] {
        if let Some(Ok(value)) = value.map(|value| HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
}

/// For whom it is.
pub(super) fn read(headers: &HeaderMap) -> Vouched {
    let written = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let program = written(PROGRAM).and_then(|written| {
        let (id, scopes) = written.split_once(' ')?;
        Some(Program {
            key: KeyId(Uuid::try_parse(id).ok()?),
            scopes: scopes.parse().ok()?,
        })
    });
    let address = written(ADDRESS).and_then(|written| written.parse().ok());
    Vouched(program, address)
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
            for address in [None, "192.0.2.1".parse().ok(), "2001:db8::".parse().ok()] {
                write(&mut headers, program, address);
                assert_eq!(read(&headers), Vouched(Some(program), address));
            }
        }
        assert_eq!(read(&HeaderMap::new()), Vouched(None, None));
        for wrong in [
            "",
            "x chat",
            "00000000000000000000000000000001",
            "00000000000000000000000000000001 all",
        ] {
            let headers = [(PROGRAM, HeaderValue::from_str(wrong).expect("a value"))];
            assert_eq!(read(&headers.into_iter().collect()), Vouched(None, None), "{wrong}");
        }
    }
}
