//! Where a model server is, and the HTTP client that goes there.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect,
};

use crate::{
    agents::FactoryError,
    settings::{Provider, Secret, Settings},
    tls,
};

/// Longest time to make a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often an HTTP/2 connection is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Where requests go, and with what.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) key: Option<Secret>,
    /// The setting with the address.
    pub(super) variable: &'static str,
}

/// What the settings say about one provider.
struct Given<'a> {
    url_variable: &'static str,
    url: Option<&'a str>,
    default_url: &'static str,
    key_variable: &'static str,
    key: Option<&'a Secret>,
    header: HeaderName,
}

/// The endpoint of a provider that has one.
pub(super) fn of(settings: &Settings) -> Result<Option<Endpoint>, FactoryError> {
    let model = &settings.model;
    let given = match model.provider {
        Provider::Builtin => return Ok(None),
        Provider::OpenAi => Given {
            url_variable: "OPENAI_BASE_URL",
            url: settings.openai_base_url.as_deref(),
            default_url: "https://api.openai.com",
            key_variable: "OPENAI_API_KEY",
            key: settings.openai_api_key.as_ref(),
            header: reqwest::header::AUTHORIZATION,
        },
        Provider::Ollama => Given {
            url_variable: "OLLAMA_URL",
            url: settings.ollama_url.as_deref().or(Some("http://127.0.0.1:11434")),
            default_url: "",
            key_variable: "",
            key: None,
            header: reqwest::header::AUTHORIZATION,
        },
        Provider::Anthropic => Given {
            url_variable: "ANTHROPIC_BASE_URL",
            url: settings.anthropic_base_url.as_deref(),
            default_url: "https://api.anthropic.com",
            key_variable: "ANTHROPIC_API_KEY",
            key: settings.anthropic_api_key.as_ref(),
            header: HeaderName::from_static("x-api-key"),
        },
        Provider::Gemini => Given {
            url_variable: "GEMINI_BASE_URL",
            url: settings.gemini_base_url.as_deref(),
            default_url: "https://generativelanguage.googleapis.com",
            key_variable: "GEMINI_API_KEY",
            key: settings.gemini_api_key.as_ref(),
            header: HeaderName::from_static("x-goog-api-key"),
        },
    };
    let key = given.key.filter(|key| !key.0.trim().is_empty());
    if given.url.is_none() && key.is_none() {
        return Err(FactoryError::MissingKey {
            variable: given.key_variable,
        });
    }
    let url = url(model.provider, given.url.unwrap_or(given.default_url), &model.name).ok_or(FactoryError::BadUrl {
        variable: given.url_variable,
    })?;
    let headers = headers(model.provider, given.header, key).ok_or(FactoryError::BadKey {
        variable: given.key_variable,
    })?;
    let client = client(&url, headers)?;
    Ok(Some(Endpoint {
        client,
        url,
        key: key.cloned(),
        variable: given.url_variable,
    }))
}

/// The address to post to. The base may end in a slash or not, and in the API's version or not.
fn url(provider: Provider, base: &str, model: &str) -> Option<Url> {
    let mut url = Url::parse(base.trim())
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    let mut path: Vec<String> = url
        .path_segments()?
        .filter(|segment| !segment.is_empty())
        .map(str::to_owned)
        .collect();
    let mut versioned = |version: &str| {
        if !path.iter().any(|segment| is_version(segment)) {
            path.push(version.to_owned());
        }
    };
    match provider {
        Provider::Builtin => return None,
        Provider::OpenAi => {
            versioned("v1");
            path.extend(["chat", "completions"].map(str::to_owned));
        }
        Provider::Anthropic => {
            versioned("v1");
            path.push("messages".to_owned());
        }
        Provider::Gemini => {
            versioned("v1beta");
            // A tuned model brings its own folder.
            let model = if model.contains('/') {
                model.to_owned()
            } else {
                format!("models/{model}")
            };
            path.extend(format!("{model}:streamGenerateContent").split('/').map(str::to_owned));
            url.query_pairs_mut().append_pair("alt", "sse");
        }
        Provider::Ollama => {
            while path.last().is_some_and(|last| last == "v1" || last == "api") {
                path.pop();
            }
            path.extend(["api", "chat"].map(str::to_owned));
        }
    }
    url.path_segments_mut()
        .ok()?
        .clear()
        .extend(path.iter().map(String::as_str));
    Some(url)
}

/// `v1`, `v4`, `v1beta`, …
fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `None`: the key cannot stand in a header.
fn headers(provider: Provider, name: HeaderName, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if provider == Provider::Anthropic {
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    if let Some(key) = key {
        let key = key.0.trim();
        let value = if provider == Provider::OpenAi {
            format!("Bearer {key}")
        } else {
            key.to_owned()
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Some(headers)
}

fn client(url: &Url, headers: HeaderMap) -> Result<Client, FactoryError> {
    tls::install();
    let mut builder = Client::builder()
        .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(CONNECT)
        // A connection that died unnoticed while it was idle is found out before a question is lost on it.
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_while_idle(true)
        // The key must not follow where a server sends us.
        .redirect(redirect::Policy::none());
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if url.scheme() == "http" {
        // A machine without certificates can still talk to its own model server.
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|error| FactoryError::Client {
        detail: error.to_string(),
    })
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address
            .is_ok_and(|address| address.is_loopback() || address.is_unspecified() || address == Ipv6Addr::LOCALHOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(provider: Provider, base: &str) -> Option<String> {
        url(provider, base, "m-1").map(String::from)
    }

    #[test]
    fn a_base_url_may_end_in_any_way() {
        for (provider, bases, expected) in [
            (
                Provider::OpenAi,
                &[
                    "http://h:8000",
                    "http://h:8000/",
                    "http://h:8000/v1",
                    " http://h:8000/v1/ ",
                ][..],
                "http://h:8000/v1/chat/completions",
            ),
            (
                Provider::OpenAi,
                &["https://h/api/v1", "https://h/api"],
                "https://h/api/v1/chat/completions",
            ),
            (
                Provider::OpenAi,
                &["https://h/api/paas/v4/"],
                "https://h/api/paas/v4/chat/completions",
            ),
            (
                Provider::OpenAi,
                &["https://h/v1beta/openai/"],
                "https://h/v1beta/openai/chat/completions",
            ),
            (
                Provider::Anthropic,
                &["https://h", "https://h/v1", "https://h/v1/"],
                "https://h/v1/messages",
            ),
            (
                Provider::Gemini,
                &["https://h", "https://h/v1beta/"],
                "https://h/v1beta/models/m-1:streamGenerateContent?alt=sse",
            ),
            (
                Provider::Ollama,
                &["http://h:11434", "http://h:11434/v1/", "http://h:11434/api"],
                "http://h:11434/api/chat",
            ),
        ] {
            for base in bases {
                assert_eq!(address(provider, base).as_deref(), Some(expected), "{base}");
            }
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for base in ["", "ftp://h", "http://", "h h", "h:8000", "h"] {
            assert_eq!(address(Provider::OpenAi, base), None, "{base}");
        }
    }

    #[test]
    fn loopback_is_known_in_every_form() {
        for (base, expected) in [
            ("http://127.0.0.1:1", true),
            ("http://127.8.9.1", true),
            ("http://[::1]:8000", true),
            ("http://localhost:8000", true),
            ("http://192.168.0.1", false),
            ("https://api.openai.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(base).expect("an address")), expected, "{base}");
        }
    }
}
