//! The moment in which a door opens for somebody who has waited: the mark walks to it, and the light behind it becomes the caret of the
//! answer. How long that takes, and that it is left out where no motion is wanted, is the style's matter.

use leptos::prelude::*;

use super::door::Frame;
use crate::{
    erase::{Erase as _, Live, live},
    format::decimal,
};

/// The way from where the first of those who wait stands to the door that begins at `to`.
pub(super) fn view(mut to: Live<f64>, from: f64, mark: f64, frame: Frame) -> AnyView {
    let style = live(move || {
        let door = to();
        let [way, door] = [door + frame.width / 2.0 - from, door].map(decimal);
        format!("--way:{way}px;--door:{door}px")
    });
    view! {
        <g class="way" style=style data-testid="way">
            <path class="torch" d=frame.outline() />
            <circle class="walker" cx=decimal(from) cy=decimal(frame.floor - mark - 2.0) r=decimal(mark) />
        </g>
    }
    .erase()
}
