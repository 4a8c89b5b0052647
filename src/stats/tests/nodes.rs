//! Several nodes.

use super::*;
use crate::{
    nodes::{BEAT, Footing, Incarnation, NodeView, Number, OwnView, Progress},
    wire::NodeState,
};

/// A node that has said that it has applied 90 entries.
fn node(id: u128, address: Option<&str>, ago: Duration) -> NodeView {
    NodeView {
        node: Incarnation(id),
        address: address.map(str::to_owned),
        leaving: false,
        working: 2,
        progress: Some(Progress {
            applied: Some(Number(90)),
            lag: 0,
            ago: Some(ago),
        }),
    }
}

/// This one and another, both as they should be.
fn two_nodes() -> Nodes {
    Nodes {
        me: Incarnation(7),
        own: OwnView {
            footing: Footing {
                takes_part: true,
                may_work: true,
                leaving: false,
                over: false,
                applied: Number(90),
                head: Number(93),
            },
            lease: Duration::from_millis(12_500),
            working: 2,
            held: 5,
            lag: 0,
        },
        all: vec![
            node(1, Some("10.0.0.1:8101"), BEAT * 2),
            node(7, Some("10.0.0.2:8101"), Duration::ZERO),
        ],
        differences: vec!["MAX_RUNNING".to_owned()],
    }
}

fn among(nodes: Nodes) -> Gauges {
    Gauges {
        nodes: Some(nodes),
        ..gauges(Vec::new())
    }
}

#[test]
fn each_node_is_told_with_how_it_is_and_the_operator_hears_where_it_is() {
    let stats = Stats::new();
    let view = |nodes: &Nodes, role| {
        let gauges = among(nodes.clone());
        stats.view(&gauges, role, String::new(), SettingsView::default())
    };
    let mut nodes = two_nodes();
    let told = view(&nodes, Role::Operator);
    let rows: Vec<_> = told.nodes.iter().collect();
    let short = |row: &&wire::NodeRow| (row.name.clone(), row.this, row.address.clone().unwrap_or_default());
    assert_eq!(
        rows.iter().map(short).collect::<Vec<_>>(),
        [
            ("n-7".to_owned(), true, "10.0.0.2:8101".to_owned()),
            ("n-1".to_owned(), false, "10.0.0.1:8101".to_owned()),
        ]
    );
    assert_eq!(told.settings_differ, ["MAX_RUNNING"]);
    for row in &told.nodes {
        assert_eq!((row.state, row.seconds), (NodeState::TakesPart, None));
        assert_eq!((row.running, row.applied, row.lag), (2, Some(90), 0));
    }
    let told = view(&nodes, Role::Visitor);
    assert!(told.nodes.iter().all(|row| row.address.is_none()), "{told:?}");
    assert!(told.settings_differ.is_empty());

    // What is worse goes first.
    let mut other = |change: fn(&mut NodeView)| {
        change(&mut nodes.all[0]);
        let row = view(&nodes, Role::Visitor).nodes.remove(1);
        (row.state, row.seconds)
    };
    let lags = |node: &mut NodeView| node.progress.as_mut().expect("it is there").lag = 4;
    assert_eq!(other(lags), (NodeState::Behind, None));
    assert_eq!(other(|node| node.leaving = true), (NodeState::Leaving, None));
    let falls_silent = |node: &mut NodeView| {
        node.progress.as_mut().expect("it is there").ago = Some(Duration::from_millis(9_900));
    };
    assert_eq!(other(falls_silent), (NodeState::Silent, Some(9.0)));
    assert_eq!(
        other(|node| (node.progress, node.leaving) = (None, false)),
        (NodeState::TakesPart, None)
    );

    let mut nodes = two_nodes();
    let mut own = |change: fn(&mut OwnView)| {
        change(&mut nodes.own);
        view(&nodes, Role::Visitor).nodes[0].state
    };
    assert_eq!(own(|own| own.lag = 1), NodeState::Behind);
    assert_eq!(own(|own| own.footing.leaving = true), NodeState::Leaving);
    assert_eq!(own(|own| own.footing.may_work = false), NodeState::CutOff);
}

#[test]
fn nodes_are_told_of_where_there_may_be_several() {
    let stats = Stats::new();
    let count = |all: Vec<NodeView>| view(&stats, &among(Nodes { all, ..two_nodes() })).nodes.len();
    assert_eq!(count(vec![node(7, None, BEAT)]), 0, "it keeps the database for itself");
    assert_eq!(count(vec![node(7, Some("10.0.0.2:8101"), BEAT)]), 1);
    assert_eq!(count(two_nodes().all), 2);
    assert!(view(&stats, &gauges(Vec::new())).nodes.is_empty());
}

#[test]
fn prometheus_reads_of_this_node_what_is_its_own() {
    let stats = Stats::new();
    let text = stats.prometheus(&among(two_nodes()));
    is_well_formed(&text);
    for expected in [
        "anteroom_nodes 2",
        "anteroom_node_takes_part 1",
        "anteroom_node_working 2",
        "anteroom_node_held 5",
        "anteroom_node_log_applied 90",
        "anteroom_node_log_head 93",
        "anteroom_node_lease_seconds 12.5",
        "anteroom_node_settings_differ 1",
    ] {
        assert!(
            text.lines().any(|line| line == expected),
            "{expected}\nis not in\n{text}"
        );
    }
    let leaves: [fn(&mut Footing); 4] = [
        |footing| footing.takes_part = false,
        |footing| footing.may_work = false,
        |footing| footing.leaving = true,
        |footing| footing.over = true,
    ];
    for leave in leaves {
        let mut nodes = two_nodes();
        leave(&mut nodes.own.footing);
        let text = stats.prometheus(&among(nodes));
        assert!(text.lines().any(|line| line == "anteroom_node_takes_part 0"), "{text}");
    }
    assert!(!stats.prometheus(&gauges(Vec::new())).contains("anteroom_node"));
}
