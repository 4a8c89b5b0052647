//! What a variable's text can mean: one type a kind of value, each with the words that say what is allowed.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::{LogFormat, ModelName, Provider, Secret, UpdateRate};
use crate::queue::Order;

/// What is allowed, in the parts of a sentence: `a whole number`, its range, a note on spelling, a word that also goes.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Allowed {
    pub(super) what: &'static str,
    pub(super) note: &'static str,
    pub(super) or: Option<&'static str>,
}

impl Allowed {
    const fn just(what: &'static str) -> Self {
        Self {
            what,
            note: "",
            or: None,
        }
    }
}

/// A value that a variable may hold.
pub(super) trait Value: Sized {
    /// What may be written.
    const ALLOWED: Allowed;
    /// Reads a trimmed text that is not empty; `None` where it is not what is allowed.
    fn parse(text: &str) -> Option<Self>;
}

/// A value with a size that a range can be put on.
pub(super) trait Measured {
    /// The size, in the unit that `ALLOWED` speaks of; `None` fits every range.
    fn measure(&self) -> Option<f64>;
}

/// Something, or the word `none` for no bound at all.
#[derive(Clone, Debug)]
pub(super) struct OrNone<T>(pub(super) Option<T>);

impl<T: Value> Value for OrNone<T> {
    const ALLOWED: Allowed = Allowed {
        or: Some("none"),
        ..T::ALLOWED
    };

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("none") {
            return Some(Self(None));
        }
        T::parse(text).map(|value| Self(Some(value)))
    }
}

impl<T: Measured> Measured for OrNone<T> {
    fn measure(&self) -> Option<f64> {
        self.0.as_ref().and_then(Measured::measure)
    }
}

impl Value for bool {
    const ALLOWED: Allowed = Allowed::just("true or false (also 1, 0, yes, no, on, off)");

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }
}

impl Value for u32 {
    const ALLOWED: Allowed = Allowed::just("a whole number");

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Measured for u32 {
    fn measure(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

impl Value for Duration {
    const ALLOWED: Allowed = Allowed {
        what: "a number of seconds",
        note: " (also written as 500ms, 90s, 2m, 1h)",
        or: None,
    };

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let seconds = match unit.as_str() {
            "ms" => number / 1000.0,
            "" | "s" => number,
            "m" | "min" => number * 60.0,
            "h" => number * 3600.0,
            _ => return None,
        };
        Self::try_from_secs_f64(seconds).ok()
    }
}

impl Measured for Duration {
    fn measure(&self) -> Option<f64> {
        Some(self.as_secs_f64())
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes(pub(super) u64);

impl Value for Bytes {
    const ALLOWED: Allowed = Allowed {
        what: "a number of bytes",
        note: " (also written as 500KB, 20MB, 1MiB)",
        or: None,
    };

    fn parse(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let factor: f64 = match unit.as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        let bytes = (number * factor).round();
        // Whole numbers are exact in a float up to here; the range is far below.
        (bytes < 2f64.powi(53)).then_some(Self(bytes as u64))
    }
}

impl Measured for Bytes {
    fn measure(&self) -> Option<f64> {
        Some(self.0 as f64)
    }
}

/// `1.5 GB` as 1.5 and `gb`.
fn number_and_unit(text: &str) -> Option<(f64, String)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_ascii_lowercase()))
}

impl Value for Order {
    const ALLOWED: Allowed = Allowed::just("fair or fifo");

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "fair" => Some(Self::Fair),
            "fifo" => Some(Self::Fifo),
            _ => None,
        }
    }
}

impl Value for UpdateRate {
    const ALLOWED: Allowed = Allowed {
        or: Some("auto"),
        ..Duration::ALLOWED
    };

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("auto") {
            return Some(Self::Auto);
        }
        Duration::parse(text).map(Self::Every)
    }
}

impl Measured for UpdateRate {
    fn measure(&self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Every(time) => time.measure(),
        }
    }
}

impl Value for LogFormat {
    const ALLOWED: Allowed = Allowed::just("text or json");

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl Value for ModelName {
    const ALLOWED: Allowed = Allowed::just(
        "name@provider, the provider being builtin, openai, ollama, anthropic or gemini \
         (such as gpt-4o@openai, llama3.2@ollama, demo@builtin)",
    );

    fn parse(text: &str) -> Option<Self> {
        let (name, provider) = text.rsplit_once('@')?;
        let provider = Provider::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(provider.trim()))?;
        let name = name.trim().to_owned();
        // The only model inside Anteroom.
        let known = provider != Provider::Builtin || name == "demo";
        (!name.is_empty() && known).then_some(Self { name, provider })
    }
}

