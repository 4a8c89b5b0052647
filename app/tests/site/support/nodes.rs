//! Several sites that are nodes of one, each with sockets that can be gone all at once, and homes that the test chooses.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anteroom::{
    nodes::{Home, Homes, Incarnation},
    queue::Owner,
};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::watch,
};

use super::{Among, Browser, Site};

const KEY: &str = "a-key-that-is-of-use-to-nobody-but-tests";

/// Who is at home where. A node that is not in the map is nowhere; nobody is at home at any other than the first before the test says so.
struct Town {
    homes: Mutex<HashMap<Owner, Option<usize>>>,
    addresses: Vec<String>,
    changed: watch::Sender<()>,
    unready: Mutex<Option<&'static str>>,
}

impl Town {
    fn homes(&self) -> MutexGuard<'_, HashMap<Owner, Option<usize>>> {
        self.homes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same, as one node sees it.
struct View {
    town: Arc<Town>,
    me: usize,
}

fn name(number: usize) -> Incarnation {
    Incarnation(number as u128 + 1)
}

impl Homes for View {
    fn home(&self, owner: Owner) -> Home {
        let home = self.town.homes().get(&owner).copied().unwrap_or(Some(0));
        match home {
            None => Home::Nowhere,
            Some(number) if number == self.me => Home::Here,
            Some(number) => Home::There {
                node: name(number),
                address: self.town.addresses[number].clone(),
            },
        }
    }

    fn changes(&self) -> watch::Receiver<()> {
        self.town.changed.subscribe()
    }

    fn peers(&self) -> Vec<(Incarnation, String)> {
        let others = self.town.addresses.iter().enumerate();
        let others = others.filter(|(number, _)| *number != self.me);
        others
            .map(|(number, address)| (name(number), address.clone()))
            .collect()
    }

    fn unready(&self) -> Option<&'static str> {
        *self.town.unready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn has_left(&self) -> bool {
        false
    }

    fn me(&self) -> Incarnation {
        name(self.me)
    }
}

/// Some nodes, each with a runtime of its own.
pub(crate) struct Nodes {
    town: Arc<Town>,
    sites: Vec<Option<(Site, Runtime)>>,
}

impl Nodes {
    /// So many, with these settings.
    pub(crate) async fn start(number: usize, settings: &[(&'static str, &'static str)]) -> Self {
        let mut listeners = Vec::new();
        for _ in 0..number {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            listener.set_nonblocking(true).expect("set");
            listeners.push(listener);
        }
        let address = |listener: &std::net::TcpListener| listener.local_addr().expect("an address").to_string();
        let town = Arc::new(Town {
            homes: Mutex::default(),
            addresses: listeners.iter().map(address).collect(),
            changed: watch::Sender::new(()),
            unready: Mutex::default(),
        });
        let mut sites = Vec::new();
        for (me, listener) in listeners.into_iter().enumerate() {
            let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
            let runtime = runtime.expect("a runtime");
            let homes = Arc::new(View {
                town: Arc::clone(&town),
                me,
            });
            let mut settings = settings.to_vec();
            settings.push(("SECRET_KEY", KEY));
            let starting = runtime.spawn(async move {
                let listener = TcpListener::from_std(listener).expect("a listener");
                Site::start_among(&settings, Among { homes, listener }).await
            });
            sites.push(Some((starting.await.expect("it starts"), runtime)));
        }
        Self { town, sites }
    }

    /// One that has not been killed.
    pub(crate) fn site(&self, number: usize) -> &Site {
        &self.sites[number].as_ref().expect("it lives").0
    }

    /// Where it listens for the others.
    pub(crate) fn link(&self, number: usize) -> &str {
        &self.town.addresses[number]
    }

    /// The same browser at another door.
    pub(crate) fn through(&self, door: usize, browser: &Browser) -> Browser {
        Browser {
            addr: self.site(door).addr,
            ..browser.clone()
        }
    }

    /// Whose browser this is.
    pub(crate) fn owner(&self, browser: &Browser) -> Owner {
        let alive = self.sites.iter().flatten().next().expect("one lives");
        let session = alive.0.engine.jar().session(&browser.cookie).expect("a session");
        Owner(session.0.as_u128())
    }

    /// From now on it is at home there; `None`: nowhere.
    pub(crate) fn settle(&self, browser: &Browser, home: Option<usize>) {
        self.settle_owner(self.owner(browser), home);
    }

    /// The same for an owner that need not be a browser.
    pub(crate) fn settle_owner(&self, owner: Owner, home: Option<usize>) {
        self.town.homes().insert(owner, home);
        self.town.changed.send_replace(());
    }

    /// Why no node is ready.
    pub(crate) fn unready(&self, why: Option<&'static str>) {
        *self.town.unready.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// As a `kill -9` does it: all of its sockets are gone, and nobody has been told anything.
    pub(crate) fn kill(&mut self, number: usize) {
        if let Some((site, runtime)) = self.sites[number].take() {
            runtime.shutdown_background();
            drop(site);
        }
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for number in 0..self.sites.len() {
            self.kill(number);
        }
    }
}
