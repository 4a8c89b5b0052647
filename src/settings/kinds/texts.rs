//! Keys, addresses, paths, prose.

use std::{net::SocketAddr, path::PathBuf, str::FromStr as _};

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

/// The address of a database of PostgreSQL. It may hold a password.
pub struct DatabaseUrl;

/// What may stand behind the `?` of one. The database's client only warns of anything else, with its value.
const PARAMETERS: [&str; 13] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

impl Kind for DatabaseUrl {
    type Value = Secret;

    fn allowed() -> Allowed {
        Allowed::just(
            "postgres address",
            "the address of a PostgreSQL database (such as postgres://anteroom:password@127.0.0.1:5432/anteroom, with sslmode, sslrootcert, sslcert \
             and sslkey behind a ?; what is no letter or digit in a name or a password is written as %40 and the like)",
        )
    }

    fn parse(text: &str) -> Option<Secret> {
        let url = reqwest::Url::parse(text).ok()?;
        let known = url.query_pairs().all(|(name, _)| PARAMETERS.contains(&&*name));
        let named = |parameter| {
            url.query_pairs()
                .any(|(name, value)| name == parameter && !value.is_empty())
        };
        let host = url.host_str().is_some_and(|host| !host.is_empty()) || named("host") || named("hostaddr");
        let database = !url.path().trim_matches('/').is_empty() || named("dbname");
        let fits =
            matches!(url.scheme(), "postgres" | "postgresql") && known && host && database && url.fragment().is_none();
        // What the client refuses (a port or an sslmode that is none) is found here, not at the start.
        let taken = fits && sqlx::postgres::PgConnectOptions::from_str(text).is_ok();
        taken.then(|| Secret(text.to_owned()))
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

/// An address that others reach: a name or an IP address, and a port.
pub struct HostPort;

impl Kind for HostPort {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "host and port",
            "a host and a port (such as 10.0.0.7:3001, node-1.internal:3001 or [fd00::7]:3001). The other nodes use it as it stands, so it \
             is no address that stands for all of a machine, as 0.0.0.0 does",
        )
    }

    fn parse(text: &str) -> Option<String> {
        let (host, port) = text.rsplit_once(':')?;
        if port.parse::<u16>().ok()? == 0 || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return (!address.ip().is_unspecified()).then(|| text.to_owned());
        }
        let label = |label: &str| {
            let inner = label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
            (1..=63).contains(&label.len()) && inner && !label.starts_with('-') && !label.ends_with('-')
        };
        // What ends in a number is an address of IPv4 that is none, not a name.
        let last = host.trim_end_matches('.').rsplit('.').next()?;
        let named = last.bytes().any(|byte| !byte.is_ascii_digit());
        let labels = host.strip_suffix('.').unwrap_or(host);
        (host.len() <= 253 && named && labels.split('.').all(label)).then(|| text.to_owned())
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
    fn a_database_has_a_host_and_a_name() {
        for text in [
            "postgres://anteroom:p%40ss@127.0.0.1:5432/anteroom",
            "postgresql://db.example.org/anteroom?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "postgres://anteroom@%2Fvar%2Frun%2Fpostgresql/anteroom",
            "postgres:///anteroom?host=/var/run/postgresql",
        ] {
            assert!(DatabaseUrl::parse(text).is_some(), "{text}");
        }
        for text in [
            "127.0.0.1:5432/anteroom",
            "mysql://127.0.0.1/anteroom",
            "postgres://127.0.0.1",
            "postgres:///anteroom",
            "postgres://127.0.0.1:port/anteroom",
            "postgres://127.0.0.1/anteroom?sslmode=perhaps",
            "postgres://127.0.0.1/anteroom?pasword=x",
            "postgres://me:p#ss@127.0.0.1/anteroom",
        ] {
            assert!(DatabaseUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_address_of_a_node_is_one_that_others_reach() {
        for text in [
            "10.0.0.7:3001",
            "node-1.internal:3001",
            "node_1:3001",
            "anteroom-0.anteroom.default.svc.cluster.local.:3001",
            "localhost:1",
            "[fd00::7]:65535",
            "127.0.0.1:4000",
        ] {
            assert!(HostPort::parse(text).is_some(), "{text}");
        }
        for text in [
            "0.0.0.0:3001",
            "[::]:3001",
            "node-1",
            "node-1:",
            "node-1:0",
            "node-1:+1",
            "node-1:65536",
            ":3001",
            "fd00::7:3001",
            "10.0.0:3001",
            "10.0.0.256:3001",
            "http://node-1:3001",
            "node-1:3001/",
            "me@node-1:3001",
            "node 1:3001",
            "-node:3001",
            "node..internal:3001",
        ] {
            assert!(HostPort::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_log_filter_is_checked_before_it_is_used() {
        assert!(LogFilter::parse("info,anteroom::queue=debug").is_some());
        assert!(LogFilter::parse("anteroom=loud").is_none());
    }
}
