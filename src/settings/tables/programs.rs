//! How much programs may ask for.

macro_rules! programs_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "Programs" {
            /// Most requests of one key in a minute. They may come all at once; more are refused with the time after which there is one
            /// again. What is refused counts for nothing. See `docs/api.md`.
            KEY_REQUESTS_PER_MINUTE as key_requests_per_minute: OrNone<u32> {
                default "none";
                range 1 to 1_000_000;
                comment
                    "Most requests, and tokens (read and written), of one key of a program in a minute: numbers, or none. docs/api.md says"
                    "how keys are made.";
            }
            /// Most tokens, read and written, of one key in a minute. They are counted when an answer is over, as the model server says or
            /// else about, so a key may owe some, and is let in again once it owes none.
            KEY_TOKENS_PER_MINUTE as key_tokens_per_minute: OrNone<u64> {
                default "none";
                range 1 to 1_000_000_000;
            }
            /// `true`: `/metrics` is for keys that have the scope `metrics`. Else it is for everybody who reaches it.
            METRICS_NEED_KEY as metrics_need_key: bool {
                default "false";
                comment "true: /metrics is for keys with the scope metrics alone.";
            }
            /// Most requests of programs from one address (of IPv6: one network of 64 bits) in a minute, with whatever keys. Each node counts
            /// for itself.
            ADDRESS_REQUESTS_PER_MINUTE as address_requests_per_minute: OrNone<u32> {
                default "none";
                range 1 to 1_000_000;
                comment
                    "Most requests, and tokens, of programs from one address in a minute. Behind a proxy, name it in TRUSTED_PROXIES, or all come from"
                    "one.";
            }
            /// Most tokens, read and written, of programs at one address (likewise) in a minute, with whatever keys. They are counted as those of a key,
            /// at the home of the key that they were asked with. What goes on after a restart counts for its key alone.
            ADDRESS_TOKENS_PER_MINUTE as address_tokens_per_minute: OrNone<u64> {
                default "none";
                range 1 to 1_000_000_000;
            }
            /// Proxies whose word for the address of a client is taken (`X-Forwarded-For`, or `Forwarded` where that is not sent), for
            /// `ADDRESS_REQUESTS_PER_MINUTE` and `ADDRESS_TOKENS_PER_MINUTE` alone: addresses and networks, such as `10.0.0.0/8`. They have to write one of the two
            /// themselves, and let none through as it came. Where this is set, programs of this machine need keys, too.
            TRUSTED_PROXIES as trusted_proxies: Option<List<Network>> {
                shown to_operator;
                comment
                    "Proxies that say from which address a request comes (X-Forwarded-For): addresses and networks with commas between, such as"
                    "127.0.0.1,10.0.0.0/8.";
            }
        }
    } };
}
