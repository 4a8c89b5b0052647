//! Two short knocks on a door, made as they are needed.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::AudioContext;

/// When each of them comes, in seconds.
const KNOCKS: [f64; 2] = [0.02, 0.2];
/// How long one can be heard.
const LENGTH: f64 = 0.12;

/// Knocks. A browser that lets a page make no sound before somebody has touched it stays silent.
pub(super) fn knock() {
    let Ok(context) = AudioContext::new() else { return };
    let begun = context.current_time();
    for at in KNOCKS {
        let _ = one(&context, begun + at);
    }
    set_timeout(
        move || {
            let _ = context.close();
        },
        Duration::from_secs(1),
    );
}

/// Wood: low, falling, and gone at once.
fn one(context: &AudioContext, at: f64) -> Result<(), JsValue> {
    let (tone, loudness) = (context.create_oscillator()?, context.create_gain()?);
    tone.frequency().set_value_at_time(190.0, at)?;
    tone.frequency().exponential_ramp_to_value_at_time(70.0, at + LENGTH)?;
    loudness.gain().set_value_at_time(0.4, at)?;
    loudness.gain().exponential_ramp_to_value_at_time(0.001, at + LENGTH)?;
    tone.connect_with_audio_node(&loudness)?
        .connect_with_audio_node(&context.destination())?;
    tone.start_with_when(at)?;
    tone.stop_with_when(at + LENGTH)
}
