//! The list of conversations, search, deleting and bringing back.

use super::*;
use crate::{
    store::Hit,
    wire::{Choice, Role, Shelving},
};

async fn titles(store: &dyn Store, owner: Owner) -> Vec<String> {
    let all = store.conversations(owner, None, 100).await.expect("read");
    all.into_iter().map(|conversation| conversation.title).collect()
}

pub(crate) async fn the_last_used_come_first_page_by_page<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut made = Vec::new();
    // Two of each time: then the one stored later comes first.
    for number in 0..6_u64 {
        let mut talk = Talk::new(owner, &format!("{number}")).at(100 + number / 2);
        talk.say(&*store, None, "hello").await;
        made.push(talk);
    }
    assert_eq!(titles(&*store, owner).await, ["5", "4", "3", "2", "1", "0"]);
    let page = async |after: Option<&Talk>, most| {
        let page = store
            .conversations(owner, after.map(Talk::id), most)
            .await
            .expect("read");
        page.into_iter()
            .map(|conversation| conversation.title)
            .collect::<Vec<_>>()
    };
    assert_eq!(page(None, 2).await, ["5", "4"]);
    assert_eq!(page(Some(&made[4]), 3).await, ["3", "2", "1"]);
    assert_eq!(page(Some(&made[1]), 3).await, ["0"]);
    assert_eq!(page(Some(&made[0]), 3).await, [""; 0]);
    // Deleted between two pages, it still has its place; never there, it has none.
    assert_eq!(store.delete(owner, made[3].id(), 7).await, Ok(true));
    assert_eq!(page(Some(&made[3]), 2).await, ["2", "1"]);
    assert_eq!(page(Some(&Talk::new(owner, "never")), 2).await, [""; 0]);
    // Used again, it is first again.
    let mut used = made.swap_remove(0).at(500);
    used.say(&*store, None, "again").await;
    assert_eq!(titles(&*store, owner).await, ["0", "5", "4", "2", "1"]);
}

pub(crate) async fn the_pinned_come_first_and_the_archived_last<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut made = Vec::new();
    for number in 0..6_u64 {
        let mut talk = Talk::new(owner, &format!("{number}")).at(100 + number);
        talk.say(&*store, None, "hello").await;
        made.push(talk);
    }
    let pinned = |to| Shelving {
        pinned: Some(to),
        ..Shelving::default()
    };
    let archived = |to| Shelving {
        archived: Some(to),
        ..Shelving::default()
    };
    let shelve = async |number: usize, shelving| {
        let shelf = store.shelve(owner, made[number].id(), shelving).await;
        let shelf = shelf.expect("written").expect("there");
        (shelf.pinned, shelf.archived)
    };
    assert_eq!(shelve(1, pinned(true)).await, (true, false));
    assert_eq!(shelve(3, pinned(true)).await, (true, false));
    assert_eq!(shelve(5, archived(true)).await, (false, true));
    assert_eq!(shelve(0, archived(true)).await, (false, true));
    assert_eq!(titles(&*store, owner).await, ["3", "1", "4", "2", "5", "0"]);
    // Page by page it is the same, also where one part ends and the next begins.
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = store.conversations(owner, after, 1).await.expect("read");
        let Some(one) = page.into_iter().next() else { break };
        after = Some(one.id);
        listed.push(one.title);
    }
    assert_eq!(listed, ["3", "1", "4", "2", "5", "0"]);
    // In the archive it stays pinned, and is so again once it comes back.
    assert_eq!(shelve(3, archived(true)).await, (true, true));
    assert_eq!(titles(&*store, owner).await, ["1", "4", "2", "3", "5", "0"]);
    assert_eq!(
        shelve(3, Shelving::default()).await,
        (true, true),
        "nothing is asked for"
    );
    assert_eq!(shelve(1, pinned(false)).await, (false, false));
    // A search finds what is archived.
    let hits = store.search(owner, "hello", 10).await.expect("read");
    assert_eq!(hits.len(), 6);
    assert!(hits.iter().any(|hit| hit.conversation.shelf.archived));
    // A message brings it back, and another title does not.
    assert_eq!(store.rename(owner, made[5].id(), "5").await, Ok(true));
    for number in [0, 3] {
        let parent = made[number].conversation.head;
        let mut talk = made[number].clone().at(200 + number as u64);
        talk.say(&*store, Some(parent), "again").await;
    }
    assert_eq!(titles(&*store, owner).await, ["3", "0", "4", "2", "1", "5"]);
    // It is another's, not there, or deleted.
    assert_eq!(store.shelve(an_owner(), made[0].id(), pinned(true)).await, Ok(None));
    assert_eq!(store.shelve(owner, ConversationId::new(), pinned(true)).await, Ok(None));
    assert_eq!(store.delete(owner, made[4].id(), 7).await, Ok(true));
    assert_eq!(store.shelve(owner, made[4].id(), pinned(true)).await, Ok(None));
    store.close().await;
    let store = K::open(folder.path()).await;
    assert_eq!(titles(&*store, owner).await, ["3", "0", "2", "1", "5"]);
}

