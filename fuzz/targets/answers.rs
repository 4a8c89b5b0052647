//! Answers of model servers, in each of their formats: how the bytes are cut makes no difference, and nothing is made up.
//!
//! Input: one byte that says how the body is cut, the body.
#![no_main]

use anteroom::{agents::transcript, settings::Provider};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((step, body)) = data.split_first() else { return };
    for provider in Provider::ALL {
        let whole = transcript(provider, [body]);
        let pieces = transcript(provider, body.chunks(usize::from(*step).max(1)));
        assert_eq!(pieces, whole, "{provider:?} cut by {step}");
        if let Some(said) = whole {
            // A byte that is no text becomes a character of three.
            assert!(said.text.len() <= 3 * body.len(), "{provider:?}: {said:?}");
            assert!(said.reasoning.len() <= 3 * body.len(), "{provider:?}: {said:?}");
            assert!(said.fault.is_some() || !said.text.is_empty(), "{provider:?}: {said:?}");
        }
    }
});
