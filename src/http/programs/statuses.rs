//! The same fault is answered in the same way at every door: with one status, and with a pause where it passes by itself. All faults that there are go
//! through here, in every shape that they are told in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::{api::fault, openai::ApiError};
use crate::{
    accounts::Scope,
    agents::AgentError,
    client::{ClientError, NoPass, UploadError},
    conversations::{ChoiceError, SendError},
    files::FileError,
    http::Refusal,
    papers::PaperFault,
    programs::{ProgramFault, RequestFault},
    queue::{JoinError, LeaveReason},
    store::StoreError,
    tasks::TaskFault,
    wire::Reason,
};

/// A function that lists faults of a type. Each has the pattern of its variant, so a new variant has to be listed to compile.
macro_rules! all {
    ($name:ident: $type:ty; $($pattern:pat => $fault:expr),+ $(,)?) => {
        fn $name() -> Vec<$type> {
            fn _is_listed(fault: &$type) {
                match fault { $($pattern => {})+ }
            }
            vec![$($fault),+]
        }
    };
}

all!(joins: JoinError;
    JoinError::Busy => JoinError::Busy,
    JoinError::Full => JoinError::Full,
    JoinError::TooManyOfYours => JoinError::TooManyOfYours,
    JoinError::Closed => JoinError::Closed,
    JoinError::Away => JoinError::Away,
);

all!(leavings: LeaveReason;
    LeaveReason::Cancelled => LeaveReason::Cancelled,
    LeaveReason::Expired => LeaveReason::Expired,
    LeaveReason::Abandoned => LeaveReason::Abandoned,
    LeaveReason::Closed => LeaveReason::Closed,
    LeaveReason::Withdrawn => LeaveReason::Withdrawn,
    LeaveReason::Done => LeaveReason::Done,
);

all!(stores: StoreError;
    StoreError::Full => StoreError::Full,
    StoreError::ReadOnly(_) => StoreError::ReadOnly(String::new()),
    StoreError::Locked => StoreError::Locked,
    StoreError::Damaged(_) => StoreError::Damaged(String::new()),
    StoreError::Away(_) => StoreError::Away(String::new()),
    StoreError::Closed => StoreError::Closed,
    StoreError::Other(_) => StoreError::Other(String::new()),
);

all!(choices: ChoiceError;
    ChoiceError::NotOffered(_) => ChoiceError::NotOffered("m".into()),
    ChoiceError::InstructionsTooLong(_) => ChoiceError::InstructionsTooLong(1),
    ChoiceError::Temperature => ChoiceError::Temperature,
    ChoiceError::AnswerLength => ChoiceError::AnswerLength,
);

all!(sendings: SendError;
    SendError::Empty => SendError::Empty,
    SendError::TooLong(_) => SendError::TooLong(1),
    SendError::TooManyFiles(_) => SendError::TooManyFiles(1),
    SendError::Choice(_) => SendError::Choice(ChoiceError::Temperature),
    SendError::UnknownFile => SendError::UnknownFile,
    SendError::UnknownConversation => SendError::UnknownConversation,
    SendError::UnknownTurn => SendError::UnknownTurn,
    SendError::ConversationBusy => SendError::ConversationBusy,
    SendError::TooManyBehind => SendError::TooManyBehind,
    SendError::Begun => SendError::Begun,
    SendError::Refused(_) => SendError::Refused(JoinError::Full),
    SendError::Store(_) => SendError::Store(StoreError::Full),
);

all!(papers: PaperFault;
    PaperFault::Unsupported => PaperFault::Unsupported,
    PaperFault::Locked => PaperFault::Locked,
    PaperFault::NoText => PaperFault::NoText,
    PaperFault::Damaged => PaperFault::Damaged,
    PaperFault::TooHeavy => PaperFault::TooHeavy,
);

all!(files: FileError;
    FileError::Empty { .. } => FileError::Empty { name: "f".into() },
    FileError::TooLarge { .. } => FileError::TooLarge { name: "f".into(), limit: 1 },
    FileError::Unsupported { .. } => FileError::Unsupported { name: "f".into() },
    FileError::NotAnImage { .. } => FileError::NotAnImage { name: "f".into() },
    FileError::NotADocument { .. } => FileError::NotADocument { name: "f".into() },
    FileError::Unread { .. } => FileError::Unread { name: "f".into(), fault: PaperFault::Locked },
    FileError::NoReader(_) => FileError::NoReader(io::ErrorKind::NotFound.into()),
    FileError::NotUtf8 { .. } => FileError::NotUtf8 { name: "f".into() },
    FileError::Gone => FileError::Gone,
    FileError::NoSpace(_) => FileError::NoSpace(io::ErrorKind::StorageFull.into()),
    FileError::Disk(_) => FileError::Disk(io::ErrorKind::Other.into()),
);

