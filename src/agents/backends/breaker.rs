//! Whether a back end may be asked, by what came of asking it. Time and chance are handed in.
//!
//! Two things keep tickets away from it. It **cools** while it says that it takes no more for now: that is no fault, and when it
//! has cooled it takes all that it took before. Its circuit is **open** after faults; then it is half open, and one single
//! attempt, the probe, shows whether it works again.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest pause; it doubles each time that nothing good came between.
const FIRST: Duration = Duration::from_secs(1);
/// The longest pause, but for jitter.
const LONGEST: Duration = Duration::from_secs(30);
/// Longest time that a server may ask to be left alone.
const LONGEST_COOLING: Duration = Duration::from_secs(60 * 60);
/// So many faults in a row open the circuit.
const IN_A_ROW: u32 = 3;
/// Jitter makes a pause longer by up to this part of it.
const JITTER: f64 = 0.25;

/// What an attempt that failed says of the back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    /// It takes no more for now.
    Busy {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Nobody is there.
    Away,
    /// It did not do what it should.
    Failed,
}

/// Whether tickets may start at the back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// As many as its limit allows.
    Free,
    /// One, to see whether it works again.
    Probe,
    /// None: the probe is on its way.
    Probing,
    /// None, until another node says otherwise.
    Elsewhere,
    /// None before this time.
    Shut {
        /// When that changes, unless something happens.
        until: Instant,
        /// Whether it only cools.
        cools: bool,
    },
}

/// One attempt, as it began. What comes of it is told once, by [`Breaker::answered`], [`Breaker::failed`] or [`Breaker::left`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Began {
    /// What began before the circuit opened says nothing of the time after; with cooling it is the same.
    openings: u64,
    coolings: u64,
    probe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Circuit {
    Closed,
    /// Half open from this time on.
    Open(Instant),
    /// Half open since then, with the probe on its way.
    Probing(Instant),
}

/// The breaker of one back end.
#[derive(Clone, Debug)]
pub(super) struct Breaker {
    circuit: Circuit,
    cools_until: Option<Instant>,
    /// Another node keeps tickets away from it: whether it only cools.
    elsewhere: Option<bool>,
    /// When another node has found that it works again.
    healed: Option<Instant>,
    /// Faults without an answer between.
    faults: u32,
    /// Openings, and coolings, without an answer between: how often the pause has doubled.
    opened_in_a_row: u32,
    cooled_in_a_row: u32,
    /// All that there have been.
    openings: u64,
    coolings: u64,
}

impl Default for Breaker {
    /// Closed.
    fn default() -> Self {
        Self {
            circuit: Circuit::Closed,
            cools_until: None,
            elsewhere: None,
            healed: None,
            faults: 0,
            opened_in_a_row: 0,
            cooled_in_a_row: 0,
            openings: 0,
            coolings: 0,
        }
    }
}

impl Breaker {
    /// Whether tickets may start now.
    pub(super) fn gate(&self, now: Instant) -> Gate {
        if self.elsewhere.is_some() {
            return Gate::Elsewhere;
        }
        let cools = self.cools_until.filter(|until| *until > now);
        let open = match self.circuit {
            Circuit::Open(until) if until > now => Some(until),
            _ => None,
        };
        match (cools.max(open), self.circuit) {
            (Some(until), _) => Gate::Shut {
                until,
                cools: open.is_none(),
            },
            (None, Circuit::Closed) => Gate::Free,
            (None, Circuit::Open(_)) => Gate::Probe,
            (None, Circuit::Probing(_)) => Gate::Probing,
        }
    }

    /// Forgets what it knows: the back end is another one now. Attempts under way say nothing of it.
    pub(super) fn renew(&mut self) {
        *self = Self {
            openings: self.openings + 1,
            coolings: self.coolings + 1,
            ..Self::default()
        };
    }

    /// An attempt begins. Where a probe is wanted, this is the one.
    pub(super) fn begin(&mut self, now: Instant) -> Began {
        let mut probe = false;
        if let (Gate::Probe, Circuit::Open(since)) = (self.gate(now), self.circuit) {
            probe = true;
            self.circuit = Circuit::Probing(since);
        }
        Began {
            openings: self.openings,
            coolings: self.coolings,
            probe,
        }
    }

    /// The first part of an answer has come. That closes the circuit: others need not wait for the answer's end.
    pub(super) fn shown(&mut self, began: Began) {
        if began.openings == self.openings {
            self.circuit = Circuit::Closed;
        }
    }

