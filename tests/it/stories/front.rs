//! Behind a front that knows the origin secret: nobody gets around it, and it alone tells who is calling.

use serde_json::json;

use crate::people::{Browser, Visitor, in_each_house};

const SECRET: &str = "canary-origin-secret-0123456789";
const SETTINGS: &[(&str, &str)] = &[("ORIGIN_SECRET", SECRET), ("ADMIN_IP_WHITELIST", "203.0.113.7")];

/// The browser as it is seen through the front.
fn through_the_front(browser: &Browser, ip: &str) -> Browser {
    browser.with("x-origin-secret", SECRET).with("x-viewer-address", ip)
}

#[tokio::test]
async fn who_goes_around_the_front_is_refused_everywhere() {
    in_each_house(SETTINGS, async |house| {
        let around = house.newcomer();
        let guesses = ["", "canary-origin-secret-012345678", "canary-origin-secret-01234567890"];
        let browsers =
            guesses.map(|guess| around.with("x-origin-secret", guess).with("x-viewer-address", "203.0.113.7"));
        for browser in browsers.iter().chain([&around]) {
            for (method, path) in [
                ("GET", "/health"),
                ("POST", "/api/visitor/join"),
                ("OPTIONS", "/api/visitor/join"),
                ("POST", "/api/admin/request_otp"),
                ("GET", "/api/admin/conversations"),
                ("DELETE", "/delete/conversations/x"),
                ("POST", "/telegram/webhook"),
            ] {
                browser.ask(method, path, None).await.refuses(403, "forbidden");
            }
            for path in ["/ws/client", "/ws/admin?ticket=x"] {
                browser.open(path).await.err().expect("no socket").refuses(403, "forbidden");
            }
        }
        assert_eq!(house.codes_told(), 0);
        assert_eq!(house.counts(&["conversation", "connection"]).await.iter().map(|(_, n)| n).sum::<i64>(), 0);

        let mut ada = Visitor::join(through_the_front(&around, "203.0.113.7"), "Ada").await;
        ada.say("hello").await;
        assert_eq!(ada.browser.get("/health").await.good()["status"], "ok");
    })
    .await;
}

#[tokio::test]
async fn the_front_tells_the_address_that_limits_and_lists_go_by() {
    in_each_house(SETTINGS, async |house| {
        let edge = house.newcomer();
        let join = async |ip: &str| through_the_front(&edge, ip).post("/api/visitor/join", json!({})).await;
        for ip in ["198.51.100.1", "198.51.100.2", "2001:db8::1"] {
            for _ in 0..3 {
                join(ip).await.good();
            }
            join(ip).await.refuses(429, "rate_limited");
        }
        // The same network, the same bucket.
        join("2001:db8::2").await.refuses(429, "rate_limited");

        let ask = async |ip: &str| through_the_front(&edge, ip).post("/api/admin/request_otp", json!({})).await;
        ask("203.0.113.8").await.refuses(403, "forbidden");
        assert_eq!(ask("203.0.113.7").await.good()["sent"], true);
    })
    .await;
}

#[tokio::test]
async fn without_a_front_nobody_tells_an_address() {
    in_each_house(&[("ADMIN_IP_WHITELIST", "203.0.113.7")], async |house| {
        let liar = through_the_front(&house.newcomer(), "203.0.113.7");

        liar.post("/api/admin/request_otp", json!({})).await.refuses(403, "forbidden");
    })
    .await;
}
