//! Answers of model servers, in each of their formats: how the bytes are cut makes no difference, and nothing is made up. Calls of tools are bounded,
//! and no two have the same id. The same bytes as a
//! list of models: what is taken over can be offered.
//!
//! Input: one byte that says how the body is cut, the body.
#![no_main]

use std::collections::BTreeSet;

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
            let says = !said.text.is_empty() || !said.calls.is_empty();
            assert!(said.fault.is_some() || says, "{provider:?}: {said:?}");
            assert!(said.calls.len() <= 64, "{provider:?}: {said:?}");
            let ids: BTreeSet<_> = said.calls.iter().map(|call| &call.id).collect();
            assert_eq!(ids.len(), said.calls.len(), "{provider:?}: {said:?}");
            for call in &said.calls {
                let sound =
                    !call.name.is_empty() && !call.arguments.is_empty() && call.arguments.len() <= 256 * 1024 + 3;
                assert!(sound, "{provider:?}: {call:?}");
            }
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
