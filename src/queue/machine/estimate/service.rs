//! How long an event holds a slot, as far as a window tells.

use super::{LEAST, random::Random};

/// A distribution of holding times, in seconds.
pub(super) struct Service {
    sorted: Vec<f64>,
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// By how much the longest quarter exceeds the rest on average: the scale of times longer than any seen.
    tail: f64,
}

impl Service {
    /// `None` from fewer than [`LEAST`] samples.
    pub(super) fn new(mut sorted: Vec<f64>) -> Option<Self> {
        if sorted.len() < LEAST {
            return None;
        }
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len() as f64;
        let mean = sorted.iter().sum::<f64>() / count;
        let variance = sorted.iter().map(|held| (held - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let top = sorted.len().div_ceil(4);
        let (rest, longest) = sorted.split_at(sorted.len() - top);
        let floor = rest.last().copied().unwrap_or_default();
        let tail = longest.iter().map(|held| held - floor).sum::<f64>() / top as f64;
        Some(Self {
            sorted,
            mean,
            variance,
            tail,
        })
    }

    /// The standard error of the mean, as a part of the mean.
    pub(super) fn doubt(&self) -> f64 {
        if self.mean > 0.0 {
            (self.variance / self.sorted.len() as f64).sqrt() / self.mean
        } else {
            0.0
        }
    }

    /// A factor by which the true times may differ from the window's: log-normal about 1, as wide as [`Self::doubt`].
    pub(super) fn draw_scale(&self, random: &mut Random) -> f64 {
        let doubt = self.doubt();
        if doubt > 0.0 {
            (doubt * random.normal() - doubt * doubt / 2.0).exp()
        } else {
            1.0
        }
    }

    /// A holding time.
    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        match self.sorted.get(random.below(self.sorted.len() + 1)) {
            Some(held) => *held,
            None => self.longest() + random.exponential(self.tail),
        }
    }

    /// How much longer something runs that has run for `age` seconds. Past everything seen, it is as likely to be stuck as
    /// it has been late so far.
    pub(super) fn draw_rest(&self, age: f64, random: &mut Random) -> f64 {
        let longer = &self.sorted[self.sorted.partition_point(|held| *held <= age)..];
        match longer.get(random.below(longer.len() + 1)) {
            Some(held) => held - age,
            None if age < self.longest() => self.longest() - age + random.exponential(self.tail),
            None => random.exponential(self.tail.max(age - self.longest())),
        }
    }

    fn longest(&self) -> f64 {
        self.sorted.last().copied().unwrap_or_default()
    }
}