pub(crate) async fn a_conversation_can_be_renamed<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Before");
    talk.say(&*store, None, "hello").await;
    assert_eq!(store.rename(owner, talk.id(), "After").await, Ok(true));
    assert_eq!(titles(&*store, owner).await, ["After"]);
    talk.say(&*store, None, "sent before the new title was known").await;
    assert_eq!(titles(&*store, owner).await, ["After"]);
    assert_eq!(store.rename(owner, ConversationId::new(), "Nothing").await, Ok(false));
}

pub(crate) async fn only_the_title_that_is_named_gives_way_to_another<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Made");
    talk.say(&*store, None, "hello").await;
    let retitle = async |owner, id, from, to| store.retitle(owner, id, from, to).await;
    assert_eq!(retitle(owner, talk.id(), "Another", "Better").await, Ok(false));
    assert_eq!(retitle(an_owner(), talk.id(), "Made", "Better").await, Ok(false));
    assert_eq!(retitle(owner, ConversationId::new(), "Made", "Better").await, Ok(false));
    assert_eq!(titles(&*store, owner).await, ["Made"]);
    assert_eq!(retitle(owner, talk.id(), "Made", "Better").await, Ok(true));
    assert_eq!(titles(&*store, owner).await, ["Better"]);
    assert_eq!(store.rename(owner, talk.id(), "Mine").await, Ok(true));
    assert_eq!(retitle(owner, talk.id(), "Better", "Best").await, Ok(false));
    assert_eq!(titles(&*store, owner).await, ["Mine"]);
    assert_eq!(store.delete(owner, talk.id(), 7).await, Ok(true));
    assert_eq!(retitle(owner, talk.id(), "Mine", "Best").await, Ok(false));
}

pub(crate) async fn what_is_thought_of_an_answer_is_kept_with_it<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Talk");
    let first = talk.say(&*store, None, "first").await;
    let second = talk.say(&*store, Some(first.id), "second").await;
    let good = async |store: &dyn Store, turn: &TurnRecord| {
        let step = store.turn(owner, turn.id).await.expect("read").expect("there");
        step.turn.good
    };
    assert_eq!(good(&*store, &first).await, None, "nothing was said");
    assert_eq!(store.rate(owner, first.id, Some(true)).await, Ok(true));
    assert_eq!(store.rate(owner, second.id, Some(false)).await, Ok(true));
    assert_eq!(good(&*store, &first).await, Some(true));
    assert_eq!(good(&*store, &second).await, Some(false));
    // It is another's, or not there.
    assert_eq!(store.rate(an_owner(), first.id, Some(false)).await, Ok(false));
    assert_eq!(store.rate(owner, TurnId::new(), Some(true)).await, Ok(false));
    // How a turn is does not touch it; on second thoughts it is another.
    store.update(answered(first.clone(), "done")).await.expect("updated");
    assert_eq!(good(&*store, &first).await, Some(true));
    assert_eq!(store.rate(owner, first.id, Some(false)).await, Ok(true));
    assert_eq!(good(&*store, &first).await, Some(false));
    assert_eq!(store.rate(owner, second.id, None).await, Ok(true));
    assert_eq!(
        store.rate(owner, second.id, None).await,
        Ok(false),
        "there is none any more"
    );
    let all = store.turns(owner, talk.id()).await.expect("read");
    assert_eq!(
        all.iter().map(|turn| turn.good).collect::<Vec<_>>(),
        [Some(false), None]
    );
    store.close().await;
    let store = K::open(folder.path()).await;
    assert_eq!(good(&*store, &first).await, Some(false));
    // It goes with its conversation.
    assert_eq!(store.forget(owner).await.map(|files| files.len()), Ok(0));
}

