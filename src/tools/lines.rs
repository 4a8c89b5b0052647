//! Messages as lines, of bounded length: how a server is spoken to over its standard input and output.
//!
//! rmcp's own transport drops a line that is too long, and whoever waits for it waits on. Here the call that it belongs to ends.

use std::{io, pin::Pin, sync::Arc, time::Duration};

use rmcp::{
    model::{ErrorCode, ErrorData, JsonRpcMessage, RequestId},
    service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    sync::mpsc,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span, debug};

use super::skim::Skim;

/// Most bytes of a message.
pub(super) const LONGEST: usize = 4 << 20;
/// How many messages wait to be written.
const WAITING: usize = 64;
/// How long what is left to be written may take.
const MOMENT: Duration = Duration::from_secs(1);
/// What is left of a long line's memory.
const KEPT: usize = 64 << 10;

/// What such an answer says of itself, in place of the server.
pub(super) const TOO_LARGE: ErrorCode = ErrorCode(-32_099);
/// The answer has an id and is none.
pub(super) const NO_ANSWER: ErrorCode = ErrorCode(-32_098);

/// A server behind two streams of bytes.
pub(super) struct Lines<R> {
    name: Arc<str>,
    read: BufReader<R>,
    line: Vec<u8>,
    /// The line is too long: what passes is skimmed.
    skim: Option<Skim>,
    write: Option<mpsc::Sender<Vec<u8>>>,
    /// Ends, and closes the server's input, once there is nothing more to write, or with this.
    writer: Option<AbortOnDropHandle<()>>,
}

/// What was read.
enum Read {
    Line,
    TooLong(Option<RequestId>),
    End,
}

impl<R: AsyncRead + Unpin + Send> Lines<R> {
    /// Speaks to the server of this name.
    pub(super) fn new(name: &str, read: R, write: impl AsyncWrite + Unpin + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let writer = tokio::spawn(write_all(write, receiver).instrument(Span::current()));
        Self {
            name: name.into(),
            read: BufReader::new(read),
            line: Vec::new(),
            skim: None,
            write: Some(sender),
            writer: Some(AbortOnDropHandle::new(writer)),
        }
    }

    /// Cancel-safe: what has been read is kept.
    async fn read(&mut self) -> io::Result<Read> {
        loop {
            let available = self.read.fill_buf().await?;
            if available.is_empty() {
                return Ok(Read::End);
            }
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            let consumed = part.len() + usize::from(end.is_some());
            match &mut self.skim {
                Some(skim) => skim.feed(part),
                None if self.line.len() + part.len() > LONGEST => {
                    let skim = self.skim.insert(Skim::default());
                    skim.feed(&self.line);
                    skim.feed(part);
                    self.line = Vec::new();
                }
                None => self.line.extend_from_slice(part),
            }
            Pin::new(&mut self.read).consume(consumed);
            if end.is_some() {
                return Ok(match self.skim.take() {
                    Some(skim) => Read::TooLong(skim.id()),
                    None => Read::Line,
                });
            }
        }
    }

    /// What the line says; `None`: nothing for us.
    fn message(&self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let line = self.line.trim_ascii();
        if line.is_empty() {
            return None;
        }
        let error = match serde_json::from_slice(line) {
            Ok(message) => return Some(message),
            Err(error) => error,
        };
        if !error.is_data() {
            debug!(
                server = &*self.name,
                "a line of its output is no message, and is ignored"
            );
            return None;
        }
        let value: serde_json::Value = serde_json::from_slice(line).ok()?;
        let id = serde_json::from_value(value.get("id")?.clone()).ok()?;
        // A request that is not understood is the server's to wait for.
        value.get("method").is_none().then(|| {
            let data = ErrorData::new(NO_ANSWER, "an answer that is none", None);
            JsonRpcMessage::error(data, Some(id))
        })
    }
}

impl<R: AsyncRead + Unpin + Send> Transport<RoleClient> for Lines<R> {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let sender = self.write.clone();
        let line = serde_json::to_vec(&item).map(|mut line| {
            line.push(b'\n');
            line
        });
        async move {
            let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
            let sender = sender.ok_or_else(closed)?;
            sender.send(line?).await.map_err(|_| closed())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            match self.read().await {
                Ok(Read::Line) => {
                    let message = self.message();
                    self.line.clear();
                    self.line.shrink_to(KEPT);
                    if message.is_some() {
                        return message;
                    }
                }
                Ok(Read::TooLong(Some(id))) => {
                    let data = ErrorData::new(TOO_LARGE, "too large", None);
                    return Some(JsonRpcMessage::error(data, Some(id)));
                }
                Ok(Read::TooLong(None)) => {
                    debug!(server = &*self.name, "a message is too large, and is ignored");
                }
                Ok(Read::End) => return None,
                Err(error) => {
                    debug!(server = &*self.name, %error, "its output cannot be read");
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.write = None;
        if let Some(writer) = self.writer.take() {
            // A server that reads nothing is not waited for.
            let _ = timeout(MOMENT, writer).await;
        }
        Ok(())
    }
}

/// Whole messages alone, whoever stops waiting for theirs to be written.
async fn write_all(mut write: impl AsyncWrite + Unpin, mut lines: mpsc::Receiver<Vec<u8>>) {
    while let Some(line) = lines.recv().await {
        let written = write.write_all(&line).await;
        if written.is_err() || write.flush().await.is_err() {
            return;
        }
    }
}
