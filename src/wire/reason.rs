//! Why something did not happen, or ended: a code with what there is to say of it. The sentence is made where a person reads it.

mod flat;

use serde::{Deserialize, Serialize};

use flat::Flat;

/// One list makes the reasons, their codes, and the ways between a reason and its [`Flat`] form.
macro_rules! reasons {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($(#[$about:meta])* $field:ident: $type:ty),+ $(,)? })?,
    )+) => {
        /// Why something was refused, failed or came to an end. In JSON, `{"code":"model_fault","status":503}`.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "Flat", into = "Flat")]
        pub enum Reason {
            $($(#[$doc])* $name $({ $($(#[$about])* $field: $type),+ })?,)+
        }

        #[derive(Clone, Copy)]
        enum Code {
            $($name,)+
        }

        impl Code {
            /// Each with its name as it stands here.
            const ALL: &[(&str, Self)] = &[$((stringify!($name), Self::$name),)+];
        }

        impl From<Reason> for Flat {
            fn from(reason: Reason) -> Self {
                match reason {
                    $(Reason::$name $({ $($field),+ })? => Self {
                        $($($field: Some($field),)+)?
                        ..Self::new(Code::$name)
                    },)+
                }
            }
        }

        impl TryFrom<Flat> for Reason {
            type Error = &'static str;

            fn try_from(flat: Flat) -> Result<Self, Self::Error> {
                Ok(match flat.code {
                    $(Code::$name => Self::$name $({ $($field: flat.$field.ok_or(stringify!($field))?),+ })?,)+
                })
            }
        }
    };
}

reasons! {
    // A message was not accepted.
    /// Nothing was written, and no file came along.
    EmptyMessage,
    /// It is longer than a message may be.
    MessageTooLong {
        /// Its length, in bytes.
        bytes: u64,
        /// The most there may be, in bytes.
        most: u64,
    },
    /// It has more files than a message may.
    TooManyFiles {
        /// How many it has.
        files: u64,
        /// The most there may be.
        most: u64,
    },
    /// A file of it is not there (any more).
    AttachmentGone,
    /// Its conversation is not there (any more).
    ConversationGone,
    /// The message that was spoken of is not there (any more).
    MessageGone,
    /// The conversation's last message is not answered yet.
    ConversationBusy,
    /// As many messages stand behind others of its conversation as may.
    TooManyBehind {
        /// The most there may be.
        most: u64,
    },
    /// It was to be changed or taken back, and is being answered already, or over.
    MessageBegun,
    /// A use of a tool was to be allowed, refused or stopped, and waits for that no more.
    StepOver,
    /// What stood before it in its conversation was not answered.
    BeforeFailed,
    /// What was chosen for its conversation names a model that is not offered.
    ModelNotOffered {
        /// Its id.
        model: String,
    },
    /// The instructions of its conversation are longer than they may be.
    InstructionsTooLong {
        /// Their length, in bytes.
        bytes: u64,
        /// The most there may be, in bytes.
        most: u64,
    },
    /// The temperature of its conversation is none.
    NoTemperature,
    /// The longest answer of its conversation is none that a model can write.
    NoAnswerLength {
        /// The most there may be, in tokens.
        most: u64,
    },
    /// It could not be kept.
    MessageNotKept {
        /// Why.
        fault: StoreFault,
    },

    // The line did not let somebody in.
    /// Every slot is busy, and nobody may wait.
    Busy,
    /// The line is full.
    LineFull,
    /// One owner has as much waiting as it may.
    TooManyOfYours,
    /// The server is about to end.
    Restarting,
    /// The node that its session is at home at cannot be reached.
    NodeAway,

    // Conversations.
    /// They cannot be read.
    Unreadable,
    /// A change was not kept.
    NotChanged {
        /// Why.
        fault: StoreFault,
    },
    /// The conversation is not there (any more), or is being answered.
    ConversationUnavailable,
    /// What was to become a conversation is no file that one was saved in.
    NotAnExport,
    /// A title without anything to be seen.
    NoTitle,
    /// What changes something by a form did not come from a page of the session.
    NotConfirmed,
    /// The settings keep these figures or records from them.
    NotShown,

    // Files.
    /// Nothing is in it.
    FileEmpty {
        /// Its name, made harmless; so are all below.
        name: String,
    },
    /// It is larger than a file may be.
    FileTooLarge {
        /// Its name.
        name: String,
        /// The most there may be, in bytes.
        most: u64,
    },
    /// It is none of the kinds that are taken.
    FileUnsupported {
        /// Its name.
        name: String,
    },
    /// Its name is a picture's, its content is not.
    FileNotAnImage {
        /// Its name.
        name: String,
    },
    /// Its name is a document's, its content is not.
    FileNotADocument {
        /// Its name.
        name: String,
    },
    /// It is a document that opens only with a password.
    FileLocked {
        /// Its name.
        name: String,
    },
    /// It is a document without any text: its pages are pictures.
    FileNoText {
        /// Its name.
        name: String,
    },
    /// It is a document, and damaged.
    FileDamaged {
        /// Its name.
        name: String,
    },
    /// It is a document that takes more memory or time to read than one may.
    FileTooHeavy {
        /// Its name.
        name: String,
    },
    /// Documents cannot be read at the moment.
    FileNoReader,
    /// Its name is a text's, its content is in an encoding that cannot be told.
    FileNotUtf8 {
        /// Its name.
        name: String,
    },
    /// It is not there (any more).
    FileGone,
    /// The server has no room for it.
    FileNoRoom,
    /// The server's disk failed.
    FileDisk,
    /// No slot became free for it in time.
    UploadExpired,
    /// It has left the line.
    UploadLeft,
    /// It did not arrive whole.
    UploadBrokenOff,
    /// It stopped arriving.
    UploadStalled,
    /// It could not be noted.
    FileNotKept {
        /// Why.
        fault: StoreFault,
    },

    // How a turn ended.
    /// No slot became free in time.
    NoSlot {
        /// The most that it may wait, in seconds.
        seconds: u64,
    },
    /// Its page stayed away for too long.
    Away {
        /// The most that it may be away, in seconds.
        seconds: u64,
    },
    /// The answer took too long.
    TooSlow {
        /// The most that it may take, in seconds.
        seconds: u64,
    },
    /// The answer grew without end.
    AnswerTooLong,
    /// Each time that it was answered, the server ended.
    GivenUp,
    /// Its conversation cannot be read.
    HistoryUnreadable,
    /// Something of ours failed, and has been logged.
    Mistake,

    // The model.
    /// Its server cannot be reached.
    ModelUnreachable,
    /// Its server gets too many requests.
    ModelRateLimited,
    /// Its server refused the key.
    ModelUnauthorized,
    /// Its server does not know it.
    ModelUnknown {
        /// Its name.
        model: String,
    },
    /// Its server's address only leads elsewhere.
    ModelRedirected {
        /// The setting with the address.
        variable: String,
    },
    /// Its server did not accept the message.
    ModelRejected {
        /// The HTTP status.
        status: u16,
    },
    /// The conversation is longer than it can read.
    ModelTooLong,
    /// Its server is loading it, or has too much to do.
    ModelOverloaded,
    /// Its server failed.
    ModelFault {
        /// The HTTP status.
        status: u16,
    },
    /// Its server went silent.
    ModelStalled,
    /// The connection to its server broke off.
    ModelCutOff,
    /// Its server sent something that is no answer.
    ModelInvalid,
    /// It said nothing.
    ModelSilent,
    /// It had used up the longest answer before its first word.
    ModelSpent,
    /// A filter let nothing through.
    ModelFiltered,
    /// It cannot look at pictures.
    ModelBlind,

    // While messages wait for a model.
    /// It is not offered any more: another one is to be chosen.
    ModelGone {
        /// Its id.
        model: String,
    },
    /// No server of it can be reached.
    WaitUnreachable,
    /// Its servers have asked for a pause: they get too many requests.
    WaitRateLimited,
    /// Its servers are loading it, or have too much to do.
    WaitOverloaded,
    /// Its servers fail each time.
    WaitFailing,
    /// Its servers are being taken out of service.
    WaitDrained,

    // Refreshes.
    /// A refresh failed, and is tried again.
    RefreshFailed,
    /// A refresh had to leave the line, and is tried again.
    RefreshLeft,
    /// A refresh came when the page was away, and is to be asked for again.
    RefreshMissed,

    // Tasks.
    /// It is not there (any more), or is another's.
    TaskGone,
    /// One of a batch cannot be taken as it is.
    TaskUnfit {
        /// Its name, or theirs.
        name: String,
        /// What is wrong, in English.
        sentence: String,
    },
    /// One of a batch is longer than a task may be.
    TaskTooLong {
        /// Its name, or theirs.
        name: String,
        /// The most there may be.
        most: u64,
    },
    /// A batch has more tasks than it may, or none.
    TooManyTasks {
        /// The most there may be.
        most: u64,
    },
    /// One owner has as many open tasks as it may.
    TooManyOpenTasks {
        /// The most there may be.
        most: u64,
    },
    /// Tasks of a batch have the same name.
    TasksNamedTwice {
        /// Its name, or theirs.
        name: String,
    },
    /// Tasks of a batch need each other in a circle.
    TasksInCircle {
        /// Its name, or theirs.
        name: String,
    },
    /// What tasks need is not there.
    TasksUnknown {
        /// Its name, or theirs.
        name: String,
    },
    /// What it needs has come to nothing.
    TaskNeedsFailed {
        /// Its name, or theirs.
        name: String,
    },
    /// A key by which something may be sent again is that of something else.
    KeyOfAnother,
    /// Where its program wants to be told cannot be used.
    WebhookUnfit {
        /// What is wrong, in English.
        sentence: String,
    },

    // Requests.
    /// It came without a cookie of ours.
    NoCookie,
    /// It came without a program's key.
    NoKey,
    /// There is no such key.
    KeyUnknown,
    /// The key has expired.
    KeyExpired,
    /// The key is revoked.
    KeyRevoked,
    /// As many requests have come with the key as may come in a minute.
    KeyTooManyRequests {
        /// How many that is.
        most: u64,
        /// When there is one again, in seconds.
        seconds: u64,
    },
    /// The key has used as many tokens as it may in a minute.
    KeyTooManyTokens {
        /// How many that is.
        most: u64,
        /// When there are some again, in seconds.
        seconds: u64,
    },
    /// As many requests have come from the address as may come in a minute.
    AddressTooManyRequests {
        /// How many that is.
        most: u64,
        /// When there is one again, in seconds.
        seconds: u64,
    },
    /// Programs of the address have used as many tokens as may be used there in a minute.
    AddressTooManyTokens {
        /// How many that is.
        most: u64,
        /// When there are some again, in seconds.
        seconds: u64,
    },
    /// The program's key does not let it do this.
    KeyMayNot {
        /// What it does not have.
        name: String,
    },
    /// Something of it cannot be, as the sentence says. To programs, about their own JSON.
    RequestInvalid {
        /// In English.
        sentence: String,
    },
    /// What was asked is not kept any more, or never was there.
    RequestGone,
    /// The settings have no links that take conversations along.
    PassesOff,
    /// As many links to a conversation are out as there may be.
    TooManyPasses {
        /// How many that is.
        most: u64,
    },
    /// No such link is out.
    PassGone,
    /// Nothing holds for this tool in the conversation.
    LeaveGone,
    /// What deletes everything has to be confirmed.
    ForgetUnconfirmed,
    /// It came from another site's page.
    CrossSite,
    /// It cannot be read.
    RequestUnreadable,
    /// It took too long to arrive.
    RequestSlow,
    /// It is larger than a request may be.
    RequestTooLarge {
        /// The most that a message may have, in bytes.
        most: u64,
    },
    /// It is a form's, for something that only scripts ask for.
    FormOnly,
    /// There is nothing of this name.
    RequestUnknown,
    /// The key that it brought is not the operator's.
    WrongKey,
    /// The server cannot be reached.
    Unreachable,
    /// What the server said was not understood.
    AnswerUnreadable,
    /// Its owner cancelled it before it could be sent.
    CancelledUnsent,
    /// There is nothing before this.
    NothingMore,
    /// More files were chosen than a message may have.
    FilesLeftOut {
        /// The most there may be.
        most: u64,
    },

    /// A sentence, as it is: of a turn that ended before there were codes.
    Told {
        /// In English.
        sentence: String,
    },
}

/// A refusal: the body of an answer with a status of 400 or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
pub struct Refused {
    /// Why, for programs.
    pub reason: Reason,
    /// The same as a sentence, in the language that was asked for.
    pub message: String,
}

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "server", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StoreFault {
    /// The disk has no room left.
    Full,
    /// The disk can only be read.
    ReadOnly,
    /// Another program keeps the database locked.
    Locked,
    /// The database is damaged.
    Damaged,
    /// The database cannot be reached.
    Away,
    /// The server is about to end.
    Closed,
    /// Anything else.
    Other,
}

#[cfg(all(test, feature = "server"))]
mod tests {
    use super::{flat::snake_case, *};

    #[test]
    fn a_reason_is_flat_and_its_code_in_snake_case() {
        let fault = Reason::ModelFault { status: 503 };
        let json = serde_json::to_string(&fault).expect("JSON");
        assert_eq!(json, r#"{"code":"model_fault","status":503}"#);
        assert_eq!(serde_json::from_str::<Reason>(&json).ok(), Some(fault));
        for (name, code) in Code::ALL {
            let json = serde_json::to_string(code).expect("JSON");
            assert_eq!(json, format!("{:?}", snake_case(name)));
            let read: Code = serde_json::from_str(&json).expect("its own");
            assert_eq!(read as usize, *code as usize, "{name}");
        }
        for wrong in [
            "\"model_fault\"",
            r#"{"code":"model_fault"}"#,
            r#"{"code":"ModelFault","status":503}"#,
            r#"{"code":"nonsense"}"#,
        ] {
            assert!(serde_json::from_str::<Reason>(wrong).is_err(), "{wrong}");
        }
    }
}
