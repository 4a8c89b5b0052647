//! Names, keys, addresses, paths.

use std::{net::SocketAddr, path::PathBuf};

use tracing_subscriber::EnvFilter;

use super::{
    super::{
        ModelName, Provider, Secret,
        allowed::{Allowed, Unit},
    },
    Kind,
};

impl Kind for ModelName {
    type Value = Self;

    fn allowed() -> Allowed {
        let [others @ .., last] = Provider::ALL.map(Provider::name);
        let others = others.join(", ");
        Allowed::just(
            "`name@provider`",
            format!(
                "name@provider, the provider being {others} or {last} \
                 (such as gpt-4o@openai, llama3.2@ollama, demo@builtin)"
            ),
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, provider) = text.rsplit_once('@')?;
        let provider = Provider::ALL
            .into_iter()
            .find(|known| known.name().eq_ignore_ascii_case(provider.trim()))?;
        let name = name.trim().to_owned();
        // The only model inside Anteroom.
        let known = provider != Provider::Builtin || name == "demo";
        (!name.is_empty() && known).then(|| Self {
            name,
            place: provider.name().to_owned(),
        })
    }
}

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
pub struct BaseUrl;

impl Kind for BaseUrl {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "http(s) address",
            "an http or https address without user name, password or query (such as http://127.0.0.1:8000/v1); keys have variables of their own",
        )
    }

    fn parse(text: &str) -> Option<String> {
        let url = reqwest::Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        plain.then(|| text.to_owned())
    }
}

/// The name of a limit that events share.
pub(in crate::settings) struct ConcurrencyId;

impl Kind for ConcurrencyId {
    type Value = String;

    fn allowed() -> Allowed {
        Allowed::just(
            "letters, digits, `-`, `_`",
            "a name of up to 64 letters, digits, - and _",
        )
    }

    fn parse(text: &str) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
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
    fn a_model_is_a_name_at_a_known_provider() {
        let model = ModelName::parse("meta/llama-3:8b@OpenAI").expect("a model");
        assert_eq!(
            (model.name.as_str(), model.place.as_str()),
            ("meta/llama-3:8b", "openai")
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
