//! Records as a session meets them.

use tracing::{Instrument, debug, error, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::layer::SubscriberExt;
use uuid::Uuid;

use super::*;
use crate::wire::{Level, LogRecord};

/// Two sessions whose short forms are the same.
const ANNA: SessionId = SessionId(Uuid::from_u128(0x00aa_bbcc_0000_0000_0000_0000_0000_0001));
const BERT: SessionId = SessionId(Uuid::from_u128(0x00aa_bbcc_0000_0000_0000_0000_0000_0002));

fn logging(filter: &str, work: impl FnOnce(&Logs)) {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::registry().with(logs.layer(filter).expect("a filter"));
    with_default(subscriber, || work(&logs));
}

fn messages(records: &[LogRecord]) -> Vec<&str> {
    records.iter().map(|record| record.message.as_str()).collect()
}

#[test]
fn a_record_belongs_to_exactly_one_session() {
    logging("info", |logs| {
        assert_eq!(format!("{ANNA:?}"), format!("{BERT:?}"), "the short forms collide");
        info!("listening");
        logs.started();
        session_span(ANNA).in_scope(|| info!("for Anna"));
        session_span(BERT).in_scope(|| {
            info!("for Bert");
            // Work for another session inside: the innermost counts.
            session_span(ANNA).in_scope(|| info!("for Anna again"));
        });
        info!("for nobody");
        assert_eq!(messages(&logs.view(ANNA).session), ["for Anna", "for Anna again"]);
        assert_eq!(messages(&logs.view(BERT).session), ["for Bert"]);
        assert_eq!(messages(&logs.view(BERT).startup), ["listening"]);
    });
}

#[test]
fn the_library_of_tools_is_silent_unless_it_is_asked_for() {
    let said = |filter: &str| {
        let shown = tracing_subscriber::registry().with(EnvFilter::builder().parse(quiet(filter)).expect("a filter"));
        with_default(shown, || {
            (
                tracing::enabled!(target: "rmcp::service", tracing::Level::ERROR),
                tracing::enabled!(target: "anteroom", tracing::Level::INFO),
            )
        })
    };
    assert_eq!(said("info"), (false, true));
    assert_eq!(said("debug,anteroom::queue=trace"), (false, true));
    assert_eq!(said("info,rmcp=warn"), (true, true));
    assert_eq!(said(""), (false, false));
}

#[test]
fn a_sessions_records_are_no_records_of_the_start() {
    logging("info", |logs| {
        session_span(ANNA).in_scope(|| warn!("back in the line"));
        assert_eq!(logs.view(BERT), LogsView::default());
        assert_eq!(messages(&logs.view(ANNA).session), ["back in the line"]);
    });
}

#[tokio::test]
async fn it_works_across_awaits_and_tasks() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::registry().with(logs.layer("info").expect("a filter"));
    let _guard = tracing::subscriber::set_default(subscriber);
    let work = async |text: &'static str| {
        tokio::task::yield_now().await;
        info!("{text}");
    };
    let anna = work("a").instrument(session_span(ANNA));
    let bert = work("b").instrument(session_span(BERT));
    tokio::join!(anna, bert);
    assert_eq!(messages(&logs.view(ANNA).session), ["a"]);
    assert_eq!(messages(&logs.view(BERT).session), ["b"]);
}

#[test]
fn a_record_tells_level_module_and_fields_and_never_the_whole_id() {
    logging("info", |logs| {
        session_span(ANNA).in_scope(|| {
            let turn = info_span!("turn", turn = 7, model = tracing::field::Empty);
            turn.record("model", "demo");
            turn.in_scope(|| {
                let fault: &dyn std::error::Error = &std::fmt::Error;
                error!(fault, place = ?(1, 2), name = "x", "it failed {} times", 3);
            });
        });
        let view = logs.view(ANNA);
        let record = &view.session[0];
        assert_eq!(
            (record.level, record.message.as_str()),
            (Level::Error, "it failed 3 times")
        );
        assert_eq!(record.target, "anteroom::logs::tests");
        assert!(record.at > 0 && record.number > 0);
        let fields: Vec<_> = record
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let fault = std::fmt::Error.to_string();
        assert_eq!(
            fields,
            [
                ("fault", fault.as_str()),
                ("place", "(1, 2)"),
                ("name", "x"),
                ("turn", "7"),
                ("model", "demo")
            ]
        );
        assert!(!format!("{view:?}").contains(&ANNA.0.simple().to_string()));
    });
}

