//! What a tab shows of a wait while another one is in front: a door as its icon, whose light rises as the place in the line falls.

use anteroom::wire::{Event, TurnId};
use leptos::prelude::*;

use crate::{
    erase::{Look as _, effect, memo},
    feed::Store,
    format::decimal,
};

/// The icon of a page that has nothing to tell, as its document has it.
const PLAIN: &str = "/icon.svg";
/// How high the light can stand, in steps.
const STEPS: u64 = 12;

/// Keeps the icon as it should be. In the browser; ends with the page.
pub(super) fn light(store: Store) {
    // Where the turn stood when it was first seen.
    let first = StoredValue::new(None::<(Option<TurnId>, u64)>);
    let height = memo(move || {
        if store.is_lost() {
            return None;
        }
        if let Some(place) = store.first_place(Event::Chat) {
            let known = first.get_value().filter(|(turn, _)| *turn == place.turn);
            let from = known.map_or(place.position, |(_, from)| from.max(place.position));
            first.set_value(Some((place.turn, from)));
            return Some(risen(place.position, from));
        }
        let lit = store.status.look(|status| status.running > 0) || store.unseen.get();
        lit.then_some(STEPS)
    });
    effect(move || {
        let icon = height.get().map_or_else(|| PLAIN.to_owned(), drawn);
        if let Ok(Some(link)) = document().query_selector("link[rel=icon]")
            && link.get_attribute("href").as_deref() != Some(&icon)
        {
            let _ = link.set_attribute("href", &icon);
        }
    });
}

/// The light of somebody who stands here and stood there at first: never none, never all.
fn risen(position: u64, from: u64) -> u64 {
    let passed = from.saturating_sub(position);
    (passed.saturating_mul(STEPS) / (from + 1)).clamp(1, STEPS - 1)
}

/// A door with light up to this height, as an address.
fn drawn(height: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a dozen steps")]
    let top = decimal(54.0 - 42.0 * height as f64 / STEPS as f64);
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 64 64'%3E%3Crect width='64' height='64' rx='15' \
         fill='%2315221d'/%3E%3CclipPath id='d'%3E%3Cpath d='M16 54V28a16 16 0 0 1 32 0v26z'/%3E%3C/clipPath%3E%3Cg \
         clip-path='url(%23d)'%3E%3Crect width='64' height='64' fill='%23495a52'/%3E%3Crect y='{top}' width='64' height='64' \
         fill='%23f5b433'/%3E%3C/g%3E%3C/svg%3E"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_rises_with_every_place_and_is_whole_only_inside() {
        let heights: Vec<u64> = (1..=5).rev().map(|position| risen(position, 5)).collect();
        assert_eq!(heights, [1, 2, 4, 6, 8]);
        assert_eq!((risen(1, 1), risen(1, 10_000)), (1, STEPS - 1));
        assert_eq!(risen(9, 3), 1);
    }

    #[test]
    fn an_icon_has_no_sign_that_an_address_may_not_have() {
        let icon = drawn(STEPS);
        assert!(icon.contains("y='12'"), "{icon}");
        assert!(!icon.contains(['#', '<', '>', '"']), "{icon}");
    }
}
