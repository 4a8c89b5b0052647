//! Servers elsewhere, over HTTP.

use std::{net::IpAddr, sync::Arc, time::Duration};

use reqwest::{
    Client, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use rmcp::transport::{
    StreamableHttpClientTransport, common::client_side_sse::ExponentialBackoff,
    streamable_http_client::StreamableHttpClientTransportConfig,
};

use super::{
    dial::{Dialed, begin},
    error::Trouble,
    faults::of_beginning,
    lines::LONGEST,
};
use crate::{settings::Secret, tls};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one that nobody uses stays open.
const IDLE: Duration = Duration::from_secs(30);
/// Most redirects, all at one address.
const REDIRECTS: usize = 3;
/// Most bytes of a page that says what is wrong.
const LONGEST_ERROR: usize = 4096;
/// How many requests may be on their way; the calls themselves have a limit of their own.
const AT_ONCE: usize = 1000;
/// How often a stream that broke off is taken up again.
const TAKEN_UP: usize = 5;

/// Connects to a server.
pub(super) async fn dial(url: &Secret, headers: &[(String, Secret)]) -> Result<Dialed, Trouble> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.0.as_str())
        .max_concurrent_requests(AT_ONCE)
        .max_sse_event_size(LONGEST)
        .max_json_response_size(LONGEST)
        .max_error_response_size(LONGEST_ERROR);
    let mut retries = ExponentialBackoff::default();
    retries.max_times = Some(TAKEN_UP);
    config.retry_config = Arc::new(retries);
    let client = client(url, headers).ok_or(Trouble::NoAnswer)?;
    let transport = StreamableHttpClientTransport::with_client(client, config);
    let (running, listeners, changed) = begin(transport).await.map_err(|error| of_beginning(&error))?;
    Ok(Dialed {
        running,
        listeners,
        changed,
        how_it_ended: Box::new(|| Trouble::NoAnswer),
    })
}

fn client(url: &Secret, headers: &[(String, Secret)]) -> Option<Client> {
    tls::install();
    let url = Url::parse(&url.0).ok()?;
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(&value.0).ok()?;
        value.set_sensitive(true);
        map.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
    }
    let mut builder = Client::builder()
        .user_agent(concat!("anteroom/", env!("CARGO_PKG_VERSION")))
        .default_headers(map)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .redirect(within(url.clone()));
    if is_loopback(&url) {
        builder = builder.no_proxy();
    }
    builder.build().ok()
}

/// The keys must not follow where a server sends us, nor the request reach what only this machine can: what is followed stays at the
/// address that the operator has given.
fn within(configured: Url) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        if attempt.url().origin() == configured.origin() && attempt.previous().len() <= REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}
