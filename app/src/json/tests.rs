//! Whatever is written is read as the same.

use std::fmt::Debug;

use anteroom::wire::*;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::parse;
use crate::{
    fault::Fault,
    initial::{InitialData, Overview},
    writing::{drafts::Draft, outbox::Unsent},
};

/// Writes a value as the server does, and reads it as the browser does.
fn told<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("the types of the wire can be written");
    parse(&text).unwrap_or_else(|unreadable| panic!("{unreadable}: {text}"))
}

fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    assert_eq!(told(value), *value);
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn summary() -> ConversationSummary {
    ConversationSummary {
        id: ConversationId(id(1)),
        title: "\u{1f600} \"quoted\"\n".to_owned(),
        updated_at: 1_700_000_000_123,
        busy: true,
        asks: false,
        pinned: true,
        archived: false,
    }
}

fn position() -> FeedPosition {
    FeedPosition {
        epoch: id(2),
        number: (1 << 53) - 1,
    }
}

fn step(state: StepState) -> StepView {
    StepView {
        server: "files".to_owned(),
        tool: "read \"it\"".to_owned(),
        arguments: "{\n  \"a\": 1\n}".to_owned(),
        state,
        result: "<pre>\u{1f600}</pre>".to_owned(),
        began_at: Some(1_700_000_000_123),
        ms: None,
        round: 2,
        after: 1,
        content: Vec::new(),
    }
}

fn turn(state: TurnState) -> TurnView {
    TurnView {
        id: TurnId(id(3)),
        conversation: ConversationId(id(1)),
        parent: Some(TurnId(id(4))),
        versions: Versions {
            number: 2,
            count: 3,
            earlier: Some(TurnId(id(5))),
            later: None,
        },
        message: "Hello".to_owned(),
        files: vec![file(FileKind::Image), file(FileKind::Text), file(FileKind::Document)],
        state,
        answer: String::new(),
        blocks: vec!["<p>a</p>".to_owned(), String::new()],
        thoughts: vec!["<p>b</p>".to_owned()],
        thought_ms: Some(1200),
        good: None,
        steps: [
            StepState::Asks,
            StepState::Connects,
            StepState::Runs,
            StepState::Failed {
                fault: ToolFault::TimedOut,
            },
            StepState::Done,
        ]
        .map(step)
        .into(),
        notices: vec![
            TurnNotice::Trimmed { turns: 3 },
            TurnNotice::Fallback {
                model: "small@cpu".to_owned(),
            },
            TurnNotice::Cached,
            TurnNotice::Shared,
            TurnNotice::KeyWanted {
                server: "tickets".to_owned(),
                fault: OwnKeyFault::Unreadable,
            },
            TurnNotice::Excerpt {
                name: "a.pdf".to_owned(),
                unit: PaperUnit::Pages,
                read: 3,
                of: 214,
            },
            TurnNotice::Pictures {
                name: "a.pdf".to_owned(),
                taken: 0,
                of: 12,
            },
            TurnNotice::Waited(Receipt {
                ms: 42_000,
                position: 9,
                found: 69,
                people: 12,
                own: 1,
                earlier: 8,
                later: 0,
                path: vec![PathPoint { ms: 0, position: 9 }, PathPoint { ms: 1, position: 8 }],
            }),
        ],
        model: "demo".to_owned(),
        usage: Some(Usage {
            input: Some(0),
            output: None,
        }),
        accepted_at: 1,
        started_at: None,
        ended_at: Some(3),
    }
}

fn file(kind: FileKind) -> FileView {
    FileView {
        id: FileId(id(6)),
        name: "a.png".to_owned(),
        kind,
        mime: "image/png".to_owned(),
        size: 5,
        paper: (kind == FileKind::Document).then_some(Paper {
            unit: PaperUnit::Sheets,
            parts: 3,
            characters: 1,
            left_out: 0,
            blank: 2,
            cut: true,
            pictures: 4,
            pictures_left_out: 0,
        }),
    }
}

fn line() -> LineView {
    LineView {
        name: "chat".to_owned(),
        events: Event::ALL.to_vec(),
        running: 1,
        mine: 1,
        limit: None,
        waiting: 2,
        newcomer: 3,
        estimate: Some(Estimate { low: 0.5, high: 1e21 }),
        model: Some("large@gpu".to_owned()),
        trouble: Some(Trouble {
            reason: Reason::WaitUnreachable,
            seconds: Some(1.5),
        }),
        inside: vec![Inside {
            key: u16::MAX,
            age: Age(2.5),
            turn: Some(TurnId(id(2))),
        }],
        usual: Some(3.5),
    }
}

#[test]
fn ages_are_read_though_any_two_are_equal() {
    assert_eq!(told(&line()).inside[0].age.0, 2.5);
}