#[test]
fn info_is_kept_whatever_the_terminal_shows_and_debug_where_asked_for() {
    for (filter, expected) in [
        ("off", vec!["info"]),
        ("error", vec!["info"]),
        ("some_other_crate=debug", vec!["info"]),
        ("anteroom::logs=debug", vec!["debug", "info"]),
    ] {
        logging(filter, |logs| {
            session_span(ANNA).in_scope(|| {
                debug!("debug");
                info!("info");
            });
            assert_eq!(messages(&logs.view(ANNA).session), expected, "{filter}");
        });
    }
}

#[test]
fn the_oldest_records_make_room() {
    logging("info", |logs| {
        for number in 0..STARTUP_RECORDS + 3 {
            info!("{number}");
        }
        logs.started();
        session_span(ANNA).in_scope(|| {
            for number in 0..RECORDS_PER_SESSION + 7 {
                info!("{number}");
            }
        });
        let view = logs.view(ANNA);
        assert_eq!(
            (view.session.len(), view.dropped, view.startup.len()),
            (RECORDS_PER_SESSION, 7, STARTUP_RECORDS)
        );
        assert_eq!(view.session[0].message, "7");
        assert!(view.session.windows(2).all(|pair| pair[0].number < pair[1].number));
        logs.forget(ANNA);
        assert_eq!((logs.view(ANNA).session.len(), logs.view(ANNA).dropped), (0, 0));
    });
}

#[test]
fn a_huge_value_is_cut() {
    logging("info", |logs| {
        let huge = "ä".repeat(100_000);
        session_span(ANNA).in_scope(|| info!(huge, "{huge}"));
        let view = logs.view(ANNA);
        assert!(view.session[0].message.ends_with('…') && view.session[0].message.len() < 3000);
        assert!(view.session[0].fields[0].1.len() < 3000);
    });
}

/// A terminal that can be read.
#[derive(Clone, Default)]
struct Terminal(Arc<Mutex<Vec<u8>>>);

impl io::Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Terminal {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("nobody panicked").clone()).expect("text")
    }
}

#[test]
fn the_terminal_shows_what_its_filter_lets_through_and_the_short_form_of_the_session() {
    for format in [LogFormat::Text, LogFormat::Json] {
        let (logs, terminal) = (Logs::default(), Terminal::default());
        let writer = terminal.clone();
        let subscriber = subscriber(&logs, "warn", format, move || writer.clone(), false).expect("a filter");
        with_default(subscriber, || {
            session_span(ANNA).in_scope(|| {
                info!("quiet");
                warn!("loud");
            });
        });
        assert_eq!(messages(&logs.view(ANNA).session), ["quiet", "loud"]);
        let text = terminal.text();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("loud") && text.contains("s-00aabb"), "{text}");
        for whole in [
            ANNA.0.simple().to_string(),
            ANNA.0.to_string(),
            ANNA.0.as_u128().to_string(),
        ] {
            assert!(!text.contains(&whole), "{text}");
        }
        assert_eq!(
            format == LogFormat::Json,
            serde_json::from_str::<serde_json::Value>(&text).is_ok(),
            "{text}"
        );
    }
}

/// Logs when it is shown, as a value with a lazy part might.
struct Talkative;

impl std::fmt::Debug for Talkative {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        info!("inside");
        f.write_str("talkative")
    }
}

#[test]
fn a_value_that_logs_while_it_is_shown_does_no_harm() {
    logging("info", |logs| {
        session_span(ANNA).in_scope(|| info!(value = ?Talkative, "outside"));
        assert!(messages(&logs.view(ANNA).session).contains(&"outside"));
    });
}

#[test]
fn a_bad_filter_is_an_error() {
    let logs = Logs::default();
    assert!(matches!(
        logs.layer::<Registry>("anteroom=loud"),
        Err(LogsError::Filter(_))
    ));
}
