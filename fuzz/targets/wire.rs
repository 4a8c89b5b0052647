//! What browser and server say to each other, as JSON: what one side can read, it writes so that the other reads the same.
//!
//! Input: JSON.
#![no_main]

use std::{fmt, str::FromStr};

use anteroom::wire::{
    ConversationId, ConversationPage, ConversationView, FeedMessage, FeedPosition, FileView, Refused, SearchResults,
    SendRequest, Sent, Status, TurnId, TurnPage,
};
use libfuzzer_sys::fuzz_target;
use serde_json::{from_str, to_string};

fuzz_target!(|text: &str| {
    round_trip::<FeedMessage>(text);
    round_trip::<FeedPosition>(text);
    round_trip::<SendRequest>(text);
    round_trip::<Sent>(text);
    round_trip::<Status>(text);
    round_trip::<ConversationPage>(text);
    round_trip::<ConversationView>(text);
    round_trip::<TurnPage>(text);
    round_trip::<SearchResults>(text);
    round_trip::<FileView>(text);
    round_trip::<Refused>(text);
    name::<TurnId>(text);
    name::<ConversationId>(text);
});

fn round_trip<T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + fmt::Debug>(text: &str) {
    let Ok(read) = from_str::<T>(text) else { return };
    let written = to_string(&read).expect("what was read can be written");
    assert_eq!(from_str::<T>(&written).ok(), Some(read), "{written}");
}

/// An identifier in an address.
fn name<T: FromStr + ToString + PartialEq + fmt::Debug>(text: &str) {
    let Ok(id) = text.parse::<T>() else { return };
    let written = id.to_string();
    assert!(
        written.len() == 36 && !written.contains(|c: char| c != '-' && !c.is_ascii_hexdigit()),
        "{written}"
    );
    assert_eq!(written.parse::<T>().ok(), Some(id));
}