    /// The answer has come to its end.
    pub(super) fn answered(&mut self, began: Began) {
        self.shown(began);
        if began.openings == self.openings {
            self.faults = 0;
            self.opened_in_a_row = 0;
        }
        if began.coolings == self.coolings {
            self.cooled_in_a_row = 0;
        }
    }

    /// The attempt has failed. `jitter`, from 0 to 1, makes the pause longer, so that back ends that failed together are not asked
    /// together.
    pub(super) fn failed(&mut self, began: Began, strike: Strike, now: Instant, jitter: f64) {
        if let Strike::Busy { retry_after } = strike {
            self.left(began);
            self.cool(began, retry_after, now, jitter);
            return;
        }
        // An attempt that slipped in while the circuit was open has nothing new to say.
        if began.openings != self.openings || (self.circuit != Circuit::Closed && !began.probe) {
            return;
        }
        self.faults += 1;
        // A probe whose answer broke off later has shown only that the back end still does not work.
        if strike == Strike::Away || began.probe || self.faults >= IN_A_ROW {
            self.forgive(now);
            self.circuit = Circuit::Open(now + pause(self.opened_in_a_row, jitter));
            self.opened_in_a_row = self.opened_in_a_row.saturating_add(1);
            self.openings += 1;
            self.faults = 0;
        }
    }

    /// The attempt has ended without saying anything of the back end: it was given up, or the question was at fault. A probe leaves its
    /// place to the next.
    pub(super) fn left(&mut self, began: Began) {
        if let Circuit::Probing(since) = self.circuit
            && began.probe
            && began.openings == self.openings
        {
            self.circuit = Circuit::Open(since);
        }
    }

    fn cool(&mut self, began: Began, retry_after: Option<Duration>, now: Instant, jitter: f64) {
        // Of requests that were refused together, the first has said it; another may ask for more time.
        let first = began.coolings == self.coolings;
        self.forgive(now);
        let length = match retry_after {
            Some(asked) => jittered(asked.min(LONGEST_COOLING), jitter),
            None if first => pause(self.cooled_in_a_row, jitter),
            None => return,
        };
        self.cools_until = self.cools_until.max(Some(now + length));
        if first {
            self.cooled_in_a_row = self.cooled_in_a_row.saturating_add(1);
            self.coolings += 1;
        }
    }
}

/// What other nodes have found. What they say counts as if it had been found here, but for the pause: whoever has found something ends it.
impl Breaker {
    /// Another node keeps tickets away. What it has found is not tried from here, but what cools by the server's own word goes on cooling.
    pub(super) fn hear_out(&mut self, cools: bool, now: Instant) {
        self.forgive(now);
        if cools {
            self.coolings += 1;
            self.cooled_in_a_row = self.cooled_in_a_row.saturating_add(1);
        } else {
            self.circuit = Circuit::Closed;
            self.opened_in_a_row = self.opened_in_a_row.saturating_add(1);
            self.openings += 1;
            self.faults = 0;
        }
        self.elsewhere = Some(cools);
    }

    /// The probe is on its way from another node.
    pub(super) fn hear_probing(&mut self) {
        self.circuit = Circuit::Closed;
        self.openings += 1;
        self.elsewhere = Some(false);
    }

    /// One attempt may show whether it works again, whichever node makes it.
    pub(super) fn hear_half_open(&mut self, now: Instant) {
        self.elsewhere = None;
        match self.circuit {
            Circuit::Probing(_) => {}
            Circuit::Open(since) if since <= now => {}
            Circuit::Closed | Circuit::Open(_) => {
                self.circuit = Circuit::Open(now);
                self.openings += 1;
            }
        }
    }

    /// Another node lets tickets in again. If it had only cooled, that says nothing of what was found here meanwhile.
    pub(super) fn hear_works(&mut self, now: Instant) {
        if self.elsewhere.take() != Some(true) {
            self.circuit = Circuit::Closed;
            self.healed = Some(now);
        }
    }

    /// Of what another node has healed, this one may never see an answer; so that is forgiven with time.
    fn forgive(&mut self, now: Instant) {
        if self.healed.is_some_and(|since| now >= since + LONGEST) {
            (self.opened_in_a_row, self.cooled_in_a_row, self.healed) = (0, 0, None);
        }
    }
}

/// Twice as long each time.
fn pause(in_a_row: u32, jitter: f64) -> Duration {
    jittered(
        FIRST.saturating_mul(2_u32.saturating_pow(in_a_row)).min(LONGEST),
        jitter,
    )
}

fn jittered(length: Duration, jitter: f64) -> Duration {
    length.mul_f64(1.0 + JITTER * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
