//! Every limit of the contract's section 6, to the millisecond of a clock that stands still.

use futures::future::join_all;
use serde_json::json;
use shared::time::{HOUR, MINUTE};

use crate::people::{House, in_each_house};

/// One visitor may use up several addresses' worth of REST here.
const MANY_REQUESTS: &[(&str, &str)] = &[("API_REQ_PER_5MIN", "1000000")];

#[tokio::test]
async fn a_visitor_writes_five_messages_at_once_and_then_one_each_second() {
    in_each_house(&[], async |house| {
        let mut ada = house.visitor("Ada").await;
        ada.say_many(5, |number| format!("{number}")).await;

        for (waited, left) in [(0, 1_000), (400, 600), (599, 1)] {
            house.clock.advance(waited);
            let client_id = ada.send("too soon").await;
            let error = ada.socket.expect("error").await;
            assert_eq!((&error["error"], &error["client_id"]), (&json!("rate_limited"), &json!(client_id)));
            assert_eq!(error["retry_after_ms"], left);
        }
        house.clock.advance(1);
        assert_eq!(ada.say("in time").await["seq"], 6);
        ada.send("again too soon").await;
        assert_eq!(ada.socket.expect("error").await["retry_after_ms"], 1_000);

        // The bucket is the conversation's, whichever way the message comes.
        let body = json!({"conversation_id": ada.id, "content": "by REST", "client_id": "r-1"});
        let browser = ada.browser.bearing(&ada.token);
        let answer = browser.post("/api/visitor/send", body.clone()).await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 1);
        house.clock.advance(60_000);
        assert_eq!(browser.post("/api/visitor/send", body.clone()).await.good()["seq"], 7);
        // What was stored before costs nothing to ask for again.
        for _ in 0..7 {
            assert_eq!(browser.post("/api/visitor/send", body.clone()).await.good()["seq"], 7);
        }
        ada.say_many(4, |number| format!("{number}")).await;
        assert_eq!(house.rows("message").await, 11);
    })
    .await;
}

#[tokio::test]
async fn an_address_joins_three_times_at_once_and_then_every_five_seconds() {
    in_each_house(MANY_REQUESTS, async |house| {
        let browser = house.newcomer();
        let mut socket = browser.open("/ws/client").await.unwrap();
        for _ in 0..3 {
            socket.send(json!({"type": "join"})).await;
            socket.expect("joined").await;
        }

        let (code, error) = socket.refusal(json!({"type": "join"})).await;
        assert_eq!((code.as_str(), &error["retry_after_ms"]), ("rate_limited", &json!(5_000)));
        let answer = browser.post("/api/visitor/join", json!({})).await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 5);
        house.newcomer().post("/api/visitor/join", json!({})).await.good();
        house.clock.advance(5_000);
        browser.post("/api/visitor/join", json!({})).await.good();
        browser.post("/api/visitor/join", json!({})).await.refuses(429, "rate_limited");

        assert_eq!(house.rows("conversation").await, 5);
    })
    .await;
}

#[tokio::test]
async fn ipv6_clients_are_counted_by_their_network_of_64_bits() {
    in_each_house(&[("TRUSTED_PROXIES", "127.0.1.2")], async |house| {
        let proxy = house.browser_at(2);
        let join = async |ip: &str| proxy.with("x-forwarded-for", ip).post("/api/visitor/join", json!({})).await;

        for ip in ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3"] {
            join(ip).await.good();
        }

        join("2001:db8:0:1::4").await.refuses(429, "rate_limited");
        join("2001:db8:0:2::4").await.good();
    })
    .await;
}

