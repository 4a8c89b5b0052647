//! Loopback
fn main(){}