fn place() -> Place {
    Place {
        turn: None,
        event: Event::FileUpload,
        model: Some("large@gpu".to_owned()),
        position: 1,
        waiting: 2,
        estimate: None,
        trouble: Some(Trouble {
            reason: Reason::ModelGone {
                model: "large@gpu".to_owned(),
            },
            seconds: None,
        }),
    }
}

fn overview() -> Overview {
    Overview {
        conversations: ConversationPage {
            conversations: vec![summary()],
            more: true,
        },
        status: Status {
            lines: vec![line()],
            places: vec![place()],
            running: 1,
        },
        feed: position(),
        model: "demo".to_owned(),
        models: vec![
            ModelInfo {
                id: "demo".to_owned(),
                title: Some("Demo".to_owned()),
                vision: Some(true),
            },
            ModelInfo::default(),
        ],
        version: "1".to_owned(),
        max_upload_bytes: 20 << 20,
        queue: false,
        tabs: vec![RefreshKind::Stats],
        starters: vec!["What is new?".to_owned()],
        fair: true,
        tools: true,
        confirmation: "c0ffee".to_owned(),
    }
}

fn conversation() -> ConversationView {
    ConversationView {
        summary: summary(),
        turns: vec![turn(TurnState::Done)],
        earlier: false,
        choice: choice(),
        behind: vec![follow_up(None), follow_up(Some(Reason::BeforeFailed))],
        feed: position(),
    }
}

fn follow_up(held: Option<Reason>) -> FollowUp {
    FollowUp {
        id: TurnId(id(4)),
        message: "and \"then\"?".to_owned(),
        files: Vec::new(),
        at: 5,
        held,
    }
}

fn choice() -> Choice {
    Choice {
        model: Some("large@gpu".to_owned()),
        instructions: "Be \"brief\".\n".to_owned(),
        temperature: Some(0.7),
        max_tokens: Some(1_000_000),
        without_tools: true,
    }
}

#[test]
fn the_feed_is_read_as_it_was_written() {
    let reason = || Reason::TooSlow { seconds: 90 };
    let incomplete = |cause| TurnState::Incomplete { cause };
    let states = [
        TurnState::Waiting,
        TurnState::Running,
        TurnState::Done,
        incomplete(Incomplete::Length),
        incomplete(Incomplete::Filter),
        incomplete(Incomplete::Other),
        TurnState::Failed { reason: reason() },
        TurnState::Cancelled,
        TurnState::Expired { reason: reason() },
    ];
    let turns = states.map(|state| FeedEvent::Turn(Box::new(turn(state))));
    let others = [
        FeedEvent::Conversation(summary()),
        FeedEvent::ConversationRemoved {
            id: ConversationId(id(1)),
        },
        FeedEvent::Version {
            conversation: ConversationId(id(1)),
            head: TurnId(id(3)),
        },
        FeedEvent::Chosen {
            conversation: ConversationId(id(1)),
            choice: choice(),
        },
        FeedEvent::Behind {
            conversation: ConversationId(id(1)),
            follow_ups: vec![follow_up(None)],
        },
        FeedEvent::Chosen {
            conversation: ConversationId(id(1)),
            choice: Choice::default(),
        },
        FeedEvent::Thought {
            turn: TurnId(id(3)),
            conversation: ConversationId(id(1)),
            index: 0,
            html: String::new(),
        },
        FeedEvent::Step {
            turn: TurnId(id(3)),
            conversation: ConversationId(id(1)),
            index: 1,
            step: Some(Box::new(step(StepState::Denied))),
        },
        FeedEvent::Step {
            turn: TurnId(id(3)),
            conversation: ConversationId(id(1)),
            index: 1,
            step: None,
        },
        FeedEvent::Block {
            turn: TurnId(id(3)),
            conversation: ConversationId(id(1)),
            index: 4,
            html: "<p>&amp;</p>".to_owned(),
        },
    ];
    for event in turns.into_iter().chain(others) {
        same(&FeedMessage::Event { number: 7, event });
    }
    let hello = |resumed| FeedMessage::Hello {
        position: position(),
        resumed,
        version: "1".to_owned(),
    };
    let drawn = |refresh, html: Option<&str>| FeedMessage::Drawn {
        refresh,
        html: html.map(str::to_owned),
    };
    let refused = |refresh| FeedMessage::RefreshRefused {
        refresh,
        reason: reason(),
    };
    for message in [
        hello(true),
        hello(false),
        FeedMessage::Status(Status::default()),
        drawn(RefreshKind::Stats, Some("<dl class=\"tiles\">\n</dl>")),
        drawn(RefreshKind::Logs, None),
        refused(RefreshKind::Stats),
        refused(RefreshKind::Logs),
    ] {
        same(&message);
    }
}

