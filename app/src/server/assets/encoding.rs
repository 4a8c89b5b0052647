//! Which form of a file a browser takes (RFC 9110, 12.5.3).

use axum::http::{HeaderMap, header};

/// A form that a file is kept in. In the order in which they are preferred: the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The ending of the file that `cargo xtask` writes beside the plain one.
    pub(super) fn extension(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gz"),
            Self::Identity => None,
        }
    }

    /// The value of `Content-Encoding`.
    pub(super) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    fn named(self, coding: &str) -> bool {
        match self {
            Self::Brotli => coding.eq_ignore_ascii_case("br"),
            Self::Gzip => coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip"),
            Self::Identity => coding.eq_ignore_ascii_case("identity"),
        }
    }
}

/// The best of the forms there are: the one with the highest weight, and of equals the smallest.
///
/// `Identity` where nothing is acceptable: a browser can do more with a file it did not ask for than with a 406.
pub(super) fn negotiate(headers: &HeaderMap, available: impl Iterator<Item = Encoding>) -> Encoding {
    let accepted = accepted(headers);
    available
        .map(|encoding| (weight(&accepted, encoding), encoding))
        .filter(|(weight, _)| *weight > 0)
        .max_by(|(a, x), (b, y)| a.cmp(b).then(y.cmp(x)))
        .map_or(Encoding::Identity, |(_, encoding)| encoding)
}

/// Every coding that the request names, with its weight in thousandths. A malformed weight counts as 0.
fn accepted(headers: &HeaderMap) -> Vec<(&str, u16)> {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|item| {
            let (coding, parameter) = item.split_once(';').unwrap_or((item, "q=1"));
            (coding.trim(), thousandths(parameter))
        })
        .collect()
}

fn thousandths(parameter: &str) -> u16 {
    let parameter = parameter.trim();
    let value = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
    match value.and_then(|value| value.trim().parse::<f32>().ok()) {
        // Between 0 and 1000, so nothing is cut off.
        Some(weight) if (0.0..=1.0).contains(&weight) => (weight * 1000.0) as u16,
        _ => 0,
    }
}

fn weight(accepted: &[(&str, u16)], encoding: Encoding) -> u16 {
    let named = accepted.iter().find(|(coding, _)| encoding.named(coding));
    let any = || accepted.iter().find(|(coding, _)| *coding == "*");
    match named.or_else(any) {
        Some((_, weight)) => *weight,
        // Not forbidden, but whatever the request names is liked better.
        None if encoding == Encoding::Identity => 1,
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip, Identity};

    fn chosen(accept: &[&'static str], available: &[Encoding]) -> Encoding {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT_ENCODING, axum::http::HeaderValue::from_static(value));
        }
        negotiate(&headers, available.iter().copied())
    }

    const ALL: &[Encoding] = &[Identity, Gzip, Brotli];

    #[test]
    fn browsers_get_brotli() {
        assert_eq!(chosen(&["gzip, deflate, br, zstd"], ALL), Brotli);
        assert_eq!(chosen(&["gzip, deflate", "BR"], ALL), Brotli);
        assert_eq!(chosen(&["*"], ALL), Brotli);
    }

    #[test]
    fn a_form_that_was_not_built_is_not_chosen() {
        assert_eq!(chosen(&["br, gzip"], &[Identity, Gzip]), Gzip);
        assert_eq!(chosen(&["br, gzip"], &[Identity]), Identity);
    }

    #[test]
    fn weights_are_respected() {
        assert_eq!(chosen(&["br;q=0.5, gzip;q=0.8"], ALL), Gzip);
        assert_eq!(chosen(&["br;q=0, gzip;q=0.1"], ALL), Gzip);
        assert_eq!(chosen(&["br; q=0, *; q=0.5"], ALL), Gzip);
        assert_eq!(chosen(&["identity, br;q=0.5"], ALL), Identity);
        assert_eq!(chosen(&["br;q=nonsense, gzip"], ALL), Gzip);
        assert_eq!(chosen(&["br;q=NaN, gzip;q=7"], ALL), Identity);
    }

    #[test]
    fn without_a_usable_header_the_plain_file_is_sent() {
        assert_eq!(chosen(&[], ALL), Identity);
        assert_eq!(chosen(&[""], ALL), Identity);
        assert_eq!(chosen(&["deflate"], ALL), Identity);
        assert_eq!(chosen(&["identity;q=0"], ALL), Identity);
        assert_eq!(chosen(&["*;q=0"], ALL), Identity);
    }
}
