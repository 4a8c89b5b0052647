//! The days of the list: where one begins, its name stands above the first conversation of it.

use anteroom::{
    language::Words,
    text,
    wire::{ConversationId, ConversationSummary},
};
use leptos::prelude::*;

use crate::{erase::Erase as _, words::words};

/// In a day, in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// How long ago, as far as the list tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Not how long ago: it stands above all that tells that.
    Pinned,
    Today,
    Yesterday,
    Week,
    Month,
    Earlier,
}

/// Above which conversation what stands.
pub(crate) type Heads = Vec<(ConversationId, Age)>;

impl Age {
    /// `zone` is how far the reader's clock is ahead of UTC, in minutes.
    fn of(at: u64, now: u64, zone: i32) -> Self {
        let day = |ms: u64| (i64::try_from(ms).unwrap_or(i64::MAX / 2) + i64::from(zone) * 60_000).div_euclid(DAY);
        match day(now) - day(at) {
            ..=0 => Self::Today,
            1 => Self::Yesterday,
            2..=7 => Self::Week,
            8..=30 => Self::Month,
            _ => Self::Earlier,
        }
    }

    fn name(self, words: &'static Words) -> &'static str {
        match self {
            Self::Pinned => text!(words, "list-pinned"),
            Self::Today => text!(words, "day-today"),
            Self::Yesterday => text!(words, "day-yesterday"),
            Self::Week => text!(words, "day-week"),
            Self::Month => text!(words, "day-month"),
            Self::Earlier => text!(words, "day-earlier"),
        }
    }
}

/// The first conversation of each age. The archive has none.
pub(crate) fn heads(all: &[ConversationSummary], now: u64, zone: i32) -> Heads {
    let mut heads = Heads::new();
    for one in all.iter().take_while(|one| !one.archived) {
        let age = match one.pinned {
            true => Age::Pinned,
            false => Age::of(one.updated_at, now, zone),
        };
        if heads.last().is_none_or(|(_, last)| *last != age) {
            heads.push((one.id, age));
        }
    }
    heads
}

/// What stands above this conversation.
pub(crate) fn head(heads: &Heads, id: ConversationId) -> Option<AnyView> {
    let words = words();
    let (_, age) = heads.iter().find(|(first, _)| *first == id)?;
    Some(view! { <h2 class="list-day">{age.name(words)}</h2> }.erase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_stands_above_the_days_and_the_archive_has_none() {
        let now = 20_000 * 86_400_000;
        let one = |id, updated_at, pinned, archived| ConversationSummary {
            id: ConversationId(uuid::Uuid::from_u128(id)),
            title: String::new(),
            updated_at,
            busy: false,
            asks: false,
            pinned,
            archived,
        };
        let all = [
            one(1, now, true, false),
            one(2, 0, true, false),
            one(3, now, false, false),
            one(4, 0, false, false),
            one(5, now, true, true),
            one(6, now, false, true),
        ];
        let heads = heads(&all, now, 0);
        let heads: Vec<_> = heads.iter().map(|(id, age)| (id.0.as_u128(), *age)).collect();
        assert_eq!(heads, [(1, Age::Pinned), (3, Age::Today), (4, Age::Earlier)]);
    }

    #[test]
    fn a_day_begins_where_the_reader_is() {
        let now = 20_000 * 86_400_000 + 3_600_000;
        let ago = |hours: u64| now - hours * 3_600_000;
        assert_eq!(Age::of(ago(0), now, 0), Age::Today);
        assert_eq!(Age::of(ago(2), now, 0), Age::Yesterday);
        // At one at night in London it is three in Helsinki: two hours ago was today there.
        assert_eq!(Age::of(ago(2), now, 120), Age::Today);
        assert_eq!(Age::of(ago(2), now, -180), Age::Today, "still the evening before");
        assert_eq!(Age::of(ago(24 * 7), now, 0), Age::Week);
        assert_eq!(Age::of(ago(24 * 8), now, 0), Age::Month);
        assert_eq!(Age::of(ago(24 * 31), now, 0), Age::Earlier);
        assert_eq!(Age::of(now + 86_400_000, now, 0), Age::Today, "a clock that is ahead");
    }
}
