//! What the store keeps: ended resends are told as before after a restart, however long, in every form.

use std::path::Path;

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;
use serde_json::{Value, json};

use crate::gateway::{Answer, Gateway, addresses, eventually};

const FORMS: [&str; 4] = ["application/json", "application/x-ndjson", "text/csv", "text/plain"];
const EVERYTHING: &str = "?outcome=sent,duplicate,invalid,rejected,not_sent,unknown,pending";

async fn gateway_at(directory: &Path, more: &[(&str, &str)]) -> Gateway {
    let path = directory.join("gateway.db");
    let mut settings = vec![("store.path", path.to_str().unwrap())];
    settings.extend_from_slice(more);
    let gateway = Gateway::with(SandboxOptions::default(), &settings).await;
    gateway.faults(json!([
        {"address": "bad*", "fate": "status", "status": 404, "error": "not_found", "description": "no such"},
        {"address": "doubt*", "lone": true, "fate": "accept_then_500"},
        {"address": "doubt*", "fate": "status", "status": 409}
    ]));
    gateway
}

async fn post_text(gateway: &Gateway, lines: &[String], prefer: &str) -> Answer {
    let headers = [("content-type", "text/plain"), ("prefer", prefer)];
    gateway.request(Method::POST, "/v1/resends", &headers, lines.join("\n")).await
}

fn id_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

/// All that can be asked about a resend, as it was answered.
async fn told(gateway: &Gateway, id: &str) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for path in ["", "/events"] {
        let path = format!("/v1/resends/{id}{path}");
        told.push((path.clone(), gateway.get(&path).await.text()));
    }
    for form in FORMS {
        for query in
            ["", EVERYTHING, "?outcome=sent", "?outcome=duplicate,unknown", "?outcome=rejected,pending"]
        {
            let path = format!("/v1/resends/{id}/results{query}");
            let answer = gateway.request(Method::GET, &path, &[("accept", form)], "").await;
            assert_eq!(answer.status, 200, "{path}");
            told.push((format!("{form} {path}"), answer.text()));
        }
    }
    told
}

fn assert_same(before: &[(String, String)], after: &[(String, String)]) {
    for ((what, before), (_, after)) in before.iter().zip(after) {
        let differs = before.lines().zip(after.lines()).find(|(before, after)| before != after);
        assert!(before == after, "{what}: {differs:?}, {} and {} bytes", before.len(), after.len());
    }
}

fn mixed() -> Vec<String> {
    let mut emails = addresses("a", 15);
    for odd in ["bad@example.com", "nobody", "A3@example.com", "doubt@example.com", "BAD@example.com", ""] {
        emails.push(odd.to_owned());
    }
    emails
}

#[actix_web::test]
async fn an_ended_resend_is_told_as_before_after_a_restart_whether_or_not_it_was_promised() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway_at(directory.path(), &[]).await;
    let promised = first.post_async("", &mixed()).await;
    first.finished(&promised).await;
    let waited = id_of(&first.post("?force=true", &mixed()).await);
    let paused = id_of(&{
        first.request(Method::POST, "/v1/operator/pause", &[], "").await;
        first.post_with("", &[("prefer", "respond-async")], &addresses("left", 12)).await
    });
    let cancelled = first.request(Method::DELETE, &format!("/v1/resends/{paused}"), &[], "").await;
    assert_eq!(cancelled.json()["status"], "cancelled");
    first.request(Method::POST, "/v1/operator/resume", &[], "").await;
    let ids = [promised, waited, paused];
    let mut before = Vec::new();
    for id in &ids {
        before.push(told(&first, id).await);
    }
    first.stop().await;

    let second = gateway_at(directory.path(), &[]).await;
    for (id, before) in ids.iter().zip(&before) {
        assert_same(before, &told(&second, id).await);
    }
    let deleted = second.request(Method::DELETE, &format!("/v1/resends/{}", ids[0]), &[], "").await;
    assert_eq!((deleted.status.as_u16(), &deleted.json()["status"]), (200, &json!("finished")));
    assert_eq!(second.get("/v1/resends/0198c9f2-0000-7abc-8def-0123456789ab").await.status, 404);
    second.stop().await;
}

/// 60,000 lines: repeats next to each other and 50,000 apart, no addresses, refused ones.
fn long() -> Vec<String> {
    let mut lines = addresses("long-list-with-long-names-", 50_000);
    lines[7] = "nobody".to_owned();
    lines[20_000] = "bad1@example.com".to_owned();
    lines[20_001] = lines[20_002].to_uppercase();
    let repeats: Vec<_> = (0..9_997).map(|number| lines[number * 5].to_uppercase()).collect();
    lines.extend(repeats);
    lines.extend(["BAD1@example.com", "@", "bad2@example.com"].map(str::to_owned));
    lines
}

fn outcome_at(rows: &Value, index: usize) -> (&str, Option<&str>) {
    let row = &rows[index];
    assert_eq!(row["index"], index);
    (row["outcome"].as_str().unwrap(), row["reason"].as_str())
}

