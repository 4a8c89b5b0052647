//! The line: what may run at once, who starts next, how long it may take.

use validator::ValidationError;

use super::{
    super::{BackendLimit, Catalog, field::Field, kinds::PlainWord},
    Raw,
};
use crate::{
    queue::{Difference, EventIndex, EventPolicy, Policy},
    wire::Event,
};

macro_rules! line_table {
    ([$next:ident $($rest:ident)*] $($tables:tt)*) => { $next! { [$($rest)*] $($tables)*
        "The line" {
            /// `false`: all events share one line and run one at a time, whatever their limits.
            ENABLE_CONCURRENT_PROCESSING in policy as enable_concurrent_processing: bool {
                default "true";
                comment "false: all events share one line and run one at a time.";
            }
            /// `false`: nobody waits; what cannot start at once is refused as busy.
            ENABLE_QUEUE in policy as enable_queue: bool {
                also "GRADIO_ENABLE_QUEUE";
                default "true";
                comment "false: nobody waits; what cannot start at once is refused as busy.";
            }
            /// The limit of events without one of their own. Where this is unset too, it is 1.
            DEFAULT_CONCURRENCY_LIMIT in policy as default_concurrency_limit: Option<OrNone<usize>> {
                also "GRADIO_DEFAULT_CONCURRENCY_LIMIT", "GRADIO_CONCURRENCY_LIMIT";
                range 1 to 1000;
                example "5";
                comment
                    "How many of each event may run at once: 1 to 1000, or none for no limit."
                    "An event without a limit of its own has the default; without a default it is 1.";
            }
            /// How many turns may be answered at once, whoever answers. `auto`: as many as each back end turns out to take. Where this is unset,
            /// the limits of the back ends count: one without a limit has `DEFAULT_CONCURRENCY_LIMIT`, else 1.
            CHAT_CONCURRENCY_LIMIT in policy as chat_concurrency_limit: Option<BackendLimit> {
                range 1 to 1000;
                example "3";
            }
            /// How many uploads may run at once.
            FILE_CONCURRENCY_LIMIT in policy as file_concurrency_limit: Option<OrNone<usize>> {
                range 1 to 1000;
                example "2";
            }
            /// How many refreshes of the stats tab may run at once.
            STATS_CONCURRENCY_LIMIT in policy as stats_concurrency_limit: Option<OrNone<usize>> {
                range 1 to 1000;
                example "5";
            }
            /// How many refreshes of the logs tab may run at once.
            LOGS_CONCURRENCY_LIMIT in policy as logs_concurrency_limit: Option<OrNone<usize>> {
                range 1 to 1000;
                example "5";
            }
            /// How many tools may be in use at once.
            TOOL_CONCURRENCY_LIMIT in policy as tool_concurrency_limit: Option<OrNone<usize>> {
                range 1 to 1000;
                example "4";
            }
            /// Events with the same id share one limit, the lowest of theirs. Not the name of another event.
            CHAT_CONCURRENCY_ID in policy as chat_concurrency_id: Option<PlainWord> {
                check line::chat_id;
                comment
                    "Events with the same id share one limit, the lowest of theirs. For example CHAT_CONCURRENCY_ID=gpu and"
                    "FILE_CONCURRENCY_ID=gpu.";
            }
            /// As above, for uploads.
            FILE_CONCURRENCY_ID in policy as file_concurrency_id: Option<PlainWord> {
                check line::file_id;
            }
            /// As above, for the stats tab.
            STATS_CONCURRENCY_ID in policy as stats_concurrency_id: Option<PlainWord> {
                check line::stats_id;
            }
            /// As above, for the logs tab.
            LOGS_CONCURRENCY_ID in policy as logs_concurrency_id: Option<PlainWord> {
                check line::logs_id;
            }
            /// As above, for tools.
            TOOL_CONCURRENCY_ID in policy as tool_concurrency_id: Option<PlainWord> {
                check line::tool_id;
            }
            /// How many of all events together may run at once.
            MAX_RUNNING in policy as max_running: OrNone<usize> {
                also "GRADIO_MAX_THREADS";
                default "100";
                range 1 to 1000;
                comment "How many of all events together may run at once: 1 to 1000, or none.";
            }
            /// `fair`: the sessions that wait take turns. `fifo`: plain arrival.
            QUEUE_ORDER in policy as queue_order: Order {
                default "fair";
                comment "fair: sessions take turns, so that nobody's burst delays the others. fifo: plain arrival.";
            }
            /// How often a waiting browser is told its place.
            QUEUE_STATUS_UPDATE_RATE as status_update_rate: UpdateRate {
                default "auto";
                range 0.05 to 60;
                comment
                    "How often a waiting browser is told its place: auto (at once near the head, less often far back), or a time.";
            }
            /// Most tickets that may wait, all lines together.
            QUEUE_MAX_SIZE in policy as queue_max_size: OrNone<usize> {
                default "none";
                range 1 to 1_000_000;
                comment "Most tickets that may wait, all together and for each session; more are refused. none: no bound.";
            }
            /// Most tickets that one session may have waiting.
            QUEUE_MAX_WAITING_PER_SESSION in policy as queue_max_waiting_per_session: OrNone<usize> {
                default "10";
                range 1 to 10_000;
            }
            /// Longest wait, after which a ticket leaves the line.
            QUEUE_MAX_WAIT in policy as queue_max_wait: OrNone<Duration> {
                default "none";
                range 0.1 to LONGEST;
                comment "Longest wait, after which a ticket leaves the line. none: no bound.";
            }
            /// How long a waiting place is kept for a browser that has gone.
            QUEUE_ABANDON_AFTER as abandon_after: OrNone<Duration> {
                default "120";
                range 0.1 to LONGEST;
                comment "How long a place is kept for a browser that has gone. none: for ever.";
            }
            /// Longest time that one answer may take.
            CHAT_TIMEOUT as chat_timeout: OrNone<Duration> {
                default "300";
                range 0.1 to LONGEST;
                comment "Longest time that one answer may take. none: no bound.";
            }
        }
    } };
}

