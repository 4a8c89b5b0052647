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

use super::{Door, protocol::Protocol};
use crate::{
    agents::FactoryError,
    settings::{BackendSettings, Secret},
    tls,
};

/// Longest time to make a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often an HTTP/2 connection is asked whether it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// How long an unused connection is kept to a server that says nothing of it: many of those that people run themselves close theirs after five
/// seconds, and a question must not meet that.
const IDLE: Duration = Duration::from_secs(4);

/// Where requests go, and with what. It has no `Debug`: addresses may hold passwords.
pub(super) struct Endpoint {
    pub(super) client: Client,
    base: Address,
    pub(super) key: Option<Secret>,
    /// Where the address is set.
    pub(super) origin: String,
    /// Whether it is the provider's own service.
    pub(super) own: bool,
}

impl Endpoint {
    /// Where a back end is. Nothing is asked of it yet.
    pub(super) fn new(protocol: &dyn Protocol, settings: &BackendSettings) -> Result<Self, FactoryError> {
        let origin = || settings.origin.clone();
        let key = settings.key.as_ref().filter(|key| !key.0.trim().is_empty());
        if settings.address.is_none() && key.is_none() && protocol.needs_key() {
            return Err(FactoryError::MissingKey { origin: origin() });
        }
        let base = settings.address.as_deref().unwrap_or_else(|| protocol.service());
        let base = Address::parse(base).ok_or_else(|| FactoryError::BadUrl { origin: origin() })?;
        let headers = headers(protocol, key).ok_or_else(|| FactoryError::BadKey { origin: origin() })?;
        Ok(Self {
            client: client(&base.url, headers)?,
            own: base.is_at(protocol.service()),
            base,
            key: key.cloned(),
            origin: origin(),
        })
    }

    /// The address that a question to `model` is posted to.
    pub(super) fn url(&self, protocol: &dyn Protocol, model: &str) -> Option<Url> {
        let mut address = self.base.clone();
        protocol.locate(&mut address, model);
        address.url()
    }

    /// The address that a program's own request is passed on to; `None`: there is none.
    pub(super) fn door(&self, protocol: &dyn Protocol, door: Door) -> Option<Url> {
        let mut address = self.base.clone();
        protocol.locate_door(&mut address, door).then_some(address)?.url()
    }

    /// The address that has the list of models.
    pub(super) fn list(&self, protocol: &dyn Protocol) -> Option<Url> {
        let mut address = self.base.clone();
        protocol.locate_list(&mut address);
        address.url()
    }
}

/// An address on its way from the one in the settings, which may end in a slash or not, and in the API's version or not, to the one that
/// is asked.
#[derive(Clone)]
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

    /// Whether this is an address of the same host.
    fn is_at(&self, service: &str) -> bool {
        Self::parse(service).is_some_and(|service| service.url.host_str() == self.url.host_str())
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
        builder = builder.tls_certs_only([]).pool_idle_timeout(IDLE);
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
        let mut address = Address::parse(base)?;
        super::super::of(provider)?.locate(&mut address, "m-1");
        address.url().map(String::from)
    }

    fn list(provider: Provider, base: &str) -> Option<String> {
        let mut address = Address::parse(base)?;
        super::super::of(provider)?.locate_list(&mut address);
        address.url().map(String::from)
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
    fn the_list_of_models_is_beside() {
        for (provider, base, expected) in [
            (Provider::OpenAi, "http://h:8000/v1/", "http://h:8000/v1/models"),
            (
                Provider::OpenAi,
                "https://h/api/paas/v4",
                "https://h/api/paas/v4/models",
            ),
            (Provider::Ollama, "http://h:11434/v1", "http://h:11434/api/tags"),
            (Provider::Anthropic, "https://h", "https://h/v1/models?limit=1000"),
            (
                Provider::Gemini,
                "https://h/v1beta",
                "https://h/v1beta/models?pageSize=1000",
            ),
        ] {
            assert_eq!(list(provider, base).as_deref(), Some(expected), "{base}");
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
