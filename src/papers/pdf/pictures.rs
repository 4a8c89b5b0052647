//! The pictures that pages show: JPEG as it is, pixels as PNG. What is of another form is counted, and left out.

use std::{collections::HashSet, time::Instant};

use lopdf::{Dictionary, Document, Object, ObjectId, Stream};

use super::png::{Colours, Pixels};
use crate::papers::pictures::{Format, MAX_ALL_BYTES, MAX_PICTURE_BYTES, MAX_PICTURES, Picture};

/// Shortest side of one that may show something. Rules, bullets and icons are smaller.
const MIN_SIDE: i64 = 64;
/// Longest side that models' servers take.
const MAX_SIDE: i64 = 8000;
/// Longest side of what is written as PNG: models look at no more.
const LONGEST: usize = 2000;
/// Most bytes of pixels, unpacked.
const MAX_PIXELS: usize = 64 * 1024 * 1024;
/// Most bytes of a table of colours: 256 of three.
const MAX_TABLE: usize = 3 * 256;
/// Most pictures that are counted.
const MAX_COUNTED: usize = 10_000;
/// How deep colours may lie in each other.
const MAX_DEPTH: u32 = 4;

/// Which pictures the pages show, each once.
#[derive(Default)]
pub(super) struct Shown {
    page: u32,
    known: HashSet<ObjectId>,
    all: Vec<(u32, ObjectId)>,
}

/// What has become of them.
#[derive(Default)]
pub(in crate::papers) struct Taken {
    pub(in crate::papers) pictures: Vec<Picture>,
    /// How many were left out.
    pub(in crate::papers) left_out: u32,
}

impl Shown {
    /// What follows is on this page, from 1.
    pub(super) const fn begin_page(&mut self, page: u32) {
        self.page = page;
    }

    /// A page shows this picture.
    pub(super) fn add(&mut self, document: &Document, id: ObjectId, about: &Dictionary) {
        let is_mask = about.get_deref(b"ImageMask", document).and_then(Object::as_bool);
        let is_mask = is_mask.is_ok_and(|mask| mask);
        let is_large = [b"Width".as_slice(), b"Height"]
            .iter()
            .all(|side| number(document, about, side).is_some_and(|side| side >= MIN_SIDE));
        if is_large && !is_mask && self.all.len() < MAX_COUNTED && self.known.insert(id) {
            self.all.push((self.page, id));
        }
    }

    /// Takes them out of the document, in the order of the pages, as long as there is time.
    pub(super) fn take(self, document: &Document, until: Instant) -> Taken {
        let mut pictures = Vec::new();
        let (mut room, mut left_out) = (MAX_ALL_BYTES, 0_u32);
        for (page, id) in self.all {
            let taken = (pictures.len() < MAX_PICTURES && Instant::now() < until)
                .then(|| document.get_object(id).and_then(Object::as_stream).ok())
                .flatten()
                .and_then(|stream| picture(document, stream))
                .filter(|(_, bytes)| bytes.len() <= room.min(MAX_PICTURE_BYTES));
            match taken {
                Some((format, bytes)) => {
                    room -= bytes.len();
                    pictures.push(Picture {
                        page,
                        format,
                        bytes: bytes.into(),
                    });
                }
                None => left_out = left_out.saturating_add(1),
            }
        }
        Taken { pictures, left_out }
    }
}

/// One, as a model's server takes it. `None`: it is of a form that none takes, or damaged, or too large.
fn picture(document: &Document, stream: &Stream) -> Option<(Format, Vec<u8>)> {
    let filters = filters(document, &stream.dict)?;
    match filters.split_last() {
        Some((Filter { name: b"DCTDecode", .. }, before)) => {
            let bytes = unpacked(stream, before, MAX_PICTURE_BYTES)?;
            fits(&bytes)?.then_some((Format::Jpeg, bytes))
        }
        _ => {
            let pixels = pixels(document, stream, &filters)?;
            Some((Format::Png, pixels.at_most(LONGEST).png().ok()?))
        }
    }
}

