//! A way to a server that can be cut, and mended again.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A port that leads to another one. Ends when it is dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("it is bound").port();
        let (cut, seen) = watch::channel(false);
        let task = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut seen = seen.clone();
                if *seen.borrow() {
                    // Nobody answers: the client hears nothing at all.
                    tokio::spawn(async move {
                        let _client = client;
                        let _ = seen.wait_for(|cut| !cut).await;
                    });
                    continue;
                }
                tokio::spawn(async move {
                    let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await;
                    let Ok(mut server) = server else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => return,
                        _ = seen.wait_for(|cut| *cut) => {}
                    }
                    // Half open: neither side hears of it until the way is mended.
                    let _ = seen.wait_for(|cut| !cut).await;
                });
            }
        });
        Self { port: own, cut, task }
    }

    /// From now on nothing gets through, and nobody is told; or it does again, on new connections.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.send_replace(cut);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}
