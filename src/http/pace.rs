//! How often a browser is told where it stands: the pace at which positions are pushed.

use std::time::Duration;

use crate::{
    settings::UpdateRate,
    wire::{Event, Place, Reason, Status, TurnId},
};

/// Up to this position every step forward is shown at once.
const NEAR: u64 = 10;
/// The shortest time between two updates further back: four a second.
const SHORTEST: Duration = Duration::from_millis(250);
/// What each place further back adds.
const A_PLACE: Duration = Duration::from_millis(10);
/// What each open feed adds for browsers that do not wait: however many they are, all together hear 200 times a second. Up to
/// 50 of them hear four times a second each, 1,000 of them every five seconds; at the latest, the next heartbeat tells them.
const A_FEED: Duration = Duration::from_millis(5);

/// How long after the last update the next may follow.
///
/// In `auto`, a browser that waits hears at most four times a second, and less often the further back it is: with
/// `p` places ahead and a line that moves `r` places a second, the updates from place 1,000 on are about
/// `ln(1000 / 25) · 100 / r + 100 / r`, some thirty for a line of 1,000 that drains in a minute.
pub(super) fn interval(rate: UpdateRate, status: &Status, feeds: usize) -> Duration {
    let auto = match status.places.first() {
        Some(place) => A_PLACE.saturating_mul(u32::try_from(place.position).unwrap_or(u32::MAX)),
        None => A_FEED.saturating_mul(u32::try_from(feeds).unwrap_or(u32::MAX)),
    };
    match rate {
        UpdateRate::Auto => auto.max(SHORTEST),
        UpdateRate::Every(time) => time,
    }
}

/// Whether every change of the line may concern this browser at once.
pub(super) fn is_near(status: &Status) -> bool {
    status.places.first().is_some_and(|place| place.position <= 2 * NEAR)
}

/// How soon to look again at a change that is not due yet.
///
/// Only a step of its own can be urgent, so a browser that does not wait need not look before it is due.
pub(super) fn look_again(status: &Status) -> Duration {
    if status.places.is_empty() {
        Duration::MAX
    } else {
        interval(UpdateRate::Auto, status, 0) / 10 + SHORTEST
    }
}

/// Whether what has changed is worth telling without waiting for the interval: a step near the head, or something of this
/// session that begins or ends to wait, to run, or to be kept back by something.
pub(super) fn is_urgent(rate: UpdateRate, old: &Status, new: &Status) -> bool {
    fn key(place: &Place) -> (Option<TurnId>, Event, Option<&str>, Option<&Reason>) {
        let trouble = place.trouble.as_ref().map(|trouble| &trouble.reason);
        (place.turn, place.event, place.model.as_deref(), trouble)
    }
    if old.running != new.running {
        return true;
    }
    if old.places.len() != new.places.len() || !old.places.iter().map(key).eq(new.places.iter().map(key)) {
        return true;
    }
    let near = |(old, new): (&Place, &Place)| old.position != new.position && new.position <= NEAR;
    rate == UpdateRate::Auto && old.places.iter().zip(&new.places).any(near)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Trouble;

    fn status(positions: &[u64]) -> Status {
        let place = |&position| Place {
            turn: None,
            event: Event::Chat,
            model: None,
            position,
            waiting: 1_000,
            estimate: None,
            trouble: None,
        };
        Status {
            lines: Vec::new(),
            places: positions.iter().map(place).collect(),
            running: 0,
        }
    }

    #[test]
    fn further_back_means_less_often() {
        let at = |position| interval(UpdateRate::Auto, &status(&[position]), 1);
        assert_eq!(at(1), SHORTEST);
        assert_eq!(at(1_000), Duration::from_secs(10));
        assert_eq!(interval(UpdateRate::Auto, &status(&[]), 1), SHORTEST);
        assert_eq!(interval(UpdateRate::Auto, &status(&[]), 50), SHORTEST);
        assert_eq!(interval(UpdateRate::Auto, &status(&[]), 1_000), Duration::from_secs(5));
        assert_eq!(
            interval(UpdateRate::Every(Duration::from_secs(2)), &status(&[3]), 1),
            Duration::from_secs(2)
        );
    }

    #[test]
    fn steps_near_the_head_and_beginnings_and_ends_are_urgent() {
        let urgent = |old: &[u64], new: &[u64]| is_urgent(UpdateRate::Auto, &status(old), &status(new));
        assert!(urgent(&[11], &[10]));
        assert!(!urgent(&[12], &[11]));
        assert!(!urgent(&[3], &[3]));
        assert!(urgent(&[900], &[]));
        assert!(urgent(&[], &[900]));
        let runs = Status {
            running: 1,
            ..status(&[])
        };
        assert!(is_urgent(UpdateRate::Auto, &status(&[]), &runs));
        let out = |seconds| {
            let mut out = status(&[900]);
            out.places[0].trouble = Some(Trouble {
                reason: Reason::WaitUnreachable,
                seconds: Some(seconds),
            });
            out
        };
        assert!(is_urgent(UpdateRate::Auto, &status(&[900]), &out(9.0)));
        assert!(!is_urgent(UpdateRate::Auto, &out(9.0), &out(8.0)));
        let every = UpdateRate::Every(Duration::from_secs(1));
        assert!(
            !is_urgent(every, &status(&[3]), &status(&[2])),
            "the operator has asked for a steady rate"
        );
    }

    /// A line of 1,000 that drains in a minute.
    #[test]
    fn a_long_drain_takes_few_updates() {
        let (slots, service) = (5, Duration::from_millis(300));
        let mut sent = 0;
        let mut last = (Duration::ZERO, status(&[1_000]));
        for batch in 1..=1_000 / slots {
            let now = service * u32::try_from(batch).expect("small");
            let position = 1_000 - batch * slots;
            let new = if position == 0 {
                status(&[])
            } else {
                status(&[position])
            };
            let due = now >= last.0 + interval(UpdateRate::Auto, &last.1, 1_000);
            if due || is_urgent(UpdateRate::Auto, &last.1, &new) {
                sent += 1;
                last = (now, new);
            }
        }
        assert!((10..=40).contains(&sent), "{sent}");
    }
}
