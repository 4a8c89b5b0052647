//! Back ends over real HTTP.
