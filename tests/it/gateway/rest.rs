//! HTTP: events, limits, pages and the headers for the browser.

use serde_json::Value;

use super::stage::stage;

#[tokio::test]
async fn a_request_becomes_an_event_of_the_http_api() {
    let stage = stage().await;

    let (status, head, body) = stage
        .http(
            "POST /api/admin/messages/a%20b/read?x=1&x=2 HTTP/1.1\r\nHost: chat.example\r\nConnection: close\r\n\
             User-Agent: Story/1.0\r\nCookie: a=1\r\nCookie: b=2\r\nX-Twice: 1\r\nX-Twice: 2\r\n\
             Content-Length: 2\r\n\r\n{}",
        )
        .await;

    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["function"], &told["method"]), (200, &"admin".into(), &"POST".into()));
    assert_eq!(told["path"], "/api/admin/messages/a%20b/read");
    assert_eq!(told["query"], "x=1&x=2");
    assert_eq!(told["proxy"], "messages/a b/read");
    assert_eq!((&told["cookie"], &told["twice"], &told["body"]), (&"a=1; b=2".into(), &"1,2".into(), &"{}".into()));
    let context = &told["context"];
    assert_eq!(context["routeKey"], "ANY /api/admin/{proxy+}");
    assert_eq!((&context["stage"], &context["domainName"]), (&"$default".into(), &"chat.example".into()));
    assert_eq!(
        (&context["http"]["sourceIp"], &context["http"]["userAgent"]),
        (&"127.0.0.1".into(), &"Story/1.0".into())
    );
    assert_eq!(context["timeEpoch"], 1_795_299_063_417_i64);
    assert!(context["requestId"].is_string());
    assert!(head.contains("cache-control: no-store"), "{head}");
}

#[tokio::test]
async fn an_address_that_is_no_route_is_not_found() {
    let stage = stage().await;

    for (method, path) in [
        ("GET", "/nope"),
        ("GET", "/api/other"),
        ("GET", "/telegram/webhook"),
        ("POST", "/health"),
        ("GET", "/../Cargo.toml"),
        ("GET", "/css/..%2f..%2fCargo.toml"),
    ] {
        let (status, _, body) = stage.ask(method, path).await;
        let error: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &error["error"]), (404, &"not_found".into()), "{method} {path}");
        assert!(error["detail"].is_string() && error["request_id"].is_string());
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_any_function_runs() {
    let stage = stage().await;
    let post = |size: usize| {
        let mut request = format!(
            "POST /api/visitor/send HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
        );
        request.push_str(&"x".repeat(size));
        stage.http(request)
    };

    assert_eq!(post(65_536).await.0, 200);
    let (status, _, body) = post(65_537).await;
    assert_eq!(status, 413);
    assert!(body.contains("\"message_too_large\"") && body.contains("request_id"), "{body}");
}

#[tokio::test]
async fn ten_kilobytes_of_headers_are_the_limit() {
    let stage = stage().await;
    let ask = |size: usize| {
        let line = "x".repeat(size);
        stage.http(format!("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: {line}\r\n\r\n"))
    };

    assert_eq!(ask(10_000).await.0, 200);
    assert_eq!(ask(10_300).await.0, 431);
}

#[tokio::test]
async fn strange_input_is_answered_and_harms_nobody() {
    let stage = stage().await;

    for host in ["a b", "1.2.3.4.5", "x:99999", ";script-src *", "[::1", ""] {
        let request =
            format!("GET /health HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: go pher\r\nConnection: close\r\n\r\n");
        let (status, head, _) = stage.http(request).await;
        assert_eq!(status, 200, "{host}");
        assert!(!head.contains("script-src *"), "{head}");
    }
    let (status, _, body) = stage.ask("GET", "/api/visitor/panic").await;
    assert_eq!(status, 500);
    assert!(body.contains("\"internal\"") && !body.contains("as the path said"), "{body}");
    assert_eq!(stage.ask("GET", "/health").await.0, 200);
}

#[tokio::test]
async fn files_are_served_once_and_then_by_their_tag() {
    let stage = stage().await;

    let (status, head, body) = stage.ask("GET", "/css/base.css").await;
    assert_eq!(status, 200);
    assert!(body.contains("--accent"));
    assert!(
        head.contains("content-type: text/css; charset=utf-8") && head.contains("cache-control: no-cache"),
        "{head}"
    );
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = format!(
        "GET /css/base.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nIf-None-Match: W/{etag}\r\n\r\n"
    );
    assert_eq!(stage.http(again).await.0, 304);
    let (status, _, body) = stage.ask("HEAD", "/css/base.css").await;
    assert_eq!((status, body.as_str()), (200, ""));
    assert_eq!(stage.ask("POST", "/css/base.css").await.0, 405);
}

#[tokio::test]
async fn pages_carry_the_headers_that_keep_them_safe() {
    let stage = stage().await;

    let (status, visitor, _) = stage.ask("GET", "/").await;
    assert_eq!(status, 200);
    for part in [
        "default-src 'none'; script-src 'self'; style-src 'self'",
        "connect-src 'self' ws://127.0.0.1:8000 ws://localhost wss://localhost",
        "frame-ancestors 'self' http://127.0.0.1:8000 http://localhost:8000",
        "x-content-type-options: nosniff",
        "referrer-policy: strict-origin-when-cross-origin",
        "permissions-policy: ",
        "cache-control: no-cache",
    ] {
        assert!(visitor.contains(part), "{part} is missing in {visitor}");
    }
    let (status, panel, _) = stage.ask("GET", "/admin").await;
    assert_eq!(status, 200);
    for part in [
        "frame-ancestors 'none'",
        "x-frame-options: deny",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
    ] {
        assert!(panel.contains(part), "{part} is missing in {panel}");
    }
    assert!(!panel.contains("unsafe-inline") && !panel.contains("strict-transport-security"));
}
