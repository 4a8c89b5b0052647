//! One slot, drawn as a door: shut while somebody is inside, ajar with the light on while it is free. Behind one that is shut a light
//! rises, with the time that what is inside usually takes. Several that are drawn as one stand behind each other, with their number.

use leptos::prelude::*;

use super::slots::{Light, Slot};
use crate::{
    browser,
    erase::{Erase as _, Live, Look as _, each, live, when},
    format::decimal,
};

/// Where a door stands and how large it is, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) x: f64,
    pub(super) floor: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Frame {
    /// Straight below, half a circle above.
    pub(super) fn outline(self) -> String {
        let [x, floor, spring] = [self.x, self.floor, self.spring()].map(decimal);
        let [radius, width] = [self.width / 2.0, self.width].map(decimal);
        format!("M{x} {floor}V{spring}a{radius} {radius} 0 0 1 {width} 0V{floor}z")
    }

    /// The leaf of a door that stands ajar, hinged on the left: narrower, and its far edge a little higher.
    fn leaf(self) -> String {
        let leaf = self.width * 0.36;
        let [x, floor, spring] = [self.x, self.floor, self.spring()].map(decimal);
        let [across, up, leaf] = [leaf / 2.0, self.width / 2.0, leaf].map(decimal);
        let [lower, edge] = [self.height * 0.03, self.floor - self.height * 0.08].map(decimal);
        format!("M{x} {floor}V{spring}a{across} {up} 0 0 1 {leaf} {lower}V{edge}z")
    }

    /// Where the half circle begins.
    fn spring(self) -> f64 {
        self.floor - self.height + self.width / 2.0
    }
}

/// A door. It keeps its nodes while it opens and shuts.
pub(super) fn view(slot: Memo<Option<Slot>>, x: Live<String>, counted: bool, frame: Frame) -> AnyView {
    let knob = (frame.x + frame.width * 0.8, frame.floor - frame.height * 0.42);
    let class = live(move || slot.look(|slot| slot.as_ref().map_or("door", Slot::class)));
    let light = move || {
        slot.look(|slot| slot.as_ref().and_then(|slot| slot.light))
            .into_iter()
            .collect()
    };
    // Each that is inside has a light of its own: one that went on from the last one's would not begin.
    let rising = move |light: Light| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let age = ((browser::now() as f64 - light.began) / 1000.0).max(0.0);
        let [usual, age] = [light.usual.max(0.1), age].map(decimal);
        let style = format!("--usual:{usual}s;--age:-{age}s");
        view! { <path class="door-light" d=frame.outline() style=style /> }.erase()
    };
    let count = move || slot.look(|slot| slot.as_ref().map_or(1, |slot| slot.count));
    let counted = when(
        move || counted && count() > 1,
        move || {
            let (x, y) = (frame.x + frame.width * 1.25, frame.floor - 3.0);
            view! {
                <text class="gap" x=decimal(x) y=decimal(y)>
                    {live(move || format!("× {}", count()))}
                </text>
            }
            .erase()
        },
    );
    view! {
        <g class=class transform=x>
            <path class="door-back" d=frame.outline() />
            <path class="door-frame" d=frame.outline() />
            {each(light, |light| light.key.to_string(), rising)}
            <path class="door-leaf" d=frame.leaf() />
            <circle class="door-knob" cx=decimal(knob.0) cy=decimal(knob.1) r=decimal(frame.width * 0.055) />
            {counted}
        </g>
    }
    .erase()
}
