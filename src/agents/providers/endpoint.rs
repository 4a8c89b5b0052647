//! Where a model server is, and the HTTP client that goes there.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use reqwest::{
    Client, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
    redirect,
};

use super::protocol::Protocol;
use crate::{
    agents::FactoryError,
    settings::{BackendSettings, Secret, Settings},
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

/// The endpoint of the model's provider, if it has servers.
pub(super) fn of(protocol: &dyn Protocol, settings: &Settings) -> Result<Option<Endpoint>, FactoryError> {
    let model = &settings.catalog.default;
    let Some((backend, variables)) =
        backend(settings).and_then(|backend| Some((backend, backend.provider.variables()?)))
    else {
        return Ok(None);
    };
    let key = backend.key.as_ref().filter(|key| !key.0.trim().is_empty());
    if let (None, None, Some(variable)) = (&backend.address, key, variables.key) {
        return Err(FactoryError::MissingKey { variable });
    }
    let base = backend.address.as_deref().unwrap_or_else(|| protocol.service());
    let url = url(protocol, base, &model.name).ok_or(FactoryError::BadUrl {
        variable: variables.url,
    })?;
    let headers = headers(protocol, key).ok_or(FactoryError::BadKey {
        variable: variables.key.unwrap_or_default(),
    })?;
    let client = client(&url, headers)?;
    Ok(Some(Endpoint {
        client,
        url,
        key: key.cloned(),
        variable: variables.url,
    }))
}

/// The first back end of the model that conversations start with.
pub(super) fn backend(settings: &Settings) -> Option<&BackendSettings> {
    let mut pool = settings.catalog.pool(&settings.catalog.default);
    pool.next().map(|(_, backend)| backend)
}

/// The address to post to.
fn url(protocol: &dyn Protocol, base: &str, model: &str) -> Option<Url> {
    let mut address = Address::parse(base)?;
    protocol.locate(&mut address, model);
    address.url()
}

/// An address on its way from the one in the settings, which may end in a slash or not, and in the API's version or not, to the one that
/// is asked.
pub(super) struct Address {
    url: Url,
    path: Vec<String>,
}

impl Address {
    fn parse(base: &str) -> Option<Self> {
        let url = Url::parse(base.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
        let path = url
            .path_segments()?
            .filter(|segment| !segment.is_empty())
            .map(str::to_owned)
            .collect();
        Some(Self { url, path })
    }

    /// Adds the API's version, unless there is one.
    pub(super) fn version(&mut self, version: &str) {
        if !self.path.iter().any(|segment| is_version(segment)) {
            self.append([version]);
        }
    }

    /// Adds to the path.
    pub(super) fn append<'p>(&mut self, segments: impl IntoIterator<Item = &'p str>) {
        self.path.extend(segments.into_iter().map(str::to_owned));
    }

    /// Takes these off the path's end, as often as they stand there.
    pub(super) fn strip(&mut self, segments: &[&str]) {
        while self.path.last().is_some_and(|last| segments.contains(&last.as_str())) {
            self.path.pop();
        }
    }

    /// Adds to the query.
    pub(super) fn query(&mut self, name: &str, value: &str) {
        self.url.query_pairs_mut().append_pair(name, value);
    }

    fn url(mut self) -> Option<Url> {
        self.url
            .path_segments_mut()
            .ok()?
            .clear()
            .extend(self.path.iter().map(String::as_str));
        Some(self.url)
    }
}

/// `v1`, `v4`, `v1beta`, …
fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `None`: the key cannot stand in a header.
fn headers(protocol: &dyn Protocol, key: Option<&Secret>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in protocol.headers() {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if let Some(key) = key {
        let (name, value) = protocol.key_header(key.0.trim());
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
    use crate::settings::Provider;

    fn address(provider: Provider, base: &str) -> Option<String> {
        url(super::super::of(provider)?, base, "m-1").map(String::from)
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
