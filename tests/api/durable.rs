//! What was promised survives the process.

use faxplus_gateway::sandbox::SandboxOptions;
use rusqlite::OptionalExtension as _;
use serde_json::json;

use crate::gateway::{Gateway, addresses, eventually};

/// What the README puts to the file, in order.
fn statements() -> Vec<&'static str> {
    let lines = include_str!("../../README.md").lines();
    let statements =
        lines.filter(|line| line.starts_with("sqlite3 ")).filter_map(|line| line.split('"').nth(1));
    statements.collect()
}

#[actix_web::test]
async fn the_file_is_looked_into_and_backed_up_while_it_is_in_use_as_the_readme_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    let emails = addresses("a", 3);
    let id = gateway.post_async("", &emails).await;
    gateway.finished(&id).await;
    let statements = statements();
    let [look, status, backup] = statements[..] else { panic!("{statements:?}") };
    let file = rusqlite::Connection::open(&path).unwrap();
    // A list that ends at once, its end and those of its calls are told before they are in the file: they are waited for.
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(3)?))
    };
    let told = || file.query_row(status, [], row).optional().unwrap();
    let finished = Some((id.replace('-', ""), "finished".to_owned(), 3));
    let without_end = "SELECT count(*) FROM calls WHERE verdict IS NULL";
    let open_calls = || file.query_row(without_end, [], |row| row.get::<_, i64>(0)).unwrap();
    eventually(async || (told() == finished && open_calls() == 0).then_some(())).await;

    let mut values = file.prepare(look).unwrap();
    let seen: Vec<String> = values.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let copy = directory.path().join("backup.db");
    file.execute_batch(&backup.replace("backup.db", copy.to_str().unwrap())).unwrap();
    std::fs::copy(directory.path().join("gateway.db.key"), directory.path().join("backup.db.key")).unwrap();

    assert_eq!(seen, emails);
    // A gateway on the copy knows who was sent.
    let gateway = gateway.restart(&[("store.path", copy.to_str().unwrap())]).await;
    assert_eq!(gateway.post("", &emails).await.json()["counts"]["duplicate"], 3);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_list_that_was_promised_is_written_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.db");
    let gateway = Gateway::with(SandboxOptions::default(), &[("store.path", path.to_str().unwrap())]).await;
    gateway.faults(json!([{"address": "bad*", "fate": "status", "status": 400, "error": "bad"}]));

    let mut emails = addresses("a", 40);
    emails.extend(["bad@example.com".to_owned(), "A1@example.com".to_owned(), "nobody".to_owned()]);
    let id = gateway.post_async("", &emails).await;
    let resend = gateway.finished(&id).await;

    assert_eq!(resend["counts"]["sent"], 40, "{resend}");
    assert_eq!(resend["counts"]["rejected"], 1);
    let waited = gateway.post("", &addresses("b", 25)).await;
    assert_eq!(waited.status, 200);
    assert_eq!(waited.json()["upstream_calls"], 3);
    gateway.stop().await;
}
