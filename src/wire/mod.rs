//! The types that browser and server share: the only room that also builds for wasm32.

mod chat;
mod event;
mod feed;
mod files;
mod ids;
mod line;
mod logs;
mod models;
mod reason;
mod shelf;
mod stats;
mod steps;
mod visible;

pub use chat::{
    ConversationPage, ConversationSummary, ConversationView, FollowUp, Found, Incomplete, OwnKeyFault, PathPoint,
    Receipt, Role, SearchResults, SendRequest, Sent, TurnNotice, TurnPage, TurnState, TurnView, Usage, Versions,
};
pub use event::Event;
pub use feed::{FeedEvent, FeedMessage, FeedPosition, RefreshKind};
pub use files::{FileKind, FileView, Paper, PaperUnit};
pub use ids::{ConversationId, FileId, TurnId};
pub use line::{Age, Estimate, Inside, LineView, Place, Status, Trouble};
pub use logs::{Level, LogRecord, LogsView, Told};
pub use models::{Choice, MAX_ANSWER_TOKENS, MAX_INSTRUCTIONS_BYTES, MAX_TEMPERATURE, ModelInfo};
pub use reason::{Reason, Refused, StoreFault};
pub use shelf::{Shelf, Shelving};
pub use stats::{
    BackendRow, BadEdit, Health, LimitCounts, LimitRow, ModelRow, NodeRow, NodeState, Percentiles, SettingNote,
    SettingRow, SettingSource, SettingValue, Span, StatsView, TaskRow, ToolServerRow,
};
#[cfg(feature = "server")]
pub use steps::StepContent;
pub use steps::{StepAnswer, StepState, StepView, ToolFault};
pub use visible::is_blank;

/// Longest message a browser may send, in bytes of UTF-8.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Most messages that may stand behind another one of their conversation.
pub const MAX_FOLLOW_UPS: usize = 10;
/// Most files that one message may carry.
pub const MAX_FILES_PER_MESSAGE: usize = 10;
