//! From a raw struct that passed validation to [`Settings`].

use super::{
    Settings,
    raw::{Field, Raw},
    values::{ConcurrencyId, OrNone},
};
use crate::{
    queue::{EventPolicy, Policy},
    wire::Event,
};

/// The value of a field that was checked, of a variable with a default.
fn set<T>(field: Field<T>) -> T {
    field
        .get()
        .expect("`VARIABLES` gives it a default, and validation has passed")
}

fn count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The settings. An event has its own limit, else the default one.
pub(super) fn settings(raw: Raw) -> Settings {
    let default = raw.default_concurrency_limit.get();
    let event = |event: Event, limit: Field<OrNone<u32>>, id: Field<ConcurrencyId>| EventPolicy {
        name: event.name().to_owned(),
        limit: limit
            .get()
            .or_else(|| default.clone())
            .unwrap_or(OrNone(Some(1)))
            .0
            .map(count),
        concurrency_id: id.get().map(|id| id.0),
    };
    let policy = Policy {
        // In the order of `Event::ALL`: the queue knows events by their place.
        events: vec![
            event(Event::Chat, raw.chat_concurrency_limit, raw.chat_concurrency_id),
            event(Event::FileUpload, raw.file_concurrency_limit, raw.file_concurrency_id),
            event(
                Event::StatsRefresh,
                raw.stats_concurrency_limit,
                raw.stats_concurrency_id,
            ),
            event(Event::LogsRefresh, raw.logs_concurrency_limit, raw.logs_concurrency_id),
        ],
        concurrent: set(raw.enable_concurrent_processing),
        queue: set(raw.enable_queue),
        order: set(raw.queue_order),
        max_running: set(raw.max_running).0.map(count),
        max_size: set(raw.queue_max_size).0.map(count),
        max_waiting_per_owner: set(raw.queue_max_waiting_per_session).0.map(count),
        max_wait: set(raw.queue_max_wait).0,
    };
    Settings {
        policy,
        status_update_rate: set(raw.queue_status_update_rate),
        abandon_after: set(raw.queue_abandon_after).0,
        chat_timeout: set(raw.chat_timeout).0,
        model: set(raw.model),
        openai_api_key: raw.openai_api_key.get(),
        openai_base_url: raw.openai_base_url.get().map(|url| url.0),
        anthropic_api_key: raw.anthropic_api_key.get(),
        anthropic_base_url: raw.anthropic_base_url.get().map(|url| url.0),
        gemini_api_key: raw.gemini_api_key.get(),
        gemini_base_url: raw.gemini_base_url.get().map(|url| url.0),
        ollama_url: raw.ollama_url.get().map(|url| url.0),
        system_prompt: raw.system_prompt.get().map(|text| text.0),
        model_stall_timeout: set(raw.model_stall_timeout),
        model_retries: set(raw.model_retries),
        demo_first_token: set(raw.demo_first_token),
        demo_speed: set(raw.demo_speed),
        max_upload_bytes: set(raw.max_upload_size).0,
        retention_days: set(raw.retention_days).0,
        session_idle_timeout: set(raw.session_idle_timeout),
        max_sessions: count(set(raw.max_sessions)),
        shutdown_grace: set(raw.shutdown_grace),
        site_addr: set(raw.site_addr),
        max_connections_per_address: set(raw.max_connections_per_address).0.map(count),
        data_dir: set(raw.data_dir),
        secret_key: raw.secret_key.get(),
        secure_cookies: set(raw.secure_cookies),
        operator_key: raw.operator_key.get(),
        log_filter: set(raw.rust_log).0,
        log_format: set(raw.log_format),
    }
}