/// One way in which a content is packed.
struct Filter<'d> {
    name: &'d [u8],
    /// How; empty: as usual.
    how: Dictionary,
}

/// The ways in which a content is packed, the last one to be undone last. `None`: that makes no sense.
fn filters<'d>(document: &'d Document, about: &'d Dictionary) -> Option<Vec<Filter<'d>>> {
    let list = |key: &[u8]| match about.get_deref(key, document) {
        Ok(Object::Array(all)) => all
            .iter()
            .map(|one| document.dereference(one).map_or(&Object::Null, |(_, one)| one))
            .collect(),
        Ok(one) => vec![one],
        Err(_) => Vec::new(),
    };
    let how = list(b"DecodeParms");
    let names = list(b"Filter").into_iter().enumerate();
    names
        .map(|(at, name)| {
            Some(Filter {
                name: name.as_name().ok()?,
                how: how
                    .get(at)
                    .and_then(|how| how.as_dict().ok())
                    .cloned()
                    .unwrap_or_default(),
            })
        })
        .collect()
}

/// A content with these ways of packing undone. `None`: it is damaged, or has more bytes than that.
fn unpacked(stream: &Stream, filters: &[Filter<'_>], most: usize) -> Option<Vec<u8>> {
    if filters.is_empty() {
        return (stream.content.len() <= most).then(|| stream.content.clone());
    }
    let mut about = Dictionary::new();
    let names = filters.iter().map(|filter| Object::Name(filter.name.to_vec()));
    about.set("Filter", Object::Array(names.collect()));
    let how = filters.iter().map(|filter| Object::Dictionary(filter.how.clone()));
    about.set("DecodeParms", Object::Array(how.collect()));
    let packed = Stream::new(about, stream.content.clone());
    packed.get_plain_content_with_limit(most).ok()
}

/// Whether a JPEG is one that is shown everywhere, by its own head: what the PDF says of it need not be so. `None`: it is none.
fn fits(bytes: &[u8]) -> Option<bool> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        // Any number of these may stand before a marker.
        while let Some(after) = rest.strip_prefix(&[0xFF, 0xFF]) {
            rest = &rest[rest.len() - after.len() - 1..];
        }
        let &[0xFF, marker, high, low, ref segment @ ..] = rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low])).checked_sub(2)?;
        match marker {
            // Baseline, extended and progressive.
            0xC0..=0xC2 => {
                let &[bits, h1, h0, w1, w0, components, ..] = segment else {
                    return None;
                };
                let side = |bytes| (MIN_SIDE..=MAX_SIDE).contains(&i64::from(u16::from_be_bytes(bytes)));
                // Four components are inks, which are shown in different ways.
                return Some(bits == 8 && side([h1, h0]) && side([w1, w0]) && matches!(components, 1 | 3));
            }
            // The pixels begin, or it is of a kind that is seldom read.
            0xC3 | 0xC5..=0xC7 | 0xC9..=0xCF | 0xD9 | 0xDA => return None,
            _ => rest = segment.get(length..)?,
        }
    }
}

