//! Anteroom's server.

use std::process::ExitCode;

use anteroom_app::server::{
    assets, backup,
    keys::{self, Keys},
    migrate,
    run::{Failure, serve},
};
use flags::{Add, Anteroom, AnteroomCmd, Backup, Key, KeyCmd, Migrate, Revoke};

// `Site`: the files that browsers load.
include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// Gives memory back once a crowd has gone; the system's own often keeps what its threads have had.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod flags {
    use std::path::PathBuf;

    use anteroom::accounts::Scopes;
    use anteroom_app::server::keys::Lifetime;

    xflags::xflags! {
        /// Anteroom: a fair line in front of a language model. It reads its settings from the environment and from .env in the current folder;
        /// .env.example and docs/settings.md name them all, docs/operating.md says how to restore a back-up, docs/postgres.md how to use a
        /// database, docs/api.md how programs ask.
        cmd anteroom {
            /// Say which version this is.
            optional -V, --version
            /// Serve. What is done where nothing is named.
            default cmd serve {}
            /// Copy everything into FILE (a tar archive), also while it serves.
            cmd backup {
                /// The file to write.
                required file: PathBuf
            }
            /// Take what a folder keeps over into the empty database of DATABASE_URL.
            cmd migrate {
                /// The DATA_DIR of a server that has been stopped.
                required --from folder: PathBuf
            }
            /// Make, show and revoke the keys of programs, also while it serves.
            cmd key {
                /// Make a key. It is shown this once.
                cmd add {
                    /// Its name, for people.
                    required name: String
                    /// What it lets its program do: chat, tasks, read and metrics, with commas between. Unless told: chat,tasks,read.
                    optional --scopes list: Scopes
                    /// For how long: 90d, 12h, 30m. Unless told: until it is revoked.
                    optional --expires time: Lifetime
                }
                /// Show all keys.
                cmd list {}
                /// Revoke a key for ever.
                cmd revoke {
                    /// Its name, or its id.
                    required which: String
                }
            }
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Anteroom::from_env() {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    if arguments.version {
        println!("anteroom {}", anteroom::engine::VERSION);
        return ExitCode::SUCCESS;
    }
    let done = match arguments.subcommand {
        AnteroomCmd::Serve(_) => {
            assets::provide::<Site>();
            serve().await
        }
        AnteroomCmd::Backup(Backup { file }) => backup::run(&file).await,
        AnteroomCmd::Migrate(Migrate { from }) => migrate::run(&from).await,
        AnteroomCmd::Key(Key { subcommand }) => {
            let asked = match subcommand {
                KeyCmd::Add(Add { name, scopes, expires }) => Keys::Add { name, scopes, expires },
                KeyCmd::List(_) => Keys::List,
                KeyCmd::Revoke(Revoke { which }) => Keys::Revoke { which },
            };
            keys::run(asked).await
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Settings(faults)) => {
            eprintln!("{faults}");
            ExitCode::from(2)
        }
        Err(Failure::Other(error)) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
