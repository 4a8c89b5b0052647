//! The server that a command asks.

use std::{net::IpAddr, time::Duration};

use anteroom::wire::Refused;
use reqwest::{Client, Method, RequestBuilder, Response, Url};

/// Where a command finds the server.
#[derive(Clone, Debug)]
pub struct Address {
    /// Its address; else that of `ANTEROOM_URL`, else this machine's.
    pub url: Option<String>,
    /// A key; else that of `ANTEROOM_KEY`.
    pub key: Option<String>,
}

/// Where a server listens unless it is told otherwise.
const HERE: &str = "http://127.0.0.1:3000";
/// How long it may take to find it.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest silence: a server says something every ten seconds.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a connection is kept for the next request: less than the 15 s after which the server closes it.
const KEPT: Duration = Duration::from_secs(10);

/// The server.
#[derive(Clone)]
pub(super) struct Site {
    http: Client,
    base: Url,
    key: Option<String>,
}

impl Site {
    /// The one that is named, or the one of this machine.
    pub(super) fn of(address: Address) -> Result<Self, String> {
        let of_environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let url = address.url.or_else(|| of_environment("ANTEROOM_URL"));
        let url = url.unwrap_or_else(|| HERE.to_owned());
        let base: Url = url
            .parse()
            .map_err(|fault| format!("{url} is no address of a server: {fault}"))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(format!(
                "{url} is no address of a server: it has to begin with http:// or https://"
            ));
        }
        anteroom::tls::install();
        let mut http = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .pool_idle_timeout(KEPT);
        if is_this_machine(&base) {
            http = http.no_proxy();
        }
        Ok(Self {
            http: http
                .build()
                .map_err(|fault| format!("no connection can be made: {fault}"))?,
            base,
            key: address.key.or_else(|| of_environment("ANTEROOM_KEY")),
        })
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        self.base.to_string()
    }

    /// A request for what is at this path.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// What to say of a request that has not reached the server.
    pub(super) fn unreached(&self, fault: &reqwest::Error) -> String {
        let mut cause: &dyn std::error::Error = fault;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        format!("{} cannot be reached: {cause}", self.base)
    }
}

/// Why a server has refused.
pub(super) async fn refused(response: Response) -> String {
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    let said: Result<Refused, _> = serde_json::from_slice(&body);
    // A newer server may have reasons that this command does not know.
    let message = said.map(|said| said.message).or_else(|_| {
        let body: Result<serde_json::Value, _> = serde_json::from_slice(&body);
        body.map(|body| body["message"].as_str().unwrap_or_default().to_owned())
    });
    let message = message.unwrap_or_default();
    if message.is_empty() {
        format!("The server has answered with status {status}. Is it Anteroom?")
    } else {
        message
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_the_address() {
        for (url, asked) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1/chat"),
            ("http://[::1]:3000/", "http://[::1]:3000/api/v1/chat"),
            ("https://example.org/line/", "https://example.org/line/api/v1/chat"),
        ] {
            let url = Some(url.to_owned());
            let site = Site::of(Address { url, key: None }).expect("an address");
            let request = site.request(Method::GET, "/api/v1/chat").build().expect("a request");
            assert_eq!(request.url().as_str(), asked);
        }
        for wrong in ["127.0.0.1:3000", "ftp://example.org", "nonsense"] {
            let url = Some(wrong.to_owned());
            assert!(Site::of(Address { url, key: None }).is_err(), "{wrong}");
        }
    }
}