#[actix_web::test]
async fn a_long_list_in_the_store_is_told_whole_and_in_order_and_after_a_restart_too() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway_at(directory.path(), &[]).await;
    let lines = long();

    let answer = post_text(&first, &lines, "wait=240").await;

    assert_eq!(answer.status, 207, "{:.300}", answer.text());
    let body = answer.json();
    let rows = &body["results"];
    let told_lines: Vec<_> =
        rows.as_array().unwrap().iter().map(|row| row["email"].as_str().unwrap()).collect();
    assert!(told_lines == lines, "the rows are not those of the list");
    assert_eq!(outcome_at(rows, 0), ("sent", None));
    assert_eq!(outcome_at(rows, 7), ("invalid", Some("no_at_sign")));
    assert_eq!(outcome_at(rows, 20_000), ("rejected", Some("not_found")));
    assert_eq!(outcome_at(rows, 20_001), ("sent", None));
    assert_eq!(outcome_at(rows, 20_002), ("duplicate", None));
    assert_eq!(outcome_at(rows, 50_000), ("duplicate", None));
    assert!(rows[50_000]["sent_at"].is_string());
    assert_eq!(outcome_at(rows, 59_997), ("rejected", Some("not_found")));
    assert_eq!(rows[59_997]["detail"], "no such");
    assert_eq!(outcome_at(rows, 59_999), ("rejected", Some("not_found")));
    let count = |word: &str| rows.as_array().unwrap().iter().filter(|row| row["outcome"] == word).count();
    for word in ["sent", "duplicate", "invalid", "rejected"] {
        assert_eq!(body["counts"][word], count(word), "{word}");
    }

    let id = body["id"].as_str().unwrap().to_owned();
    let before = told(&first, &id).await;
    assert!(before.iter().any(|(_, text)| text.to_lowercase().matches("@example.com").count() == 59_998));
    first.stop().await;
    let second = gateway_at(directory.path(), &[]).await;
    assert_same(&before, &told(&second, &id).await);
    second.stop().await;
}

#[actix_web::test]
async fn what_is_left_of_a_long_list_that_was_cancelled_has_one_outcome() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway_at(directory.path(), &[("upstream.max_calls_per_second", "200")]).await;
    let id = id_of(&post_text(&first, &long(), "respond-async").await);
    first.until(&id, |resend| resend["counts"]["sent"].as_u64() > Some(100)).await;
    let running = first.get(&format!("/v1/resends/{id}/results{EVERYTHING}")).await.json();
    assert_eq!(running.as_array().unwrap().len(), 60_000);
    assert_eq!(outcome_at(&running, 59_000), ("pending", None));

    let counts =
        first.request(Method::DELETE, &format!("/v1/resends/{id}"), &[], "").await.json()["counts"].clone();
    let rows = first.get(&format!("/v1/resends/{id}/results{EVERYTHING}")).await.json();

    assert_eq!(counts["pending"], 0);
    for word in ["sent", "duplicate", "invalid", "rejected", "not_sent", "unknown"] {
        let count = rows.as_array().unwrap().iter().filter(|row| row["outcome"] == word).count();
        assert_eq!(counts[word], count, "{word}");
    }
    // One that repeats an address which was left over was left over, too.
    assert_eq!(outcome_at(&rows, 59_000), ("not_sent", Some("cancelled")));
    let before = told(&first, &id).await;
    first.stop().await;
    let second = gateway_at(directory.path(), &[]).await;
    assert_same(&before, &told(&second, &id).await);
    second.stop().await;
}

async fn pages(gateway: &Gateway, query: &str) -> Vec<(String, String)> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = gateway.get(&format!("/v1/resends?limit=3{query}{cursor}")).await.json();
        let resends = page["resends"].as_array().unwrap();
        assert!(resends.len() <= 3);
        let text = |resend: &Value, name: &str| resend[name].as_str().unwrap().to_owned();
        found.extend(resends.iter().map(|resend| (text(resend, "id"), text(resend, "status"))));
        let Some(next) = page["next_cursor"].as_str() else { return found };
        assert_eq!(resends.len(), 3, "a page with a next one is full");
        cursor = format!("&cursor={next}");
    }
}

#[actix_web::test]
async fn the_list_of_resends_joins_those_in_ram_and_those_in_the_store_without_doubles() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway_at(directory.path(), &[]).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(first.post_async("", &[format!("one{number}@example.com")]).await);
        first.finished(&ids[number]).await;
    }
    first.request(Method::POST, "/v1/operator/pause", &[], "").await;
    ids.push(first.post_async("", &["left@example.com"]).await);
    first.request(Method::DELETE, &format!("/v1/resends/{}", ids[4]), &[], "").await;
    first.stop().await;

    let second = gateway_at(directory.path(), &[]).await;
    ids.push(second.post_async("", &["waits@example.com"]).await);
    second.request(Method::POST, "/v1/operator/resume", &[], "").await;
    second.finished(&ids[5]).await;
    for number in 0..2 {
        ids.push(id_of(&second.post("", &[format!("two{number}@example.com")]).await));
    }
    ids.reverse();

    let all = pages(&second, "").await;
    assert_eq!(all.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), ids);
    let finished = pages(&second, "&status=finished").await;
    assert_eq!(finished.len(), 7);
    assert_eq!(pages(&second, "&status=cancelled").await, [(ids[3].clone(), "cancelled".to_owned())]);
    assert_eq!(pages(&second, "&status=running").await, []);
    second.stop().await;
}

