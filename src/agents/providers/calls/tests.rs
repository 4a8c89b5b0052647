use proptest::prelude::*;

use super::*;

/// `(id, name, arguments)` of each call.
fn heard(pieces: &[Piece<'_>]) -> Vec<(String, String, String)> {
    let mut calls = Calls::default();
    for piece in pieces {
        calls.add(piece.clone()).expect("small enough");
    }
    let told = |call: ToolCall| (call.id, call.name, call.arguments);
    calls.finish().into_iter().map(told).collect()
}

fn piece<'a>(place: Option<u64>, id: &'a str, name: &'a str, arguments: &'a str) -> Piece<'a> {
    Piece {
        place,
        id,
        name,
        arguments: arguments.as_bytes(),
        opaque: None,
    }
}

fn expected(calls: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    calls
        .iter()
        .map(|(id, name, arguments)| ((*id).to_owned(), (*name).to_owned(), (*arguments).to_owned()))
        .collect()
}

#[test]
fn pieces_of_several_calls_find_theirs_however_their_server_tells_them_apart() {
    for (pieces, calls) in [
        // By number, interleaved.
        (
            vec![
                piece(Some(0), "a", "add", ""),
                piece(Some(1), "b", "sub", "{\"x\""),
                piece(Some(0), "", "", "{\"y\":1"),
                piece(Some(1), "", "", ":2}"),
                piece(Some(0), "", "", "}"),
            ],
            vec![("a", "add", "{\"y\":1}"), ("b", "sub", "{\"x\":2}")],
        ),
        // All numbered 0, each whole, with ids and without.
        (
            vec![piece(Some(0), "a", "add", "{}"), piece(Some(0), "b", "add", "{}")],
            vec![("a", "add", "{}"), ("b", "add", "{}")],
        ),
        (
            vec![
                piece(Some(0), "", "add", "{}"),
                piece(Some(0), "", "add", "{}"),
                piece(Some(0), "", "sub", "{}"),
            ],
            vec![
                ("made00001", "add", "{}"),
                ("made00002", "add", "{}"),
                ("made00003", "sub", "{}"),
            ],
        ),
        // Without numbers: by id, or one after the other.
        (
            vec![
                piece(None, "a", "add", "{\"x\":"),
                piece(None, "b", "add", "{"),
                piece(None, "a", "", "1}"),
                piece(None, "b", "", "}"),
            ],
            vec![("a", "add", "{\"x\":1}"), ("b", "add", "{}")],
        ),
        (
            vec![
                piece(None, "", "add", "{\"x\":"),
                piece(None, "", "", "1}"),
                piece(None, "", "add", "{\"x\":2}"),
            ],
            vec![("made00001", "add", "{\"x\":1}"), ("made00002", "add", "{\"x\":2}")],
        ),
        // The name, or the id too, with every piece.
        (
            vec![
                piece(Some(0), "", "add", "{\"x\":"),
                piece(Some(0), "", "add", "{}"),
                piece(Some(0), "", "add", "}"),
                piece(Some(0), "", "add", ""),
            ],
            vec![("made00001", "add", "{\"x\":{}}")],
        ),
        (
            vec![piece(None, "a", "add", "{"), piece(None, "a", "add", "}")],
            vec![("a", "add", "{}")],
        ),
        // No arguments; no name; the same id twice; an id that looks as if it were made here.
        (vec![piece(Some(0), "a", "now", "")], vec![("a", "now", "{}")]),
        (vec![piece(Some(0), "a", "", "{}")], vec![]),
        (
            vec![
                piece(Some(0), "a", "add", "{}"),
                piece(Some(1), "a", "sub", "{}"),
                piece(Some(2), "made00001", "mul", "{}"),
            ],
            vec![
                ("a", "add", "{}"),
                ("made00002", "sub", "{}"),
                ("made00001", "mul", "{}"),
            ],
        ),
    ] {
        assert_eq!(heard(&pieces), expected(&calls), "{pieces:?}");
    }
}

#[test]
fn arguments_that_come_whole_count_where_no_pieces_do() {
    for (pieces, arguments) in [(&[][..], "{\"x\":1}"), (&["{\"y\"", ":2}"], "{\"y\":2}")] {
        let mut calls = Calls::default();
        let begun = piece(Some(3), "a", "add", "");
        calls.begin(begun, Some("{\"x\":1}".to_owned())).expect("small enough");
        for text in pieces {
            calls.add(piece(Some(3), "", "", text)).expect("small enough");
        }
        assert_eq!(calls.finish()[0].arguments, arguments);
    }
}

