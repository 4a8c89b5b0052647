//! What is kept of whom, and for how long.

macro_rules! sessions_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "Sessions and files" {
            /// Largest upload.
            MAX_UPLOAD_SIZE as max_upload_bytes: Bytes {
                default "20MB";
                range 1 to 1_000_000_000;
                comment "Largest upload: bytes, or written as 500KB, 20MB, 1MiB.";
            }
            /// Conversations and files last used longer ago are removed permanently.
            RETENTION_DAYS as retention_days: OrNone<u32> {
                default "none";
                range 1 to 36_500;
                comment
                    "Conversations and files that were last used more days ago than this are removed for good; none keeps them.";
            }
            /// Whether people may take a conversation along to another device, by a link that is good once. See `docs/along.md`.
            TAKE_ALONG as take_along: bool {
                default "true";
                comment
                    "true: people may take a conversation along to another device, by a link that is good once (docs/along.md)."
                    "false: nobody makes such links, and those that are out are of no use.";
            }
            /// How long an idle session stays in memory. One that has only looked at the page stays for 10 s.
            SESSION_IDLE_TIMEOUT as session_idle_timeout: Duration {
                default "1h";
                range 0.1 to LONGEST;
                comment
                    "An idle session's agent leaves memory after this time; beyond the number, the least recently used leave first.";
            }
            /// Most sessions in memory; beyond, the least recently used idle ones leave.
            MAX_SESSIONS as max_sessions: usize {
                default "10000";
                range 1 to 1_000_000;
            }
        }
    } };
}