#[test]
fn answers_are_read_as_they_were_written() {
    same(&overview());
    same(&overview().conversations);
    same(&Some(conversation()));
    same(&None::<ConversationView>);
    same(&Some(TurnPage {
        turns: vec![turn(TurnState::Waiting)],
        earlier: true,
    }));
    let found = |role: Option<Role>| Found {
        conversation: summary(),
        turn: role.map(|_| TurnId(id(3))),
        role,
        excerpt: ("before ".to_owned(), "place".to_owned(), String::new()),
    };
    same(&SearchResults {
        found: [Some(Role::User), Some(Role::Agent), None].map(found).to_vec(),
        more: true,
    });
    same(&Sent {
        turn: TurnId(id(3)),
        conversation: ConversationId(id(1)),
        place: Some(place()),
        behind: true,
    });
    same(&Refused {
        reason: Reason::FileTooLarge {
            name: "a.csv".to_owned(),
            most: 20_000_000,
        },
        message: "Too large.".to_owned(),
    });
    for reason in [
        Reason::Busy,
        Reason::MessageNotKept {
            fault: StoreFault::ReadOnly,
        },
        Reason::ModelFault { status: 503 },
        Reason::Told {
            sentence: "In words.".to_owned(),
        },
    ] {
        same(&Fault { reason });
    }
    // What a browser has kept for itself.
    same(&Draft {
        text: "\u{1f600}\n\"".to_owned(),
        files: vec![file(FileKind::Text)],
        choice: Choice::default(),
        at: 1_700_000_000_123,
    });
    for (conversation, refused) in [(None, None), (Some(ConversationId(id(1))), Some("No.".to_owned()))] {
        same(&Unsent {
            conversation,
            text: "Hello".to_owned(),
            files: vec![file(FileKind::Image)],
            choice: Choice {
                model: Some("large@gpu".to_owned()),
                temperature: Some(0.7),
                ..Choice::default()
            },
            at: 1,
            refused,
        });
    }
    same(&());
    same(&true);
}

#[test]
fn what_a_page_starts_with_is_read_as_it_was_written() {
    let first = InitialData {
        overview: overview(),
        conversation: Some((ConversationId(id(1)), Some(conversation()))),
    };
    let Ok(read) = told(&Ok::<InitialData, Reason>(first)) else {
        panic!("it was no refusal")
    };
    assert_eq!(read.overview, overview());
    assert_eq!(read.conversation, Some((ConversationId(id(1)), Some(conversation()))));
    let refusal = told(&Err::<InitialData, Reason>(Reason::Unreadable));
    assert!(matches!(refusal, Err(Reason::Unreadable)));
}

fn fault(text: &str) -> String {
    match parse::<FeedMessage>(text) {
        Ok(message) => panic!("{text} was read as {message:?}"),
        Err(unreadable) => unreadable.to_string(),
    }
}

#[test]
fn what_is_not_there_is_none_and_what_is_wrong_is_named() {
    assert_eq!(
        parse::<Usage>("{}"),
        Ok(Usage {
            input: None,
            output: None
        })
    );
    // In whatever order, with what a later version has to say, or without what an earlier one had not.
    let draft = parse::<Draft>(r#"{"later":[1],"at":3,"files":[],"text":"a"}"#);
    let expected = Draft {
        text: "a".to_owned(),
        at: 3,
        ..Draft::default()
    };
    assert_eq!(draft, Ok(expected));
    assert_eq!(parse::<Choice>("{}"), Ok(Choice::default()));
    assert_eq!(parse::<TurnState>(r#"{"done":null}"#), Ok(TurnState::Done));
    assert!(parse::<TurnState>(r#"{"done":1}"#).is_err() && parse::<Choice>("3").is_err());
    let position = r#""position":{"epoch":"00000000-0000-0000-0000-000000000002","number":-1}"#;
    assert!(fault(&format!(r#"{{"hello":{{{position}}}}}"#)).contains("`number`"));
    assert!(fault(r#"{"hello":{}}"#).contains("`position`"));
    for text in ["", "nonsense", "{}", "[]", "3", r#""hello""#, r#"{"farewell":{}}"#] {
        assert!(
            fault(text).starts_with("what the server said was not understood"),
            "{text}"
        );
    }
    for number in ["-1", "0.5", "1e300", "\"1\"", "null", "true"] {
        assert!(parse::<u64>(number).is_err(), "{number}");
    }
    assert!(parse::<u32>("4294967296").is_err());
    assert!(parse::<Vec<u64>>("{}").is_err() && parse::<(u64, u64)>("[1]").is_err());
}
