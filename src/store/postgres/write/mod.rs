//! Changing things. Each operation here runs in the writing task, inside a transaction that it may share with others, and may be run
//! again.

mod accept;
mod change;
mod choice;
mod credentials;
mod file;
mod follow_ups;
mod key;
mod keys;
mod minutes;
mod owner;
mod passes;
mod rating;
mod removal;
mod shelf;
mod steps;
mod title;

pub(super) use accept::Accept;
pub(super) use change::{Delete, Rename, Reorder, Show, Undelete, Update};
pub(super) use choice::Choose;
pub(super) use credentials::{KeepCredential, RemoveCredential};
pub(super) use file::AddFile;
pub(super) use follow_ups::{AddFollowUp, ChangeFollowUp, HoldFollowUps, Reword};
pub(super) use key::Admit;
pub(super) use keys::{AddKey, RevokeKey, SetKeyRates};
pub(super) use minutes::KeepMinute;
pub(super) use owner::key as owner_key;
pub(super) use passes::{AddPass, RevokePass, UsePass};
pub(super) use rating::Rate;
pub(super) use removal::{AT_A_TIME, Forget, Purge};
pub(super) use shelf::Shelve;
pub(super) use steps::{AddStepFile, ForgetLeave, KeepLeave};
pub(super) use title::Retitle;
