//! Answers of model servers, in each of their formats: how the bytes are cut makes no difference, and nothing is made up. The same bytes as a
//! list of models: what is taken over can be offered.
//!
//! Input: one byte that says how the body is cut, the body.
#![no_main]

use anteroom::{
    agents::{model_names, transcript},
    settings::Provider,
};
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
        if let Some(names) = model_names(provider, body) {
            assert!(names.is_sorted() && names.len() <= 500, "{provider:?}: {names:?}");
            for name in names {
                let sound = !name.is_empty() && name.trim() == name && !name.contains(char::is_control);
                assert!(sound && name.len() <= 200, "{provider:?}: {name:?}");
            }
        }
    }
});
