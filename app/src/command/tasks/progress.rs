//! How far a batch is, in one line.

use serde_json::Value;

/// How wide the bar is.
const WIDTH: u64 = 20;

/// The line; `batch` is what the server says of it.
pub(super) fn line(batch: &Value) -> String {
    let number = |name: &str| batch[name].as_u64().unwrap_or(0);
    let (all, done, failed, cancelled) = (number("tasks"), number("done"), number("failed"), number("cancelled"));
    let over = done + failed + cancelled;
    let full = (over * WIDTH).checked_div(all).unwrap_or(0);
    let bar: String = (0..WIDTH).map(|at| if at < full { '█' } else { '░' }).collect();
    let mut line = format!("{bar} {over}/{all}");
    for (count, what) in [
        (failed, "failed"),
        (cancelled, "cancelled"),
        (number("running"), "running"),
        (number("open"), "waiting"),
    ] {
        if count > 0 {
            line.push_str(&format!(", {count} {what}"));
        }
    }
    let places = batch["in_line"].as_array().into_iter().flatten();
    let places = places.filter_map(|place| Some((place["position"].as_u64()?, place)));
    if let Some((position, place)) = places.min_by_key(|(position, _)| *position) {
        line.push_str(&format!("; the next at place {position}"));
        let end = |at: usize| place["estimate_seconds"][at].as_u64();
        if let Some((low, high)) = end(0).zip(end(1)) {
            line.push_str(&format!(", in {low}–{high} s"));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_what_there_is_to_say() {
        let batch = json!({ "tasks": 10, "done": 4, "failed": 1, "cancelled": 0, "running": 2, "open": 3, "in_line": [
            { "id": "a", "position": 7, "waiting": 9 }, { "id": "b", "position": 2, "waiting": 9, "estimate_seconds": [3, 5] }, { "id": "c" },
        ] });
        assert_eq!(
            line(&batch),
            "██████████░░░░░░░░░░ 5/10, 1 failed, 2 running, 3 waiting; the next at place 2, in 3–5 s"
        );
        assert_eq!(line(&json!({ "tasks": 1, "done": 1 })), "████████████████████ 1/1");
        assert_eq!(line(&Value::Null), "░░░░░░░░░░░░░░░░░░░░ 0/0");
    }
}