#[actix_web::test]
async fn a_store_without_room_takes_no_new_lists_and_ends_what_is_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway_at(directory.path(), &[("store.max_bytes", "1048576")]).await;
    gateway.request(Method::POST, "/v1/operator/pause", &[], "").await;
    let id = gateway.post_async("", &addresses("under-way-with-a-name-that-takes-room-", 9_000)).await;

    let refused = eventually(async || {
        let answer = gateway.post_with("", &[("prefer", "respond-async")], &["late@example.com"]).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    let compat = ("/v3/accounts/self/member-invitations", "[\"late2@example.com\"]");
    let headers = [("authorization", "Bearer any"), ("content-type", "application/json")];
    let patched = gateway.request(Method::PATCH, compat.0, &headers, compat.1).await;
    let long = post_text(&gateway, &long(), "respond-async").await;
    gateway.request(Method::POST, "/v1/operator/resume", &[], "").await;

    for answer in [&refused, &long] {
        assert_eq!(answer.status, 503);
        assert_eq!(answer.json()["type"], "urn:faxplus-gateway:problem:store-full");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(refused.json()["detail"].as_str().unwrap().contains("store.max_bytes"), "{refused:?}");
    assert_eq!((patched.status.as_u16(), &patched.json()["error"]), (503, &json!("store_full")));
    assert_eq!(gateway.finished(&id).await["counts"]["sent"], 9_000);
    assert_eq!(gateway.post("?dry_run=true", &["late@example.com"]).await.status, 200);
    assert_eq!(gateway.admin("/readyz").await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn a_disk_with_less_than_the_reserve_takes_no_new_lists() {
    let directory = tempfile::tempdir().unwrap();
    let reserve = (1_u64 << 50).to_string();
    let gateway = gateway_at(directory.path(), &[("store.reserve_bytes", &reserve)]).await;

    let answer = gateway.post("", &["late@example.com"]).await;

    assert_eq!(answer.status, 503);
    assert!(answer.json()["detail"].as_str().unwrap().contains("store.reserve_bytes"), "{answer:?}");
    assert!(gateway.metric("faxplus_gateway_store_free_bytes").await > 0.0);
    eventually(async || (gateway.metric("faxplus_gateway_store_bytes").await > 0.0).then_some(())).await;
    assert_eq!(
        gateway.admin("/readyz?verbose").await.text(),
        "[+] started\n[+] not draining\n[+] store\nready\n"
    );
    gateway.stop().await;
}

#[actix_web::test]
async fn while_the_store_fails_no_list_is_taken_and_it_is_tried_again_until_it_works() {
    let directory = tempfile::tempdir().unwrap();
    let gateway = gateway_at(directory.path(), &[]).await;
    let other = rusqlite::Connection::open(directory.path().join("gateway.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let long = post_text(&gateway, &long(), "respond-async").await;
    let short = gateway.post("", &["late@example.com"]).await;
    let readiness = gateway.admin("/readyz?verbose").await;
    other.execute_batch("ROLLBACK").unwrap();
    eventually(async || (gateway.admin("/readyz").await.status == 200).then_some(())).await;

    for answer in [long, short] {
        assert_eq!(answer.status, 503);
        assert_eq!(answer.json()["type"], "urn:faxplus-gateway:problem:store-failing");
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(readiness.status, 503);
    let checks = "[+] started\n[+] not draining\n[-] store: the store does not work\nstore failing\n";
    assert_eq!(readiness.text(), checks);
    assert_eq!(gateway.accepted("late@example.com"), 0);
    assert_eq!(gateway.post("", &["late@example.com"]).await.status, 200);
    gateway.stop().await;
}

#[actix_web::test]
async fn what_can_not_be_read_from_the_store_is_503_and_never_a_wrong_answer() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway_at(directory.path(), &[]).await;
    let kept = first.post_async("", &addresses("kept", 3000)).await;
    first.finished(&kept).await;
    first.stop().await;
    let second = gateway_at(directory.path(), &[]).await;
    let path = directory.path().join("gateway.db");
    let log = directory.path().join("gateway.db-wal");
    eventually(async || std::fs::metadata(&log).is_ok_and(|log| log.len() == 0).then_some(())).await;
    let size = std::fs::metadata(&path).unwrap().len();
    std::fs::write(&path, vec![7; size as usize]).unwrap();

    for form in FORMS {
        let path = format!("/v1/resends/{kept}/results");
        let answer = second.request(Method::GET, &path, &[("accept", form)], "").await;
        assert_eq!(answer.status, 503, "{form}");
        assert_eq!(answer.json()["type"], "urn:faxplus-gateway:problem:store-failing");
    }
    assert!(second.metric("faxplus_gateway_store_errors_total{operation=\"read\"}").await >= 4.0);
    second.stop().await;
}