impl Value for Secret {
    const ALLOWED: Allowed = Allowed::just("text without spaces");

    fn parse(text: &str) -> Option<Self> {
        // A key goes into a header; anything else in it is a slip of the clipboard.
        text.chars()
            .all(|c| c.is_ascii_graphic())
            .then(|| Self(text.to_owned()))
    }
}

/// Text that may say anything.
#[derive(Clone, Debug)]
pub(super) struct Text(pub(super) String);

impl Value for Text {
    const ALLOWED: Allowed = Allowed::just("text");

    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

/// The address that a provider's paths are put behind.
#[derive(Clone, Debug)]
pub(super) struct BaseUrl(pub(super) String);

impl Value for BaseUrl {
    const ALLOWED: Allowed = Allowed::just(
        "an http or https address without user name, password or query (such as http://127.0.0.1:8000/v1); keys have variables of their own",
    );

    fn parse(text: &str) -> Option<Self> {
        let url = reqwest::Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| Self(text.to_owned()))
    }
}

/// The name of a limit that events share.
#[derive(Clone, Debug)]
pub(super) struct ConcurrencyId(pub(super) String);

impl Value for ConcurrencyId {
    const ALLOWED: Allowed = Allowed::just("a name of up to 64 letters, digits, - and _");

    fn parse(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (text.len() <= 64 && text.chars().all(plain)).then(|| Self(text.to_owned()))
    }
}

impl Value for SocketAddr {
    const ALLOWED: Allowed =
        Allowed::just("an IP address and a port (such as 127.0.0.1:3000, 0.0.0.0:80 or [::1]:3000)");

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Value for PathBuf {
    const ALLOWED: Allowed = Allowed::just("a directory");

    fn parse(text: &str) -> Option<Self> {
        (!text.contains('\0')).then(|| Self::from(text))
    }
}

/// A filter of log records that `tracing-subscriber` takes.
#[derive(Clone, Debug)]
pub(super) struct LogFilter(pub(super) String);

impl Value for LogFilter {
    const ALLOWED: Allowed =
        Allowed::just("off, error, warn, info, debug or trace, also per module (such as info,anteroom::queue=debug)");

    fn parse(text: &str) -> Option<Self> {
        EnvFilter::builder().parse(text).is_ok().then(|| Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_or_carry_a_unit() {
        let ms = |text| Duration::parse(text).map(|time| time.as_millis());
        for (text, expected) in [
            ("120", 120_000),
            ("0.5", 500),
            ("500ms", 500),
            ("90 s", 90_000),
            ("2m", 120_000),
            ("1H", 3_600_000),
        ] {
            assert_eq!(ms(text), Some(expected), "{text}");
        }
        for text in [
            "-1",
            "1d",
            "soon",
            "1.2.3",
            "ms",
            "1e400",
            "99999999999999999999999h",
            "none",
            "٣",
        ] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_carry_a_unit() {
        let bytes = |text| Bytes::parse(text).map(|size| size.0);
        for (text, expected) in [
            ("1000", 1000),
            ("20MB", 20_000_000),
            ("1MiB", 1_048_576),
            ("1.5 kb", 1500),
            ("2g", 2_000_000_000),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        for text in ["20 apples", "-1", "MB", "99999999999999GiB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn switches_are_read_in_any_case() {
        for text in ["true", "TRUE", "1", "Yes", "on"] {
            assert_eq!(bool::parse(text), Some(true), "{text}");
        }
        for text in ["False", "0", "NO", "off"] {
            assert_eq!(bool::parse(text), Some(false), "{text}");
        }
        assert_eq!(bool::parse("maybe"), None);
    }

    #[test]
    fn a_model_is_a_name_at_a_known_provider() {
        let model = ModelName::parse("meta/llama-3:8b@OpenAI").expect("a model");
        assert_eq!(
            (model.name.as_str(), model.provider),
            ("meta/llama-3:8b", Provider::OpenAi)
        );
        assert_eq!(model.to_string(), "meta/llama-3:8b@openai");
        for text in ["gpt-4o", "@openai", "gpt-4o@", "gpt-4o@opnai", "other@builtin"] {
            assert_eq!(ModelName::parse(text), None, "{text}");
        }
    }

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
