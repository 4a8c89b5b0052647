//! The counted tree against a sorted vector.

use proptest::prelude::*;

use crate::queue::machine::rank::RankTree;

fn agrees(tree: &RankTree<u32>, plain: &[u32], probe: u32) {
    assert_eq!(tree.len(), plain.len());
    assert_eq!(tree.first(), plain.first().copied());
    assert_eq!(tree.last(), plain.last().copied());
    let nth = probe as usize % (plain.len() + 1);
    assert_eq!(tree.nth(nth), plain.get(nth).copied());
    assert_eq!(tree.rank(probe), plain.partition_point(|key| *key < probe));
}

proptest! {
    #[test]
    fn agrees_with_a_sorted_vector(steps in prop::collection::vec((0..4_u8, 0..2_000_u32), 1..3_000)) {
        let (mut tree, mut plain) = (RankTree::new(), Vec::new());
        for (step, key) in steps {
            match (step, plain.binary_search(&key)) {
                (0 | 1, Err(at)) => {
                    tree.insert(key);
                    plain.insert(at, key);
                }
                (2, found) => {
                    assert_eq!(tree.remove(key), found.is_ok());
                    if let Ok(at) = found {
                        plain.remove(at);
                    }
                }
                (3, _) if !plain.is_empty() => assert!(tree.remove(plain.remove(0))),
                _ => {}
            }
            agrees(&tree, &plain, key);
        }
        let half = plain.len() / 2;
        assert_eq!(tree.smallest(half), plain[..half]);
        while let Some(key) = plain.pop() {
            assert!(tree.remove(key));
            agrees(&tree, &plain, key);
        }
    }
}

/// A line that grows at its end and is served at its front, and is emptied and filled again.
#[test]
fn a_long_queue_stays_exact() {
    let mut tree = RankTree::new();
    for round in 0..3_u32 {
        let base = round * 100_000;
        (0..20_000).for_each(|key| tree.insert(base + key));
        for key in 0..20_000 {
            assert_eq!(tree.rank(base + 20_000 + key / 2), 20_000 - (key - key / 2) as usize);
            assert_eq!(tree.first(), Some(base + key));
            assert!(tree.remove(base + key));
            if key % 2 == 0 {
                tree.insert(base + 20_000 + key / 2);
            }
        }
        assert_eq!(tree.smallest(usize::MAX).len(), 10_000);
        (0..10_000).for_each(|key| assert!(tree.remove(base + 20_000 + key)));
        assert_eq!(tree.first(), None);
    }
}
