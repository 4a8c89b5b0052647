//! The queue by itself, without a server around it: how fast it is, and how many instructions it takes.

pub(crate) mod count;
mod crowd;

pub(crate) use crowd::{Crowd, Operation};
