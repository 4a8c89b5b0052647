//! Reasons in words: what happened, and what to do.

use super::{Arg, Words};
use crate::{
    say,
    wire::{Incomplete, OwnKeyFault, Reason, StoreFault, ToolFault},
};

impl From<ToolFault> for Arg {
    /// The name of the case.
    fn from(fault: ToolFault) -> Self {
        Self::from(match fault {
            ToolFault::Gone => "gone",
            ToolFault::Changed => "changed",
            ToolFault::Arguments => "arguments",
            ToolFault::Unreachable => "unreachable",
            ToolFault::Unauthorized => "unauthorized",
            ToolFault::Ended => "ended",
            ToolFault::TimedOut => "timed-out",
            ToolFault::TooLarge => "too-large",
            ToolFault::Invalid => "invalid",
            ToolFault::Itself => "itself",
            ToolFault::Busy => "busy",
            ToolFault::Unknown => "unknown",
            ToolFault::NotKept => "not-kept",
        })
    }
}

impl From<OwnKeyFault> for Arg {
    /// The name of the case.
    fn from(fault: OwnKeyFault) -> Self {
        Self::from(match fault {
            OwnKeyFault::Missing => "missing",
            OwnKeyFault::Unreadable => "unreadable",
            OwnKeyFault::Refused => "refused",
            OwnKeyFault::Full => "full",
        })
    }
}

impl From<StoreFault> for Arg {
    /// The name of the case.
    fn from(fault: StoreFault) -> Self {
        Self::from(match fault {
            StoreFault::Full => "full",
            StoreFault::ReadOnly => "read-only",
            StoreFault::Locked => "locked",
            StoreFault::Damaged => "damaged",
            StoreFault::Away => "away",
            StoreFault::Closed => "closed",
            StoreFault::Other => "other",
        })
    }
}

