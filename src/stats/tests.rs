//! The figures as the stats tab and a scraper meet them.

use tokio::time::advance;

use super::{samples::SAMPLES, *};
use crate::{queue::StartRange, wire::Estimate};

const CHAT: EventIndex = EventIndex(0);
const FILE: EventIndex = EventIndex(1);

fn line(name: &str, events: &[EventIndex], running: usize, waiting: usize) -> LineState {
    LineState {
        pool: None,
        name: name.to_owned(),
        events: events.to_vec(),
        running,
        limit: Some(3),
        waiting,
        newcomer: if waiting > 0 { waiting as u64 + 1 } else { 0 },
        longest_wait: (waiting > 0).then_some(Duration::from_millis(1500)),
        estimate: (waiting > 0).then_some(StartRange {
            low: Duration::from_secs(2),
            high: Duration::from_secs(4),
        }),
    }
}

fn gauges(lines: Vec<LineState>) -> Gauges {
    Gauges {
        lines,
        sessions: 7,
        connected: 5,
        memory: Some(1 << 20),
        answers: AnswerFigures {
            hits: 3,
            misses: 4,
            entries: 2,
            bytes: 900,
        },
    }
}

fn near(value: f64, expected: f64) -> bool {
    (value - expected).abs() <= expected * 0.002
}

#[test]
fn everything_the_queue_tells_is_counted() {
    let stats = Stats::new();
    stats.refused(CHAT, JoinError::Full);
    stats.refused(CHAT, JoinError::Busy);
    for how in [
        LeaveReason::Cancelled,
        LeaveReason::Expired,
        LeaveReason::Abandoned,
        LeaveReason::Closed,
    ] {
        stats.left(CHAT, how);
    }
    for second in 1..=100 {
        stats.started(CHAT, Duration::from_millis(second * 10));
        stats.ended(CHAT, Outcome::Done, Duration::from_secs(second));
    }
    for outcome in [Outcome::Failed, Outcome::Cancelled, Outcome::Expired] {
        stats.ended(CHAT, outcome, Duration::from_secs(1));
    }
    stats.refused(EventIndex(99), JoinError::Full);

    let view = stats.view(
        &gauges(vec![line("chat", &[CHAT], 1, 2), line("file_upload", &[FILE], 0, 0)]),
        String::new(),
        SettingsView::default(),
    );
    let row = &view.limits[0];
    assert_eq!(
        (row.done, row.failed, row.refused, row.cancelled, row.expired),
        (100, 1, 2, 2, 3)
    );
    let (wait, service) = (row.wait.expect("some started"), row.service.expect("some ended"));
    assert!(near(wait.p50, 0.5) && near(wait.p95, 0.95), "{wait:?}");
    assert!(near(service.p50, 49.0) && near(service.p95, 95.0), "{service:?}");
    assert_eq!(row.longest_wait, Some(1.5));
    assert_eq!(row.line.estimate, Some(Estimate { low: 2.0, high: 4.0 }));
    assert_eq!((row.line.running, row.line.waiting, row.line.limit), (1, 2, Some(3)));
    assert_eq!(row.line.events, [Event::Chat]);

    let other = &view.limits[1];
    assert_eq!(
        (other.done, other.refused, other.wait, other.service),
        (0, 0, None, None)
    );
}

#[test]
fn events_that_share_a_limit_are_counted_together() {
    let stats = Stats::new();
    stats.ended(CHAT, Outcome::Done, Duration::from_secs(1));
    stats.ended(FILE, Outcome::Done, Duration::from_secs(1));
    stats.ended(FILE, Outcome::Failed, Duration::from_secs(9));
    let view = stats.view(
        &gauges(vec![line("gpu", &[CHAT, FILE], 0, 0)]),
        String::new(),
        SettingsView::default(),
    );
    assert_eq!((view.limits[0].done, view.limits[0].failed), (2, 1));
    assert!(near(view.limits[0].service.expect("three ended").p95, 9.0));
}

#[test]
fn a_wait_beyond_all_measure_does_no_harm() {
    let stats = Stats::new();
    stats.started(CHAT, Duration::MAX);
    stats.started(CHAT, Duration::MAX);
    stats.started(CHAT, Duration::ZERO);
    let view = stats.view(
        &gauges(vec![line("chat", &[CHAT, FILE], 0, 0)]),
        String::new(),
        SettingsView::default(),
    );
    assert!(near(view.limits[0].wait.expect("some started").p95, 86_400.0));
}