all!(uploads: UploadError;
    UploadError::File(_) => UploadError::File(FileError::Gone),
    UploadError::Left(_) => UploadError::Left(LeaveReason::Expired),
    UploadError::BrokenOff => UploadError::BrokenOff,
    UploadError::Stalled => UploadError::Stalled,
    UploadError::Store(_) => UploadError::Store(StoreError::Full),
);

all!(tasks: TaskFault;
    TaskFault::Unreadable(_) => TaskFault::Unreadable("s".into()),
    TaskFault::Unfit { .. } => TaskFault::Unfit { task: "t".into(), message: "s".into() },
    TaskFault::TooLong { .. } => TaskFault::TooLong { task: "t".into(), most: 1 },
    TaskFault::TooMany(_) => TaskFault::TooMany(1),
    TaskFault::TooManyOpen(_) => TaskFault::TooManyOpen(1),
    TaskFault::Twice(_) => TaskFault::Twice("t".into()),
    TaskFault::Circle(_) => TaskFault::Circle("t".into()),
    TaskFault::Unknown(_) => TaskFault::Unknown("t".into()),
    TaskFault::NeedsFailed(_) => TaskFault::NeedsFailed("t".into()),
    TaskFault::OtherBatch => TaskFault::OtherBatch,
    TaskFault::Webhook(_) => TaskFault::Webhook("s".into()),
    TaskFault::Gone => TaskFault::Gone,
    TaskFault::Store(_) => TaskFault::Store(StoreError::Full),
);

all!(agents: AgentError;
    AgentError::Unreachable => AgentError::Unreachable,
    AgentError::HungUp => AgentError::HungUp,
    AgentError::OutOfService => AgentError::OutOfService,
    AgentError::RateLimited { .. } => AgentError::RateLimited { retry_after: None },
    AgentError::Unauthorized => AgentError::Unauthorized,
    AgentError::UnknownModel { .. } => AgentError::UnknownModel { model: "m".into() },
    AgentError::Redirected { .. } => AgentError::Redirected { origin: "o".into() },
    AgentError::Rejected { .. } => AgentError::Rejected { status: 400 },
    AgentError::TooLong => AgentError::TooLong,
    AgentError::Overloaded { .. } => AgentError::Overloaded { status: 529, retry_after: None },
    AgentError::ServerFault { .. } => AgentError::ServerFault { status: 500 },
    AgentError::Stalled => AgentError::Stalled,
    AgentError::CutOff => AgentError::CutOff,
    AgentError::InvalidResponse => AgentError::InvalidResponse,
    AgentError::Empty => AgentError::Empty,
    AgentError::Spent => AgentError::Spent,
    AgentError::Filtered => AgentError::Filtered,
    AgentError::VisionUnsupported => AgentError::VisionUnsupported,
    AgentError::ToolsUnsupported => AgentError::ToolsUnsupported,
    AgentError::CallsTooLarge => AgentError::CallsTooLarge,
);

all!(programs: ProgramFault;
    ProgramFault::Line(_) => ProgramFault::Line(JoinError::Full),
    ProgramFault::Left(..) => ProgramFault::Left(LeaveReason::Expired, None),
    ProgramFault::Outage(_) => ProgramFault::Outage(Reason::ModelUnreachable),
    ProgramFault::Agent(..) => ProgramFault::Agent(AgentError::TooLong, None),
    ProgramFault::Unfit(_) => ProgramFault::Unfit(RequestFault::unsupported("f")),
    ProgramFault::TooSlow(_) => ProgramFault::TooSlow(None),
    ProgramFault::Endless => ProgramFault::Endless,
    ProgramFault::Mistake => ProgramFault::Mistake,
    ProgramFault::Cancelled => ProgramFault::Cancelled,
    ProgramFault::Stopped => ProgramFault::Stopped,
    ProgramFault::Moved => ProgramFault::Moved,
);

all!(passes: NoPass;
    NoPass::Off => NoPass::Off,
    NoPass::TooMany => NoPass::TooMany,
);