impl Words {
    /// The sentence for a reason, where a program is told it: it has no page on which to choose something else.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn reason_for_program(&self, reason: &Reason) -> String {
        match reason {
            Reason::ModelNotOffered { model } => say!(self, "reason-model-not-offered-to-program", model = model),
            reason => self.reason(reason),
        }
    }

    /// The sentence for a reason.
    #[must_use]
    pub fn reason(&self, reason: &Reason) -> String {
        match reason {
            Reason::EmptyMessage => say!(self, "reason-empty-message"),
            Reason::MessageTooLong { bytes, most } => {
                say!(self, "reason-message-too-long", bytes = *bytes, most = *most)
            }
            Reason::TooManyFiles { files, most } => say!(self, "reason-too-many-files", files = *files, most = *most),
            Reason::AttachmentGone => say!(self, "reason-attachment-gone"),
            Reason::ConversationGone => say!(self, "reason-conversation-gone"),
            Reason::MessageGone => say!(self, "reason-message-gone"),
            Reason::ConversationBusy => say!(self, "reason-conversation-busy"),
            Reason::TooManyBehind { most } => say!(self, "reason-too-many-behind", most = *most),
            Reason::MessageBegun => say!(self, "reason-message-begun"),
            Reason::StepOver => say!(self, "reason-step-over"),
            Reason::BeforeFailed => say!(self, "reason-before-failed"),
            Reason::ModelNotOffered { model } => say!(self, "reason-model-not-offered", model = model),
            Reason::InstructionsTooLong { bytes, most } => {
                say!(self, "reason-instructions-too-long", bytes = *bytes, most = *most)
            }
            Reason::NoTemperature => say!(self, "reason-no-temperature"),
            Reason::NoAnswerLength { most } => say!(self, "reason-no-answer-length", most = *most),
            Reason::MessageNotKept { fault } => say!(self, "reason-message-not-kept", fault = *fault),
            Reason::Busy => say!(self, "reason-busy"),
            Reason::LineFull => say!(self, "reason-line-full"),
            Reason::TooManyOfYours => say!(self, "reason-too-many-of-yours"),
            Reason::Restarting => say!(self, "reason-restarting"),
            Reason::NodeAway => say!(self, "reason-node-away"),
            Reason::Unreadable => say!(self, "reason-unreadable"),
            Reason::NotChanged { fault } => say!(self, "reason-not-changed", fault = *fault),
            Reason::ConversationUnavailable => say!(self, "reason-conversation-unavailable"),
            Reason::NotAnExport => say!(self, "reason-not-an-export"),
            Reason::NoTitle => say!(self, "reason-no-title"),
            Reason::NotConfirmed => say!(self, "reason-not-confirmed"),
            Reason::NotShown => say!(self, "reason-not-shown"),
            Reason::FileEmpty { name } => say!(self, "reason-file-empty", name = name),
            Reason::FileTooLarge { name, most } => {
                say!(self, "reason-file-too-large", name = name, most = self.size(*most))
            }
            Reason::FileUnsupported { name } => say!(self, "reason-file-unsupported", name = name),
            Reason::FileNotAnImage { name } => say!(self, "reason-file-not-an-image", name = name),
            Reason::FileNotADocument { name } => say!(self, "reason-file-not-a-document", name = name),
            Reason::FileLocked { name } => say!(self, "reason-file-locked", name = name),
            Reason::FileNoText { name } => say!(self, "reason-file-no-text", name = name),
            Reason::FileDamaged { name } => say!(self, "reason-file-damaged", name = name),
            Reason::FileTooHeavy { name } => say!(self, "reason-file-too-heavy", name = name),
            Reason::FileNoReader => say!(self, "reason-file-no-reader"),
            Reason::FileNotUtf8 { name } => say!(self, "reason-file-not-utf8", name = name),
            Reason::FileGone => say!(self, "reason-file-gone"),
            Reason::FileNoRoom => say!(self, "reason-file-no-room"),
            Reason::FileDisk => say!(self, "reason-file-disk"),
            Reason::UploadExpired => say!(self, "reason-upload-expired"),
            Reason::UploadLeft => say!(self, "reason-upload-left"),
            Reason::UploadBrokenOff => say!(self, "reason-upload-broken-off"),
            Reason::UploadStalled => say!(self, "reason-upload-stalled"),
            Reason::FileNotKept { fault } => say!(self, "reason-file-not-kept", fault = *fault),
            Reason::NoSlot { seconds } => say!(self, "reason-no-slot", span = self.span(*seconds)),
            Reason::Away { seconds } => say!(self, "reason-away", span = self.span(*seconds)),
            Reason::TooSlow { seconds } => say!(self, "reason-too-slow", span = self.span(*seconds)),
            Reason::AnswerTooLong => say!(self, "reason-answer-too-long"),
            Reason::GivenUp => say!(self, "reason-given-up"),
            Reason::HistoryUnreadable => say!(self, "reason-history-unreadable"),
            Reason::Mistake => say!(self, "reason-mistake"),
            Reason::ModelUnreachable => say!(self, "reason-model-unreachable"),
            Reason::ModelRateLimited => say!(self, "reason-model-rate-limited"),
            Reason::ModelUnauthorized => say!(self, "reason-model-unauthorized"),
            Reason::ModelUnknown { model } => say!(self, "reason-model-unknown", model = model),
            Reason::ModelRedirected { variable } => say!(self, "reason-model-redirected", variable = variable),
            Reason::ModelRejected { status } => say!(self, "reason-model-rejected", status = *status),
            Reason::ModelTooLong => say!(self, "reason-model-too-long"),
            Reason::ModelOverloaded => say!(self, "reason-model-overloaded"),
            Reason::ModelFault { status } => say!(self, "reason-model-fault", status = *status),
            Reason::ModelStalled => say!(self, "reason-model-stalled"),
            Reason::ModelCutOff => say!(self, "reason-model-cut-off"),
            Reason::ModelInvalid => say!(self, "reason-model-invalid"),
            Reason::ModelSilent => say!(self, "reason-model-silent"),
            Reason::ModelSpent => say!(self, "reason-model-spent"),
            Reason::ModelFiltered => say!(self, "reason-model-filtered"),
            Reason::ModelBlind => say!(self, "reason-model-blind"),
            Reason::ModelGone { model } => say!(self, "reason-model-gone", model = model),
            Reason::WaitUnreachable => say!(self, "reason-wait-unreachable"),
            Reason::WaitRateLimited => say!(self, "reason-wait-rate-limited"),
            Reason::WaitOverloaded => say!(self, "reason-wait-overloaded"),
            Reason::WaitFailing => say!(self, "reason-wait-failing"),
            Reason::WaitDrained => say!(self, "reason-wait-drained"),
            Reason::RefreshFailed => say!(self, "reason-refresh-failed"),
            Reason::RefreshLeft => say!(self, "reason-refresh-left"),
            Reason::RefreshMissed => say!(self, "reason-refresh-missed"),
            Reason::TaskGone => say!(self, "reason-task-gone"),
            Reason::TaskUnfit { name, sentence } => say!(self, "reason-task-unfit", name = name, sentence = sentence),
            Reason::TaskTooLong { name, most } => say!(self, "reason-task-too-long", name = name, most = *most),
            Reason::TooManyTasks { most } => say!(self, "reason-too-many-tasks", most = *most),
            Reason::TooManyOpenTasks { most } => say!(self, "reason-too-many-open-tasks", most = *most),
            Reason::TasksNamedTwice { name } => say!(self, "reason-tasks-named-twice", name = name),
            Reason::TasksInCircle { name } => say!(self, "reason-tasks-in-circle", name = name),
            Reason::TasksUnknown { name } => say!(self, "reason-tasks-unknown", name = name),
            Reason::TaskNeedsFailed { name } => say!(self, "reason-task-needs-failed", name = name),
            Reason::KeyOfAnother => say!(self, "reason-key-of-another"),
            Reason::WebhookUnfit { sentence } => say!(self, "reason-webhook-unfit", sentence = sentence),
            Reason::NoCookie => say!(self, "reason-no-cookie"),
            Reason::NoKey => say!(self, "reason-no-key"),
            Reason::KeyUnknown => say!(self, "reason-key-unknown"),
            Reason::KeyExpired => say!(self, "reason-key-expired"),
            Reason::KeyRevoked => say!(self, "reason-key-revoked"),
            Reason::KeyTooManyRequests { most, seconds } => {
                say!(
                    self,
                    "reason-key-too-many-requests",
                    most = *most,
                    span = self.span(*seconds)
                )
            }
            Reason::KeyTooManyTokens { most, seconds } => {
                say!(
                    self,
                    "reason-key-too-many-tokens",
                    most = *most,
                    span = self.span(*seconds)
                )
            }
            Reason::AddressTooManyRequests { most, seconds } => {
                say!(
                    self,
                    "reason-address-too-many-requests",
                    most = *most,
                    span = self.span(*seconds)
                )
            }
            Reason::AddressTooManyTokens { most, seconds } => {
                say!(
                    self,
                    "reason-address-too-many-tokens",
                    most = *most,
                    span = self.span(*seconds)
                )
            }
            Reason::KeyMayNot { name } => say!(self, "reason-key-may-not", name = name),
            Reason::RequestInvalid { sentence } => sentence.clone(),
            Reason::RequestGone => say!(self, "reason-request-gone"),
            Reason::PassesOff => say!(self, "reason-passes-off"),
            Reason::TooManyPasses { most } => say!(self, "reason-too-many-passes", most = *most),
            Reason::PassGone => say!(self, "reason-pass-gone"),
            Reason::LeaveGone => say!(self, "reason-leave-gone"),
            Reason::ForgetUnconfirmed => say!(self, "reason-forget-unconfirmed"),
            Reason::CrossSite => say!(self, "reason-cross-site"),
            Reason::RequestUnreadable => say!(self, "reason-request-unreadable"),
            Reason::RequestSlow => say!(self, "reason-request-slow"),
            Reason::RequestTooLarge { most } => say!(self, "reason-request-too-large", most = *most),
            Reason::FormOnly => say!(self, "reason-form-only"),
            Reason::RequestUnknown => say!(self, "reason-request-unknown"),
            Reason::WrongKey => say!(self, "reason-wrong-key"),
            Reason::Unreachable => say!(self, "reason-unreachable"),
            Reason::AnswerUnreadable => say!(self, "reason-answer-unreadable"),
            Reason::CancelledUnsent => say!(self, "reason-cancelled-unsent"),
            Reason::NothingMore => say!(self, "reason-nothing-more"),
            Reason::FilesLeftOut { most } => say!(self, "reason-files-left-out", most = *most),
            Reason::Told { sentence } => sentence.clone(),
        }
    }

    /// Why an answer is not whole, and what to do.
    #[must_use]
    pub fn incomplete(&self, cause: Incomplete) -> String {
        match cause {
            Incomplete::Length => say!(self, "reason-incomplete-length"),
            Incomplete::Filter => say!(self, "reason-incomplete-filter"),
            Incomplete::Other => say!(self, "reason-incomplete-other"),
        }
    }
}
