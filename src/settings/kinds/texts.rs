//! Keys, addresses, paths, prose.

use std::{net::SocketAddr, path::PathBuf};

use tracing_subscriber::EnvFilter;

use super::{
    super::{
        Secret,
        allowed::{Allowed, Unit},
    },
    Kind,
};

impl Kind for Secret {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed {
            unit: Unit::Characters,
            ..Allowed::just("text", "text without spaces")
        }
    }

    fn parse(text: &str) -> Option<Self> {
        // A key goes into a header; anything else in it is a slip of the clipboard.
        text.chars()
            .all(|c| c.is_ascii_graphic())
            .then(|| Self(text.to_owned()))
    }

    fn measure(value: &Self) -> Option<f64> {
        Text::measure(&value.0)
    }
}

/// Text that may say anything.
pub struct Text;

impl Kind for Text {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed {
            unit: Unit::Characters,
            ..Allowed::just("text", "text")
        }
    }

    fn parse(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    fn measure(value: &String) -> Option<f64> {
        Some(value.chars().count() as f64)
    }
}

/// The address that a provider's paths are put behind.
pub(in crate::settings) struct BaseUrl;

impl Kind for BaseUrl {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed {
            note: "; keys stand elsewhere",
            ..Allowed::just(
                "http(s) address",
                "an http or https address without user name, password or query (such as http://127.0.0.1:8000/v1)",
            )
        }
    }

    fn parse(text: &str) -> Option<String> {
        let url = reqwest::Url::parse(text).ok()?;
        // A comma stands between two.
        let plain = !text.contains(',')
            && matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| text.to_owned())
    }
}

/// A name that people read: on one line.
pub(in crate::settings) struct Title;

impl Kind for Title {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed {
            unit: Unit::Characters,
            ..Allowed::just("text", "text on one line")
        }
    }

    fn parse(text: &str) -> Option<String> {
        (!text.contains(char::is_control)).then(|| text.to_owned())
    }

    fn measure(value: &String) -> Option<f64> {
        Text::measure(value)
    }
}

impl Kind for SocketAddr {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just(
            "IP address and port",
            "an IP address and a port (such as 127.0.0.1:3000, 0.0.0.0:80 or [::1]:3000)",
        )
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Kind for PathBuf {
    type Value = Self;

    fn allowed() -> Allowed {
        Allowed::just("directory", "a directory")
    }

    fn parse(text: &str) -> Option<Self> {
        (!text.contains('\0')).then(|| Self::from(text))
    }
}

/// A file that the operator keeps. Whether it is there shows when it is read.
pub(in crate::settings) struct FilePath;

impl Kind for FilePath {
    type Value = PathBuf;

    fn allowed() -> Allowed {
        Allowed::just("file", "a file")
    }

    fn parse(text: &str) -> Option<PathBuf> {
        PathBuf::parse(text)
    }
}

/// A filter of log records that `tracing-subscriber` takes.
pub struct LogFilter;

impl Kind for LogFilter {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "a filter",
            "off, error, warn, info, debug or trace, also per module (such as info,anteroom::queue=debug)",
        )
    }

    fn parse(text: &str) -> Option<String> {
        EnvFilter::builder().parse(text).is_ok().then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_carries_no_secrets() {
        for text in ["http://127.0.0.1:8000/v1", "https://example.org"] {
            assert!(BaseUrl::parse(text).is_some(), "{text}");
        }
        for text in [
            "localhost:8000",
            "ftp://example.org",
            "http://me:pw@example.org",
            "https://example.org/?key=1",
            "http://one,http://two",
            "x",
        ] {
            assert!(BaseUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_log_filter_is_checked_before_it_is_used() {
        assert!(LogFilter::parse("info,anteroom::queue=debug").is_some());
        assert!(LogFilter::parse("anteroom=loud").is_none());
    }
}