#[test]
fn calls_are_bounded_in_every_way() {
    let too_large = |outcome: Result<(), Fault>| outcome.expect_err("too large").error == AgentError::CallsTooLarge;
    let mut calls = Calls::default();
    for place in 0..MOST_CALLS as u64 {
        calls
            .add(piece(Some(place), "", "add", "{}"))
            .expect("as many as are taken");
    }
    assert!(too_large(calls.add(piece(Some(1000), "", "add", "{}"))));
    assert_eq!(calls.finish().len(), MOST_CALLS);

    let mut calls = Calls::default();
    let half = "x".repeat(MOST_BYTES / 2);
    for _ in 0..2 {
        calls
            .add(piece(Some(0), "a", "add", &half))
            .expect("as much as is taken");
    }
    assert!(too_large(calls.add(piece(Some(0), "", "", "x"))));
    let long = "x".repeat(MOST_BYTES + 1);
    assert!(too_large(Calls::default().add(piece(None, &long, "add", ""))));
    assert!(too_large(Calls::default().add(piece(None, "a", &long, ""))));
    assert!(too_large(
        Calls::default().begin(piece(None, "a", "add", ""), Some(long.clone()))
    ));
    let opaque = Piece {
        opaque: Some(long),
        ..piece(None, "a", "add", "")
    };
    assert!(too_large(Calls::default().add(opaque)));
}

#[test]
fn ids_that_are_made_here_are_known_as_such() {
    assert!(is_made(&made(1)) && is_made(&made(123_456)));
    for id in ["", "made", "made1", "made0000x", "call_1", "toolu_01A"] {
        assert!(!is_made(id), "{id}");
    }
}

proptest! {
    /// Each call is cut anywhere, also within characters, and the pieces of all of them are shuffled into each other.
    #[test]
    fn calls_that_are_cut_anywhere_and_mixed_are_the_same(
        texts in proptest::collection::vec("\\PC{0,12}", 1..6),
        cuts in proptest::collection::vec((0..6_usize, 1..4_usize), 0..60),
    ) {
        let whole: Vec<String> = texts.iter().map(|text| serde_json::json!({ "x": text }).to_string()).collect();
        let ids: Vec<String> = (0..whole.len()).map(|at| format!("id{at}")).collect();
        let mut calls = Calls::default();
        let mut rest: Vec<&[u8]> = whole.iter().map(String::as_bytes).collect();
        for (at, id) in ids.iter().enumerate() {
            calls.add(piece(Some(at as u64), id, "add", "")).expect("small enough");
        }
        let all = (0..whole.len()).map(|at| (at, usize::MAX));
        for (at, length) in cuts.into_iter().chain(all) {
            let Some(text) = rest.get_mut(at) else { continue };
            let (arguments, after) = text.split_at(length.min(text.len()));
            *text = after;
            calls.add(Piece { arguments, ..piece(Some(at as u64), "", "", "") }).expect("small enough");
        }
        let heard: Vec<_> = calls.finish().into_iter().map(|call| (call.id, call.arguments)).collect();
        prop_assert_eq!(heard, ids.into_iter().zip(whole).collect::<Vec<_>>());
    }

    /// Whatever comes, there is no more than is allowed, each call has a name, and no two have the same id.
    #[test]
    fn what_comes_out_is_sound(
        pieces in proptest::collection::vec((proptest::option::of(0..4_u64), "[ab]{0,2}", "[fg]{0,2}", "[{}\"x:1]{0,4}"), 0..80),
    ) {
        let mut calls = Calls::default();
        for (place, id, name, arguments) in &pieces {
            if calls.add(piece(*place, id, name, arguments)).is_err() {
                break;
            }
        }
        let heard = calls.finish();
        prop_assert!(heard.len() <= MOST_CALLS);
        let ids: HashSet<_> = heard.iter().map(|call| &call.id).collect();
        prop_assert_eq!(ids.len(), heard.len());
        prop_assert!(heard.iter().all(|call| !call.name.is_empty() && !call.arguments.is_empty()));
    }
}
