//! Tasks: what programs leave to be answered.

macro_rules! tasks_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "Tasks of programs" {
            /// Most tasks of one owner that may be open at once, those behind the line included.
            TASKS_MAX_OPEN as tasks_max_open: usize {
                default "100000";
                range 1 to 10_000_000;
                comment "Most tasks of one owner that may be open at once; batches that would be more are refused.";
            }
            /// How long tasks and their results are kept once all of their batch is over; they are removed permanently then.
            TASKS_KEEP_AFTER as tasks_keep_after: Duration {
                default "168h";
                range 1 to LONGEST;
                comment "How long results of tasks are kept; they are removed for good then.";
            }
            /// Whether webhooks may lead to addresses of this machine and of private networks. Whoever may send tasks reaches these through the
            /// server then.
            WEBHOOK_PRIVATE_ADDRESSES as webhook_private_addresses: bool {
                default "false";
                comment
                    "true: webhooks may lead to this machine and to private networks, too. Whoever may send tasks reaches these through the"
                    "server then.";
            }
        }
    } };
}