/// What is no JPEG, and is unpacked to pixels.
fn pixels(document: &Document, stream: &Stream, filters: &[Filter<'_>]) -> Option<Pixels> {
    let side = |name| {
        let side = number(document, &stream.dict, name)?;
        (MIN_SIDE..=MAX_SIDE)
            .contains(&side)
            .then(|| usize::try_from(side).ok())?
    };
    let (width, height) = (side(b"Width")?, side(b"Height")?);
    let bits = u8::try_from(number(document, &stream.dict, b"BitsPerComponent")?).ok()?;
    let colours = colours(document, stream.dict.get(b"ColorSpace").ok()?, 0)?;
    if !matches!(bits, 1 | 2 | 4 | 8) || (bits < 8 && colours == Colours::Rgb) {
        return None;
    }
    let inverted = match stream.dict.get_deref(b"Decode", document).and_then(Object::as_array) {
        Ok(decode) => is_inverted(decode, &colours, bits)?,
        Err(_) => false,
    };
    let mut pixels = Pixels {
        width,
        height,
        bits,
        colours,
        samples: Vec::new(),
    };
    let bytes = pixels.row().checked_mul(height).filter(|bytes| *bytes <= MAX_PIXELS)?;
    if !filters.iter().all(|filter| pixels.are_rows_of(document, &filter.how)) {
        return None;
    }
    // Rows may have a byte more before they are put together, and lines may end behind the last.
    let mut samples = unpacked(stream, filters, bytes + height + 1024)?;
    if samples.len() < bytes {
        return None;
    }
    samples.truncate(bytes);
    if inverted {
        samples.iter_mut().for_each(|sample| *sample = !*sample);
    }
    pixels.samples = samples;
    if let Colours::Palette(table) = &mut pixels.colours {
        // A number without a colour would make a PNG that nobody reads.
        table.resize(3 << bits, 0);
    }
    Some(pixels)
}

impl Pixels {
    /// Whether rows that are told by what they differ in are those of this picture. Others could be as long as they like.
    fn are_rows_of(&self, document: &Document, how: &Dictionary) -> bool {
        let of = |key: &[u8], usual| number(document, how, key).unwrap_or(usual);
        of(b"Predictor", 1) <= 1
            || of(b"Columns", 1) == self.width as i64
                && of(b"Colors", 1) == self.colours.samples() as i64
                && of(b"BitsPerComponent", 8) == i64::from(self.bits)
    }
}

/// Whether samples mean the opposite. `None`: they mean something else than usual.
fn is_inverted(decode: &[Object], colours: &Colours, bits: u8) -> Option<bool> {
    let most = match colours {
        Colours::Palette(_) => f64::from((1_u32 << bits) - 1),
        Colours::Gray | Colours::Rgb => 1.0,
    };
    let decode: Vec<f64> = decode.iter().map(super::page::number).collect::<Option<_>>()?;
    let is = |from: f64, to: f64| decode.chunks(2).all(|pair| pair == [from, to].as_slice());
    match (is(0.0, most), is(most, 0.0)) {
        (true, _) => Some(false),
        (_, true) if *colours == Colours::Gray || *colours == Colours::Rgb => Some(true),
        _ => None,
    }
}

/// What samples mean. `None`: inks, or what takes more to be shown than we do.
fn colours<'d>(document: &'d Document, space: &'d Object, depth: u32) -> Option<Colours> {
    if depth > MAX_DEPTH {
        return None;
    }
    let at = |object: &'d Object| Some(document.dereference(object).ok()?.1);
    match at(space)? {
        Object::Name(name) => match name.as_slice() {
            b"DeviceGray" | b"CalGray" => Some(Colours::Gray),
            b"DeviceRGB" | b"CalRGB" => Some(Colours::Rgb),
            _ => None,
        },
        Object::Array(parts) => match (at(parts.first()?)?.as_name().ok()?, parts.get(1..)?) {
            (b"CalGray", _) => Some(Colours::Gray),
            (b"CalRGB", _) => Some(Colours::Rgb),
            (b"ICCBased", [profile, ..]) => match number(document, &at(profile)?.as_stream().ok()?.dict, b"N")? {
                1 => Some(Colours::Gray),
                3 => Some(Colours::Rgb),
                _ => None,
            },
            (b"Indexed", [base, _, table, ..]) => {
                let base = colours(document, base, depth + 1)?;
                let table = match at(table)? {
                    Object::String(table, _) => table.clone(),
                    Object::Stream(table) => table.get_plain_content_with_limit(4 * MAX_TABLE).ok()?,
                    _ => return None,
                };
                let mut of_three: Vec<u8> = match base {
                    Colours::Rgb => table,
                    Colours::Gray => table.into_iter().flat_map(|gray| [gray; 3]).collect(),
                    Colours::Palette(_) => return None,
                };
                of_three.truncate(MAX_TABLE);
                Some(Colours::Palette(of_three))
            }
            _ => None,
        },
        _ => None,
    }
}

fn number(document: &Document, about: &Dictionary, name: &[u8]) -> Option<i64> {
    about.get_deref(name, document).ok()?.as_i64().ok()
}
