//! One slot, drawn as a door: shut while somebody is inside, ajar with the light on while it is free.

use leptos::prelude::*;

use crate::{
    erase::{Erase as _, Live},
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
    fn outline(self) -> String {
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
pub(super) fn view(class: Live<&'static str>, frame: Frame) -> AnyView {
    let knob = (frame.x + frame.width * 0.8, frame.floor - frame.height * 0.42);
    view! {
        <g class=class>
            <path class="door-frame" d=frame.outline() />
            <path class="door-leaf" d=frame.leaf() />
            <circle class="door-knob" cx=decimal(knob.0) cy=decimal(knob.1) r=decimal(frame.width * 0.055) />
        </g>
    }
    .erase()
}
