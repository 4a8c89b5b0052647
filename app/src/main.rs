//! Anteroom's server.

use std::process::ExitCode;

use anteroom::{
    accounts::rates::{KeyRates, RatesChange},
    papers,
};
use anteroom_app::{
    command::{
        Address, SEE_HELP,
        ask::{self, Question},
        tasks,
    },
    server::{
        assets, backup,
        keys::{self, Keys, OwnRate},
        migrate,
        run::{Failure, serve},
    },
};
use flags::{
    Add, Anteroom, AnteroomCmd, Ask, Backup, Cancel, Key, KeyCmd, Migrate, Revoke, Run, Set, Status, Tasks, TasksCmd,
    Tool,
};

// `Site`: the files that browsers load.
include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// Gives memory back once a crowd has gone; the system's own often keeps what its threads have had.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

mod flags {
    use std::path::PathBuf;

    use anteroom::accounts::Scopes;
    use anteroom_app::server::keys::{Lifetime, OwnRequests, OwnTokens};

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
            /// Ask a model of a server that runs, here or elsewhere. The answer comes on the standard output; what is piped in is added to the question.
            cmd ask {
                /// Who is to answer, such as llama3.2@ollama. Unless told: the site's default.
                optional -m, --model model: String
                /// What the model is told before the question.
                optional --system text: String
                /// The server. Unless told: ANTEROOM_URL, or http://127.0.0.1:3000.
                optional --url address: String
                /// A key of the server. Unless told: ANTEROOM_KEY, which nobody sees in the list of processes.
                optional --key key: String
                /// Say nothing of the place in line.
                optional -q, --quiet
                /// The question.
                repeated question: String
            }
            /// Give work to a server that runs, to be done when its turn comes, whatever becomes of this command and of the server.
            cmd tasks {
                /// The server. Unless told: ANTEROOM_URL, or http://127.0.0.1:3000.
                optional --url address: String
                /// A key of the server. Unless told: ANTEROOM_KEY, which nobody sees in the list of processes.
                optional --key key: String
                /// Give it a file of tasks, one a line as JSON, and write their results as they come. Run again, it goes on.
                cmd run {
                    /// The file.
                    required file: PathBuf
                    /// Where the results go, one a line. Unless told: to the standard output.
                    optional -o, --output file: PathBuf
                    /// Who answers the tasks that name no model.
                    optional -m, --model model: String
                    /// Show how far it is.
                    optional --progress
                }
                /// Say how far a batch is.
                cmd status {
                    /// Its id, or its file.
                    required batch: String
                }
                /// Cancel what is not over of a batch.
                cmd cancel {
                    /// Its id, or its file.
                    required batch: String
                }
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
                    /// Most requests with it in a minute, or none. Unless told, and with none: as the setting KEY_REQUESTS_PER_MINUTE says.
                    optional --requests-per-minute most: OwnRequests
                    /// Most tokens, read and written, in a minute, or none. Unless told, and with none: as the setting KEY_TOKENS_PER_MINUTE says.
                    optional --tokens-per-minute most: OwnTokens
                }
                /// Show all keys.
                cmd list {}
                /// Give a key other rates. Its program goes on with the same key, and servers that run know within a second.
                cmd set {
                    /// Its name, or its id.
                    required which: String
                    /// Most requests with it in a minute; none: as the setting KEY_REQUESTS_PER_MINUTE says. Unless told, it stays as it is.
                    optional --requests-per-minute most: OwnRequests
                    /// Most tokens, read and written, in a minute; none: as the setting KEY_TOKENS_PER_MINUTE says. Unless told, it stays as it is.
                    optional --tokens-per-minute most: OwnTokens
                }
                /// Revoke a key for ever.
                cmd revoke {
                    /// Its name, or its id.
                    required which: String
                }
                /// Give a key what a server of tools asks of each: read from the standard input, a line for each thing.
                cmd tool {
                    /// Its name, or its id.
                    required which: String
                    /// The server, as MCP_FILE calls it.
                    required server: String
                    /// Remove what it was given.
                    optional --remove
                }
            }
        }
    }
}

fn main() -> ExitCode {
    // One document, in a process that does nothing else: it has no threads, and hears of no settings.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|command| command == papers::COMMAND)
    {
        return papers::run();
    }
    // Likewise one that keeps a server of tools.
    match anteroom::tools::keeper::keep_if_asked() {
        Some(code) => code,
        None => run(),
    }
}

// What is awaited here comes boxed: an async function is compiled by whoever awaits it, and a whole build waits for this crate.
#[tokio::main]
async fn run() -> ExitCode {
    let arguments = match Anteroom::from_env() {
        Ok(arguments) => arguments,
        Err(help) if help.is_help() => help.exit(),
        Err(error) => {
            eprintln!("{error}\n{SEE_HELP}");
            return ExitCode::from(2);
        }
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
        AnteroomCmd::Ask(Ask {
            model,
            system,
            url,
            key,
            quiet,
            question: words,
        }) => {
            let question = Question {
                words,
                model,
                system,
                quiet,
            };
            return ask::run(question, Address { url, key }).await.code();
        }
        AnteroomCmd::Tasks(Tasks { url, key, subcommand }) => {
            let address = Address { url, key };
            let ended = match subcommand {
                TasksCmd::Run(Run {
                    file,
                    output,
                    model,
                    progress,
                }) => {
                    let run = tasks::Run {
                        file,
                        output,
                        model,
                        progress,
                    };
                    tasks::run(run, address).await
                }
                TasksCmd::Status(Status { batch }) => tasks::status(&batch, address).await,
                TasksCmd::Cancel(Cancel { batch }) => tasks::cancel(&batch, address).await,
            };
            return ended.code();
        }
        AnteroomCmd::Key(Key { subcommand }) => {
            let asked = match subcommand {
                KeyCmd::Add(Add {
                    name,
                    scopes,
                    expires,
                    requests_per_minute,
                    tokens_per_minute,
                }) => Keys::Add {
                    name,
                    scopes,
                    expires,
                    rates: KeyRates {
                        requests: requests_per_minute.and_then(|OwnRate(rate)| rate),
                        tokens: tokens_per_minute.and_then(|OwnRate(rate)| rate),
                    },
                },
                KeyCmd::List(_) => Keys::List,
                KeyCmd::Set(Set {
                    which,
                    requests_per_minute,
                    tokens_per_minute,
                }) => Keys::Set {
                    which,
                    change: RatesChange {
                        requests: requests_per_minute.map(|OwnRate(rate)| rate),
                        tokens: tokens_per_minute.map(|OwnRate(rate)| rate),
                    },
                },
                KeyCmd::Revoke(Revoke { which }) => Keys::Revoke { which },
                KeyCmd::Tool(Tool { which, server, remove }) => Keys::Tool { which, server, remove },
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
