//! Anteroom, as programs see it.

use super::{CONNECTIONS, ask::Target};
use crate::{
    anteroom::Anteroom,
    http::Http,
    system::{Places, Setup, System as _},
};

/// With room for all, who are one owner, since nobody has a key.
pub(super) fn roomy(places: &Places, model: &str) -> anyhow::Result<Target> {
    let setup = Setup {
        slots: 1_000,
        model: model.to_owned(),
    };
    let room = CONNECTIONS.to_string();
    let variables = [
        ("MAX_RUNNING", "none"),
        // As the others are started: they log errors alone.
        ("RUST_LOG", "error"),
        ("QUEUE_MAX_SIZE", &*room),
        ("QUEUE_MAX_WAITING_PER_SESSION", &*room),
    ];
    Ok(program(Anteroom::with(places, &setup, &variables)?))
}

/// The doors of programs of one that runs.
pub(super) fn program(server: Anteroom) -> Target {
    let http = Http::new(server.addr(), CONNECTIONS);
    let (program, folder) = server.into_parts();
    Target {
        name: "Anteroom",
        http,
        headers: Vec::new(),
        program: Some(program),
        _folder: Some(folder),
    }
}
