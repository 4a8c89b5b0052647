//! The figures as the stats tab and a scraper meet them.

mod nodes;

use tokio::time::advance;

use super::{samples::SAMPLES, *};
use crate::{
    agents::{Consumption, Durations, Health, Spread},
    queue::{BackendIndex, Outage, PoolIndex},
    settings::ModelName,
    wire,
};

const CHAT: EventIndex = EventIndex(0);
const FILE: EventIndex = EventIndex(1);

/// A full minute, in milliseconds since the Unix epoch.
const NOW: u64 = 1_700_049_600_000;

fn limit(name: &str, events: &[EventIndex], running: usize) -> LimitState {
    LimitState {
        name: name.to_owned(),
        events: events.to_vec(),
        running,
        limit: Some(3),
        parked: 0,
    }
}

/// A line of a limit; a model's has a pool.
fn line_of(limit: &LimitState, model: Option<&str>, waiting: usize) -> Line {
    Line {
        model: model.map(str::to_owned),
        state: LineState {
            inside: Vec::new(),
            usual: None,
            pool: model.map(|_| PoolIndex(0)),
            name: limit.name.clone(),
            events: limit.events.clone(),
            running: limit.running,
            limit: limit.limit,
            waiting,
            newcomer: if waiting > 0 { waiting as u64 + 1 } else { 0 },
            longest_wait: (waiting > 0).then_some(Duration::from_millis(1500)),
            estimate: None,
        },
    }
}

/// Limits with one line each.
fn gauges(limits: Vec<(LimitState, usize)>) -> Gauges {
    Gauges {
        lines: limits
            .iter()
            .map(|(limit, waiting)| line_of(limit, None, *waiting))
            .collect(),
        limits: limits.into_iter().map(|(limit, _)| limit).collect(),
        sessions: 7,
        connected: 5,
        memory: Some(1 << 20),
        answers: AnswerFigures {
            hits: 3,
            misses: 4,
            entries: 2,
            bytes: 900,
        },
        ..Gauges::default()
    }
}

/// One limit, whose two slots in use two models have in common.
fn two_models() -> Gauges {
    let mut chat = limit("chat", &[CHAT], 2);
    chat.parked = 3;
    Gauges {
        lines: vec![
            line_of(&chat, Some("small@gpu"), 1),
            line_of(&chat, Some("large@gpu"), 4),
        ],
        limits: vec![chat],
        ..gauges(Vec::new())
    }
}

fn view(stats: &Stats, gauges: &Gauges) -> StatsView {
    stats.view(gauges, Role::Visitor, String::new(), SettingsView::default())
}

fn counts(row: &LimitRow) -> &LimitCounts {
    row.counts.as_ref().expect("a limit counts")
}

/// A back end that has failed now and then, and the operator's fault.
fn backend(name: &str, health: Health) -> (BackendFigures, BackendState) {
    let mut first_parts = Durations::default();
    for seconds in [0.2, 0.3, 7.0] {
        first_parts.add(seconds);
    }
    let figures = BackendFigures {
        index: BackendIndex(0),
        name: name.to_owned(),
        place: "gpu".to_owned(),
        health,
        trouble: None,
        misfit: Some("unauthorized"),
        running: 1,
        auto: true,
        answers: 3,
        retries: 2,
        faults: vec![("rate_limited", 2), ("stalled", 1)],
        first_part: Some(Spread { p50: 0.3, p95: 7.0 }),
        first_parts,
        speed: Some(Spread { p50: 40.0, p95: 80.0 }),
    };
    let state = BackendState {
        running: 1,
        limit: Some(4),
    };
    (figures, state)
}

fn model(name: &str, cost: Option<f64>) -> ModelFigures {
    ModelFigures {
        name: ModelName {
            name: name.to_owned(),
            place: "gpu".to_owned(),
        },
        consumption: Consumption {
            answers: 3,
            input: 1000,
            output: 200,
            cost,
        },
    }
}

