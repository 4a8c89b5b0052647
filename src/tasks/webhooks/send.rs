//! The way to a program: to addresses that it may name, and to no others.
//!
//! A name is looked up by the client that connects, and what it finds is checked then: so what is checked is what is connected to, whatever the name
//! leads to a moment later. Redirects are not followed; no proxy is used, which would look names up itself.

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Client, StatusCode, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use tokio::sync::watch;

use super::{addresses::is_public, sign};
use crate::{settings::Settings, store::Webhook};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long all of it may take.
const ALL: Duration = Duration::from_secs(15);
/// Longest address, in bytes.
const LONGEST: usize = 2048;

/// The way to programs.
pub(in crate::tasks) struct Guarded {
    settings: watch::Receiver<Arc<Settings>>,
    /// `None`: it could not be made.
    client: Option<Client>,
}

/// Why a program has not taken something.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untaken {
    /// It said so.
    #[error("it answered {0}")]
    Refused(StatusCode),
    /// It wants nothing any more.
    #[error("it answered 410: it wants to be told nothing any more")]
    Gone,
    /// It could not be reached, or is where nothing may be sent.
    #[error("{0}")]
    Unreached(String),
}

/// Looks names up, and leaves out what is not public.
struct Public(watch::Receiver<Arc<Settings>>);

impl Resolve for Public {
    fn resolve(&self, name: Name) -> Resolving {
        let all = self.0.borrow().webhook_private_addresses;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|address| all || is_public(address.ip())).collect();
            if found.is_empty() {
                let fault: Box<dyn Error + Send + Sync> = PRIVATE.into();
                return Err(fault);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Why an address is not used.
const PRIVATE: &str = "it leads to no public address; WEBHOOK_PRIVATE_ADDRESSES would allow others";

impl Guarded {
    pub(in crate::tasks) fn new(settings: watch::Receiver<Arc<Settings>>) -> Self {
        crate::tls::install();
        let client = Client::builder()
            .dns_resolver(Arc::new(Public(settings.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(ALL)
            // What may be connected to is looked at each time.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("Anteroom/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.inspect_err(|error| tracing::error!(%error, "no program can be told anything"));
        Self {
            settings,
            client: client.ok(),
        }
    }

    /// Why a webhook cannot be used, as far as that can be seen without asking anybody.
    pub(in crate::tasks) fn check(&self, webhook: &Webhook) -> Result<(), String> {
        if sign::key(&webhook.secret).is_none() {
            return Err("its `secret` has to be `whsec_` and 24 to 64 random bytes in base64 behind it.".to_owned());
        }
        self.address(&webhook.url).map(drop)
    }

    fn address(&self, url: &str) -> Result<Url, String> {
        let address = Url::parse(url).ok().filter(|_| url.len() <= LONGEST);
        let address = address.ok_or_else(|| "its `url` is no address.".to_owned())?;
        let all = self.settings.borrow().webhook_private_addresses;
        match address.scheme() {
            "https" => {}
            "http" if all => {}
            _ => return Err("its `url` has to begin with https://.".to_owned()),
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err("its `url` may have no name and no password.".to_owned());
        }
        let host = address.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        // The client looks up names only.
        if literal
            .parse::<IpAddr>()
            .is_ok_and(|literal| !all && !is_public(literal))
        {
            return Err(format!("{PRIVATE}."));
        }
        Ok(address)
    }

    /// Tells a program something, once. `at`: seconds since the Unix epoch.
    pub(super) async fn send(&self, webhook: &Webhook, id: &str, at: u64, body: String) -> Result<(), Untaken> {
        let unreached = |fault: &str| Untaken::Unreached(fault.to_owned());
        let address = self.address(&webhook.url).map_err(Untaken::Unreached)?;
        let key = sign::key(&webhook.secret).ok_or_else(|| unreached("its secret is none"))?;
        let signature = sign::signature(&key, id, at, &body).ok_or_else(|| unreached("its secret is none"))?;
        let client = self.client.as_ref().ok_or_else(|| unreached("there is no client"))?;
        let request = client
            .post(address)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature)
            .body(body);
        // What it says beside its status is not read.
        let response = request.send().await;
        let response = response.map_err(|error| Untaken::Unreached(said(&error.without_url())))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(Untaken::Gone),
            status => Err(Untaken::Refused(status)),
        }
    }
}

/// An error with what is behind it.
fn said(error: &dyn Error) -> String {
    let mut said = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        said = format!("{said}: {error}");
        behind = error.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn guarded(all: &str) -> Guarded {
        let variables = [("WEBHOOK_PRIVATE_ADDRESSES".to_owned(), all.to_owned())];
        let loaded = Settings::load(variables, None).expect("good settings");
        let (_, settings) = watch::channel(Arc::new(loaded.settings));
        Guarded::new(settings)
    }

    fn webhook(url: String) -> Webhook {
        Webhook {
            url,
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into(),
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_at_where_it_leads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let hook = webhook(format!("https://localhost:{port}/hook"));
        let guarded = guarded("false");
        // A name alone says nothing of where it leads.
        assert_eq!(guarded.check(&hook), Ok(()));
        let sent = guarded.send(&hook, "msg_1", 1, "{}".to_owned()).await;
        let fault = sent.expect_err("nothing is sent").to_string();
        assert!(fault.contains(PRIVATE), "{fault}");
        let knocked = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(knocked.is_err(), "nobody has connected");
    }

    #[tokio::test]
    async fn a_setting_opens_the_way() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let guarded = guarded("true");
        let hook = webhook(format!("http://localhost:{port}/hook"));
        let sent = guarded.send(&hook, "msg_1", 1, "{}".to_owned());
        tokio::select! {
            _ = sent => panic!("nobody has answered"),
            knocked = listener.accept() => drop(knocked.expect("a connection")),
        }
    }
}
