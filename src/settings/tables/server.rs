//! The server itself: its address, its data, its keys, its log.

macro_rules! server_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "The server" {
            /// Where Anteroom serves. `0.0.0.0:3000` lets other machines in.
            SITE_ADDR as site_addr: SocketAddr {
                default "127.0.0.1:3000";
                shown to_operator;
                applies at_start;
                comment "The address to serve at. 0.0.0.0:3000 lets other machines in.";
            }
            /// Most connections that one address (of IPv6: one network of 64 bits) may have open at once, the feeds of open pages included.
            /// More are closed at once. Leave it at `none` behind a proxy, whose address is everybody's.
            MAX_CONNECTIONS_PER_ADDRESS as max_connections_per_address: OrNone<usize> {
                default "none";
                range 1 to 1_000_000;
                comment
                    "Most connections that one address may have open at once, feeds of open pages included: 1 to 1000000, or none."
                    "Offices share one address, and behind a proxy all come from the proxy's: leave it at none there.";
            }
            /// Where conversations, files and the made secret key are kept; with `DATABASE_URL` nothing is.
            DATA_DIR as data_dir: PathBuf {
                default "data";
                shown to_operator;
                applies at_start;
                comment "Where conversations, files and the made secret key are kept.";
            }
            /// The PostgreSQL database in which conversations and files are kept instead of in `DATA_DIR`: `postgres://user:password@host/database`.
            /// Version 15 or later; `sslmode=verify-full` and the like go behind a `?`. See `docs/postgres.md`.
            DATABASE_URL as database_url: Option<DatabaseUrl> {
                shown to_nobody;
                applies at_start;
                comment
                    "A PostgreSQL database (version 15 or later) in which conversations and files are kept instead of in DATA_DIR:"
                    "postgres://user:password@host/database. docs/postgres.md says how to set one up.";
            }
            /// Where this process listens for the other nodes, and where they reach it: `host:port`. Unset: it is alone.
            /// Each node has its own; all of them need the same `DATABASE_URL` and `SECRET_KEY`. What goes over it is not encrypted, so it belongs
            /// into a network of their own.
            NODE_ADDR as node_addr: Option<HostPort> {
                shown to_operator;
                applies at_start;
                comment
                    "Where this process listens for the other nodes, and where they reach it, such as 10.0.0.7:3001. Unset: it is alone."
                    "Each node has its own, in a network that nobody else is in; all need the same DATABASE_URL and SECRET_KEY.";
            }
            /// Signs the cookies. Made on the first start and kept in `DATA_DIR` where unset; with `DATABASE_URL` it has to be set, or stand there
            /// already.
            SECRET_KEY as secret_key: Option<Secret> {
                range 32 to 4096;
                shown to_nobody;
                applies at_start;
                comment
                    "Signs the cookies; at least 32 characters. Made on the first start and kept in DATA_DIR where this is empty; with DATABASE_URL it"
                    "has to be set.";
            }
            /// `true`: browsers send the cookie over HTTPS only, and take it from this host only (`__Host-`).
            SECURE_COOKIES as secure_cookies: bool {
                default "false";
                applies at_start;
                comment "true: browsers send the cookie over HTTPS only. Set it where the site is behind HTTPS.";
            }
            /// Who opens the operator's link with it sees addresses and paths on the stats and logs tabs.
            /// Made at each start, and printed with the link, where unset.
            OPERATOR_KEY as operator_key: Option<Secret> {
                range 16 to 4096;
                shown to_nobody;
                comment
                    "Who opens /operator?key=… with this key sees addresses and paths on the stats and logs tabs; at least 16 characters. Where this is"
                    "empty, one is made at each start, and the link is printed.";
            }
            /// Who sees the stats tab: `everyone`, `operators` (browsers that have opened the operator's link), or nobody (`off`).
            /// Others find neither the tab nor its page, and get none of its figures. What it shows of the settings to whoever is no operator
            /// has no address, no path and no key in it.
            STATS_TAB as stats_tab: Audience {
                default "everyone";
                comment
                    "Who sees the stats tab, and who the logs tab: everyone, operators (browsers that have opened the operator's link) or off."
                    "Of records everybody has only those of the own messages; those of the start are the operator's.";
            }
            /// Who sees the logs tab, likewise. Everybody sees the records of the own session alone; those of the server's start are the operator's.
            LOGS_TAB as logs_tab: Audience {
                default "everyone";
            }
            /// The language for browsers that ask for none of those that Anteroom speaks.
            LANGUAGE as language: Language {
                default "en";
                comment
                    "The language for browsers that ask for none of those that Anteroom speaks: its tag, such as en or ru. What a browser asks for, and what"
                    "somebody has chosen on a page, come first.";
            }
            /// How long running answers may go on after SIGTERM.
            SHUTDOWN_GRACE as shutdown_grace: Duration {
                default "30";
                range 0 to 3600;
                comment "How long running answers may go on after the server was told to stop.";
            }
            /// What is logged: `off`, `error`, `warn`, `info`, `debug`, `trace`, also per module: `info,anteroom::queue=debug`.
            RUST_LOG as log_filter: LogFilter {
                default "info";
                applies at_start;
                comment
                    "What is logged (off, error, warn, info, debug, trace, also per module: info,anteroom::queue=debug), and as text or json.";
            }
            /// Log records for people, or one JSON object a line.
            LOG_FORMAT as log_format: LogFormat {
                default "text";
                applies at_start;
            }
        }
    } };
}
