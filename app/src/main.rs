//! Anteroom's server.

use std::{path::PathBuf, process::ExitCode};

use anteroom_app::server::{
    assets, backup, migrate,
    run::{Failure, serve},
};

// `Site`: the files that browsers load.
include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// Gives memory back once a crowd has gone; the system's own often keeps what its threads have had.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const HELP: &str = "Anteroom: a fair line in front of a language model.

Usage: anteroom                 serve
       anteroom backup FILE     copy everything into FILE (a tar archive), also while it serves
       anteroom migrate --from FOLDER
                                take what FOLDER keeps (the DATA_DIR of a server that has been stopped) over into the
                                empty database of DATABASE_URL
       anteroom --help | --version

It reads its settings from the environment and from .env in the current folder;
.env.example and docs/settings.md name them all, docs/operating.md says how to restore a back-up,
docs/postgres.md how to use a database.";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        [] => {
            assets::provide::<Site>();
            serve().await
        }
        ["backup", file] if !file.starts_with('-') => backup::run(&PathBuf::from(file)).await,
        ["migrate", "--from", folder] if !folder.starts_with('-') => migrate::run(&PathBuf::from(folder)).await,
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["--version" | "-V"] => {
            println!("anteroom {}", anteroom::engine::VERSION);
            Ok(())
        }
        ["backup", ..] => {
            eprintln!("anteroom backup needs the name of one file to write.\n\n{HELP}");
            return ExitCode::from(2);
        }
        ["migrate", ..] => {
            eprintln!("anteroom migrate needs --from and the name of one folder.\n\n{HELP}");
            return ExitCode::from(2);
        }
        [unknown, ..] => {
            eprintln!("anteroom does not know the argument {unknown}.\n\n{HELP}");
            return ExitCode::from(2);
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
