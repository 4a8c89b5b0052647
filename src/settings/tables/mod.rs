//! The tables of settings, one a concern. A setting stands in one of them, once; all else follows from it: how its text
//! is read and checked, its field in [`Settings`], whether an edit takes effect at once, its row on the stats tab, its
//! lines in `.env.example` and its row in `docs/settings.md` (`../documents.rs` compares these, and writes them).
//!
//! A row:
//!
//! ```text
//! /// What it does, for docs/settings.md and for the field of Settings, which gets this line.
//! /// More of it, for docs/settings.md alone.
//! VARIABLE as its_field_in_settings: Kind {    or `in policy as its_name`, `in catalog as …`: a part of that is made of it
//!     also "ALIAS", "ANOTHER";                 other names that are read as well
//!     default "20MB";                          read where it is unset; a row without one has an Option as its kind
//!     range 1 to 1_000_000;                    in what the kind counts: things, seconds, bytes, characters
//!     check line::function;                    one more check, beside kind and range
//!     shown to_operator;                       its value is private; `shown to_nobody`: it is secret
//!     applies at_start;                        an edit takes effect at the next start only
//!     example "5";                             the value in .env.example, where it is not the default
//!     comment "Line." "Next line.";            the lines above it there; none: it stands right below the one before
//! }
//! ```
//!
//! The parts of a row may be left out, but stand in this order. A kind is a type with [`Kind`](super::kinds::Kind).

#[macro_use]
mod line;
#[macro_use]
mod model;
#[macro_use]
mod programs;
#[macro_use]
mod server;
#[macro_use]
mod sessions;
#[macro_use]
mod tasks;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use serde::Deserialize;
use validator::Validate;

use super::{
    Audience, BackendLimit, Catalog, LogFormat, ModelName, Secret, Titles, UpdateRate,
    field::{Field, readable},
    kinds::{
        BaseUrl, Bytes, DatabaseUrl, FilePath, HostPort, Kind, List, LogFilter, Network, Offer, OrNone, PlainWord, Text,
    },
    prompts::Prompt,
    tool_servers::ToolSettings,
    variables::Variable,
};
use crate::{
    language::Language,
    queue::{Balance, Order, Policy},
};

pub(super) use self::line::backend_limit;
pub(crate) use self::line::name_of;

/// Longest time that a setting may name, in seconds: 30 days. It keeps sums of an instant and a setting far from overflow.
const LONGEST: f64 = 30.0 * 24.0 * 3600.0;

macro_rules! define {
    ([] $($group:literal { $(
        #[doc = $meaning:literal]
        $(#[doc = $more:literal])*
        $variable:ident $(as $field:ident)? $(in $whole:ident as $part:ident)? : $kind:ty {
            $(also $($alias:literal),+;)?
            $(default $default:literal;)?
            $(range $min:tt to $max:tt;)?
            $(check $($check:ident)::+;)?
            $(shown $shown:ident;)?
            $(applies $applies:ident;)?
            $(example $example:literal;)?
            $(comment $($comment:literal)+;)?
        }
    )+ })+) => {
        /// Every variable, in the order of the documentation.
        pub(super) static VARIABLES: [Variable; [$($(stringify!($variable)),+),+].len()] = [$($(
            {
                let variable = Variable::new(
                    stringify!($variable),
                    concat!($(stringify!($field))? $(stringify!($part))?),
                    $group,
                    concat!($meaning $(, $more)*),
                    <$kind as Kind>::allowed,
                )
                $(.also(&[$($alias),+]))?
                $(.default($default))?
                $(.range(($min as f64, $max as f64)))?
                $(.$shown())?
                $(.$applies())?;
                #[cfg(test)]
                let variable = Variable {
                    example: &[$($example)?],
                    comment: &[$($($comment),+)?],
                    ..variable
                };
                variable
            }
        ),+),+];

        /// The one flat struct that envy fills and validator checks.
        #[derive(Default, Deserialize, Validate)]
        #[serde(default)]
        pub(super) struct Raw {
            $($(
                #[validate(custom(function = "readable"))]
                $(#[validate(range(min = ($min as f64), max = ($max as f64)))])?
                $(#[validate(custom(function = $($check)::+))])?
                pub(super) $($field)? $($part)?: Field<$kind>,
            )+)+
        }

        /// Every setting, typed and checked.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            /// Who can answer.
            pub catalog: Arc<Catalog>,
            /// Limits, order, master switches, sizes and the longest wait of the line.
            pub policy: Policy,
            /// What stands in the file that `PROMPTS_FILE` names.
            pub prompts: Arc<Vec<Prompt>>,
            /// What stands in the file that `MCP_FILE` names.
            pub tools: Arc<ToolSettings>,
            $($($(
                #[doc = concat!("`", stringify!($variable), "`.")]
                #[doc = $meaning]
                pub $field: <$kind as Kind>::Value,
            )?)+)+
        }

        impl Settings {
            /// Of what has passed validation.
            pub(super) fn new(raw: &Raw, catalog: Catalog, prompts: Vec<Prompt>, tools: ToolSettings) -> Self {
                Self {
                    tools: Arc::new(tools),
                    prompts: Arc::new(prompts),
                    policy: line::policy(raw, &catalog),
                    catalog: Arc::new(catalog),
                    $($($($field: raw.$field.value(),)?)+)+
                }
            }

            /// These settings with what may change while the server runs taken from `edited`.
            pub(super) fn with_those_that_may_change(&self, edited: Self) -> Self {
                Self {
                    policy: edited.policy,
                    prompts: edited.prompts,
                    tools: edited.tools,
                    catalog: edited.catalog,
                    $($($(
                        $field: if is_fixed(stringify!($field)) { self.$field.clone() } else { edited.$field },
                    )?)+)+
                }
            }
        }
    };
}

/// Whether an edit of this field needs a restart.
fn is_fixed(field: &str) -> bool {
    super::variables::of_field(field).is_some_and(|variable| variable.fixed)
}

model_table! { [line_table sessions_table server_table programs_table tasks_table define] }
