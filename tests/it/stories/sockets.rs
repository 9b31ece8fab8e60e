//! Who may open a socket, and how many.

use serde_json::json;

use crate::people::{Admin, Browser, House, RELAXED, eventually, in_each_house};

async fn refused(browser: &Browser, path: &str, status: u16, code: &str) {
    let answer = browser.open(path).await.map(drop).unwrap_err();
    answer.refuses(status, code);
}

async fn rows(house: &House) -> i64 {
    house.rows("connection").await
}

#[tokio::test]
async fn a_page_of_another_origin_opens_no_socket() {
    in_each_house(&[("ALLOWED_ORIGINS", "https://good.com, https://*.shop.example")], async |house| {
        let browser = house.newcomer();
        for origin in [
            "https://evil.test",
            "null",
            "https://good.com.evil.test",
            "https://good.com:444",
            "http://good.com",
            "https://shop.example",
            "https://evilshop.example",
            "",
        ] {
            refused(&browser.with("origin", origin), "/ws/client", 403, "origin_not_allowed").await;
            refused(&browser.with("origin", origin), "/ws/admin?ticket=x", 403, "origin_not_allowed").await;
        }
        refused(&browser.without("origin"), "/ws/client", 403, "origin_not_allowed").await;
        assert_eq!(rows(house).await, 0);

        for origin in ["https://good.com", "https://a.shop.example", "http://127.0.0.1:8000"] {
            let mut socket = browser.with("origin", origin).open("/ws/client").await.unwrap();
            assert_eq!(socket.refusal(json!({"type": "ping"})).await.0, "not_joined");
        }
    })
    .await;
}

#[tokio::test]
async fn there_are_so_many_sockets_of_each_side_and_no_more() {
    let settings = [("WS_MAX_CLIENTS", "3"), ("WS_MAX_ADMINS", "2")];
    in_each_house(&settings, async |house| {
        let (first, _second, _third) =
            (house.visitor("1").await, house.visitor("2").await, house.newcomer().open("/ws/client").await.unwrap());
        let browser = house.newcomer();
        let full = browser.open("/ws/client").await.map(drop).unwrap_err();
        full.refuses(503, "capacity");
        assert_eq!(full.retry_after(), 10);

        let grace = house.admin("Grace").await;
        let _panel = Admin::socket(&grace.browser).await.unwrap();
        Admin::socket(&grace.browser).await.map(drop).unwrap_err().refuses(503, "capacity");
        first.socket.hang_up().await;
        eventually("there is room", async || browser.open("/ws/client").await.ok()).await;
    })
    .await;
}

#[tokio::test]
async fn one_address_has_at_most_fifty_sockets() {
    in_each_house(RELAXED, async |house| {
        let browser = house.newcomer();
        let mut open = Vec::new();
        for _ in 0..50 {
            open.push(browser.open("/ws/client").await.unwrap());
        }

        refused(&browser, "/ws/client", 503, "capacity").await;
        house.newcomer().open("/ws/client").await.unwrap();
        open.pop().unwrap().hang_up().await;
        eventually("there is room", async || browser.open("/ws/client").await.ok()).await;
    })
    .await;
}

#[tokio::test]
async fn a_ticket_opens_one_socket_within_thirty_seconds() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;
        let ticket = async || {
            let ticket = grace.browser.post("/api/admin/ws_ticket", json!({})).await.good();
            format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap())
        };

        let used = ticket().await;
        let _socket = grace.browser.open(&used).await.unwrap();
        refused(&grace.browser, &used, 401, "unauthorized").await;
        let late = ticket().await;
        house.clock.advance(30_000);
        refused(&grace.browser, &late, 401, "unauthorized").await;
        refused(&grace.browser, "/ws/admin", 401, "unauthorized").await;
        // A session token in the URL is no ticket.
        refused(&grace.browser, &format!("/ws/admin?ticket={}", grace.token), 401, "unauthorized").await;
        refused(&grace.browser, &format!("/ws/admin?token={}", grace.token), 401, "unauthorized").await;

        assert_eq!(rows(house).await, 2);
    })
    .await;
}

#[tokio::test]
async fn of_many_who_race_with_one_ticket_one_gets_in() {
    in_each_house(RELAXED, async |house| {
        let grace = house.admin("Grace").await;
        let ticket = grace.browser.post("/api/admin/ws_ticket", json!({})).await.good();
        let path = format!("/ws/admin?ticket={}", ticket["ticket"].as_str().unwrap());

        let opened = futures::future::join_all((0..20).map(|_| grace.browser.open(&path))).await;

        assert_eq!(opened.iter().filter(|opened| opened.is_ok()).count(), 1);
    })
    .await;
}
