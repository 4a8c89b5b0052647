//! One node, by what it is told.

use super::replica::{A, B, Log, join, policy};
use crate::{
    nodes::{
        Ask, BEAT, Beaten, Change, Incarnation, Input, Job, Node, Number, Output, Peer, Progress, Replica, Reply, Said,
        TTL, Told, Unsaid, Working,
    },
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
    assert_eq!(out, [Output::Beat(Number(1))]);
    let head = (log.replica.applied(), log.replica.digest());
    let peers = Vec::new();
    assert_eq!(
        tell(&mut node, Input::Beaten(Time(0), Beaten::Noted { peers, head })),
        []
    );
    (node, log)
}

fn tell(node: &mut Node, input: Input) -> Vec<Output> {
    tell_at(node, Time(0), input)
}

fn tell_at(node: &mut Node, now: Time, input: Input) -> Vec<Output> {
    let mut out = Vec::new();
    node.handle(now, input, &mut out);
    // Said whenever nodes come and go.
    out.retain(|output| !matches!(output, Output::PassedOn | Output::Moved | Output::Throttled));
    out
}

/// What a beat brings that was answered at a moment at which the log ended there.
fn noted(begun: Time, head: &Replica, peers: &[Peer]) -> Input {
    let head = (head.applied(), head.digest());
    let peers = peers.to_vec();
    Input::Beaten(begun, Beaten::Noted { peers, head })
}

/// A node that has been heard of so often, and knows nothing.
fn silent(beats: u64) -> Peer {
    Peer {
        node: B,
        beats,
        applied: Number(0),
    }
}

