//! Every query finds what it looks for by an index.

use sqlx::Row as _;

use super::*;
use crate::store::sqlite::{read, tasks, write};

#[tokio::test]
async fn no_query_scans_a_table() {
    let Fixture { store, folder } = fixture().await;
    let mut connection = outside(folder.path()).await;
    let of_tasks = tasks::QUERIES
        .into_iter()
        .chain([("behind", tasks::BEHIND, true), ("needing", tasks::NEEDING, true)]);
    let others = [
        ("first page", read::conversations::FIRST_PAGE, false),
        ("next page", read::conversations::NEXT_PAGE, false),
        ("conversation", read::conversations::ONE, false),
        ("chosen", read::conversations::CHOSEN, false),
        ("file", read::conversations::FILE, false),
        ("turn", read::turns::ONE, false),
        ("path", read::turns::PATH, true),
        ("newest below", read::turns::NEWEST_BELOW, false),
        ("turns", read::turns::ALL, false),
        ("unfinished", read::unfinished::ALL, true),
        ("follow-ups", read::follow_ups::OF, true),
        ("search", read::search::TURNS, false),
        ("update", write::UPDATE, false),
        ("reorder", write::REORDER, false),
        ("show", write::SHOW, false),
        ("find", write::FIND, false),
        ("waiting", write::WAITING, false),
        ("rename", write::RENAME, false),
        ("retitle", write::RETITLE, false),
        ("shelve", write::SHELVE, false),
        ("undelete", write::UNDELETE, false),
        ("expired", write::EXPIRED, true),
        ("remove", write::REMOVE, false),
        ("unused files", write::UNUSED_FILES, false),
    ];
    for (name, sql, sorts) in others.into_iter().chain(of_tasks) {
        let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&mut connection)
            .await
            .expect("planned");
        let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        for step in &plan {
            // What a recursion or a list that was handed in has brought is gone through whole. So is the index of what is
            // unfinished, which is what it is for.
            let whole = [
                "SCAN up",
                "SCAN down",
                "SCAN m VIRTUAL",
                "SCAN b",
                "SCAN d",
                "SCAN moved",
                "SCAN (subquery",
                "SCAN CONSTANT ROW",
                "SCAN t USING INDEX turns_unfinished",
            ];
            let allowed = whole.iter().any(|allowed| step.starts_with(allowed));
            assert!(!step.starts_with("SCAN") || allowed, "{name}: {plan:#?}");
            assert!(sorts || !step.contains("TEMP B-TREE FOR ORDER BY"), "{name}: {plan:#?}");
            assert!(!step.contains("AUTOMATIC"), "{name}: {plan:#?}");
        }
    }
    store.close().await;
}