fn with_backends() -> Gauges {
    let cooling = Health::Cooling(Duration::from_millis(11_200));
    Gauges {
        backends: vec![backend("zulu", cooling), backend("alpha", Health::Ready)],
        models: vec![model("small", None), model("large", Some(0.25))],
        ..two_models()
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

    let all = gauges(vec![
        (limit("chat", &[CHAT], 1), 2),
        (limit("file_upload", &[FILE], 0), 0),
    ]);
    let view = view(&stats, &all);
    let (row, told) = (&view.limits[0], counts(&view.limits[0]));
    assert_eq!(
        (told.done, told.failed, told.refused, told.cancelled, told.expired),
        (100, 1, 2, 2, 3)
    );
    let (wait, service) = (told.wait.expect("some started"), told.service.expect("some ended"));
    assert!(near(wait.p50, 0.5) && near(wait.p95, 0.95), "{wait:?}");
    assert!(near(service.p50, 49.0) && near(service.p95, 95.0), "{service:?}");
    assert_eq!(row.longest_wait, Some(1.5));
    assert_eq!((row.running, row.waiting, row.limit), (1, 2, Some(3)));
    assert_eq!(
        (row.name.as_str(), &row.model, &*row.events),
        ("chat", &None, &[Event::Chat][..])
    );

    let other = counts(&view.limits[1]);
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
    let view = view(&stats, &gauges(vec![(limit("gpu", &[CHAT, FILE], 0), 0)]));
    let told = counts(&view.limits[0]);
    assert_eq!((told.done, told.failed), (2, 1));
    assert!(near(told.service.expect("three ended").p95, 9.0));
}

#[test]
fn lines_of_one_limit_have_a_row_each_and_what_they_share_counts_once() {
    let stats = Stats::new();
    stats.ended(CHAT, Outcome::Done, Duration::from_secs(1));
    let all = two_models();
    stats.sample(&all, NOW);
    let shown = view(&stats, &all);
    let rows: Vec<_> = shown
        .limits
        .iter()
        .map(|row| {
            (
                row.name.as_str(),
                row.model.as_deref(),
                row.running,
                (row.waiting, row.parked),
                row.counts.is_some(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("chat", None, 2, (5, 3), true),
            ("chat", Some("small@gpu"), 2, (1, 0), false),
            ("chat", Some("large@gpu"), 2, (4, 0), false),
        ]
    );
    let recent = lock(&stats.samples).recent(NOW);
    assert_eq!((recent[0].running, recent[0].waiting), (2, 5));
    let text = stats.prometheus(&all);
    for expected in [
        "anteroom_running{limit=\"chat\"} 2",
        "anteroom_waiting{limit=\"chat\"} 5",
        "anteroom_parked{limit=\"chat\"} 3",
        "anteroom_limit{limit=\"chat\"} 3.0",
        "anteroom_model_waiting{model=\"small@gpu\"} 1",
        "anteroom_model_waiting{model=\"large@gpu\"} 4",
    ] {
        assert_eq!(
            text.lines().filter(|line| *line == expected).count(),
            1,
            "{expected}\n{text}"
        );
    }

    // Where there is one model, its line is the limit's.
    let mut one = two_models();
    one.lines.truncate(1);
    assert_eq!(view(&stats, &one).limits.len(), 1);
}

#[test]
fn back_ends_and_models_are_shown_and_faults_of_the_settings_to_the_operator_alone() {
    let (stats, all) = (Stats::new(), with_backends());
    let shown = view(&stats, &all);
    let [zulu, alpha] = &shown.backends[..] else {
        panic!("{:?}", shown.backends)
    };
    assert_eq!(
        (zulu.name.as_str(), zulu.place.as_str(), zulu.health, zulu.seconds),
        ("zulu", "gpu", wire::Health::Cooling, Some(12.0))
    );
    assert_eq!((alpha.health, alpha.seconds), (wire::Health::Ready, None));
    assert_eq!((zulu.running, zulu.limit, zulu.auto), (1, Some(4), true));
    assert_eq!((zulu.answers, zulu.retries), (3, 2));
    assert_eq!(zulu.faults, [("rate_limited".to_owned(), 2), ("stalled".to_owned(), 1)]);
    assert_eq!(zulu.first_part.map(|both| both.p95), Some(7.0));
    assert_eq!(zulu.speed.map(|both| both.p50), Some(40.0));
    assert_eq!((zulu.misfit.as_deref(), zulu.outage.as_deref()), (None, None));
    let elsewhere = |outage| {
        let gauges = Gauges {
            backends: vec![backend("zulu", Health::Elsewhere(outage))],
            ..two_models()
        };
        let [row] = <[_; 1]>::try_from(view(&stats, &gauges).backends).expect("one");
        (row.health, row.seconds, row.outage)
    };
    let said = |health, outage: &str| (health, None, Some(outage.to_owned()));
    assert_eq!(elsewhere(Outage::Away), said(wire::Health::Out, "away"));
    assert_eq!(
        elsewhere(Outage::RateLimited),
        said(wire::Health::Cooling, "rate_limited")
    );
    let operator = stats.view(&all, Role::Operator, String::new(), SettingsView::default());
    assert_eq!(operator.backends[0].misfit.as_deref(), Some("unauthorized"));
    let models: Vec<_> = shown
        .models
        .iter()
        .map(|row| (row.model.as_str(), row.answers, row.input, row.output, row.cost))
        .collect();
    assert_eq!(
        models,
        [
            ("small@gpu", 3, 1000, 200, None),
            ("large@gpu", 3, 1000, 200, Some(0.25))
        ]
    );
}

#[test]
fn a_wait_beyond_all_measure_does_no_harm() {
    let stats = Stats::new();
    stats.started(CHAT, Duration::MAX);
    stats.started(CHAT, Duration::MAX);
    stats.started(CHAT, Duration::ZERO);
    let view = view(&stats, &gauges(vec![(limit("chat", &[CHAT, FILE], 0), 0)]));
    assert!(near(counts(&view.limits[0]).wait.expect("some started").p95, 86_400.0));
}

#[tokio::test(start_paused = true)]
async fn the_charts_hold_the_last_fifteen_minutes() {
    let stats = Stats::new();
    for number in 0..SAMPLES + 20 {
        stats.ended(CHAT, Outcome::Done, Duration::from_secs(1));
        stats.sample(&gauges(vec![(limit("chat", &[CHAT], number), 0)]), NOW);
        advance(SAMPLE_EVERY).await;
    }
    let now = gauges(vec![(limit("chat", &[CHAT], 1), 0)]);
    let model = "demo@builtin".to_owned();
    let view = stats.view(&now, Role::Visitor, model, SettingsView::default());
    let recent = lock(&stats.samples).recent(NOW);
    assert_eq!(recent.len(), SAMPLES);
    assert_eq!((recent[0].at, recent[0].running), (NOW - 900_000, 20));
    assert_eq!((recent[SAMPLES - 1].at, recent[SAMPLES - 1].ended), (NOW - 5_000, 1));
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
    assert_eq!(lock(&stats.samples).recent(NOW).len(), 60);
}

#[test]
fn the_charts_add_up_what_all_limits_have() {
    let stats = Stats::new();
    let all = gauges(vec![
        (limit("chat", &[CHAT], 2), 1),
        (limit("file_upload", &[FILE], 1), 3),
    ]);
    stats.sample(&all, NOW);
    let shown = lock(&stats.samples).recent(NOW);
    assert_eq!((shown[0].running, shown[0].waiting), (3, 4));
}

#[test]
fn a_minute_is_kept_once_it_is_over() {
    let stats = Stats::new();
    let at = |second: u64, running, waiting| {
        let all = gauges(vec![(limit("chat", &[CHAT], running), waiting)]);
        stats.sample(&all, NOW + second * 1000)
    };
    assert_eq!(at(5, 1, 0), None);
    stats.started(CHAT, Duration::from_millis(1500));
    stats.started(FILE, Duration::from_secs(100));
    assert_eq!(at(30, 2, 7), None);
    stats.ended(CHAT, Outcome::Failed, Duration::from_secs(1));
    let kept = at(61, 1, 3).expect("it is over");
    assert_eq!(
        (
            kept.at,
            kept.running,
            kept.waiting,
            kept.started,
            kept.waited_ms,
            kept.ended
        ),
        (NOW, 2, 7, 1, 1500, 1)
    );
    // A clock that is put back makes no second one of it.
    assert_eq!(at(20, 5, 0), None);
    stats.started(CHAT, Duration::ZERO);
    let part = stats.last_part().expect("something of it");
    assert_eq!(
        (part.at, part.running, part.started, part.ended),
        (NOW + 60_000, 5, 1, 0)
    );
    assert_eq!(stats.last_part(), None);
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
    let mut unlimited = limit("a\"b", &[FILE], 0);
    unlimited.limit = None;
    let text = stats.prometheus(&gauges(vec![(limit("chat", &[CHAT], 1), 2), (unlimited, 0)]));
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
        "anteroom_service_seconds_count{event=\"tool\"} 0",
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
    is_well_formed(&text);
}

#[test]
fn tasks_are_shown_once_there_have_been_any() {
    let (stats, mut all) = (Stats::new(), gauges(Vec::new()));
    assert_eq!(view(&stats, &all).tasks, None);
    all.tasks = TaskFigures {
        blocked: 1,
        held: 2,
        waiting: 3,
        running: 4,
        done: 5,
        failed: 6,
        cancelled: 7,
        told: 8,
        untaken: 9,
        given_up: 10,
        outbox: 11,
    };
    let row = view(&stats, &all).tasks.expect("a row");
    assert_eq!((row.blocked, row.running, row.cancelled), (1, 4, 7));
    assert_eq!((row.told, row.outbox, row.given_up), (8, 11, 10));
    let text = stats.prometheus(&all);
    is_well_formed(&text);
    for expected in [
        "anteroom_tasks{state=\"blocked\"} 1",
        "anteroom_tasks{state=\"held\"} 2",
        "anteroom_tasks{state=\"waiting\"} 3",
        "anteroom_tasks{state=\"running\"} 4",
        "anteroom_task_ends_total{outcome=\"done\"} 5",
        "anteroom_task_ends_total{outcome=\"failed\"} 6",
        "anteroom_task_ends_total{outcome=\"cancelled\"} 7",
        "anteroom_webhooks_total{outcome=\"taken\"} 8",
        "anteroom_webhooks_total{outcome=\"untaken\"} 9",
        "anteroom_webhooks_total{outcome=\"given_up\"} 10",
        "anteroom_webhook_outbox 11",
    ] {
        assert!(
            text.lines().any(|line| line == expected),
            "{expected}\nis not in\n{text}"
        );
    }
}

#[test]
fn prometheus_reads_each_back_end_and_model_in_the_same_order_each_time() {
    let (stats, all) = (Stats::new(), with_backends());
    let text = stats.prometheus(&all);
    is_well_formed(&text);
    for expected in [
        "# TYPE anteroom_backend_running gauge",
        "anteroom_backend_running{backend=\"zulu\"} 1",
        "anteroom_backend_limit{backend=\"zulu\"} 4.0",
        "# TYPE anteroom_backend_state gauge",
        "anteroom_backend_state{backend=\"zulu\",state=\"ready\"} 0",
        "anteroom_backend_state{backend=\"zulu\",state=\"cooling\"} 1",
        "anteroom_backend_state{backend=\"alpha\",state=\"ready\"} 1",
        "# TYPE anteroom_backend_answers counter",
        "anteroom_backend_answers_total{backend=\"zulu\"} 3",
        "anteroom_backend_retries_total{backend=\"zulu\"} 2",
        "anteroom_backend_faults_total{backend=\"zulu\",kind=\"rate_limited\"} 2",
        "# TYPE anteroom_backend_first_token_seconds histogram",
        "anteroom_backend_first_token_seconds_sum{backend=\"zulu\"} 7.5",
        "anteroom_backend_first_token_seconds_count{backend=\"zulu\"} 3",
        "# TYPE anteroom_backend_tokens_per_second gauge",
        "anteroom_backend_tokens_per_second{backend=\"zulu\",quantile=\"0.5\"} 40.0",
        "anteroom_backend_tokens_per_second{backend=\"alpha\",quantile=\"0.95\"} 80.0",
        "anteroom_backend_left_alone_seconds{backend=\"alpha\"} 0.0",
        "anteroom_backend_first_token_seconds_bucket{le=\"0.1\",backend=\"zulu\"} 0",
        "anteroom_backend_first_token_seconds_bucket{le=\"0.5\",backend=\"zulu\"} 2",
        "anteroom_backend_first_token_seconds_bucket{le=\"+Inf\",backend=\"zulu\"} 3",
        "anteroom_model_answers_total{model=\"small@gpu\"} 3",
        "anteroom_model_tokens_total{model=\"small@gpu\",direction=\"input\"} 1000",
        "anteroom_model_tokens_total{model=\"small@gpu\",direction=\"output\"} 200",
        "anteroom_model_cost_total{model=\"large@gpu\"} 0.25",
    ] {
        assert_eq!(
            text.lines().filter(|line| *line == expected).count(),
            1,
            "{expected}\nis not in\n{text}"
        );
    }
    assert!(
        !text.contains("cost_total{model=\"small@gpu\"}"),
        "it has no price\n{text}"
    );
    let series = |name: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(str::to_owned).collect()
    };
    let running = series("anteroom_backend_running{");
    assert!(
        running[0].contains("zulu") && running[1].contains("alpha"),
        "{running:?}"
    );
    let events: Vec<_> = series("anteroom_wait_seconds_count{");
    for (event, line) in Event::ALL.into_iter().zip(&events) {
        assert!(line.contains(event.name()), "{events:?}");
    }
}

/// Every value has a type declared before it, once, is there once, and is a number; no label is a person's.
fn is_well_formed(text: &str) {
    let mut declared: Vec<&str> = Vec::new();
    let mut known_series: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap_or_default();
            assert!(!declared.contains(&name), "{name} is declared twice");
            declared.push(name);
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            assert!(!known_series.contains(&series), "{line} is there twice");
            known_series.push(series);
            let name = series.split('{').next().unwrap_or_default();
            let declared = declared.last().copied().unwrap_or_default();
            let suffix = name.strip_prefix(declared);
            let known = ["", "_total", "_info", "_bucket", "_sum", "_count"];
            assert!(suffix.is_some_and(|suffix| known.contains(&suffix)), "{line}");
            assert!(value.parse::<f64>().is_ok(), "{line}");
            for labels in line.split(['{', ',']).skip(1) {
                let label = labels.split('=').next().unwrap_or_default();
                let labels = [
                    "found",
                    "limit",
                    "event",
                    "outcome",
                    "le",
                    "version",
                    "backend",
                    "quantile",
                    "state",
                    "kind",
                    "model",
                    "direction",
                    "rating",
                ];
                assert!(labels.contains(&label), "{line}");
            }
        }
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
}
