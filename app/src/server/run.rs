//! The server's start and its end.

use std::{
    io::{self, Write as _},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anteroom::{
    engine::Engine,
    http,
    logs::{self, Logs},
    settings::{
        Loaded, Settings,
        watch::{Watch, WatchError},
    },
};
use anyhow::Context as _;
use futures_util::future::LocalBoxFuture;
use tokio::{net::TcpListener, sync::watch};
use tracing::{Instrument as _, info, info_span, warn};

use super::{
    assets,
    listen::{self, ForVisitors},
    pages,
};

/// How long connections may take to close once every turn has ended.
const GOODBYE: Duration = Duration::from_secs(5);

/// How often a node that has been declared gone tries to start again, and the pause between two tries.
const STARTS: u32 = 30;
const BETWEEN_STARTS: Duration = Duration::from_secs(2);

/// What went wrong before anything listened.
#[derive(Debug)]
pub enum Failure {
    /// The settings: for exit code 2.
    Settings(String),
    /// Anything else: for exit code 1.
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Reads the settings, serves, and returns after a good shutdown. A node that others have declared gone begins again, as another one.
///
/// # Errors
/// [`Failure`], with words for the operator.
pub fn serve() -> LocalBoxFuture<'static, Result<(), Failure>> {
    Box::pin(start_to_end())
}

async fn start_to_end() -> Result<(), Failure> {
    // Before they are read: an edit from now on is noticed, however soon after the start it is made.
    let edits = Edits::listen();
    let loaded = Settings::from_process().map_err(|faults| Failure::Settings(faults.to_string()))?;
    let logs =
        logs::init(&loaded.settings.log_filter, loaded.settings.log_format).context("logging cannot be set up")?;
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
    if !assets::built() {
        warn!("the pages have no script and no style: this server was built without `cargo xtask`");
    }
    // Before anybody can know that this runs: a program that reads the greeting may end it at once.
    let mut signals = Signals::listen().context("the signals that end Anteroom cannot be listened for")?;
    // Before the engine: a port that is taken must not cost another server's files, or a node its line.
    let bound = ForVisitors::bind(loaded.settings.site_addr)?;
    let address = bound.address;
    let (engine, for_visitors, for_nodes) = match &loaded.settings.node_addr {
        // Others are there: whoever comes before this node takes part goes to them, instead of waiting here.
        Some(name) => {
            let for_nodes = listen::for_nodes(name).await?;
            let Some(engine) = start(loaded, &logs, &mut signals).await? else {
                return Ok(());
            };
            (engine, bound.open()?, Some(for_nodes))
        }
        None => {
            let for_visitors = bound.open()?;
            let Some(engine) = start(loaded, &logs, &mut signals).await? else {
                return Ok(());
            };
            (engine, for_visitors, None)
        }
    };
    let doors = Doors {
        address,
        listeners: Mutex::new(Some((for_visitors, for_nodes))),
    };
    note(&engine, doors.address);
    greet(&engine, doors.address);
    logs.started();
    let (mut engine, mut edits) = (engine, Some(edits));
    while serve_once(
        &engine,
        &doors,
        edits.take().unwrap_or_else(Edits::listen),
        &mut signals,
    )
    .await?
        == End::Gone
    {
        warn!("this node was declared gone by the others; it drops what it had, and begins again");
        engine.abandon().await;
        drop(engine);
        let Some(started) = start_again(&logs, &mut signals).await? else {
            break;
        };
        engine = started;
        note(&engine, doors.address);
    }
    info!("ended");
    Ok(())
}

/// Where it listens, from the start to the end.
struct Doors {
    address: SocketAddr,
    /// For visitors, and for other nodes where there are some; `None` once nobody is to come any more.
    listeners: Mutex<Option<(TcpListener, Option<TcpListener>)>>,
}

/// How a time of serving has ended.
#[derive(PartialEq, Eq)]
enum End {
    /// It was asked to.
    Shutdown,
    /// The other nodes have declared this one gone.
    Gone,
}

/// Starts the engine. `None`: it was asked to end before; a start may wait for the database, or for nodes of an older version to end.
async fn start(loaded: Loaded, logs: &Logs, signals: &mut Signals) -> anyhow::Result<Option<Arc<Engine>>> {
    let started = Engine::start_unless(loaded, logs.clone(), signals.next()).await;
    let started = started.context("Anteroom cannot start")?;
    if started.is_none() {
        info!("ended before it had started");
    }
    Ok(started)
}

/// Starts once more. What it needs may come back with the database. `None`: it was asked to end before.
async fn start_again(logs: &Logs, signals: &mut Signals) -> Result<Option<Arc<Engine>>, Failure> {
    let mut left = STARTS;
    loop {
        let started = match Settings::from_process() {
            Ok(loaded) => Engine::start_unless(loaded, logs.clone(), signals.next()).await,
            Err(faults) => Err(anyhow::anyhow!("{faults}")),
        };
        match started {
            Ok(engine) => return Ok(engine),
            Err(fault) if left == 0 => return Err(fault.context("Anteroom cannot start again").into()),
            Err(fault) => warn!(error = format!("{fault:#}"), "it cannot start again yet"),
        }
        left -= 1;
        tokio::select! {
            () = tokio::time::sleep(BETWEEN_STARTS) => {}
            () = signals.next() => return Ok(None),
        }
    }
}

fn note(engine: &Engine, address: SocketAddr) {
    let node_addr = engine.settings().node_addr.clone();
    info!(%address, node_addr, model = engine.model(), version = anteroom::engine::VERSION, "listening");
}

fn greet(engine: &Engine, address: SocketAddr) {
    // Never through the log, whose records of the start are shown on a page.
    let key = engine.made_operator_key().unwrap_or("(OPERATOR_KEY of your settings)");
    let greeting = format!(
        "Anteroom is at http://{address} and {} answers. Ctrl-C ends it.\nThe operator's link: http://{address}/operator?key={key}\n",
        engine.model()
    );
    // The program that started it may have stopped listening after the first line.
    let _ = io::stdout().write_all(greeting.as_bytes());
}

/// Serves until it is asked to end, or has no part in the line any more.
async fn serve_once(engine: &Arc<Engine>, doors: &Doors, edits: Edits, signals: &mut Signals) -> anyhow::Result<End> {
    let site = pages::router(engine);
    let tasks = [
        tokio::spawn(retune(Arc::clone(engine), edits).instrument(info_span!("retuning"))),
        tokio::spawn(engine.watch_nodes().instrument(info_span!("watching nodes"))),
    ];
    let (for_visitors, for_nodes) = doors.once_more()?;
    let (stopped, stop) = watch::channel(false);
    let shutdown = async {
        signals.next().await;
        let again = signals.next();
        let ended = async {
            engine.shutdown(engine.settings().shutdown_grace).await;
            stopped.send_replace(true);
            doors.close();
            tokio::time::sleep(GOODBYE).await;
        };
        tokio::select! {
            () = ended => {}
            () = again => {
                eprintln!("Ended at once; turns that ran run again after the next start.");
                std::process::exit(130);
            }
        }
    };
    let gone = async {
        engine.declared_gone().await;
        // One that leaves by itself is gone, too.
        if engine.is_closing() {
            std::future::pending::<()>().await;
        }
    };
    let nodes = async {
        if let Some(listener) = for_nodes {
            http::serve_nodes(engine, listener, site.clone(), over(stop.clone())).await;
        }
    };
    let visitors = http::serve(engine, for_visitors, site.clone(), over(stop.clone()));
    let end = tokio::select! {
        () = gone => End::Gone,
        _ = async { tokio::join!(visitors, nodes) } => End::Shutdown,
        () = shutdown => End::Shutdown,
    };
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(end)
}

impl Doors {
    /// The listeners, once more: who comes between two times of serving waits in their queues.
    fn once_more(&self) -> anyhow::Result<(TcpListener, Option<TcpListener>)> {
        let listeners = self.lock();
        let (visitors, nodes) = listeners.as_ref().context("nobody is to come any more")?;
        Ok((once_more(visitors)?, nodes.as_ref().map(once_more).transpose()?))
    }

    /// Whoever comes from now on is refused by the system, as soon as those that serve end, too.
    fn close(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<(TcpListener, Option<TcpListener>)>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn once_more(listener: &TcpListener) -> anyhow::Result<TcpListener> {
    #[cfg(unix)]
    let copy = std::os::fd::AsFd::as_fd(listener)
        .try_clone_to_owned()
        .map(std::net::TcpListener::from);
    #[cfg(not(unix))]
    let copy = std::os::windows::io::AsSocket::as_socket(listener)
        .try_clone_to_owned()
        .map(std::net::TcpListener::from);
    copy.and_then(TcpListener::from_std)
        .context("the addresses that were bound cannot be listened on again")
}

/// Over once the engine has been shut down.
async fn over(mut stop: watch::Receiver<bool>) {
    // The sender lives until everything has ended.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

/// What says that the settings are to be read again.
struct Edits {
    /// `None`: this system cannot tell.
    watch: Option<Watch>,
    /// Why a file is not watched, until it has been told.
    unheard: Option<(WatchError, PathBuf)>,
    hangup: Hangup,
}

impl Edits {
    fn listen() -> Self {
        let (file, _) = Settings::file();
        let (watch, unheard) = match Watch::start(vec![file.clone()]) {
            Ok(watch) => (Some(watch), None),
            Err(error) => (None, Some((error, file))),
        };
        let mut edits = Self {
            watch,
            unheard,
            hangup: Hangup::listen(),
        };
        edits.follow();
        edits
    }

    /// Watches the files that the settings stand in now.
    fn follow(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        let files = Settings::files();
        let last = files.last().cloned().unwrap_or_default();
        if let Err(error) = watch.follow(files) {
            let file = error.paths.first().cloned().unwrap_or(last);
            self.unheard = Some((error, file));
        }
    }

    fn tell(&mut self) {
        if let Some((error, file)) = self.unheard.take() {
            warn!(%error, file = %file.display(), "edits of this file are not noticed; send SIGHUP after one");
        }
    }
}

/// Puts edits of `.env` and of the file of back ends in force, as soon as they are made or when SIGHUP asks for it. Ends with the
/// server.
async fn retune(engine: Arc<Engine>, mut edits: Edits) {
    loop {
        edits.tell();
        let Edits { watch, hangup, .. } = &mut edits;
        let edited = async {
            match watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = edited => info!("the settings were edited"),
            () = hangup.next() => info!("asked to read the settings again"),
        }
        // Before they are read, so that no later edit is missed: `.env` may name another file of back ends now, a bad one too.
        edits.follow();
        engine.retune(Settings::from_process()).await;
    }
}

/// SIGHUP, where there is such a thing.
struct Hangup(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangup {
    #[cfg(unix)]
    fn listen() -> Self {
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
        Self(
            signal
                .inspect_err(|error| warn!(%error, "SIGHUP cannot be listened for"))
                .ok(),
        )
    }

    #[cfg(not(unix))]
    fn listen() -> Self {
        Self()
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}

/// SIGTERM and Ctrl-C, listened for from the moment this is made: one that comes before it is waited for is not lost.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// The next one. Cancel safe.
    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
