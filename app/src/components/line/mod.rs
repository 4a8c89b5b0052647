//! The line, drawn: doors that are lit while their slot is busy, then those who wait, yours in the accent colour.
//! Each mark keeps its node while it moves forward, so that the movement can be seen.

mod scene;

use anteroom::wire::{Event, Status};
use leptos::prelude::*;

use self::scene::{Door, Doors, Item, Scene};
use crate::{feed::Store, format};

/// How large the line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// In the header.
    Small,
    /// In a waiting turn.
    Medium,
    /// On the start page.
    Large,
}

/// Lengths of one scale, in pixels.
struct Lengths {
    door: (f64, f64),
    door_pitch: f64,
    mark: f64,
    mark_pitch: f64,
    /// Most doors drawn one by one, and most marks.
    most: (usize, usize),
}

impl Scale {
    const fn lengths(self) -> Lengths {
        match self {
            Self::Small => Lengths {
                door: (9.0, 15.0),
                door_pitch: 13.0,
                mark: 2.5,
                mark_pitch: 9.0,
                most: (6, 7),
            },
            Self::Medium => Lengths {
                door: (24.0, 38.0),
                door_pitch: 31.0,
                mark: 5.5,
                mark_pitch: 18.0,
                most: (5, 9),
            },
            Self::Large => Lengths {
                door: (46.0, 74.0),
                door_pitch: 60.0,
                mark: 7.0,
                mark_pitch: 24.0,
                most: (6, 9),
            },
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Small => "line line-small",
            Self::Medium => "line line-medium",
            Self::Large => "line line-large",
        }
    }
}

/// The line of `chat` as it is now.
#[component]
pub(crate) fn Line(scale: Scale) -> impl IntoView {
    let store = expect_context::<Store>();
    let lengths = scale.lengths();
    let scene = Memo::new(move |before: Option<&Scene>| store.status.with(|status| draw(status, before, scale)));
    let (door_width, door_height) = lengths.door;
    let mark = lengths.mark;
    let height = door_height + 2.0;
    let floor = height - 1.0;
    let at = move |place: f64| scene.with(|scene| scene.threshold) + place * lengths.mark_pitch;

    let doors = move || scene.with(|scene| scene.doors.clone());
    let doors = move || match doors() {
        Doors::Each(doors) => doors
            .into_iter()
            .enumerate()
            .map(|(index, door)| {
                #[expect(clippy::cast_precision_loss, reason = "a handful of doors")]
                let x = 1.0 + index as f64 * lengths.door_pitch;
                view! { <path class=door_class(door) d=arch(x, floor, door_width, door_height) /> }
            })
            .collect_view()
            .into_any(),
        Doors::Meter { share, lit } => view! {
            <rect class="meter" x="1" y=floor - door_height * 0.5 width=METER height=door_height * 0.5 rx="2" />
            <rect
                class=if lit { "meter-busy lit" } else { "meter-busy" }
                x="1"
                y=floor - door_height * 0.5
                width=METER * share
                height=door_height * 0.5
                rx="2"
            />
        }
        .into_any(),
    };
    let width = move || {
        scene.with(|scene| {
            let floor = scene.threshold + scene.length * lengths.mark_pitch;
            if scale == Scale::Small {
                floor.max(scene.threshold)
            } else {
                floor.max(scene.threshold + 3.0 * lengths.mark_pitch)
            }
        })
    };

    view! {
        <svg class=scale.class() width=width height=height + 1.0 aria-hidden="true">
            <line class="floor" x1="0" x2=width y1=floor + 0.5 y2=floor + 0.5 />
            {doors}
            <For
                each=move || scene.with(|scene| scene.items.clone())
                key=|item| item.key()
                children=move |item| {
                    let key = item.key();
                    // The item of this key as it is now; one on its way out stays where it was.
                    let last = item.clone();
                    let now = Memo::new(move |before: Option<&Item>| {
                        let now = scene.with(|scene| scene.items.iter().find(|item| item.key() == key).cloned());
                        now.unwrap_or_else(|| before.unwrap_or(&last).clone())
                    });
                    let x = move || at(now.with(Item::place));
                    match item {
                        Item::Mark { .. } => {
                            let class = move || now.with(Item::class);
                            view! { <circle class=class cx=x cy=floor - mark - 3.0 r=mark /> }.into_any()
                        }
                        Item::Gap { .. } => {
                            let count = move || now.with(Item::count);
                            view! {
                                <text class="gap" x=x y=floor - 3.0>
                                    {count}
                                </text>
                            }
                                .into_any()
                        }
                    }
                }
            />
        </svg>
    }
    .into_any()
}

/// Width of the bar that stands for more doors than can be drawn.
const METER: f64 = 56.0;

fn draw(status: &Status, before: Option<&Scene>, scale: Scale) -> Scene {
    let lengths = scale.lengths();
    let mine: Vec<u64> = status
        .places
        .iter()
        .filter(|place| place.event == Event::Chat)
        .map(|place| place.position)
        .collect();
    let mut scene = Scene::of(status.line.as_ref(), &mine, status.running, lengths.most, before);
    #[expect(clippy::cast_precision_loss, reason = "a handful of doors")]
    let doors = match &scene.doors {
        Doors::Each(doors) => doors.len() as f64 * lengths.door_pitch,
        Doors::Meter { .. } => METER + lengths.door_pitch - lengths.door.0,
    };
    scene.threshold = doors + lengths.mark;
    scene
}

fn door_class(door: Door) -> &'static str {
    match door {
        Door::Free => "door",
        Door::Busy => "door busy",
        Door::Mine => "door busy lit",
    }
}

/// A door: straight below, half a circle above.
fn arch(x: f64, floor: f64, width: f64, height: f64) -> String {
    let radius = width / 2.0;
    let spring = floor - height + radius;
    format!("M{x} {floor}V{spring}a{radius} {radius} 0 0 1 {width} 0V{floor}z")
}

/// The line in the header, on every page: drawn small, with its figures.
#[component]
pub(crate) fn LineSummary() -> impl IntoView {
    let store = expect_context::<Store>();
    let line = Memo::new(move |_| store.status.with(|status| status.line.clone()));
    let figure = move |read: fn(&anteroom::wire::LineView) -> Option<u64>| {
        line.with(|line| {
            line.as_ref()
                .map(|line| read(line).map_or_else(|| "none".to_owned(), |n| n.to_string()))
        })
    };
    let text = move || {
        line.with(|line| {
            line.as_ref()
                .map(|line| (format::busy(line), format::waiting(line.waiting)))
        })
        .unwrap_or_default()
    };
    let queue = move || store.facts.with(|facts| facts.queue);
    let whole = move || line.with(|line| line.as_ref().map(|line| format::line(line, queue())));
    view! {
        <a
            class="line-summary"
            href="/stats"
            data-testid="line"
            data-running=move || figure(|line| Some(line.running))
            data-limit=move || figure(|line| line.limit)
            data-waiting=move || figure(|line| Some(line.waiting))
            title=whole
            aria-label=move || whole().map(|whole| format!("The line: {whole}. See the stats."))
        >
            <Line scale=Scale::Small />
            <span class="line-text" aria-hidden="true">
                <span>{move || text().0}</span>
                <span class="line-waiting">{move || text().1}</span>
            </span>
        </a>
    }
    .into_any()
}
