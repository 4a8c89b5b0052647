//! That code can be read: the contrast of its colours, as WCAG 2.2 defines it.

use crate::markdown::highlight::CLASSES;

const CSS: &str = include_str!("../../../style/code.css");

/// The custom properties with colours, one list for each theme that the sheet states.
fn themes() -> Vec<Vec<(&'static str, [u8; 3])>> {
    let mut themes: Vec<Vec<_>> = Vec::new();
    for line in CSS.lines() {
        let Some((name, colour)) = line
            .trim()
            .strip_prefix("--code-")
            .and_then(|rest| rest.split_once(": #"))
        else {
            continue;
        };
        let number = u32::from_str_radix(colour.trim_end_matches(';'), 16).expect("a colour of six digits");
        if name == "bg" {
            themes.push(Vec::new());
        }
        let [_, colour @ ..] = number.to_be_bytes();
        themes
            .last_mut()
            .expect("the background comes first")
            .push((name, colour));
    }
    themes
}

fn luminance(colour: [u8; 3]) -> f64 {
    let [red, green, blue] = colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn code_colours_can_be_read() {
    let themes = themes();
    assert_eq!(themes.len(), 3, "light, dark by the system, dark by choice");
    assert_eq!(themes[1], themes[2]);
    assert_eq!(themes[0].len(), themes[1].len());
    for theme in themes {
        let [("bg", background), colours @ ..] = theme.as_slice() else {
            panic!("the background comes first")
        };
        for (name, colour) in colours.iter().filter(|(name, _)| *name != "line") {
            let contrast = contrast(*colour, *background);
            assert!(contrast >= 4.5, "--code-{name} has a contrast of {contrast:.2}");
        }
    }
}

#[test]
fn every_class_has_its_colour_and_every_property_is_set() {
    for class in CLASSES {
        assert!(CSS.contains(&format!(".{class} {{ color: var(--code-")), "{class}");
    }
    let set: Vec<&str> = themes()[0].iter().map(|(name, _)| *name).collect();
    for used in CSS
        .split("var(--code-")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        assert!(set.contains(&used), "--code-{used}");
    }
}