all!(clients: ClientError;
    ClientError::Send(_) => ClientError::Send(SendError::Empty),
    ClientError::Unreadable(_) => ClientError::Unreadable(StoreError::Full),
    ClientError::Unchanged(_) => ClientError::Unchanged(StoreError::Full),
    ClientError::NoConversation => ClientError::NoConversation,
    ClientError::NoStep => ClientError::NoStep,
    ClientError::Choice(_) => ClientError::Choice(ChoiceError::Temperature),
    ClientError::NotAnExport(_) => ClientError::NotAnExport(String::new()),
    ClientError::NoTitle => ClientError::NoTitle,
    ClientError::NotShown => ClientError::NotShown,
    ClientError::NotConfirmed => ClientError::NotConfirmed,
    ClientError::Upload(_) => ClientError::Upload(UploadError::Stalled),
    ClientError::NoPass(_) => ClientError::NoPass(NoPass::Off),
    ClientError::MayNot(_) => ClientError::MayNot(Scope::Chat),
    ClientError::Request(_) => ClientError::Request(RequestFault::other_body()),
    ClientError::Task(_) => ClientError::Task(TaskFault::Gone),
);

/// All that pages and files are refused, and tasks.
fn of_clients() -> Vec<ClientError> {
    let unread = papers().into_iter().map(|fault| FileError::Unread {
        name: "f".into(),
        fault,
    });
    let files = files().into_iter().chain(unread).map(UploadError::File);
    let left = leavings().into_iter().map(UploadError::Left);
    let uploads = uploads().into_iter().chain(files).chain(left);
    let joins = joins().into_iter().map(SendError::Refused);
    let chosen = choices().into_iter().map(SendError::Choice);
    let sent = sendings().into_iter().chain(joins).chain(chosen);
    clients()
        .into_iter()
        .chain(uploads.map(ClientError::Upload))
        .chain(sent.map(ClientError::Send))
        .chain(choices().into_iter().map(ClientError::Choice))
        .chain(passes().into_iter().map(ClientError::NoPass))
        .chain(tasks().into_iter().map(ClientError::Task))
        .chain(stores().into_iter().flat_map(of_store))
        .collect()
}

/// A fault of the store, whatever was asked.
fn of_store(fault: StoreError) -> [ClientError; 5] {
    [
        SendError::Store(fault.clone()).into(),
        ClientError::Unreadable(fault.clone()),
        ClientError::Unchanged(fault.clone()),
        UploadError::Store(fault.clone()).into(),
        TaskFault::Store(fault).into(),
    ]
}

/// All that comes of a program's request.
fn of_programs() -> Vec<ProgramFault> {
    let left = leavings().into_iter().map(|left| ProgramFault::Left(left, None));
    let agents = agents().into_iter().map(|fault| ProgramFault::Agent(fault, None));
    let joins = joins().into_iter().map(ProgramFault::Line);
    let unfit = [RequestFault::other_body(), RequestFault::unreadable("x")].map(ProgramFault::Unfit);
    programs()
        .into_iter()
        .chain(joins)
        .chain(left)
        .chain(agents)
        .chain(unfit)
        .collect()
}

/// What an answer says to whoever looks at nothing but its head.
fn head(response: &Response) -> (StatusCode, bool) {
    (response.status(), response.headers().contains_key(header::RETRY_AFTER))
}

/// The heads of a program's fault in both shapes, with and without an estimate of the line.
fn heads(fault: &ProgramFault) -> Vec<(StatusCode, bool)> {
    let of = |later| {
        [
            ApiError::of(fault, later).into_response(),
            fault::of(fault, later).into_response(),
        ]
    };
    [Some(7), None]
        .into_iter()
        .flat_map(of)
        .map(|told| head(&told))
        .collect()
}

fn told(fault: ClientError) -> (StatusCode, bool) {
    head(&Refusal::from(fault).into_response())
}

#[test]
fn a_program_hears_the_same_of_a_fault_in_each_shape() {
    for fault in of_programs() {
        let heads = heads(&fault);
        assert!(heads.iter().all(|head| *head == heads[0]), "{fault:?}: {heads:?}");
    }
}