pub(crate) async fn what_is_chosen_for_a_conversation_is_kept_with_it<K: Kind>() {
    let Fixture { store, folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Talk");
    let first = talk.say(&*store, None, "hello").await;
    let chosen = async |store: &dyn Store, talk: &Talk| {
        let chosen = store.chosen(owner, talk.id()).await.expect("read").expect("there");
        assert_eq!(chosen.0, talk.conversation);
        chosen.1
    };
    assert_eq!(chosen(&*store, &talk).await, Choice::default(), "nothing was chosen");
    assert_eq!(store.chosen(owner, ConversationId::new()).await, Ok(None));

    // Along with a message, of a conversation that is there and of one that is not.
    let second = talk.turn(Some(first.id), "and now?");
    talk.conversation.head = second.id;
    let accepted = store.accept(talk.conversation.clone(), second, None, Some(a_choice("large@gpu")));
    accepted.await.expect("accepted");
    assert_eq!(chosen(&*store, &talk).await, a_choice("large@gpu"));
    let mut other = Talk::new(owner, "Other");
    let turn = other.turn(None, "hello");
    other.conversation.head = turn.id;
    let only_brief = Choice {
        max_tokens: Some(1),
        ..Choice::default()
    };
    let accepted = store.accept(other.conversation.clone(), turn, None, Some(only_brief.clone()));
    accepted.await.expect("accepted");
    assert_eq!(chosen(&*store, &other).await, only_brief);

    // A message without one leaves it as it is, a later one takes its place.
    talk.say(&*store, Some(talk.conversation.head), "more").await;
    assert_eq!(chosen(&*store, &talk).await, a_choice("large@gpu"));
    let cool = Choice {
        temperature: Some(0.0),
        ..Choice::default()
    };
    let choose = async |owner, talk: &Talk| store.choose(owner, talk.id(), cool.clone(), "demo@builtin").await;
    assert_eq!(choose(an_owner(), &talk).await, Ok(false), "it is another's");
    assert_eq!(chosen(&*store, &talk).await, a_choice("large@gpu"));
    assert_eq!(choose(owner, &talk).await, Ok(true));
    assert_eq!(choose(owner, &Talk::new(owner, "never")).await, Ok(false));
    assert_eq!(chosen(&*store, &other).await, only_brief, "the other's is its own");

    store.delete(owner, other.id(), 7).await.expect("deleted");
    assert_eq!(store.chosen(owner, other.id()).await, Ok(None));
    assert_eq!(choose(owner, &other).await, Ok(false), "it is not there");
    store.undelete(owner, other.id()).await.expect("brought back");
    assert_eq!(chosen(&*store, &other).await, only_brief);
    store.close().await;
    assert_eq!(chosen(&*K::open(folder.path()).await, &talk).await, cool);
}

pub(crate) async fn a_choice_is_for_turns_that_wait<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Talk");
    let first = talk.say(&*store, None, "first").await;
    store.update(answered(first.clone(), "done")).await.expect("updated");
    let mut second = talk.say(&*store, Some(first.id), "second").await;
    let mut other = Talk::new(owner, "Other");
    let elsewhere = other.say(&*store, None, "elsewhere").await;
    let choose = async |model: &str| {
        let chosen = store.choose(owner, talk.id(), a_choice(model), model).await;
        assert_eq!(chosen, Ok(true));
    };
    choose("small@cpu").await;
    let model = async |turn: &TurnRecord| {
        let step = store.turn(owner, turn.id).await.expect("read").expect("there");
        step.turn.model
    };
    assert_eq!(model(&second).await, "small@cpu");
    assert_eq!(model(&first).await, "demo@builtin", "it has its answer");
    assert_eq!(model(&elsewhere).await, "demo@builtin", "it is of another conversation");
    second.model = "small@cpu".into();
    second.state = TurnState::Running;
    store.update(second.clone()).await.expect("updated");
    choose("large@gpu").await;
    assert_eq!(model(&second).await, "small@cpu", "it runs");
}