/// Those that are declared gone, and on what condition.
fn gone(out: &[Output]) -> Vec<(Incarnation, Option<Peer>)> {
    let mut gone = Vec::new();
    for output in out {
        if let Output::Append {
            changes, unless_heard, ..
        } = output
        {
            for (_, change) in changes {
                if let Change::Gone(node) = change {
                    gone.push((*node, *unless_heard));
                }
            }
        }
    }
    gone
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
fn what_was_written_and_is_forgotten_before_it_was_read_is_sent_again() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(7), join(1, 1)));
    let others = log.next(B, &[Change::Up { address: None }]);
    log.replica.apply(&others).expect("it follows");
    // Two others were first. A standby takes over that has only one of them.
    log.append(B, &[join(2, 2)]);
    let out = written(&mut node, &mut log, 2, &[join(1, 1)]);
    let [Output::Read(after)] = out[..] else {
        panic!("{out:?}")
    };
    let digest = Some(node.replica().expect("it is there").digest());
    let batches = vec![others];
    let out = tell(
        &mut node,
        Input::Read(after, Some(crate::nodes::Log { digest, batches })),
    );
    let [Output::Read(after)] = out[..] else {
        panic!("{out:?}")
    };
    let digest = Some(node.replica().expect("it is there").digest());
    let batches = Vec::new();
    let out = tell(
        &mut node,
        Input::Read(after, Some(crate::nodes::Log { digest, batches })),
    );
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
fn what_is_parked_is_not_begun_again_before_it_has_started_again() {
    let (mut node, mut log) = member();
    tell(&mut node, Input::Ask(Ask(1), join(1, 1)));
    written(&mut node, &mut log, 2, &[join(1, 1)]);
    let ticket = TicketId(1);
    let park = Change::Ticket(Job(1), Command::Park { ticket });
    let out = tell(&mut node, Input::Ask(Ask(2), park.clone()));
    assert!(matches!(out[..], [Output::Append { sequence: 3, .. }]));
    // Its lease may end meanwhile: nothing is worked on.
    let late = Time(0).saturating_add(TTL);
    let out = tell_at(&mut node, late, Input::Woke);
    assert!(!out.iter().any(|output| matches!(output, Output::Halt(_))), "{out:?}");
    tell_at(&mut node, late, noted(late, &log.replica, &[]));
    let out = written(&mut node, &mut log, 3, &[park]);
    assert_eq!(out, [Output::Answer(Ask(2), Ok(Said::Done))]);
    let resume = Change::Ticket(Job(1), Command::Resume { ticket });
    tell(&mut node, Input::Ask(Ask(3), resume.clone()));
    let out = written(&mut node, &mut log, 4, &[resume]);
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
    assert_eq!(out, [Output::Halt(TicketId(1)), Output::Beat(log.replica.applied())]);
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

/// Tells a node of another that takes part, and of nothing beside.
fn hear_of(node: &mut Node, log: &mut Log, other: Incarnation) {
    let batch = log.next(other, &[Change::Up { address: None }]);
    log.replica.apply(&batch).expect("it follows");
    assert_eq!(tell(node, Input::Told(Told::Batch(Box::new(batch)))), []);
}

#[test]
fn who_takes_part_and_has_no_row_is_declared_gone_at_once() {
    let (mut node, mut log) = member();
    let before = Replica::from_snapshot(log.replica.snapshot()).expect("a machine has made it");
    hear_of(&mut node, &mut log, B);
    // What was seen before it was there says nothing of it.
    assert_eq!(gone(&tell(&mut node, noted(Time(0), &before, &[]))), []);
    let there = silent(0);
    assert_eq!(gone(&tell(&mut node, noted(Time(0), &log.replica, &[there]))), []);
    let out = tell(&mut node, noted(Time(0), &log.replica, &[]));
    assert_eq!(gone(&out), [(B, None)]);
    // Once is enough.
    assert_eq!(gone(&tell(&mut node, noted(Time(0), &log.replica, &[]))), []);
    let batch = log.next(A, &[Change::Gone(B)]);
    log.replica.apply(&batch).expect("it follows");
    tell(&mut node, Input::Appended(2, Reply::Written(Box::new(batch))));
    assert_eq!(gone(&tell(&mut node, noted(Time(0), &log.replica, &[]))), []);
    assert_eq!(node.replica().map(|replica| replica.nodes().count()), Some(1));
}

#[test]
fn who_has_a_row_and_never_takes_part_is_cleared_away_when_nothing_is_heard_of_it() {
    let (mut node, log) = member();
    assert_eq!(gone(&tell(&mut node, noted(Time(0), &log.replica, &[silent(0)]))), []);
    // It is heard of once more, and never again.
    let silent = silent(1);
    let begun = Time(0).saturating_add(BEAT);
    assert_eq!(
        gone(&tell_at(&mut node, begun, noted(begun, &log.replica, &[silent]))),
        []
    );
    let almost = Time(0).saturating_add(TTL);
    assert_eq!(gone(&tell_at(&mut node, almost, Input::Woke)), []);
    let late = begun.saturating_add(TTL);
    assert_eq!(gone(&tell_at(&mut node, late, Input::Woke)), [(B, Some(silent))]);
}

/// Has some entries appended that the node hears of, and returns where the log ends.
fn grow(node: &mut Node, log: &mut Log, owners: std::ops::Range<u128>) -> Number {
    for owner in owners {
        let batch = log.next(B, &[join(owner, owner)]);
        log.replica.apply(&batch).expect("it follows");
        tell(node, Input::Told(Told::Batch(Box::new(batch))));
    }
    log.replica.applied()
}

#[test]
fn who_has_not_applied_what_has_been_there_for_a_beat_does_not_keep_up() {
    let (mut node, mut log) = member();
    hear_of(&mut node, &mut log, B);
    let mut now = Time(0);
    let mut hear = |node: &mut Node, log: &Log, beats, applied: Number| {
        now = now.saturating_add(BEAT);
        let peer = Peer {
            node: B,
            beats,
            applied,
        };
        tell_at(node, now, noted(now, &log.replica, &[peer]));
        node.progress(B, now).expect("it is there")
    };
    // It has a row, and has said nothing yet.
    let unheard = hear(&mut node, &log, 0, Number(0));
    let nothing = Progress {
        applied: None,
        lag: 0,
        ago: None,
    };
    assert_eq!(unheard, nothing);
    let begun = log.replica.applied();
    let kept_up = |applied| Progress {
        applied: Some(applied),
        lag: 0,
        ago: Some(std::time::Duration::ZERO),
    };
    assert_eq!(hear(&mut node, &log, 1, begun), kept_up(begun));
    // What is new may be on its way to it, for a beat.
    let head = grow(&mut node, &mut log, 10..15);
    assert_eq!(hear(&mut node, &log, 2, begun), kept_up(begun));
    let more = grow(&mut node, &mut log, 20..30);
    assert_eq!(hear(&mut node, &log, 3, begun), kept_up(begun));
    // No longer than that.
    assert_eq!(hear(&mut node, &log, 4, begun).lag, head.0 - begun.0);
    assert_eq!(hear(&mut node, &log, 5, head).lag, more.0 - head.0);
    assert_eq!(hear(&mut node, &log, 6, more), kept_up(more));
    assert_eq!(node.progress(Incarnation(9), now), None);
}

#[test]
fn who_is_silent_is_not_behind_and_a_log_that_has_lost_its_end_is_not_waited_for() {
    let (mut node, mut log) = member();
    let before = Replica::from_snapshot(log.replica.snapshot()).expect("a machine has made it");
    hear_of(&mut node, &mut log, B);
    let applied = log.replica.applied();
    let peer = |beats, applied| Peer {
        node: B,
        beats,
        applied,
    };
    let at = |beats: u32| Time(0).saturating_add(BEAT * beats);
    tell_at(&mut node, at(1), noted(at(1), &log.replica, &[peer(1, applied)]));
    grow(&mut node, &mut log, 10..15);
    for beat in 2..5 {
        tell_at(&mut node, at(beat), noted(at(beat), &log.replica, &[peer(1, applied)]));
    }
    let progress = node.progress(B, at(4)).expect("it is there");
    assert_eq!((progress.lag, progress.ago), (0, Some(BEAT * 3)));
    // A standby has taken over that has nothing of it.
    tell_at(&mut node, at(5), noted(at(5), &before, &[peer(2, before.applied())]));
    assert_eq!(node.progress(B, at(5)).map(|progress| progress.lag), Some(0));
}

#[test]
fn a_node_knows_of_itself_whether_it_keeps_up() {
    let (mut node, mut log) = member();
    let now = Time(0);
    let own = |node: &Node| node.progress(A, now).expect("it is there");
    let applied = log.replica.applied();
    assert_eq!((own(&node).applied, own(&node).lag), (Some(applied), 0));
    log.append(B, &[Change::Up { address: None }]);
    for lag in [0, 1] {
        // It is told that there is more, and does not get it.
        tell(&mut node, noted(now, &log.replica, &[]));
        assert_eq!(own(&node).lag, lag);
    }
}
