//! Metrics by label, always in the same order.

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::{MetricType, TypedMetric},
};

/// One label, and its value.
pub(super) type Label = (&'static str, String);

/// The metrics of one name, in the order in which they were given. (The library's own families have another order with each start.)
#[derive(Debug)]
pub(super) struct Ordered<M>(Vec<(Vec<Label>, M)>);

impl<M> FromIterator<(Vec<Label>, M)> for Ordered<M> {
    fn from_iter<I: IntoIterator<Item = (Vec<Label>, M)>>(metrics: I) -> Self {
        Self(metrics.into_iter().collect())
    }
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for Ordered<M> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        for (labels, metric) in &self.0 {
            metric.encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }

    /// One without any labels is not named at all.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
