//! What the worker is made of.

use super::*;

fn build(script: &str) -> &str {
    script.lines().next().expect("a line")
}

#[test]
fn each_build_has_a_name_of_its_own() {
    let [one, same, other] = ["a { x: 1 }", "a { x: 1 }", "a { x: 2 }"].map(worker);
    assert_eq!(one, same);
    assert!(build(&one).starts_with("const BUILD = \""), "{}", build(&one));
    assert_ne!(build(&one), build(&other));
}

#[test]
fn what_is_shown_has_its_places_and_needs_nothing_from_elsewhere() {
    for language in Language::ALL {
        let shell = page::shell(language);
        assert!(shell.starts_with("<!DOCTYPE html><html lang=\""), "{shell}");
        for (place, count) in [
            ("<style>/*STYLE*/</style>", 1),
            (">/*TOLD*/</script>", 1),
            ("/*STYLE*/", 1),
            ("/*TOLD*/", 1),
            ("nonce=\"NONCE\"", 2),
            ("NONCE", 2),
            ("<script", 2),
            ("<time></time>", 2),
        ] {
            assert_eq!(shell.matches(place).count(), count, "{place}: {shell}");
        }
        assert!(!shell.contains("/pkg/") && !shell.contains(" src="), "{shell}");
        // Its script stands there as it was written.
        assert!(shell.contains(include_str!("page.js")));
        assert!(worker("").contains(&json!(shell).to_string()));
    }
}

#[test]
fn pages_are_those_of_the_site() {
    let script = worker("");
    assert!(
        script.contains("const PAGES = [\"/\",\"/stats\",\"/logs\",\"/data\"];"),
        "{script}"
    );
}
