//! The line, drawn: doors behind which a light rises while their slot is busy, then those who wait, yours in the accent colour.
//! Each mark keeps its node while it moves forward, so that the movement can be seen.

mod door;
mod opening;
mod scene;
mod slots;

use std::collections::HashMap;

use anteroom::{
    say,
    wire::{Event, LineView, Status, TurnId},
};
use leptos::prelude::*;

use self::{
    door::Frame,
    scene::{Item, Mine, Scene, Style},
    slots::Slot,
};
use crate::{
    erase::{Erase as _, Look as _, each, live, memo},
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
#[derive(Clone, Copy)]
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
                most: (6, 9),
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

/// The doors of each line as they were drawn last, by the model that it leads to: a drawing that is new on the page has everybody where the
/// others have them.
#[derive(Clone, Copy)]
pub(crate) struct Doors(StoredValue<HashMap<Option<String>, Vec<Slot>>>);

impl Doors {
    pub(crate) fn new() -> Self {
        Self(StoredValue::new(HashMap::new()))
    }

    fn of(self, line: Option<&LineView>) -> Vec<Slot> {
        let known = line.and_then(|line| self.0.with_value(|known| known.get(&line.model).cloned()));
        known.unwrap_or_default()
    }

    fn keep(self, line: Option<&LineView>, slots: &[Slot]) {
        if let Some(line) = line {
            self.0
                .update_value(|known| drop(known.insert(line.model.clone(), slots.to_vec())));
        }
    }
}

/// A line of `chat` as it is now.
#[component]
pub(crate) fn Line(
    scale: Scale,
    line: Memo<Option<LineView>>,
    /// The turn that the drawing is about.
    #[prop(optional)]
    turn: Option<TurnId>,
    /// Whether that one is just going to its door.
    #[prop(optional)]
    opening: bool,
) -> impl IntoView {
    let store = expect_context::<Store>();
    let known = expect_context::<Doors>();
    let lengths = scale.lengths();
    let scene = Memo::new(move |before: Option<&Scene>| {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        let told = store.clock.told() as f64;
        let drawn = Drawn { scale, turn, told };
        store.status.look(|status| {
            line.look(|line| {
                let scene = drawn.scene(status, line.as_ref(), before, known);
                known.keep(line.as_ref(), &scene.slots);
                scene
            })
        })
    });
    let (width, height) = lengths.door;
    let mark = lengths.mark;
    // The floor is the lower edge of the drawing's box, as wide as the page lets it be.
    let floor = height + 1.0;
    let at = move |place: f64| scene.look(|scene| scene.threshold) + place * lengths.mark_pitch;
    let frame = Frame {
        x: 0.0,
        floor,
        width,
        height,
    };

    let count = memo(move || scene.look(|scene| scene.slots.len()));
    let door = move |index: usize| {
        let slot = memo(move || scene.look(|scene| scene.slots.get(index).cloned()));
        let x = live(move || {
            scene.look(|scene| format!("translate({},0)", decimal(lengths.x(scale, &scene.slots, index))))
        });
        door::view(slot, x, scale != Scale::Small, frame)
    };
    let doors = each(move || (0..count.get()).collect(), ToString::to_string, door);
    let length = move || scene.look(|scene| scene.threshold + scene.length * lengths.mark_pitch);
    let way = turn.filter(|_| opening).map(|turn| {
        let to = move || {
            scene.look(|scene| {
                let own = scene.slots.iter().position(|slot| slot.has(turn));
                lengths.x(scale, &scene.slots, own.unwrap_or(scene.slots.len().saturating_sub(1)))
            })
        };
        let first = scene.peek(|scene| scene.threshold) + lengths.mark_pitch;
        opening::view(live(to), first, mark, frame)
    });

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
                {each(items, |item| item.key().to_string(), row)}
                {way}
            </svg>
        </div>
    }
    .erase()
}

impl Lengths {
    /// How much room a door takes.
    fn room(&self, scale: Scale, slot: &Slot) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a few characters")]
        let words = match (slot.count, scale) {
            (1, _) => 0.0,
            (_, Scale::Small) => 4.0,
            (count, _) => self.door.0 * 0.25 + (count.to_string().len() + 2) as f64 * self.character,
        };
        self.door_pitch + words
    }

    /// Where one of the doors stands.
    fn x(&self, scale: Scale, slots: &[Slot], index: usize) -> f64 {
        1.0 + slots.iter().take(index).map(|slot| self.room(scale, slot)).sum::<f64>()
    }
}

/// What a drawing is of.
struct Drawn {
    scale: Scale,
    turn: Option<TurnId>,
    told: f64,
}

impl Drawn {
    fn scene(&self, status: &Status, line: Option<&LineView>, before: Option<&Scene>, known: Doors) -> Scene {
        let lengths = self.scale.lengths();
        let places = status
            .places
            .iter()
            .filter(|place| place.event == Event::Chat && line.is_some_and(|line| place.model == line.model));
        let positions: Vec<u64> = places.clone().map(|place| place.position).collect();
        let own = places
            .filter(|_| self.turn.is_some())
            .find(|place| place.turn == self.turn);
        let mine = Mine {
            positions: &positions,
            turn: self.turn,
            position: own.map(|place| place.position),
        };
        let style = Style {
            most: lengths.most,
            // The words beside the small line say how many wait.
            counted: (self.scale != Scale::Small).then(words),
            character: lengths.character / lengths.mark_pitch,
        };
        let mut scene = Scene::of(line, mine, (self.told, &known.of(line)), style, before);
        scene.threshold = lengths.x(self.scale, &scene.slots, scene.slots.len()) - 1.0 + lengths.mark;
        scene
    }
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
