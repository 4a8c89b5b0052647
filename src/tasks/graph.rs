//! Which task of a batch needs which.

use petgraph::{algo::kosaraju_scc, graph::DiGraph};

/// Tasks that need each other in a circle, or themselves, in their order: none of them could ever begin.
pub(super) fn in_circles(count: usize, needs: &[(usize, usize)]) -> Vec<usize> {
    let edges = needs.iter().filter_map(|(task, needs)| {
        let number = |at: usize| u32::try_from(at).ok();
        Some((number(*task)?, number(*needs)?))
    });
    let mut graph = DiGraph::<(), ()>::with_capacity(count, needs.len());
    graph.extend_with_edges(edges);
    let circles = kosaraju_scc(&graph).into_iter().filter(|circle| match circle[..] {
        [one] => graph.contains_edge(one, one),
        _ => true,
    });
    let mut tasks: Vec<usize> = circles.flatten().map(|node| node.index()).collect();
    tasks.sort_unstable();
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_nowhere_near_itself_may_begin() {
        assert_eq!(in_circles(0, &[]).len(), 0);
        assert_eq!(in_circles(4, &[(1, 0), (2, 0), (3, 1), (3, 2)]).len(), 0);
        // Long ones need no stack.
        let chain: Vec<_> = (1..10_000).map(|at| (at, at - 1)).collect();
        assert_eq!(in_circles(10_000, &chain).len(), 0);
    }

    #[test]
    fn circles_are_found_and_nothing_beside_them() {
        assert_eq!(in_circles(2, &[(1, 1)]), [1]);
        assert_eq!(in_circles(5, &[(0, 1), (1, 2), (2, 0), (3, 0), (4, 4)]), [0, 1, 2, 4]);
        let mut long: Vec<_> = (1..5_000).map(|at| (at, at - 1)).collect();
        long.push((0, 4_999));
        assert_eq!(in_circles(5_000, &long).len(), 5_000);
    }
}
