//! The line, drawn: doors that are lit while their slot is busy, then those who wait, yours in the accent colour.
//! Each mark keeps its node while it moves forward, so that the movement can be seen.

mod door;
mod scene;

use anteroom::{
    say,
    wire::{Event, LineView, Status},
};
use leptos::prelude::*;

use self::{
    door::Frame,
    scene::{Doors, Item, Scene, Style},
};
use crate::{
    erase::{Erase as _, Look as _, each, live, memo, when},
    feed::{Shown, Store},
    format::{self, decimal},
    route::Page,
    words::words,
};

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
    /// Width of a character of a gap's words.
    character: f64,
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
                character: 10.0,
            },
            Self::Medium => Lengths {
                door: (26.0, 42.0),
                door_pitch: 35.0,
                mark: 5.5,
                mark_pitch: 18.0,
                most: (5, 9),
                character: 6.5,
            },
            Self::Large => Lengths {
                door: (60.0, 96.0),
                door_pitch: 79.0,
                mark: 8.0,
                mark_pitch: 27.0,
                most: (6, 9),
                character: 7.2,
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

/// A line of `chat` as it is now.
#[component]
pub(crate) fn Line(scale: Scale, line: Memo<Option<LineView>>) -> impl IntoView {
    let store = expect_context::<Store>();
    let lengths = scale.lengths();
    let scene = Memo::new(move |before: Option<&Scene>| {
        store
            .status
            .look(|status| line.look(|line| draw(status, line.as_ref(), before, scale)))
    });
    let (width, height) = lengths.door;
    let mark = lengths.mark;
    // The floor is the lower edge of the drawing's box, as wide as the page lets it be.
    let floor = height + 1.0;
    let at = move |place: f64| scene.look(|scene| scene.threshold) + place * lengths.mark_pitch;

    let count = memo(move || scene.look(|scene| scene.doors.count()));
    let door = move |index: usize| {
        #[expect(clippy::cast_precision_loss, reason = "a handful of doors")]
        let x = 1.0 + index as f64 * lengths.door_pitch;
        let class = live(move || scene.look(|scene| scene.doors.class(index)));
        let frame = Frame {
            x,
            floor,
            width,
            height,
        };
        door::view(class, frame)
    };
    let doors = each(move || (0..count.get()).collect(), ToString::to_string, door);
    let meter = when(
        move || scene.look(|scene| matches!(scene.doors, Doors::Meter { .. })),
        move || meter(scene, floor, height * 0.5),
    );
    let length = move || scene.look(|scene| scene.threshold + scene.length * lengths.mark_pitch);

    let items = move || scene.look(|scene| scene.items.clone());
    let row = move |item: Item| {
        let key = item.key();
        let mark_of_one = matches!(item, Item::Mark { .. });
        // The item of this key as it is now; one on its way out stays where it was.
        let now = Memo::new(move |before: Option<&Item>| {
            let now = scene.look(|scene| scene.items.iter().find(|item| item.key() == key).cloned());
            now.unwrap_or_else(|| before.unwrap_or(&item).clone())
        });
        let x = live(move || decimal(at(now.look(Item::place))));
        if mark_of_one {
            let class = live(move || now.look(Item::class));
            view! { <circle class=class cx=x cy=decimal(floor - mark - 2.0) r=decimal(mark) /> }.erase()
        } else {
            let words = live(move || now.look(Item::text));
            view! {
                <text class="gap" x=x y=decimal(floor - 3.0)>
                    {words}
                </text>
            }
            .erase()
        }
    };
    view! {
        <div class=scale.class() aria-hidden="true">
            <svg
                width=live(move || decimal(length()))
                height=decimal(floor)
                viewBox=live(move || format!("0 0 {} {}", decimal(length()), decimal(floor)))
                preserveAspectRatio="xMinYMax meet"
            >
                {doors}
                {meter}
                {each(items, |item| item.key().to_string(), row)}
            </svg>
        </div>
    }
    .erase()
}

/// Width of the bar that stands for more doors than can be drawn.
const METER: f64 = 56.0;

fn draw(status: &Status, line: Option<&LineView>, before: Option<&Scene>, scale: Scale) -> Scene {
    let lengths = scale.lengths();
    let mine: Vec<u64> = status
        .places
        .iter()
        .filter(|place| place.event == Event::Chat && line.is_some_and(|line| place.model == line.model))
        .map(|place| place.position)
        .collect();
    let style = Style {
        most: lengths.most,
        // The words beside the small line say how many wait.
        counted: (scale != Scale::Small).then(words),
        character: lengths.character / lengths.mark_pitch,
    };
    let mut scene = Scene::of(line, &mine, style, before);
    #[expect(clippy::cast_precision_loss, reason = "a handful of doors")]
    let doors = match scene.doors.count() {
        0 if matches!(scene.doors, Doors::Meter { .. }) => METER + lengths.door_pitch - lengths.door.0,
        count => count as f64 * lengths.door_pitch,
    };
    scene.threshold = doors + lengths.mark;
    scene
}

fn meter(scene: Memo<Scene>, floor: f64, height: f64) -> AnyView {
    let (y, height) = (decimal(floor - height), decimal(height));
    let shown = move || match scene.look(|scene| scene.doors.clone()) {
        Doors::Meter { share, lit } => (share, lit),
        Doors::Each(_) => (0.0, false),
    };
    view! {
        <rect class="meter" x="1" y=y.clone() width=decimal(METER) height=height.clone() rx="2" />
        <rect
            class=live(move || if shown().1 { "meter-busy lit" } else { "meter-busy" })
            x="1"
            y=y
            width=live(move || decimal(METER * shown().0))
            height=height
            rx="2"
        />
    }
    .erase()
}

/// The line in the header, on every page: drawn small, with its figures.
#[component]
pub(crate) fn LineSummary() -> impl IntoView {
    let store = expect_context::<Store>();
    let Shown { model, line, .. } = expect_context();
    let words = words();
    // Where there is one model only, there is one line.
    let whose = move || store.has_choice().then(|| model.look(|model| store.title(model)));
    let figure = move |read: fn(&LineView) -> Option<u64>| {
        line.look(|line| {
            line.as_ref()
                .map(|line| read(line).map_or_else(|| "none".to_owned(), |n| n.to_string()))
        })
    };
    let queue = move || store.facts.look(|facts| facts.queue);
    // Where the stats are kept from this browser, there is nothing to lead to.
    let more = untrack(|| store.shows(Page::Stats));
    let text = move || {
        if store.is_lost() {
            return (String::new(), say!(words, "summary-lost"), String::new());
        }
        line.look(|line| {
            let queue = queue();
            line.as_ref().map(|line| {
                (
                    format::busy(words, line),
                    format::waiting(words, line.waiting),
                    format::start(words, line, queue),
                )
            })
        })
        .unwrap_or_default()
    };
    let whole = move || {
        if store.is_lost() {
            return Some(say!(words, "summary-lost"));
        }
        let said = line.look(|line| line.as_ref().map(|line| format::line(words, line, queue())))?;
        Some(match whose() {
            Some(model) => say!(words, "model-and-line", model = model, line = said),
            None => said,
        })
    };
    view! {
        <a
            class="line-summary"
            href=more.then_some("/stats")
            data-testid="line"
            data-running=live(move || figure(|line| Some(line.running)))
            data-limit=live(move || figure(|line| line.limit))
            data-waiting=live(move || figure(|line| Some(line.waiting)))
            title=live(whole)
            class:lost=live(move || store.is_lost())
        >
            <span class="visually-hidden">
                {live(move || whole().map(|whole| match more {
                    true => say!(words, "summary", line = whole),
                    false => say!(words, "summary-alone", line = whole),
                }))}
            </span>
            <Line scale=Scale::Small line />
            <span class="line-text" aria-hidden="true">
                <span class="line-model">{live(whose)}</span>
                <span class="line-busy">{live(move || text().0)}</span>
                <span class="line-waiting">{live(move || text().1)}</span>
                <span class="line-start">{live(move || text().2)}</span>
            </span>
        </a>
    }
    .erase()
}
