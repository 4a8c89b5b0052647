//! The file of servers of tools, which anybody may have edited: every fault is told, no key is, and whatever is taken over is sound.
//!
//! Input: the file.
#![no_main]

use std::{collections::BTreeSet, io, path::Path, time::Duration};

use anteroom::settings::{Loaded, Settings, ToolTransport};
use libfuzzer_sys::fuzz_target;

/// Nothing that is shown may hold it.
const KEY: &str = "sk-dont-show-this-0123456789-0123456789";
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

fuzz_target!(|file: &[u8]| {
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        match path.ends_with("mcp.json") {
            true => Ok(file.to_vec()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    };
    let environment = [("MCP_FILE", "mcp.json"), ("TOOL_KEY", KEY)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let load = || Settings::load_with(environment.clone(), None, &read);
    let said = match load() {
        Ok(loaded) => {
            check(&loaded);
            let (again, changes) = loaded.reload(load().expect("it was good the first time"));
            assert!(changes.is_empty(), "nothing was edited: {changes:?}");
            assert_eq!(again.settings.tools, loaded.settings.tools);
            format!("{loaded:?}")
        }
        Err(faults) => {
            assert!(!faults.faults.is_empty());
            for fault in &faults.faults {
                assert!(!fault.advice.is_empty(), "{fault:?}");
            }
            assert_eq!(load().expect_err("it was wrong the first time"), faults);
            format!("{faults}{faults:?}")
        }
    };
    assert!(!said.contains(KEY), "the key is shown: {said}");
});

/// What the rest of the program may rely on.
fn check(loaded: &Loaded) {
    let servers = &loaded.settings.tools.servers;
    let names: BTreeSet<_> = servers.iter().map(|server| &server.name).collect();
    assert!(names.len() == servers.len() && servers.len() <= 100, "{servers:?}");
    for server in servers {
        assert!(!server.name.is_empty() && server.limit != Some(0), "{server:?}");
        for time in [server.timeout, server.connect_timeout, server.idle] {
            assert!(time > Duration::ZERO && time <= LONGEST, "{server:?}");
        }
        let headers = match &server.transport {
            ToolTransport::Program { command, env, .. } => {
                assert!(!command.is_empty() && !command.contains('\0'), "{server:?}");
                for (name, _) in env {
                    assert!(!name.is_empty() && !name.contains(['=', '\0']), "{server:?}");
                }
                &[][..]
            }
            ToolTransport::Http { url, headers } => {
                assert!(!url.0.trim().is_empty(), "{server:?}");
                headers
            }
        };
        for (name, value) in headers {
            assert!(!name.is_empty() && name.is_ascii(), "{server:?}");
            assert!(!value.0.contains(['\r', '\n', '\0']), "{server:?}");
        }
    }
}
