//! The header that gives a download its name.

use axum::http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `Content-Disposition` of this kind (`attachment`, `inline`) for a file of this name: in ASCII for old clients, and whole for all
/// others (RFC 6266).
pub(super) fn disposition(kind: &'static str, name: &str) -> HeaderValue {
    // Some clients decode what looks percent-encoded, though nothing is here.
    let ascii = name.replace(
        |c: char| !(c.is_ascii_graphic() || c == ' ') || matches!(c, '"' | '\\' | '%'),
        "_",
    );
    let whole = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let header = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{whole}");
    HeaderValue::from_str(&header).unwrap_or(HeaderValue::from_static(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whole_in_one_form_and_harmless_in_the_other() {
        for (name, header) in [
            (
                "notes.md",
                r#"attachment; filename="notes.md"; filename*=UTF-8''notes%2Emd"#,
            ),
            (
                "TCP-IP- a 'guide'.md",
                r#"attachment; filename="TCP-IP- a 'guide'.md"; filename*=UTF-8''TCP%2DIP%2D%20a%20%27guide%27%2Emd"#,
            ),
            (
                "ä\"; filename=\"x\\%41\r\n😀",
                r#"attachment; filename="__; filename=_x__41___"; filename*=UTF-8''%C3%A4%22%3B%20filename%3D%22x%5C%2541%0D%0A%F0%9F%98%80"#,
            ),
        ] {
            assert_eq!(disposition("attachment", name), header, "{name:?}");
        }
    }
}
