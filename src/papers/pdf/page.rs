//! What a page draws: its operators, as far as they show text and pictures.

use std::{collections::HashMap, rc::Rc, time::Instant};

use lopdf::{
    Dictionary, Document, Object, ObjectId,
    content::{Content, Operation},
};

use super::{
    MAX_CONTENT,
    fonts::{Font, Fonts},
    lines::{Lines, Piece, Point},
    pictures::Shown,
};

/// How deep drawings may lie in each other.
const MAX_DEPTH: usize = 8;
/// Most operators of one page.
const MAX_OPERATORS: usize = 5_000_000;
/// How many there are between two looks at the clock.
const LOOK: usize = 4096;
/// Most bytes of one page's text.
const MAX_PAGE: usize = 2 * 1024 * 1024;
/// How many states a page may put aside.
const MAX_STATES: usize = 1000;
/// Most bytes of drawings that are kept unpacked.
const MAX_FORMS: usize = 32 * 1024 * 1024;

/// Drawings that pages have in common, unpacked.
pub(super) type Forms = HashMap<ObjectId, Rc<Vec<u8>>>;

/// `x' = ax + cy + e`, `y' = bx + dy + f`.
#[derive(Clone, Copy)]
struct Matrix {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
    e: f64,
    f: f64,
}

impl Matrix {
    const UNIT: Self = Self {
        a: 1.0,
        b: 0.0,
        c: 0.0,
        d: 1.0,
        e: 0.0,
        f: 0.0,
    };

    fn of(operands: &[Object]) -> Option<Self> {
        let [a, b, c, d, e, f] = operands else { return None };
        Some(Self {
            a: number(a)?,
            b: number(b)?,
            c: number(c)?,
            d: number(d)?,
            e: number(e)?,
            f: number(f)?,
        })
    }

    /// This one first, then `after`.
    fn then(self, after: Self) -> Self {
        Self {
            a: self.a * after.a + self.b * after.c,
            b: self.a * after.b + self.b * after.d,
            c: self.c * after.a + self.d * after.c,
            d: self.c * after.b + self.d * after.d,
            e: self.e * after.a + self.f * after.c + after.e,
            f: self.e * after.b + self.f * after.d + after.f,
        }
    }

    fn moved(self, x: f64, y: f64) -> Self {
        Self {
            e: self.a * x + self.c * y + self.e,
            f: self.b * x + self.d * y + self.f,
            ..self
        }
    }
}

#[derive(Clone)]
struct State {
    /// From the drawing to the page.
    page: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    leading: f64,
    between_letters: f64,
    between_words: f64,
    stretch: f64,
    rise: f64,
}

/// A page that is being drawn.
pub(super) struct Drawing<'d, 'w> {
    document: &'d Document,
    fonts: &'w mut Fonts<'d>,
    forms: &'w mut Forms,
    pictures: &'w mut Shown,
    lines: Lines<'w>,
    operators: usize,
    until: Instant,
    /// Whether something was left out.
    cut: bool,
    shown: String,
}

impl<'d, 'w> Drawing<'d, 'w> {
    pub(super) fn new(
        document: &'d Document,
        fonts: &'w mut Fonts<'d>,
        (forms, pictures): (&'w mut Forms, &'w mut Shown),
        lines: Lines<'w>,
        until: Instant,
    ) -> Self {
        Self {
            document,
            fonts,
            forms,
            pictures,
            lines,
            operators: 0,
            until,
            cut: false,
            shown: String::new(),
        }
    }

    /// `false`: not all of it, because it is too much.
    pub(super) fn draw_page(&mut self, page: ObjectId, content: &[u8]) -> bool {
        let resources: Vec<&Dictionary> = match self.document.get_page_resources(page) {
            Ok((inline, referred)) => {
                let referred = referred
                    .into_iter()
                    .filter_map(|id| self.document.get_dictionary(id).ok());
                inline.into_iter().chain(referred).collect()
            }
            // Its parents are in a circle: what it has itself is enough.
            Err(_) => {
                let own = self
                    .document
                    .get_dictionary(page)
                    .and_then(|page| page.get_deref(b"Resources", self.document));
                own.and_then(Object::as_dict).into_iter().collect()
            }
        };
        let state = State {
            page: Matrix::UNIT,
            font: None,
            size: 1.0,
            leading: 0.0,
            between_letters: 0.0,
            between_words: 0.0,
            stretch: 1.0,
            rise: 0.0,
        };
        self.draw(content, &resources, state, 0);
        !self.cut
    }

