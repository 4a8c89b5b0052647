//! One node, by what it is told.

use super::replica::{A, B, Log, join, policy};
use crate::{
    nodes::{Ask, Beaten, Change, Input, Job, Node, Output, Replica, Reply, Said, TTL, Told, Unsaid, Working},
    queue::{
        TicketId,
        machine::{Command, Time},
    },
};

/// A node that takes part and holds its lease, and the log that it knows.
fn member() -> (Node, Log) {
    let mut out = Vec::new();
    let mut node = Node::new(A, None, Time(0), &mut out);
    assert_eq!(out, [Output::Load]);
    let mut log = Log::new(1);
    let empty = Box::new(Replica::new(policy(1)));
    assert!(matches!(
        tell(&mut node, Input::Loaded(Some(empty)))[..],
        [Output::Append { sequence: 1, .. }]
    ));
    let up = log.next(A, &[Change::Up { address: None }]);
    log.replica.apply(&up).expect("it follows");
    let out = tell(&mut node, Input::Appended(1, Reply::Written(Box::new(up))));
    assert_eq!(out, [Output::Beat]);
    let head = (log.replica.applied(), log.replica.digest());
    let peers = Vec::new();
    assert_eq!(
        tell(&mut node, Input::Beaten(Time(0), Beaten::Noted { peers, head })),
        []
    );
    (node, log)
}

fn tell(node: &mut Node, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    node.handle(Time(0), input, &mut out);
    // Said whenever nodes come and go.
    out.retain(|output| !matches!(output, Output::PassedOn | Output::Moved | Output::Throttled));
    out
}

/// Has what the node appends written, and its reply come.
fn written(node: &mut Node, log: &mut Log, sequence: u64, changes: &[Change]) -> Vec<Output> {
    let batch = log.next(A, changes);
    log.replica.apply(&batch).expect("it follows");
    tell(node, Input::Appended(sequence, Reply::Written(Box::new(batch))))
}

fn release() -> Change {
    let ticket = TicketId(1);
    Change::Ticket(Job(1), Command::Release { ticket, worked: true })
}

fn works(out: &[Output]) -> Vec<(TicketId, Working)> {
    let works = out.iter().filter_map(|output| match output {
        Output::Work(ticket, working) => Some((*ticket, *working)),
        _ => None,
    });
    works.collect()
}

#[test]
fn what_was_written_and_is_forgotten_is_sent_again() {
    let (mut node, mut log) = member();
    let before = log.replica.snapshot();
    let ask = tell(&mut node, Input::Ask(Ask(7), join(1, 1)));
    assert!(matches!(ask[..], [Output::Append { sequence: 2, .. }]));
    // Somebody else was first, so it has to be read; but a standby takes over that has neither.
    log.append(B, &[Change::Up { address: None }]);
    let out = written(&mut node, &mut log, 2, &[join(1, 1)]);
    let [Output::Read(after)] = out[..] else {
        panic!("{out:?}")
    };
    let nothing = crate::nodes::Log {
        digest: None,
        batches: Vec::new(),
    };
    assert_eq!(tell(&mut node, Input::Read(after, Some(nothing))), [Output::Load]);
    let replica = Box::new(Replica::from_snapshot(before).expect("a machine has made it"));
    let out = tell(&mut node, Input::Loaded(Some(replica)));
    assert!(matches!(out[..], [Output::Append { sequence: 2, .. }]), "{out:?}");
}

#[test]
fn what_was_written_before_the_copy_was_built_anew_is_not_sent_again() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(7), join(1, 1)));
    log.append(A, &[join(1, 1)]);
    let nothing = crate::nodes::Log {
        digest: None,
        batches: Vec::new(),
    };
    let read = tell(&mut node, Input::Told(Told::Number(log.replica.applied())));
    let [Output::Read(after)] = read[..] else {
        panic!("{read:?}")
    };
    assert_eq!(tell(&mut node, Input::Read(after, Some(nothing))), [Output::Load]);
    let replica = Box::new(Replica::from_snapshot(log.replica.snapshot()).expect("a machine has made it"));
    let out = tell(&mut node, Input::Loaded(Some(replica)));
    assert_eq!(out[0], Output::Answer(Ask(7), Err(Unsaid::Unknown)));
    assert_eq!(works(&out).len(), 1);
    assert_eq!(out.len(), 2);
}

#[test]
fn an_end_that_could_not_be_written_begins_the_work_again() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(1), join(1, 1)));
    let out = written(&mut node, &mut log, 2, &[join(1, 1)]);
    assert!(matches!(
        out[..],
        [Output::Answer(Ask(1), Ok(Said::Joined(..))), Output::Work(..)]
    ));
    tell(&mut node, Input::Ask(Ask(2), release()));
    let out = tell(&mut node, Input::Appended(3, Reply::Nothing));
    assert_eq!(out[0], Output::Answer(Ask(2), Err(Unsaid::Unwritten)));
    assert_eq!(works(&out).len(), 1);
}

#[test]
fn the_end_of_a_lease_ends_the_work_and_a_beat_begins_it_again() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(1), join(1, 1)));
    written(&mut node, &mut log, 2, &[join(1, 1)]);
    let late = Time(0).saturating_add(TTL);
    let mut out = Vec::new();
    node.handle(late, Input::Woke, &mut out);
    assert_eq!(out, [Output::Halt(TicketId(1)), Output::Beat]);
    out.clear();
    let head = (log.replica.applied(), log.replica.digest());
    let peers = Vec::new();
    node.handle(late, Input::Beaten(late, Beaten::Noted { peers, head }), &mut out);
    assert_eq!(works(&out).len(), 1);
}

#[test]
fn a_node_that_is_gone_says_so_to_all_who_have_asked() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(1), join(1, 1)));
    written(&mut node, &mut log, 2, &[join(1, 1)]);
    tell(&mut node, Input::Ask(Ask(2), join(2, 2)));
    tell(&mut node, Input::Ask(Ask(3), join(3, 3)));
    let out = tell(&mut node, Input::Appended(3, Reply::Fenced));
    let expected = [
        Output::Halt(TicketId(1)),
        Output::Answer(Ask(2), Err(Unsaid::Unknown)),
        Output::Answer(Ask(3), Err(Unsaid::Unwritten)),
        Output::Over,
    ];
    assert_eq!(out, expected);
    let out = tell(&mut node, Input::Ask(Ask(4), join(4, 4)));
    assert_eq!(out, [Output::Answer(Ask(4), Err(Unsaid::Unwritten))]);
}