pub(crate) async fn what_is_deleted_is_nowhere_until_it_is_brought_back<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Plans");
    let turn = talk.say(&*store, None, "plans").await;
    assert_eq!(store.delete(owner, talk.id(), 7).await, Ok(true));
    assert_eq!(store.delete(owner, talk.id(), 8).await, Ok(false), "it is not there");

    assert_eq!(titles(&*store, owner).await, [""; 0]);
    assert_eq!(store.conversation(owner, talk.id()).await, Ok(None));
    assert_eq!(store.turn(owner, turn.id).await, Ok(None));
    assert_eq!(store.path(owner, turn.id, 10).await, Ok(vec![]));
    assert_eq!(store.turns(owner, talk.id()).await, Ok(vec![]));
    assert_eq!(store.search(owner, "plans", 10).await, Ok(vec![]));
    assert_eq!(store.unfinished().await, Ok(vec![]));
    assert_eq!(store.rename(owner, talk.id(), "No").await, Ok(false));
    assert_eq!(store.show(owner, talk.id(), turn.id).await, Ok(false));
    // Its answer may come to its end meanwhile.
    let turn = answered(turn, "Here they are.");
    store.update(turn.clone()).await.expect("updated");
    assert_eq!(store.turn(owner, turn.id).await, Ok(None));

    assert_eq!(
        store.undelete(owner, talk.id()).await,
        Ok(Some(talk.conversation.clone()))
    );
    assert_eq!(
        store.undelete(owner, talk.id()).await,
        Ok(Some(talk.conversation.clone())),
        "it is back already"
    );
    assert_eq!(
        store.turn(owner, turn.id).await.expect("read").expect("there").turn,
        turn
    );
    assert_eq!(store.undelete(owner, ConversationId::new()).await, Ok(None));
}

pub(crate) async fn a_message_into_a_deleted_conversation_brings_it_back<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut talk = Talk::new(owner, "Undecided");
    let first = talk.say(&*store, None, "first").await;
    store.delete(owner, talk.id(), 7).await.expect("deleted");
    talk.say(&*store, Some(first.id), "second").await;
    assert_eq!(store.conversation(owner, talk.id()).await, Ok(Some(talk.conversation)));
}

pub(crate) async fn a_search_looks_through_titles_messages_and_answers<K: Kind>() {
    let Fixture { store, folder: _folder } = fixture::<K>().await;
    let owner = an_owner();
    let mut answer = Talk::new(owner, "Water").at(10);
    let question = answer.say(&*store, None, "what is it?").await;
    store
        .update(answered(question.clone(), "Mostly ÄPFEL."))
        .await
        .expect("updated");
    // What the model thought is no part of what was said.
    let mut thoughts = Talk::new(owner, "Thoughts").at(15);
    let mut thought = answered(thoughts.say(&*store, None, "and this?").await, "Nothing.");
    thought.reasoning = "Perhaps äpfel?".into();
    store.update(thought).await.expect("updated");
    let mut title = Talk::new(owner, "Äpfel").at(20);
    title.say(&*store, None, "äpfel as well").await;
    let mut message = Talk::new(owner, "Trees").at(30);
    let older = message.say(&*store, None, "Äpfel, older").await;
    let version = message.say(&*store, None, "Äpfel, a version not shown").await;
    let shown = message.say(&*store, Some(older.id), "nothing").await;
    store.show(owner, message.id(), shown.id).await.expect("shown");
    message.conversation.head = shown.id;
    Talk::new(owner, "No fruit").at(40).say(&*store, None, "at all").await;

    let hits = store.search(owner, "äPFEL", 10).await.expect("read");
    let expected = [
        Hit {
            conversation: message.conversation,
            turn: Some((version.id, Role::User, version.message)),
        },
        Hit {
            conversation: title.conversation,
            turn: None,
        },
        Hit {
            conversation: answer.conversation,
            turn: Some((question.id, Role::Agent, "Mostly ÄPFEL.".into())),
        },
    ];
    assert_eq!(hits, expected);
    assert_eq!(store.search(owner, "äpfel", 2).await.expect("read"), expected[..2]);
    assert_eq!(store.search(owner, "pears", 10).await, Ok(vec![]));
    assert_eq!(store.search(owner, "", 10).await, Ok(vec![]));
}