/// The one list of events with their settings, in the order of [`Event::ALL`]: the queue knows events by their place. Field of the limit,
/// field of the id and its check.
macro_rules! events {
    ($($event:ident: $limit:ident, $id:ident, $check:ident;)+) => {
        /// An event has its own limit, else the default one, else 1.
        fn events(raw: &Raw) -> Vec<EventPolicy> {
            let default = raw.default_concurrency_limit.value();
            vec![$(EventPolicy {
                name: Event::$event.name().to_owned(),
                limit: raw.$limit.value().map(Option::<usize>::from).or(default).unwrap_or(Some(1)),
                concurrency_id: raw.$id.value(),
                pooled: Event::$event.is_for_backends(),
            }),+]
        }

        /// The limit and the id of each event, by field.
        const FIELDS: [(&str, &str); Event::ALL.len()] = [$((stringify!($limit), stringify!($id))),+];

        $(pub(super) fn $check(field: &Field<Option<PlainWord>>) -> Result<(), ValidationError> {
            concurrency_id(Event::$event, field)
        })+
    };
}

events! {
    Chat: chat_concurrency_limit, chat_concurrency_id, chat_id;
    FileUpload: file_concurrency_limit, file_concurrency_id, file_id;
    StatsRefresh: stats_concurrency_limit, stats_concurrency_id, stats_id;
    LogsRefresh: logs_concurrency_limit, logs_concurrency_id, logs_id;
    Tool: tool_concurrency_limit, tool_concurrency_id, tool_id;
}

/// The limit of a back end that has none in the file, which is also the built-in demo's: where all of them together have one, that counts.
pub(in super::super) fn backend_limit(raw: &Raw) -> BackendLimit {
    let own = raw.chat_concurrency_limit.as_ref().copied().flatten();
    let default = raw.default_concurrency_limit.as_ref().copied().flatten();
    match own {
        Some(BackendLimit::Auto) => BackendLimit::Auto,
        Some(BackendLimit::Slots(_)) => BackendLimit::Slots(None),
        None => BackendLimit::Slots(default.unwrap_or(Some(1))),
    }
}

/// The limit of `chat` where it has none of its own. The back ends' limits are the cap then. What shares a limit with others needs a
/// number to share, which is what the back ends take together.
fn chat_limit(raw: &Raw, catalog: &Catalog) -> Option<usize> {
    raw.chat_concurrency_id.as_ref().and_then(Option::as_ref)?;
    catalog.slots()
}

/// The queue's policy, but for the pools.
pub(super) fn policy(raw: &Raw, catalog: &Catalog) -> Policy {
    let mut events = events(raw);
    if raw.chat_concurrency_limit.is_unset() {
        events[Event::Chat.index()].limit = chat_limit(raw, catalog);
    }
    Policy {
        events,
        pools: Vec::new(),
        backends: Vec::new(),
        balance: catalog.balance,
        concurrent: raw.enable_concurrent_processing.value(),
        queue: raw.enable_queue.value(),
        order: raw.queue_order.value(),
        max_running: raw.max_running.value(),
        max_size: raw.queue_max_size.value(),
        max_waiting_per_owner: raw.queue_max_waiting_per_session.value(),
        max_wait: raw.queue_max_wait.value(),
    }
}

/// What an operator has to look at where the policy of all is not what these settings say: a variable, or the name of a back end or a model.
pub(crate) fn name_of(difference: &Difference) -> String {
    let of_event = |event: &EventIndex| FIELDS.get(event.0).copied().unwrap_or_default();
    let variable = match difference {
        // A variable is called like its field.
        Difference::Limit(event) => return of_event(event).0.to_uppercase(),
        Difference::ConcurrencyId(event) => return of_event(event).1.to_uppercase(),
        Difference::Backend(name) | Difference::Pool(name) => return name.clone(),
        Difference::Concurrent => "ENABLE_CONCURRENT_PROCESSING",
        Difference::Queue => "ENABLE_QUEUE",
        Difference::Order => "QUEUE_ORDER",
        Difference::MaxRunning => "MAX_RUNNING",
        Difference::MaxSize => "QUEUE_MAX_SIZE",
        Difference::MaxWaitingPerOwner => "QUEUE_MAX_WAITING_PER_SESSION",
        Difference::MaxWait => "QUEUE_MAX_WAIT",
        Difference::Balance => "BACKEND_BALANCE",
    };
    variable.to_owned()
}

/// A shared limit that is called like an event of which it is not the limit would be two limits of one name.
fn concurrency_id(own: Event, field: &Field<Option<PlainWord>>) -> Result<(), ValidationError> {
    let Some(Some(id)) = field.as_ref() else { return Ok(()) };
    let other = Event::ALL.into_iter().find(|event| *event != own && event.name() == id);
    other.map_or(Ok(()), |event| {
        let message = format!("{event} is the name of another event; to share a limit, give both events one new name");
        Err(ValidationError::new("contradiction").with_message(message.into()))
    })
}
