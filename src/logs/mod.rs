//! Log records: to the terminal, and a bounded record per session.
//!
//! Work for a session runs inside its [`session_span`]; every record made there belongs to that session alone.
//! Records of no session are kept until [`Logs::started`] is called: the start-up records, which everybody may see.

mod layer;
mod records;
mod told;

use std::{
    io::{self, IsTerminal},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use thiserror::Error;
use tracing::{Span, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter},
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

pub use self::records::{MOST_BYTES, RECORDS_PER_SESSION, STARTUP_RECORDS};
use self::{
    layer::{RecordLayer, SpanFields},
    records::Records,
};
use crate::{sessions::SessionId, settings::LogFormat, wire::LogsView};

/// Why records cannot be kept.
#[derive(Debug, Error)]
pub enum LogsError {
    /// The filter cannot be read.
    #[error("RUST_LOG is not a filter of log records: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody has set up logging in this process before.
    #[error("logging is set up already: {0}")]
    Taken(#[from] tracing_subscriber::util::TryInitError),
}

/// The records kept in memory. Cheap to clone; all clones hold the same records.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    records: Arc<Mutex<Records>>,
}

/// Sets up logging for the whole process: to stderr what `filter` lets through, in `format`, and into the [`Logs`]
/// what [`Logs::layer`] says.
///
/// # Errors
/// [`LogsError`]; a second call is one.
pub fn init(filter: &str, format: LogFormat) -> Result<Logs, LogsError> {
    let logs = Logs::default();
    let ansi = io::stderr().is_terminal();
    subscriber(&logs, filter, format, io::stderr, ansi)?.try_init()?;
    Ok(logs)
}

fn subscriber<W>(
    logs: &Logs,
    filter: &str,
    format: LogFormat,
    writer: W,
    ansi: bool,
) -> Result<impl Subscriber + Send + Sync + use<W>, LogsError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let shown = EnvFilter::builder().parse(quiet(filter))?;
    let terminal = fmt::layer().with_writer(writer);
    let terminal = match format {
        LogFormat::Text => terminal.with_ansi(ansi).boxed(),
        LogFormat::Json => terminal.json().with_current_span(false).boxed(),
    };
    Ok(tracing_subscriber::registry()
        .with(terminal.with_filter(shown))
        .with(logs.layer(filter)?))
}

/// The filter without the records of the library that speaks to servers of tools, which have whole messages in them, unless it names them.
fn quiet(filter: &str) -> String {
    const LIBRARY: &str = "rmcp";
    if filter.contains(LIBRARY) {
        filter.to_owned()
    } else {
        format!("{filter},{LIBRARY}=off")
    }
}

/// See [`Logs::are_few`].
const FEW: usize = 64;

impl Logs {
    /// Keeps records as this process makes them: from `info` up in any case, and what `filter` lets through besides.
    ///
    /// # Errors
    /// Where the filter cannot be read.
    pub fn layer<S>(&self, filter: &str) -> Result<impl Layer<S> + use<S>, LogsError>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter = LevelFilter::INFO.or(EnvFilter::builder().parse(quiet(filter))?);
        Ok(RecordLayer::new(self.clone()).with_filter(filter))
    }

    /// Ends the start-up records.
    pub fn started(&self) {
        self.lock().started();
    }

    /// What the logs tab of `session` shows: its own records, and those of the start.
    #[must_use]
    pub fn view(&self, session: SessionId) -> LogsView {
        self.lock().view(session)
    }

    /// The same without those of the start.
    pub(crate) fn own(&self, session: SessionId) -> LogsView {
        self.lock().own(session)
    }

    /// Whether the records of a session are so few that they are copied in less time than it takes to have another thread do it.
    pub(crate) fn are_few(&self, session: SessionId) -> bool {
        self.lock().count(session) <= FEW
    }

    /// Drops the records of a session that has ended.
    pub fn forget(&self, session: SessionId) {
        self.lock().forget(session);
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        // Nothing panics halfway through a change of the records, and logging must not take the process down.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whose span this is. It lives beside the span's fields, where no formatter looks: the whole id stands for the
/// session's cookie and is written nowhere.
#[derive(Clone, Copy)]
struct Whose(SessionId);

/// The span that work for `session` runs in; what is logged there belongs to that session. People see the short form.
#[must_use]
pub fn session_span(session: SessionId) -> Span {
    // The level is that of the gravest record, so that no filter takes the span away from the records within.
    let span = tracing::error_span!("session", ?session);
    span.with_subscriber(|(id, dispatch)| {
        if let Some(span) = dispatch
            .downcast_ref::<Registry>()
            .and_then(|registry| registry.span(id))
        {
            let mut extensions = span.extensions_mut();
            extensions.replace(Whose(session));
            // Every open page has such a span, and its records need not repeat whose they are.
            extensions.remove::<SpanFields>();
        }
    });
    span
}

#[cfg(test)]
mod tests;
