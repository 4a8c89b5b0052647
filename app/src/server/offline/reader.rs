//! Whose a page is, for the browser's own use: what is kept there goes once somebody else reads. It says nothing of who that is.

use anteroom::accounts::Principal;
use axum::{
    http::{Extensions, HeaderName, HeaderValue},
    response::Response,
};
use sha2::{Digest as _, Sha256};

/// Says with a page whose it is.
const READER: HeaderName = HeaderName::from_static("anteroom-reader");

/// A name for the owner who asks, of which nothing can be told but whether two are the same.
pub(crate) fn reader_of(request: &Extensions) -> Option<String> {
    let who: &Principal = request.get()?;
    let name = Sha256::new()
        .chain_update(b"reader of pages\0")
        .chain_update(who.owner().0.to_be_bytes())
        .finalize();
    Some(name[..8].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Marks a page as this reader's. `gone`: it shows that they have no conversation of that id.
pub(in crate::server) fn mark(response: &mut Response, reader: Option<&str>, gone: bool) {
    let said = reader.map(|reader| {
        if gone {
            format!("{reader} gone")
        } else {
            reader.to_owned()
        }
    });
    if let Some(said) = said.and_then(|said| HeaderValue::from_str(&said).ok()) {
        response.headers_mut().insert(READER, said);
    }
}

#[cfg(test)]
mod tests {
    use anteroom::sessions::SessionId;

    use super::*;

    #[test]
    fn readers_are_told_apart_without_being_named() {
        let request = |session| {
            let mut request = Extensions::new();
            request.insert(Principal::visitor(session));
            request
        };
        let [one, other] = [(); 2].map(|()| SessionId::random());
        let name = reader_of(&request(one)).expect("a name");
        assert_eq!(reader_of(&request(one)).as_ref(), Some(&name));
        assert_ne!(reader_of(&request(other)).as_ref(), Some(&name));
        assert!(!one.0.simple().to_string().contains(&name));
        assert_eq!(reader_of(&Extensions::new()), None);
    }
}