#[test]
fn pages_and_programs_hear_the_same_of_the_line() {
    for why in joins() {
        let page = told(SendError::Refused(why).into());
        for program in heads(&ProgramFault::Line(why)) {
            assert_eq!(program, page, "{why:?}");
        }
    }
    for left in leavings() {
        let page = told(UploadError::Left(left).into());
        for program in heads(&ProgramFault::Left(left, None)) {
            assert_eq!(program, page, "{left:?}");
        }
    }
    for (why, status) in [
        (JoinError::Full, StatusCode::TOO_MANY_REQUESTS),
        (JoinError::TooManyOfYours, StatusCode::TOO_MANY_REQUESTS),
        (JoinError::Busy, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        assert_eq!(told(SendError::Refused(why).into()), (status, true), "{why:?}");
    }
}

#[test]
fn pages_and_programs_hear_the_same_of_the_store_a_model_and_a_name_that_is_taken() {
    for fault in stores() {
        let told: BTreeSet<_> = of_store(fault.clone()).map(told).into_iter().collect();
        assert_eq!(told.len(), 1, "{fault:?}: {told:?}");
    }
    let unknown = || ChoiceError::NotOffered("m".into());
    let program = head(&ApiError::from(ClientError::Choice(unknown())).into_response());
    assert_eq!(told(ClientError::Choice(unknown())), program);
    assert_eq!(told(SendError::Choice(unknown()).into()), program);
    let reused = head(&ApiError::from(RequestFault::other_body()).into_response());
    assert_eq!(told(TaskFault::OtherBatch.into()), reused);
}

#[test]
fn what_passes_by_itself_says_when_to_come_again() {
    let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    for fault in of_clients() {
        let name = format!("{fault:?}");
        let (status, says_when) = told(fault);
        assert!(says_when || !passing.contains(&status), "{name}: {status}");
    }
    for fault in of_programs() {
        for (status, says_when) in heads(&fault) {
            assert!(says_when || !passing.contains(&status), "{fault:?}: {status}");
        }
    }
}

/// Reasons whose sentence, or whose parameter, is all that there is to tell faults apart by.
const OF_SEVERAL: [&str; 7] = [
    // By its sender that is a bad request; between two nodes it is the site's fault.
    "upload_broken_off",
    "told",
    "request_invalid",
    "not_changed",
    "message_not_kept",
    "file_not_kept",
    "unreadable",
];

/// Each reason that is refused somewhere, and with which statuses: by the table, and by what doors say themselves in the sources.
#[test]
fn a_reason_has_one_status_wherever_it_is_given() {
    let mut known: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut note = |code: String, status: String, place: String| {
        if !OF_SEVERAL.contains(&code.as_str()) {
            known.entry(code).or_default().insert((status, place));
        }
    };
    let code = |reason: &Reason| {
        let json = serde_json::to_value(reason).expect("JSON");
        json["code"].as_str().expect("a code").to_owned()
    };
    let name = |status: StatusCode| {
        let words = status.canonical_reason().expect("a status with a name");
        words.to_uppercase().replace([' ', '-'], "_")
    };
    for fault in of_clients() {
        let place = "table".to_owned();
        note(code(&fault.reason()), name(crate::http::status::of(&fault)), place);
    }
    for fault in of_programs() {
        // What is wrong with a request is said in a sentence of its own; what its server says of it has that server's status.
        let is_own = matches!(
            fault,
            ProgramFault::Unfit(_) | ProgramFault::Agent(AgentError::Rejected { .. }, _)
        );
        if !is_own {
            let place = "table".to_owned();
            note(
                code(&fault.reason()),
                name(crate::http::status::of_program(&fault)),
                place,
            );
        }
    }
    let mut doors = 0;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src/http", "app/src/server"] {
        for file in sources(&root.join(folder)) {
            let source = fs::read_to_string(&file).expect("a source");
            for (status, reason) in refused(source.split("#[cfg(test)]").next().unwrap_or_default()) {
                doors += 1;
                note(reason, status, file.display().to_string());
            }
        }
    }
    assert!(doors > 20, "only {doors} refusals are found in the sources");
    for (code, statuses) in known {
        let different: BTreeSet<_> = statuses.iter().map(|(status, _)| status).collect();
        assert_eq!(different.len(), 1, "{code}: {statuses:?}");
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The status and the reason's code of each refusal that a source writes out.
fn refused(source: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, start) in source.match_indices("StatusCode::") {
        let rest = &source[at + start.len()..];
        let status: String = rest
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || *c == '_')
            .collect();
        let rest = rest[status.len()..].trim_start_matches([',', ' ', '\n']);
        let rest = rest.strip_prefix("reason: ").unwrap_or(rest);
        let Some(reason) = rest.strip_prefix("Reason::") else {
            continue;
        };
        let mut code = String::new();
        for letter in reason.chars().take_while(char::is_ascii_alphanumeric) {
            if letter.is_ascii_uppercase() && !code.is_empty() {
                code.push('_');
            }
            code.push(letter.to_ascii_lowercase());
        }
        found.push((status, code));
    }
    found
}
