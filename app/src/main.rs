//! App
fn main(){}