#[tokio::test(start_paused = true)]
async fn the_charts_hold_the_last_fifteen_minutes() {
    let stats = Stats::new();
    for number in 0..SAMPLES + 20 {
        stats.ended(CHAT, Outcome::Done, Duration::from_secs(1));
        stats.sample(&gauges(vec![line("chat", &[CHAT], number, 0)]));
        advance(SAMPLE_EVERY).await;
    }
    let now = gauges(vec![line("chat", &[CHAT], 1, 0)]);
    let view = stats.view(&now, "demo@builtin".to_owned(), SettingsView::default());
    assert_eq!(view.samples.len(), SAMPLES);
    assert_eq!(
        (view.samples[0].ago, view.samples[0].running.as_slice()),
        (900.0, [20].as_slice())
    );
    assert_eq!(
        (view.samples[SAMPLES - 1].ago, view.samples[SAMPLES - 1].done),
        (5.0, 1)
    );
    assert_eq!(
        (view.uptime, view.sessions, view.connected, view.memory),
        (1000.0, 7, 5, Some(1 << 20))
    );
    assert_eq!(
        (view.model.as_str(), view.version.as_str()),
        ("demo@builtin", env!("CARGO_PKG_VERSION"))
    );

    // Where nobody took samples for a while, what is older is not shown.
    advance(Duration::from_secs(600)).await;
    let samples = stats.view(&now, String::new(), SettingsView::default()).samples;
    assert_eq!(samples.len(), 60);
}

#[tokio::test(start_paused = true)]
async fn limits_are_followed_by_name_when_the_policy_changes() {
    let stats = Stats::new();
    stats.sample(&gauges(vec![
        line("chat", &[CHAT], 2, 1),
        line("file_upload", &[FILE], 1, 0),
    ]));
    stats.sample(&gauges(vec![line("gpu", &[FILE], 3, 4), line("chat", &[CHAT], 5, 6)]));
    let view = stats.view(
        &gauges(vec![line("gpu", &[FILE], 0, 0), line("chat", &[CHAT], 0, 0)]),
        String::new(),
        SettingsView::default(),
    );
    let shown: Vec<_> = view
        .samples
        .iter()
        .map(|one| (one.running.clone(), one.waiting.clone()))
        .collect();
    assert_eq!(shown, [(vec![0, 2], vec![0, 1]), (vec![3, 5], vec![4, 6])]);
}

#[tokio::test(start_paused = true)]
async fn prometheus_reads_the_same_figures() {
    let stats = Stats::new();
    stats.started(CHAT, Duration::from_millis(250));
    stats.started(CHAT, Duration::from_millis(750));
    stats.started(EventIndex(99), Duration::from_secs(1));
    stats.ended(CHAT, Outcome::Done, Duration::from_secs(2));
    stats.refused(FILE, JoinError::Full);
    advance(Duration::from_secs(3)).await;
    let mut unlimited = line("a\"b", &[FILE], 0, 0);
    unlimited.limit = None;
    let text = stats.prometheus(&gauges(vec![line("chat", &[CHAT], 1, 2), unlimited]));
    for expected in [
        "anteroom_running{limit=\"chat\"} 1",
        "anteroom_waiting{limit=\"chat\"} 2",
        "anteroom_limit{limit=\"chat\"} 3.0",
        "anteroom_limit{limit=\"a\\\"b\"} inf",
        "anteroom_longest_wait_seconds{limit=\"chat\"} 1.5",
        "anteroom_tickets_total{event=\"chat\",outcome=\"done\"} 1",
        "anteroom_tickets_total{event=\"file_upload\",outcome=\"refused\"} 1",
        "anteroom_wait_seconds_bucket{le=\"0.1\",event=\"chat\"} 0",
        "anteroom_wait_seconds_bucket{le=\"0.25\",event=\"chat\"} 1",
        "anteroom_wait_seconds_bucket{le=\"1.0\",event=\"chat\"} 2",
        "anteroom_wait_seconds_bucket{le=\"+Inf\",event=\"chat\"} 2",
        "anteroom_wait_seconds_sum{event=\"chat\"} 1.0",
        "anteroom_service_seconds_sum{event=\"chat\"} 2.0",
        "anteroom_service_seconds_count{event=\"chat\"} 1",
        "anteroom_service_seconds_count{event=\"logs_refresh\"} 0",
        "anteroom_sessions 7",
        "anteroom_connected 5",
        "anteroom_uptime_seconds 3.0",
        "anteroom_build_info{version=",
        "process_resident_memory_bytes 1048576",
    ] {
        assert!(
            text.lines().any(|line| line.starts_with(expected)),
            "{expected}\nis not in\n{text}"
        );
    }
    // Every value has a type declared before it, once, and is a number.
    let mut declared: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap_or_default();
            assert!(!declared.contains(&name), "{name} is declared twice");
            declared.push(name);
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            let name = series.split('{').next().unwrap_or_default();
            let declared = declared.last().copied().unwrap_or_default();
            let suffix = name.strip_prefix(declared);
            let known = ["", "_total", "_info", "_bucket", "_sum", "_count"];
            assert!(suffix.is_some_and(|suffix| known.contains(&suffix)), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            for labels in line.split(['{', ',']).skip(1) {
                let label = labels.split('=').next().unwrap_or_default();
                assert!(
                    ["limit", "event", "outcome", "le", "version"].contains(&label),
                    "{line}"
                );
            }
        }
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}