#[tokio::test]
async fn an_address_asks_a_hundred_times_in_five_minutes() {
    in_each_house(&[], async |house| {
        let browser = house.newcomer();
        let path = "/api/visitor/messages?conversation_id=nothing";
        for _ in 0..10 {
            for answer in join_all((0..10).map(|_| browser.get(path))).await {
                answer.refuses(401, "unauthorized");
            }
        }

        let answer = browser.get(path).await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 3);
        browser.bearing("nobody").get("/api/admin/conversations").await.refuses(429, "rate_limited");
        browser.post("/api/admin/request_otp", json!({})).await.refuses(429, "rate_limited");
        browser.log_in("", "123456", "x").await.refuses(429, "rate_limited");
        house.newcomer().get(path).await.refuses(401, "unauthorized");
        house.clock.advance(3_000);
        browser.get(path).await.refuses(401, "unauthorized");
        browser.get(path).await.refuses(429, "rate_limited");

        assert_eq!((house.codes_told(), house.rows("login_code").await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn a_session_asks_six_hundred_times_in_five_minutes_from_any_address() {
    in_each_house(&[], async |house| {
        let grace = house.admin("Grace").await;
        let moved = house.newcomer().bearing(&grace.token);
        // Logging in and the ticket came before.
        for _ in 0..59 {
            let answers = (0..10).map(|_| grace.browser.get("/api/admin/session"));
            for answer in join_all(answers).await {
                answer.good();
            }
        }
        let mut left = 0;
        while moved.get("/api/admin/session").await.status == 200 {
            left += 1;
        }
        assert_eq!(59 * 10 + left + 1, 600);

        let answer = grace.browser.get("/api/admin/session").await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 1);
        house.admin("Alan").await.browser.get("/api/admin/session").await.good();
        house.clock.advance(500);
        grace.browser.get("/api/admin/session").await.good();
    })
    .await;
}

#[tokio::test]
async fn an_address_asks_for_three_codes_in_ten_minutes_and_all_together_for_thirty_an_hour() {
    in_each_house(MANY_REQUESTS, async |house| {
        let ask = async |last: u8| house.browser_at(last).post("/api/admin/request_otp", json!({})).await;
        for last in 1..=9 {
            for _ in 0..3 {
                ask(last).await.good();
            }
            let answer = ask(last).await;
            answer.refuses(429, "rate_limited");
            assert_eq!(answer.retry_after(), 200);
            // Who is refused takes nothing from the others.
        }
        for last in [10, 11, 12] {
            ask(last).await.good();
        }
        let answer = ask(13).await;
        answer.refuses(429, "rate_limited");
        assert_eq!((answer.retry_after(), house.codes_told()), (120, 30));

        house.clock.advance(HOUR / 30);
        ask(14).await.good();
        ask(15).await.refuses(429, "rate_limited");
        house.clock.advance(10 * MINUTE);
        ask(1).await.good();
    })
    .await;
}

async fn wrong_codes(house: &House, count: usize, last: u8) {
    let browser = house.browser_at(last);
    for _ in 0..count {
        browser.log_in("otp_challenge=none", "000000", "x").await.refuses(401, "unauthorized");
    }
}

#[tokio::test]
async fn an_address_enters_five_wrong_codes_in_fifteen_minutes() {
    in_each_house(MANY_REQUESTS, async |house| {
        let browser = house.browser_at(1);
        let cookie = browser.request_otp().await;
        wrong_codes(house, 5, 1).await;

        let answer = browser.log_in(&cookie, &house.code(), "Grace").await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 180);
        house.admin_with(house.browser_at(2), "Alan").await;
        house.clock.advance(3 * MINUTE);
        browser.log_in(&cookie, &house.code(), "Grace").await.refuses(401, "unauthorized");
        browser.log_in(&cookie, &house.code(), "Grace").await.refuses(429, "rate_limited");
    })
    .await;
}

#[tokio::test]
async fn right_codes_do_not_count_against_an_address() {
    in_each_house(MANY_REQUESTS, async |house| {
        for _ in 0..8 {
            house.clock.advance(4 * MINUTE);
            house.admin_with(house.browser_at(1), "Grace").await;
        }
        wrong_codes(house, 5, 1).await;
        house.browser_at(1).log_in("", "000000", "x").await.refuses(429, "rate_limited");
    })
    .await;
}

#[tokio::test]
async fn a_hundred_wrong_codes_a_day_are_all_that_everybody_has_together() {
    in_each_house(MANY_REQUESTS, async |house| {
        for last in 1..=20 {
            wrong_codes(house, 5, last).await;
        }

        let answer = house.browser_at(21).log_in("", "000000", "x").await;
        answer.refuses(429, "rate_limited");
        assert_eq!(answer.retry_after(), 24 * 36);
    })
    .await;
}

#[tokio::test]
async fn headers_that_anybody_can_write_open_no_limit() {
    in_each_house(&[("ADMIN_IP_WHITELIST", "203.0.113.7")], async |house| {
        let browser = house.newcomer();
        let mut granted = 0;
        for number in 0..20 {
            let ip = format!("203.0.113.{number}");
            let mut liar = browser.clone();
            for header in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip"] {
                liar = liar.with(header, &ip);
            }
            let answer = liar.with("forwarded", format!("for={ip}")).post("/api/visitor/join", json!({})).await;
            granted += usize::from(answer.status == 200);
        }
        assert_eq!(granted, 3);

        let liar = browser.with("x-forwarded-for", "203.0.113.7");
        liar.post("/api/admin/request_otp", json!({})).await.refuses(403, "forbidden");
        assert_eq!(house.codes_told(), 0);
    })
    .await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_right_most_foreign_address_counts() {
    let settings = [("TRUSTED_PROXIES", "127.0.1.2, 10.0.0.0/8"), ("ADMIN_IP_WHITELIST", "203.0.113.7")];
    in_each_house(&settings, async |house| {
        let ask = async |last: u8, forwarded: &str| {
            let browser = house.browser_at(last).with("x-forwarded-for", forwarded);
            browser.post("/api/admin/request_otp", json!({})).await
        };

        ask(2, "203.0.113.7").await.good();
        ask(2, "6.6.6.6, 203.0.113.7, 10.0.0.9").await.good();
        ask(2, "203.0.113.7, 6.6.6.6").await.refuses(403, "forbidden");
        ask(2, "203.0.113.7, nonsense").await.refuses(403, "forbidden");
        ask(3, "203.0.113.7").await.refuses(403, "forbidden");
        assert_eq!(house.codes_told(), 2);
    })
    .await;
}
