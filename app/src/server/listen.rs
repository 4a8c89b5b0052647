//! The addresses that the server takes connections at.

use std::{io, net::SocketAddr};

use anyhow::{Context as _, anyhow};
use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that may wait to be taken, as far as the system lets them (`net.core.somaxconn`). One that finds no room is tried
/// again by its browser after a second, so a crowd that comes at once needs much.
const BACKLOG: u32 = 4096;

/// The address for visitors. Nobody else can have it; whoever comes is refused by the system until it is open.
pub(super) struct ForVisitors {
    socket: TcpSocket,
    pub(super) address: SocketAddr,
}

impl ForVisitors {
    /// # Errors
    /// Why not, in words for the operator.
    pub(super) fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let bound = bind(address).and_then(|socket| {
            Ok(Self {
                address: socket.local_addr()?,
                socket,
            })
        });
        bound.map_err(|error| Self::in_words(error, address))
    }

    /// From now on whoever comes waits to be taken.
    ///
    /// # Errors
    /// Why not, in words for the operator.
    pub(super) fn open(self) -> anyhow::Result<TcpListener> {
        let listener = self.socket.listen(BACKLOG);
        listener.map_err(|error| Self::in_words(error, self.address))
    }

    fn in_words(error: io::Error, address: SocketAddr) -> anyhow::Error {
        in_words(error, &address.to_string(), "SITE_ADDR")
    }
}

/// For the other nodes: at the first address that the name stands for and that is this machine's.
///
/// # Errors
/// Why not, in words for the operator.
pub(super) async fn for_nodes(name: &str) -> anyhow::Result<TcpListener> {
    let addresses = lookup_host(name)
        .await
        .with_context(|| format!("no address is known of {name}. Choose another one with NODE_ADDR"))?;
    let mut fault = None;
    for address in addresses {
        match bind(address).and_then(|socket| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            // What is wrong with the first is what the operator is told.
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    let fault = fault.ok_or_else(|| anyhow!("no address is known of {name}. Choose another one with NODE_ADDR"))?;
    Err(in_words(fault, name, "NODE_ADDR"))
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // A restart must not wait for the connections of the last run to be forgotten. Elsewhere the option means something else.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn in_words(error: io::Error, address: &str, setting: &str) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is in use by another program. End it, or choose another address with {setting}.")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow!("{address} needs rights that this user has not. Choose a port from 1024 on with {setting}.")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow!("{address} is not an address of this machine. Choose one that is with {setting}.")
        }
        _ => anyhow::Error::new(error).context(format!("cannot listen on {address} ({setting})")),
    }
}
