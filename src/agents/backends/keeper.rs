//! What happens by itself: pauses end, and servers are asked for their models.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Backends, directory::Backend, lock};
use crate::agents::{
    FactoryError,
    providers::{Fault, Listed},
};

/// How often servers are asked for their models.
const EVERY: Duration = Duration::from_secs(60);

impl Backends {
    /// Keeps everything up to date until `closing`. Whoever has back ends has to have this run, once.
    pub async fn keep(&self, closing: CancellationToken) {
        tokio::select! {
            () = closing.cancelled() => {}
            () = self.end_pauses() => {}
            () = self.ask_for_models() => {}
        }
    }

    /// Tells of each back end that may be tried again, when it may.
    async fn end_pauses(&self) {
        loop {
            // Listened to before looking, so that nothing falls between.
            let woken = self.woken.notified();
            let now = Instant::now();
            let directory = self.directory();
            for backend in directory.backends() {
                self.tell(backend.index, now);
            }
            let next = directory
                .backends()
                .filter_map(|backend| lock(&backend.known).until(now))
                .min();
            tokio::select! {
                () = woken => {}
                () = sleep_until(next.unwrap_or(now)), if next.is_some() => {}
            }
        }
    }

    /// Asks the servers of the places of which all models are offered: at once, every minute, and after each edit.
    async fn ask_for_models(&self) {
        loop {
            self.discover().await;
            tokio::select! {
                () = self.retuned.notified() => {}
                () = sleep(EVERY) => {}
            }
        }
    }

    /// Asks each server once, all at the same time. One that does not tell has the models that it told of last.
    pub(super) async fn discover(&self) {
        let directory = self.directory();
        let asked = directory
            .backends()
            .filter(|backend| directory.catalog.asked.contains(&backend.settings.pool));
        let told = join_all(asked.map(ask)).await;
        let now = self.directory();
        let mut news = false;
        for (backend, told) in told.into_iter().flatten() {
            // An edit may have put another server in its place meanwhile.
            if now
                .backend(backend.index)
                .is_some_and(|now| now.is_same_server(backend))
            {
                news |= take_in(backend, told);
            }
        }
        if news {
            let made = self.replace(|last| last.with_models_found());
            made.unwrap_or_else(
                |error: FactoryError| tracing::error!(%error, "the models that servers have told of cannot be offered"),
            );
        }
    }
}

/// `None`: it is no server.
async fn ask(backend: &Backend) -> Option<(&Backend, Result<Vec<Listed>, Fault>)> {
    let server = backend.server.clone()?;
    Some((backend, server.models().await))
}

/// Whether that is news. Outside the span of any session: it is for the operator.
fn take_in(backend: &Backend, told: Result<Vec<Listed>, Fault>) -> bool {
    let name = &*backend.settings.name;
    let mut known = lock(&backend.known);
    match told {
        Ok(listed) => {
            let news = known.listed.as_ref() != Some(&listed);
            if news || known.mute {
                tracing::info!(
                    backend = name,
                    models = listed.len(),
                    "this back end has told which models it has"
                );
            }
            known.mute = false;
            known.listed = Some(listed);
            news
        }
        Err(Fault { error, detail, .. }) => {
            if !known.mute {
                tracing::warn!(backend = name, %error, detail, "this back end does not tell which models it has");
            }
            known.mute = true;
            false
        }
    }
}
