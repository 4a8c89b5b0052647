//! A server of tools in front of a database, which `cargo xtask test` installs for Python.

use serde_json::json;

use super::*;

/// Its program, where it is installed.
fn installed() -> Option<String> {
    let test = std::env::current_exe().ok()?;
    let program = test
        .ancestors()
        .map(|folder| folder.join("xtask/tools/bin/mcp-server-sqlite"))
        .find(|program| program.is_file());
    if program.is_none() {
        skip("mcp-server-sqlite");
    }
    program.map(|program| program.display().to_string())
}

#[tokio::test]
async fn tables_are_listed_and_asked() {
    let Some(server_program) = installed() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("shop.db").display().to_string();
    let transport = program(&server_program, &["--db-path", &database]);
    let tools = Tools::start(&settings([server("db", transport)]));
    assert_eq!(text(&tools, "db__list_tables", json!({})).await, "[]");
    let create = "CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, price REAL)";
    text(&tools, "db__create_table", json!({ "query": create })).await;
    let listed = text(&tools, "db__list_tables", json!({})).await;
    assert!(listed.contains("orders"), "{listed}");
    let insert = "INSERT INTO orders (item, price) VALUES ('tea', 3.5), ('a ''quoted'' pot', 20)";
    let inserted = text(&tools, "db__write_query", json!({ "query": insert })).await;
    assert!(inserted.contains('2'), "{inserted}");
    let dear = "SELECT item FROM orders WHERE price > 10";
    let dear = text(&tools, "db__read_query", json!({ "query": dear })).await;
    assert!(dear.contains("a 'quoted' pot") && !dear.contains("tea"), "{dear}");
    let described = text(&tools, "db__describe_table", json!({ "table_name": "orders" })).await;
    assert!(described.contains("price"), "{described}");
    // What does not fit is said by the server, for the model to read: nothing breaks, and the table is as it was.
    let wrong = call(&tools, "db__read_query", json!({ "query": "DELETE FROM orders" })).await;
    let wrong = wrong.expect("a result");
    assert!(said(&wrong).contains("SELECT"), "{wrong:?}");
    let left = text(
        &tools,
        "db__read_query",
        json!({ "query": "SELECT count(*) AS n FROM orders" }),
    )
    .await;
    assert!(left.contains('2'), "{left}");
    // A database that is written to wants leave.
    let write = tools.find(&Person::nobody(), "db__write_query").expect("it is there");
    assert_eq!(write.leave, anteroom::tools::Leave::Ask);
    // What it keeps for people.
    let insight = json!({ "insight": "Pots are dear" });
    text(&tools, "db__append_insight", insight).await;
    let memo = Wanted::Listed("memo://insights".to_owned());
    let memo = tools.read("db", &memo, &Asker::default()).await.expect("a file");
    assert_eq!(memo.name, "db – Business Insights Memo.txt");
    assert!(
        std::str::from_utf8(&memo.content).is_ok_and(|memo| memo.contains("Pots are dear")),
        "{memo:?}"
    );
    tools.close().await;
}
