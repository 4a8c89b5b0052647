//! HTTP/1.1 to one server, with as many connections as are needed at once, kept for the next request.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::{net::TcpStream, sync::Semaphore};

/// Longest time that a request may take before the run is given up: far more than any should need.
const PATIENCE: Duration = Duration::from_secs(180);
/// A server that takes thousands of connections at once lets some wait; what is refused is tried again so often.
const CONNECT_TRIES: u32 = 20;

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When the first of the body was read that is no comment line of an event stream: those are sent while there is nothing to answer yet. Of an empty one,
    /// when it was seen to be empty.
    pub(crate) began: Instant,
}

impl Reply {
    /// The body as JSON, of a request that went well.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        ensure!(self.status.is_success(), "{}: {}", self.status, self.text());
        serde_json::from_slice(&self.body).with_context(|| format!("not what was expected: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The connections to one server. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    addr: SocketAddr,
    idle: Arc<Mutex<Vec<SendRequest<Full<Bytes>>>>>,
    at_once: Arc<Semaphore>,
}

impl Http {
    /// Connections to `addr`, at most so many at once.
    pub(crate) fn new(addr: SocketAddr, at_once: usize) -> Self {
        Self {
            addr,
            idle: Arc::default(),
            at_once: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// The connections of one browser to the same server: nobody else uses them, and they stay open until the browser has gone or
    /// the server closes them.
    pub(crate) fn of_a_browser(&self) -> Self {
        Self {
            idle: Arc::default(),
            ..self.clone()
        }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Makes a request and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Reply> {
        let asked = async {
            let _permit = self.at_once.acquire().await?;
            let request = self.request(method, path, headers, body.into())?;
            let (response, connection) = self.exchange(request).await?;
            let (head, mut body) = response.into_parts();
            let mut parts = Vec::new();
            while let Some(frame) = body.frame().await.transpose().context("an answer was cut off")? {
                let part = frame.into_data().unwrap_or_default();
                let is_answer = !part.starts_with(b": ") || part.windows(6).any(|bytes| bytes == b"\ndata:");
                parts.push(part);
                if is_answer {
                    break;
                }
            }
            let began = Instant::now();
            parts.push(body.collect().await.context("an answer was cut off")?.to_bytes());
            parts.retain(|part| !part.is_empty());
            let body = match parts.len() {
                0 | 1 => parts.pop().unwrap_or_default(),
                _ => parts.concat().into(),
            };
            self.lock().push(connection);
            Ok::<_, anyhow::Error>(Reply {
                status: head.status,
                headers: head.headers,
                body,
                began,
            })
        };
        tokio::time::timeout(PATIENCE, asked)
            .await
            .with_context(|| format!("no answer to {path} in {PATIENCE:?}"))?
            .with_context(|| format!("{path} failed"))
    }

    /// Makes a request whose answer is read as it comes, on a connection of its own. It counts as one of the
    /// connections at once until the answer is dropped.
    pub(crate) async fn stream(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Stream> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await?;
        let request = self.request(method, path, headers, body.into())?;
        let (response, connection) = self.exchange(request).await.with_context(|| format!("{path} failed"))?;
        ensure!(response.status() == StatusCode::OK, "{path}: {}", response.status());
        Ok(Stream {
            body: response.into_body(),
            _held: (connection, permit),
        })
    }

    /// Opens connections until so many are there that are not in use.
    pub(crate) async fn keep(&self, count: usize) -> anyhow::Result<()> {
        while self.lock().len() < count {
            let connection = connect(self.addr).await?;
            self.lock().push(connection);
        }
        Ok(())
    }

    /// Closes the connections that are not in use.
    pub(crate) fn close_idle(&self) {
        self.lock().clear();
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Bytes,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().context("a path")?;
        let host = HeaderValue::from_str(&self.addr.to_string())?;
        request.headers_mut().insert(header::HOST, host);
        for (name, value) in headers {
            request.headers_mut().insert(name, HeaderValue::from_str(value)?);
        }
        Ok(request)
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> anyhow::Result<(Response<Incoming>, SendRequest<Full<Bytes>>)> {
        loop {
            let kept = self.lock().pop();
            let was_kept = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect(self.addr).await?,
            };
            // One that the server has closed meanwhile says so here, before anything is sent.
            if connection.ready().await.is_err() {
                ensure!(was_kept, "the server closed a new connection");
                continue;
            }
            match connection.send_request(request.clone()).await {
                Ok(response) => return Ok((response, connection)),
                // Closed by the server at the very moment when it was used again: browsers ask once more, too.
                Err(_) if was_kept => {}
                Err(fault) => return Err(fault).context("no answer"),
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SendRequest<Full<Bytes>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer that is read as it comes. Dropped, its connection is closed.
#[derive(Debug)]
pub(crate) struct Stream {
    body: Incoming,
    _held: (SendRequest<Full<Bytes>>, tokio::sync::OwnedSemaphorePermit),
}

impl Stream {
    /// The next bytes; `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(bytes) = frame.context("an answer was cut off")?.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

async fn connect(addr: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let socket = tcp(addr).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    // Ends when the sender is dropped or the server closes it.
    tokio::spawn(async move {
        // Those who wait for an answer hear of a fault too.
        let _ = connection.await;
    });
    Ok(sender)
}

/// A connection to `addr`.
pub(crate) async fn tcp(addr: SocketAddr) -> anyhow::Result<TcpStream> {
    for attempt in 1..=CONNECT_TRIES {
        match TcpStream::connect(addr).await {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(fault) if attempt == CONNECT_TRIES => {
                return Err(fault).with_context(|| format!("cannot connect to {addr}"));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(u64::from(attempt) * 10)).await,
        }
    }
    bail!("cannot connect to {addr}")
}