    /// What is called so in the resources.
    fn resource(&self, resources: &[&'d Dictionary], kind: &[u8], name: &[u8]) -> Option<&'d Object> {
        resources.iter().find_map(|resources| {
            let kind = resources.get_deref(kind, self.document).ok()?.as_dict().ok()?;
            kind.get(name).ok()
        })
    }

    fn draw(&mut self, content: &[u8], resources: &[&'d Dictionary], mut state: State, depth: usize) {
        let mut aside = Vec::new();
        let (mut text, mut line) = (Matrix::UNIT, Matrix::UNIT);
        for operation in Content::decode_iter(content) {
            let Ok(Operation { operator, operands }) = operation else {
                return;
            };
            self.operators += 1;
            let late = || self.operators.is_multiple_of(LOOK) && Instant::now() > self.until;
            if self.cut || self.operators > MAX_OPERATORS || self.lines.len() > MAX_PAGE || late() {
                self.cut = true;
                return;
            }
            let at = |index: usize| operands.get(index).and_then(number).unwrap_or(0.0);
            match operator.as_str() {
                "q" if aside.len() < MAX_STATES => aside.push(state.clone()),
                "Q" => {
                    if let Some(before) = aside.pop() {
                        state = before;
                    }
                }
                "cm" => {
                    if let Some(matrix) = Matrix::of(&operands) {
                        state.page = matrix.then(state.page);
                    }
                }
                "BT" => (text, line) = (Matrix::UNIT, Matrix::UNIT),
                "Tf" => {
                    let name = operands
                        .first()
                        .and_then(|name| name.as_name().ok())
                        .unwrap_or_default();
                    let font = self.resource(resources, b"Font", name);
                    let font = font.and_then(|font| self.document.dereference(font).ok()?.1.as_dict().ok());
                    state.font = font.map(|font| self.fonts.get(font));
                    state.size = at(1);
                }
                "Tc" => state.between_letters = at(0),
                "Tw" => state.between_words = at(0),
                "Tz" => state.stretch = at(0) / 100.0,
                "TL" => state.leading = at(0),
                "Ts" => state.rise = at(0),
                "Td" | "TD" => {
                    if operator == "TD" {
                        state.leading = -at(1);
                    }
                    line = line.moved(at(0), at(1));
                    text = line;
                }
                "Tm" => {
                    if let Some(matrix) = Matrix::of(&operands) {
                        (text, line) = (matrix, matrix);
                    }
                }
                "T*" => {
                    line = line.moved(0.0, -state.leading);
                    text = line;
                }
                "Tj" => self.show(&state, &mut text, operands.first()),
                "'" | "\"" => {
                    if operator == "\"" {
                        (state.between_words, state.between_letters) = (at(0), at(1));
                    }
                    line = line.moved(0.0, -state.leading);
                    text = line;
                    self.show(&state, &mut text, operands.last());
                }
                "TJ" => {
                    for one in operands
                        .first()
                        .and_then(|list| list.as_array().ok())
                        .into_iter()
                        .flatten()
                    {
                        match number(one) {
                            Some(back) => text = text.moved(-back / 1000.0 * state.size * state.stretch, 0.0),
                            None => self.show(&state, &mut text, Some(one)),
                        }
                    }
                }
                "Do" => {
                    let name = operands
                        .first()
                        .and_then(|name| name.as_name().ok())
                        .unwrap_or_default();
                    if let Some(drawn) = self.resource(resources, b"XObject", name) {
                        self.draw_form(drawn, resources, &state, depth);
                    }
                }
                _ => {}
            }
        }
    }

    /// Draws what is drawn within a drawing.
    fn draw_form(&mut self, drawn: &'d Object, around: &[&'d Dictionary], state: &State, depth: usize) {
        let Ok((Some(id), Object::Stream(form))) = self.document.dereference(drawn) else {
            return;
        };
        let kind = form.dict.get(b"Subtype").and_then(Object::as_name);
        match kind.unwrap_or_default() {
            b"Form" if depth < MAX_DEPTH => {}
            b"Image" => return self.pictures.add(self.document, id, &form.dict),
            _ => return,
        }
        let content = match self.forms.get(&id) {
            Some(known) => Rc::clone(known),
            None => {
                let Ok(content) = form.get_plain_content_with_limit(MAX_CONTENT) else {
                    return;
                };
                let content = Rc::new(content);
                let kept: usize = self.forms.values().map(|form| form.len()).sum();
                if kept + content.len() <= MAX_FORMS {
                    self.forms.insert(id, Rc::clone(&content));
                }
                content
            }
        };
        let mut state = state.clone();
        let matrix = form.dict.get_deref(b"Matrix", self.document).and_then(Object::as_array);
        if let Some(matrix) = matrix.ok().and_then(|matrix| Matrix::of(matrix)) {
            state.page = matrix.then(state.page);
        }
        let own = form
            .dict
            .get_deref(b"Resources", self.document)
            .and_then(Object::as_dict);
        match own {
            Ok(own) => self.draw(&content, &[own], state, depth + 1),
            Err(_) => self.draw(&content, around, state, depth + 1),
        }
    }

    /// Shows a string, and moves on to its end.
    fn show(&mut self, state: &State, text: &mut Matrix, string: Option<&Object>) {
        let (Some(font), Some(Ok(bytes))) = (&state.font, string.map(Object::as_str)) else {
            return;
        };
        self.shown.clear();
        let shown = font.show(bytes, &mut self.shown);
        let width = shown.width * state.size
            + f64::from(shown.codes) * state.between_letters
            + f64::from(shown.spaces) * state.between_words;
        let whole = text.then(state.page);
        let from = whole.moved(0.0, state.rise);
        let to = whole.moved(width * state.stretch, state.rise);
        *text = text.moved(width * state.stretch, 0.0);
        let across = whole.a.hypot(whole.b);
        if across == 0.0 || !from.e.is_finite() || !to.e.is_finite() {
            return;
        }
        // Gaps before what is shown belong to it.
        self.lines.add(&Piece {
            text: &self.shown,
            from: Point { x: from.e, y: from.f },
            to: Point { x: to.e, y: to.f },
            way: Point {
                x: whole.a / across * state.size.signum(),
                y: whole.b / across * state.size.signum(),
            },
            size: (whole.c.hypot(whole.d) * state.size).abs(),
        });
    }
}

pub(super) fn number(object: &Object) -> Option<f64> {
    match object {
        Object::Integer(number) => Some(*number as f64),
        Object::Real(number) => Some(f64::from(*number)),
        _ => None,
    }
}
