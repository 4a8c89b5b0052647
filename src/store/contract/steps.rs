//! Uses of tools, what was allowed, and the files that tools have returned.

use super::*;
use crate::{
    store::{Leave, ToolStep},
    wire::{StepContent, StepState, ToolFault},
};

fn a_step(state: StepState, content: Vec<StepContent>) -> ToolStep {
    ToolStep {
        call: "call-1".into(),
        name: "files__read".into(),
        opaque: Some("\u{1a}\0".into()),
        thoughts: Some("hm\0".into()),
        server: "files".into(),
        tool: "read".into(),
        title: None,
        fingerprint: "abc".into(),
        repeatable: true,
        arguments: "{\"path\": \"ü\\u0000\"}".into(),
        state,
        content,
        round: 0,
        said: 7,
        called_at: 5,
        began_at: Some(6),
        ended_at: None,
    }
}

pub(crate) async fn steps_come_back_with_their_turn<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Tools");
    let mut turn = talk.turn(None, "read it");
    let steps = vec![
        a_step(StepState::Asks, Vec::new()),
        a_step(
            StepState::Failed {
                fault: ToolFault::TimedOut,
            },
            vec![
                StepContent::Text("zero \0 and 🙂".into()),
                StepContent::Link {
                    uri: "https://example.org".into(),
                    name: "there".into(),
                },
            ],
        ),
    ];
    turn.steps.clone_from(&steps);
    turn.state = TurnState::Running;
    talk.accept(&*store, &turn, None).await;
    let unfinished = store.unfinished().await.expect("read");
    assert_eq!(unfinished[0].turn.turn.steps, steps);
    turn.steps.push(a_step(StepState::Done, Vec::new()));
    store.update(turn.clone()).await.expect("updated");
    store.close().await;
    drop(store);
    let store = K::open(folder.path()).await;
    assert_eq!(
        store.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    let found = store.search(owner, "zero", 10).await.expect("read");
    assert_eq!(found, [], "what tools return is not searched");
    turn.steps.clear();
    store.update(turn.clone()).await.expect("updated");
    assert_eq!(store.turns(owner, talk.id()).await, Ok(vec![turn]));
}

pub(crate) async fn leave_is_kept_with_its_conversation<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (owner, other) = (an_owner(), an_owner());
    let mut talk = Talk::new(owner, "Tools");
    let leave = |fingerprint: &str, allowed| Leave {
        tool: "files/write".into(),
        fingerprint: fingerprint.into(),
        allowed,
    };
    assert_eq!(store.keep_leave(owner, talk.id(), leave("1", true)).await, Ok(false));
    talk.say(&*store, None, "write it").await;
    assert_eq!(store.leaves(owner, talk.id()).await, Ok(vec![]));
    assert_eq!(store.keep_leave(other, talk.id(), leave("1", true)).await, Ok(false));
    for kept in [leave("1", true), leave("2", false)] {
        assert_eq!(store.keep_leave(owner, talk.id(), kept.clone()).await, Ok(true));
        assert_eq!(store.leaves(owner, talk.id()).await, Ok(vec![kept]));
    }
    assert_eq!(store.leaves(other, talk.id()).await, Ok(vec![]));
    // Taken back, by whom it is of alone, and nothing else with it.
    let more = Leave {
        tool: "files/read".into(),
        ..leave("1", true)
    };
    assert_eq!(store.keep_leave(owner, talk.id(), more.clone()).await, Ok(true));
    for (who, tool, forgotten) in [
        (other, "files/write", false),
        (owner, "files/writ", false),
        (owner, "files/write", true),
        (owner, "files/write", false),
    ] {
        assert_eq!(store.forget_leave(who, talk.id(), tool).await, Ok(forgotten), "{tool}");
    }
    assert_eq!(store.leaves(owner, talk.id()).await, Ok(vec![more]));
    assert_eq!(store.delete(owner, talk.id(), 1).await, Ok(true));
    assert_eq!(store.leaves(owner, talk.id()).await, Ok(vec![]));
    assert_eq!(store.forget_leave(owner, talk.id(), "files/read").await, Ok(false));
}

pub(crate) async fn what_tools_return_goes_with_its_conversation<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let (owner, other) = (an_owner(), an_owner());
    let mut talk = Talk::new(owner, "Tools");
    let turn = talk.say(&*store, None, "draw it").await;
    store.update(answered(turn.clone(), "there")).await.expect("updated");
    let picture = file("picture.png");
    assert_eq!(store.add_step_file(other, turn.id, picture.clone(), 1).await, Ok(false));
    assert_eq!(
        store.add_step_file(owner, TurnId::new(), picture.clone(), 1).await,
        Ok(false)
    );
    for _ in 0..2 {
        assert_eq!(store.add_step_file(owner, turn.id, picture.clone(), 1).await, Ok(true));
    }
    assert_eq!(store.file(owner, picture.id).await, Ok(Some(picture.clone())));
    // It is carried by no message, and yet of use.
    let purged = store.purge(0, Some(100)).await.expect("purged");
    assert_eq!(purged.files, []);
    assert_eq!(store.delete(owner, talk.id(), 1).await, Ok(true));
    let purged = store.purge(100, None).await.expect("purged");
    assert_eq!(purged.files, [picture.id]);
    assert_eq!(store.file(owner, picture.id).await, Ok(None));
}
