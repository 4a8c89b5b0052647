//! Files of before. `0.1.0.env` is what version 0.1.0 gave everybody as their `.env`, and is never changed.

use super::*;

const FIRST: &str = include_str!("0.1.0.env");

#[test]
fn the_file_that_0_1_0_gave_everybody_means_what_it_meant() {
    let loaded = file(FIRST).expect("it is taken");
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let settings = loaded.settings;
    let limits: Vec<_> = settings.policy.events.iter().map(|event| event.limit).collect();
    assert_eq!(limits[..4], [3, 2, 5, 5].map(Some));
    assert_eq!(
        (
            settings.policy.max_running,
            settings.policy.order,
            settings.policy.queue
        ),
        (Some(100), Order::Fair, true)
    );
    assert_eq!(
        (settings.abandon_after, settings.chat_timeout),
        (Some(Duration::from_secs(120)), Some(Duration::from_secs(300)))
    );
    assert_eq!(settings.max_upload_bytes, 20_000_000);
}

/// With names that are Gradio's, and those that have others by now.
#[test]
fn older_names_mean_what_they_meant() {
    let old = FIRST
        .replace("\nENABLE_QUEUE=true", "\nGRADIO_ENABLE_QUEUE=False")
        .replace("\nDEFAULT_CONCURRENCY_LIMIT=5", "\nGRADIO_CONCURRENCY_LIMIT=7")
        .replace("\nMAX_RUNNING=100", "\nGRADIO_MAX_THREADS=40")
        .replace("\nMODEL=demo@builtin", "\nGEN_MODEL=demo@builtin");
    assert_ne!(old, FIRST);
    let settings = file(&old).expect("it is taken").settings;
    assert_eq!((settings.policy.max_running, settings.policy.queue), (Some(40), false));
}
