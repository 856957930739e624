//! The document and the page that shows it: open to everybody, served without any other server's help.

use awc::http::Method;
use faxplus_gateway::sandbox::SandboxOptions;

use crate::gateway::Gateway;

/// A gateway that lets nobody in.
async fn closed() -> (Gateway, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("clients.toml");
    let hash = faxplus_gateway::clients::TokenHash::of("good");
    std::fs::write(&file, format!("billing = {{ tokens = [\"{hash}\"] }}\n")).unwrap();
    let settings = [("auth.mode", "tokens"), ("auth.clients_file", file.to_str().unwrap())];
    (Gateway::with(SandboxOptions::default(), &settings).await, directory)
}

#[actix_web::test]
async fn the_document_is_served_to_everybody_as_it_is_printed() {
    let (gateway, _directory) = closed().await;

    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let answer = gateway.request(Method::GET, "/openapi.json", headers, "").await;

        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.json(), faxplus_gateway::api::openapi());
    }
    assert_eq!(gateway.get("/v1/resends").await.status, 401);
    gateway.stop().await;
}

#[actix_web::test]
async fn the_page_needs_nothing_but_the_gateway() {
    let (gateway, _directory) = closed().await;

    gateway.get("/docs").await.problem("no-such-path");
    let page = gateway.get("/docs/").await;
    let policy = page.header("content-security-policy").unwrap().to_owned();
    let text = page.text();

    assert_eq!(page.status, 200);
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    let mut parts = 0;
    for piece in text.split(['"']).filter(|piece| piece.ends_with(".js") || piece.ends_with(".css")) {
        let name = piece.strip_prefix("./").unwrap_or(piece);
        let part = gateway.get(&format!("/docs/{name}")).await;
        assert_eq!(
            (part.status.as_u16(), part.header("content-security-policy")),
            (200, Some(&*policy)),
            "{name}"
        );
        parts += 1;
    }
    assert!(parts >= 4, "{text}");
    for place in text.split(['"']).filter(|piece| piece.contains("//")) {
        assert!(!place.starts_with("http") && !place.starts_with("//"), "{place}");
    }
    let script = text.split("<script").skip(1).find(|script| !script.contains("src="));
    assert_eq!(script, None, "the policy stops inline scripts");
    let start = gateway.get("/docs/swagger-initializer.js").await.text();
    assert!(start.contains("../openapi.json") && start.contains("\"none\""), "{start}");
    gateway.stop().await;
}

#[actix_web::test]
async fn what_is_open_is_no_way_around_the_door() {
    let (gateway, _directory) = closed().await;

    for path in ["/docs/a/b", "/docs//", "/docs/../v1/resends", "/openapi.json/", "/docs/%2e%2e/v1/operator"]
    {
        assert_eq!(gateway.get(path).await.status, 401, "{path}");
    }
    gateway.get("/docs/no-such-file").await.problem("no-such-path");
    for path in ["/openapi.json", "/docs/", "/docs/swagger-ui.css"] {
        let foreign = gateway.request(Method::GET, path, &[("sec-fetch-site", "cross-site")], "").await;
        assert_eq!(foreign.status, 403, "{path}");
        let link =
            [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        let followed = gateway.request(Method::GET, path, &link, "").await;
        assert_eq!(followed.status, if path == "/docs/" { 200 } else { 403 }, "{path}");
        let posted = gateway.request(Method::POST, path, &[], "").await;
        assert_eq!((posted.status.as_u16(), posted.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    let series = r#"faxplus_gateway_http_requests_total{method="GET",route="/docs/{file}",status="404"}"#;
    assert_eq!(gateway.metric(series).await, 1.0);
    gateway.stop().await;
}
